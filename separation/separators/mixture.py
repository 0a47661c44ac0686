"""What every separator asks of its input: checked pieces of a song, of an array or of a file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from separation.separators.base import SAMPLE_RATE, Audio, BadMixture, Mixture, Span

SHORTEST = SAMPLE_RATE // 10  # samples


class ArrayMixture:
    """A song in memory, float32 `[2, samples]`."""

    def __init__(self, audio: Audio) -> None:
        self._audio = audio

    @property
    def samples(self) -> int:
        return int(self._audio.shape[-1])

    def read(self, start: int, end: int) -> Audio:
        return self._audio[..., start:end]


class CheckedMixture:
    """A song whose every piece is checked when it is read."""

    def __init__(self, mixture: Mixture) -> None:
        """Raises `BadMixture` for a song of less than 0.1 s."""
        if mixture.samples < SHORTEST:
            raise BadMixture(f"a mixture has at least {SHORTEST} samples, not {mixture.samples}")
        self._mixture = mixture
        self.samples = mixture.samples

    def read(self, start: int, end: int) -> Audio:
        """float32 `[2, end - start]`, contiguous and finite; raises `BadMixture` otherwise."""
        return checked(self._mixture.read(start, end), end - start)

    def padded(self, start: int, end: int) -> Audio:
        """As `read`, with silence where `start` and `end` lie outside the song."""
        first, last = max(0, start), min(self.samples, end)
        if first >= last:
            return np.zeros((2, end - start), dtype=np.float32)
        return np.pad(self.read(first, last), ((0, 0), (first - start, end - last)))

    def reflected(self, start: int, end: int) -> Audio:
        """As `read`, mirrored at the song's first and last sample, at most as far as the song is long."""
        left, right = max(0, -start), max(0, end - self.samples)
        first, last = min(max(0, start), self.samples - right - 1), max(min(self.samples, end), left + 1)
        mirrored = np.pad(self.read(first, last), ((0, 0), (left, right)), mode="reflect")
        skipped = max(0, start) - first
        return mirrored[:, skipped : skipped + end - start]


def checked(piece: npt.NDArray[Any], samples: int) -> Audio:
    """The piece, C-contiguous. Raises `BadMixture` unless it is finite float32 `[2, samples]`."""
    if piece.dtype != np.float32 or piece.shape != (2, samples):
        raise BadMixture(f"a mixture is float32 [2, {samples}], not {piece.dtype} {list(piece.shape)}")
    if not np.isfinite(piece).all():
        raise BadMixture("the mixture holds NaN or infinity")
    return np.ascontiguousarray(piece)


def checked_mixture(mixture: npt.NDArray[Any]) -> Audio:
    """The whole mixture, C-contiguous. Raises `BadMixture` unless it is finite float32 `[2, samples]`, 0.1 s long."""
    if mixture.ndim != 2 or mixture.shape[1] < SHORTEST:
        raise BadMixture(f"a mixture is [2, samples] with {SHORTEST} samples or more, not {list(mixture.shape)}")
    return checked(mixture, mixture.shape[1])


def checked_spans(spans: Sequence[Span], samples: int) -> list[Span]:
    """The spans, if they are ascending, apart and inside the song; raises `ValueError` otherwise."""
    at = 0
    for start, end in spans:
        if not at <= start < end <= samples:
            raise ValueError(f"spans are ascending, apart and inside 0 to {samples}, not {list(spans)}")
        at = end
    if not spans:
        raise ValueError("nothing is to be separated: there are no spans")
    return list(spans)
