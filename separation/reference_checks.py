"""Whether files that are said to be a song's true stems are that. Pure: numpy, and `audio.alignment`.

True stems sum up to the mixture: exactly where it was mixed from them, up to mastering or an encoder's losses
elsewhere. So each of them is found again in the mixture, at one place in time and at about its own level.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from audio.alignment import Lag, find_lag, shifted
from audio.reading import SAMPLE_RATE, Audio

SEARCHED = SAMPLE_RATE
"""Lags of up to a second are found, so that a refusal can name them."""

MAX_LAG = 8_192
"""Samples. Encoders pad by less (AAC-LD aside, at most 3 frames of 2048); more is another cut of the song."""

LEAST_SHARE = 0.3
"""The least a true stem's factor in the mixture may be: mastering moves it around 1, chance moves it around 0."""

BETTER = 1.05
"""How much more alike a stem must be at its own lag than at the common one to be put there."""

QUIET = 1e-6
"""Power of a stem against the mixture's (-60 dB) below which no likeness can be found, and none is asked for."""

BLOCK = 2**18
VOCALS, ACCOMPANIMENT = "vocals", "accompaniment"


class NotItsStems(Exception):
    """`code` and `params` of the sentence that says why. params: `source`, and `seconds`, `limit` or `length`."""

    def __init__(self, code: str, **params: str | float) -> None:
        super().__init__(f"{code} {params}")
        self.code = code
        self.params = params


@dataclass(frozen=True)
class Aligned:
    """`stems` are as long as the mixture and begin with it; `lags`: by how many samples each file began later.

    `residual_db`: power of what the stems' sum leaves of the mixture, against the mixture's; minus infinite where
    nothing is left.
    """

    stems: dict[str, Audio]
    lags: dict[str, int]
    residual_db: float


def aligned(mixture: Audio, stems: Mapping[str, Audio]) -> Aligned:
    """The stems, put in place. All are float32 `[2, samples]` at 44.1 kHz; silent stems pass as they are.

    Raises `NotItsStems` for stems that are another song's, begin more than `MAX_LAG` samples early or late, or are
    longer or shorter than the mixture by more than that.
    """
    powers = {source: _power(stem) for source, stem in stems.items()}
    heard = [source for source in stems if powers[source] > 0.0]
    if not heard:
        raise NotItsStems("references_all_silent")
    found = {source: find_lag(mixture, stems[source], max_lag=SEARCHED) for source in heard}
    lags = _lags(mixture, stems, found)
    length = mixture.shape[1]
    for source, stem in stems.items():
        _refuse_place(source, stem.shape[1], lags[source], length)
    placed = {source: shifted(stem, lags[source], length) for source, stem in stems.items()}
    _refuse_strangers(mixture, placed, found, powers)
    return Aligned(placed, lags, _residual_db(mixture, [placed[source] for source in parts(placed)]))


def parts(sources: Mapping[str, object]) -> list[str]:
    """Those that together are the mixture: an accompaniment counts where it is all that is known of it."""
    single = [source for source in sources if source != ACCOMPANIMENT]
    return list(sources) if single in ([], [VOCALS]) else single


def _lags(mixture: Audio, stems: Mapping[str, Audio], found: dict[str, Lag]) -> dict[str, int]:
    """That of all together, since files of one set are padded alike; a stem's own where that is clearly better."""
    sure = {source: lag.samples for source, lag in found.items() if lag.is_sure and not lag.inverted}
    if not sure:
        raise NotItsStems("references_unrelated")
    common = _common_lag(mixture, stems, found, list(sure))
    return {
        source: sure[source] if source in sure and _is_better(mixture, stem, sure[source], common) else common
        for source, stem in stems.items()
    }


def _common_lag(mixture: Audio, stems: Mapping[str, Audio], found: dict[str, Lag], sure: list[str]) -> int:
    """The lag of their sum, which is nearly the mixture; of the surest one where that is not sure."""
    single = [stems[source] for source in parts(stems)]
    together = np.zeros((2, min(stem.shape[1] for stem in single)), dtype=np.float32)
    for stem in single:
        together += stem[:, : together.shape[1]]
    lag = find_lag(mixture, together, max_lag=SEARCHED)
    return (lag if lag.is_sure else found[max(sure, key=lambda source: found[source].correlation)]).samples


def _is_better(mixture: Audio, stem: Audio, own: int, common: int) -> bool:
    """A bass is nearly the same a few samples later: without this its lag would be a matter of chance."""
    return own != common and _likeness(mixture, stem, own) > BETTER * abs(_likeness(mixture, stem, common))


def _likeness(mixture: Audio, stem: Audio, lag: int) -> float:
    placed = shifted(stem, lag, mixture.shape[1])
    blocks = (slice(start, start + BLOCK) for start in range(0, mixture.shape[1], BLOCK))
    return sum(float(np.vdot(mixture[:, block].astype(np.float64), placed[:, block])) for block in blocks)


def _refuse_place(source: str, samples: int, lag: int, length: int) -> None:
    if abs(lag) > MAX_LAG:
        moved = {"seconds": round(abs(lag) / SAMPLE_RATE, 3), "limit": round(MAX_LAG / SAMPLE_RATE, 3)}
        raise NotItsStems("reference_late" if lag > 0 else "reference_early", source=source, **moved)
    if abs(samples - lag - length) > MAX_LAG + abs(lag):
        lasts = {"seconds": round(samples / SAMPLE_RATE, 2), "length": round(length / SAMPLE_RATE, 2)}
        raise NotItsStems("reference_length", source=source, **lasts)


def _refuse_strangers(mixture: Audio, stems: dict[str, Audio], found: dict[str, Lag], powers: dict[str, float]) -> None:
    """Least squares: the mixture as a weighted sum of the stems. Who is not in it has a weight near zero."""
    loud = QUIET * _power(mixture)
    for group in (parts(stems), [source for source in stems if source not in parts(stems)]):
        tested = [source for source in group if powers[source] > loud]
        for source, weight in zip(tested, _weights(mixture, [stems[source] for source in tested]), strict=True):
            if weight < LEAST_SHARE or (weight < 2 * LEAST_SHARE and not found[source].is_sure):
                raise NotItsStems("reference_unrelated", source=source)


def _weights(mixture: Audio, stems: list[Audio]) -> list[float]:
    if not stems:
        return []
    gram, right = np.zeros((len(stems), len(stems))), np.zeros(len(stems))
    for start in range(0, mixture.shape[1], BLOCK):
        block = np.stack([stem[:, start : start + BLOCK].astype(np.float64).ravel() for stem in stems])
        gram += block @ block.T
        right += block @ mixture[:, start : start + BLOCK].astype(np.float64).ravel()
    return [float(weight) for weight in np.linalg.lstsq(gram, right)[0]]


def _residual_db(mixture: Audio, stems: list[Audio]) -> float:
    left = 0.0
    for start in range(0, mixture.shape[1], BLOCK):
        rest = mixture[:, start : start + BLOCK].astype(np.float64)
        left += float(np.sum((rest - sum(stem[:, start : start + BLOCK].astype(np.float64) for stem in stems)) ** 2))
    with np.errstate(divide="ignore"):
        return float(10.0 * np.log10(left / (_power(mixture) * mixture.size)))


def _power(samples: Audio) -> float:
    """Mean square over all channels and samples."""
    total = 0.0
    for start in range(0, samples.shape[1], BLOCK):
        total += float(np.sum(np.square(samples[:, start : start + BLOCK], dtype=np.float64)))
    return total / samples.size
