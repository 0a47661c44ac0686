"""The sounds of the equipment checks: left and right, tones in antiphase, Huggins pitch. Made from the papers.

- `side_sound`: a soft chord on one side and digital silence on the other.
- `antiphase_sound`: Woods, Siegel, Traer and McDermott 2017, "Headphone screening to facilitate web-based auditory
  experiments", Atten. Percept. Psychophys. 79, 2064-2072, doi:10.3758/s13414-017-1361-2, method of experiment 1. Three
  tones of 200 Hz, 1 s each with 100 ms ramps, 0.5 s apart: one as it is, one 6 dB quieter (the right answer), one as
  loud as the first with its right channel inverted. Through two loudspeakers the inverted one cancels in the air, by
  more than 20 dB there, and is taken for the quietest.
- `huggins_sound`: Milne, Bianco, Poole, Zhao, Oxenham, Billig and Chait 2021, "An online headphone screening test based
  on dichotic pitch", Behav. Res. Methods 53, 1551-1562, doi:10.3758/s13428-020-01514-0, method of experiment 1 (the
  stimulus of Cramer and Huggins 1958). Three white Gaussian noises of 1 s, 0.5 s apart; in one of them (the right
  answer) the right ear's band of 600 Hz ± 6 % is shifted by 180°. Between two ears that is a faint tone; in either ear
  alone, and in the air before two loudspeakers, there is none.

All sounds of one kind have one length, the intervals of one sound one level where the paper wants it, and all kinds
about the loudness of the clips (-23 LUFS), for which the listener sets the volume. Noise gets ramps of 20 ms, which the
paper does not state: without any it would click.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from audio.excerpts import fade
from audio.reading import SAMPLE_RATE, Audio

INTERVALS = 3
INTERVAL_SECONDS, GAP_SECONDS = 1.0, 0.5

TONE_HZ = 200.0
TONE_RAMP_SECONDS = 0.1
TONE_RMS = 0.077
QUIETER_DB = -6.0

PITCH_HZ, PITCH_WIDTH = 600.0, 0.06
NOISE_RMS = 0.0394
NOISE_RAMP_SECONDS = 0.02

SIDE_SECONDS = 1.2
SIDE_HZ = (440.0, 550.0, 660.0)
SIDE_RAMP_SECONDS = 0.15
SIDE_RMS = 0.0785

LEFT, RIGHT = "left", "right"
SIDES, ANTIPHASE, HUGGINS = "sides", "antiphase", "huggins"
KINDS = (SIDES, ANTIPHASE, HUGGINS)

Mono = npt.NDArray[np.float64]


def equipment_sound(kind: str, answer: str, seed: Sequence[int]) -> Audio:
    """The sound of one item: float32 `[2, n]` at 44.1 kHz, `n` the same for every answer and seed of a kind.

    `kind` is one of `KINDS`; `answer` the right one: "left" or "right", else the number of the interval, "1" to "3".
    `seed` (integers of 0 or more) draws what the answer leaves open. Raises `ValueError` for another kind or answer.
    """
    if kind == SIDES and answer in (LEFT, RIGHT):
        return side_sound(answer)
    if kind in (ANTIPHASE, HUGGINS) and answer in ("1", "2", "3"):
        make = antiphase_sound if kind == ANTIPHASE else huggins_sound
        return make(int(answer) - 1, np.random.default_rng(list(seed)))
    raise ValueError(f"there is no item of {kind!r} with the answer {answer!r}")


def side_sound(side: str) -> Audio:
    """A major third and a fifth on one side ("left" or "right"): float32 `[2, 52920]`."""
    chord = np.sum([_sine(hertz, SIDE_SECONDS) for hertz in SIDE_HZ], axis=0) / np.sqrt(len(SIDE_HZ))
    sound = np.zeros((2, chord.size), dtype=np.float32)
    sound[0 if side == LEFT else 1] = SIDE_RMS * chord
    return fade(sound, SIDE_RAMP_SECONDS)


def antiphase_sound(quietest: int, rng: np.random.Generator) -> Audio:
    """Three tones, of which the one of this number (0 to 2) is quieter: float32 `[2, 176400]`.

    `rng` draws which of the two others is in antiphase.
    """
    inverted = int(rng.choice([place for place in range(INTERVALS) if place != quietest]))
    tone = TONE_RMS * _sine(TONE_HZ, INTERVAL_SECONDS)
    quieter = 10.0 ** (QUIETER_DB / 20.0)
    gains = [(quieter if place == quietest else 1.0, -1.0 if place == inverted else 1.0) for place in range(INTERVALS)]
    return _in_a_row([fade(_stereo(gain * tone, gain * sign * tone), TONE_RAMP_SECONDS) for gain, sign in gains])


def huggins_sound(target: int, rng: np.random.Generator) -> Audio:
    """Three noises, of which the one of this number (0 to 2) holds the pitch: float32 `[2, 176400]`, drawn by `rng`."""
    intervals = []
    for place in range(INTERVALS):
        noise = NOISE_RMS * rng.standard_normal(round(INTERVAL_SECONDS * SAMPLE_RATE))
        right = _band_inverted(noise) if place == target else noise
        intervals.append(fade(_stereo(noise, right), NOISE_RAMP_SECONDS))
    return _in_a_row(intervals)


def _band_inverted(noise: Mono) -> Mono:
    """The noise with all components in the band shifted by 180°: magnitudes, and so the level, stay as they are."""
    spectrum = np.fft.rfft(noise)
    frequencies = np.fft.rfftfreq(noise.size, 1.0 / SAMPLE_RATE)
    band = np.abs(frequencies - PITCH_HZ) <= PITCH_WIDTH * PITCH_HZ
    return np.fft.irfft(np.where(band, -spectrum, spectrum), noise.size)


def _sine(hertz: float, seconds: float) -> Mono:
    """Of RMS 1."""
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return np.asarray(np.sqrt(2.0) * np.sin(2.0 * np.pi * hertz * time))


def _stereo(left: Mono, right: Mono) -> Audio:
    return np.stack([left, right]).astype(np.float32)


def _in_a_row(intervals: Sequence[Audio]) -> Audio:
    gap = np.zeros((2, round(GAP_SECONDS * SAMPLE_RATE)), dtype=np.float32)
    parts = [part for interval in intervals for part in (interval, gap)]
    return np.concatenate(parts[:-1], axis=1)
