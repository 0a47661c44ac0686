"""The contract every separator keeps: a mixture goes in, one stem per source comes out, with what ran.

Django-free, and free of torch and TensorFlow: importing this module costs nothing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

SAMPLE_RATE = 44_100
"""Hz. Every separator takes and returns audio at this rate."""

Audio = npt.NDArray[np.float32]
"""float32 `[channels, samples]`; full scale is ±1, but values beyond it are kept, never clipped."""

Progress = Callable[[float], None]
"""Called with the share done, 0.0–1.0, never backwards. It may raise to stop the work (cancellation)."""


class SeparatorError(Exception):
    """A separation that cannot be done. `code` is stable and short; the message is for the log.

    `permanent` errors are never retried: trying again cannot help. `params` fill the sentence that the
    person reads (see `separation.messages`).
    """

    code = "separation_failed"
    permanent = True

    def __init__(self, message: str, **params: str) -> None:
        super().__init__(message)
        self.params = params


class WeightsMissing(SeparatorError):
    """A weights file is not there. params: `file`, `folder`, `how` (the command that brings it)."""

    code = "weights_missing"


class WeightsMismatch(SeparatorError):
    """A weights file is there but is not the one named (hash, names, shapes). params: as `WeightsMissing`."""

    code = "weights_mismatch"


class BadMixture(SeparatorError):
    """The mixture is not float32 `[2, samples]`, is too short, or holds NaN or infinity."""

    code = "bad_mixture"


EXACT, FAST = "exact", "fast"
"""Precisions. Exact is float32, the packages' own results; fast is what the family's module says of it."""

Span = tuple[int, int]
"""First sample of a part of a song, and the first one after it."""


@dataclass(frozen=True)
class Published:
    """A figure that somebody published: the median SDR on MUSDB18 (or -HQ), and where it stands."""

    source: str  # "vocals", …, or "all" for the mean over the sources
    sdr: float  # dB
    where: str  # what to cite


@dataclass(frozen=True)
class SeparatorSpec:
    """One row of the registry: a pretrained model variant that can be run."""

    key: str  # e.g. "umxhq", "spleeter:4stems", "htdemucs", "htdemucs:demo", "htdemucs@fast"
    name: str  # what a person reads, e.g. "Open-Unmix umxhq"
    family: str  # "openunmix" | "spleeter" | "demucs", or what a package of somebody else's names
    weights: str  # "published" | "demo" | "package" (of somebody else, who answers for them)
    sources: tuple[str, ...]  # e.g. ("vocals", "drums", "bass", "other")
    implementation: str  # dotted path "package.module:Class", imported on first use
    bandwidth: int = SAMPLE_RATE // 2  # Hz; above it the stems are silent
    licence: str = ""  # of the weights, e.g. "MIT", "CC-BY-NC-SA-4.0"
    published: tuple[Published, ...] = ()
    precision: str = EXACT

    @property
    def is_demo(self) -> bool:
        return self.weights == "demo"

    @property
    def base_key(self) -> str:
        """The key without its precision: two precisions have one set of weights."""
        return self.key.partition("@")[0]


@dataclass(frozen=True)
class Ran:
    """What ran, kept with the job so that the numbers can be repeated."""

    separator: str
    package: str
    package_version: str
    weights: str  # as in the spec
    weights_origin: str  # where the files came from: a folder of this installation or a URL
    weights_sha256: dict[str, str]  # file name -> sha256 of the whole file
    device: str  # "cpu" or "cuda:0 (NVIDIA …)"
    seconds: float  # wall time of the separation alone, without loading the weights
    precision: str = EXACT
    way: str = (
        "whole"  # or, of a part: "windows", "blocks", "recurrent" (all of the song for the recurrent layers alone)
    )
    settings: dict[str, Any] = field(default_factory=dict)  # whatever else changes the samples

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class Mixture(Protocol):
    """A song that is read piece by piece, so that its length costs no memory."""

    @property
    def samples(self) -> int:
        """Its length."""

    def read(self, start: int, end: int) -> Audio:
        """float32 `[2, end - start]` at 44.1 kHz; `0 <= start < end <= samples`."""


Sink = Callable[[int, dict[str, Audio]], None]
"""Takes the next piece of every stem: its first sample in the song, and `[2, n]` for each source. The pieces of a span
follow one another without gap or overlap, and the spans follow one another. It may raise to stop the work."""


@dataclass(frozen=True)
class Separation:
    stems: dict[str, Audio]  # source -> [2, samples], as long as the mixture
    ran: Ran


class Separator(ABC):
    """A loaded model. Made once per worker process and kept (see `registry.get`).

    Who brings a model of their own writes `separate`; `run` can be improved on where a part of a song can be separated
    without the rest, or a long song in pieces.
    """

    def __init__(self, spec: SeparatorSpec) -> None:
        self.spec = spec

    @abstractmethod
    def separate(self, mixture: Audio, progress: Progress = lambda done: None) -> Separation:
        """Separate one mixture.

        `mixture`: float32 `[2, samples]` at 44.1 kHz, at least 0.1 s long. Returns one float32
        `[2, samples]` array for each of `spec.sources`. The same mixture gives the same stems.
        Raises `BadMixture` for anything else, and whatever `progress` raises.
        """

    def run(self, mixture: Mixture, spans: Sequence[Span], sink: Sink, progress: Progress = lambda done: None) -> Ran:
        """Separate the `spans` (ascending, apart, inside the song) of a song, each exactly as in the whole song.

        Raises as `separate`, and whatever `sink` raises.
        """
        separation = self.separate(mixture.read(0, mixture.samples), progress)
        for start, end in spans:
            sink(start, {source: stem[:, start:end] for source, stem in separation.stems.items()})
        return separation.ran

    def identity(self) -> dict[str, Any]:
        """What decides the stems of a mixture: package, version, sha256 of the weights, precision, settings.

        JSON. Work of equal identity on equal audio is done once. Empty: not known, so it is always done.
        """
        return {}
