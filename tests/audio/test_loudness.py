from __future__ import annotations

import numpy as np
import pytest

from audio.loudness import TooQuiet, align, integrated_loudness, true_peak
from audio.reading import Audio
from tests.factories import RATE, sound


def sine(hertz: float, dbfs: float, seconds: float = 5.0, phase: float = 0.0) -> Audio:
    t = np.arange(round(seconds * RATE)) / RATE
    wave = 10 ** (dbfs / 20) * np.sin(2 * np.pi * hertz * t + phase)
    return np.stack([wave, wave]).astype(np.float32)


@pytest.mark.parametrize("level", [-23.0, -33.0])
def test_loudness_of_a_stereo_sine(level: float) -> None:
    """EBU Tech 3341 (2016), table 1, cases 1 and 2: a 1 kHz stereo sine at X dBFS has X LUFS, within 0.1."""
    assert integrated_loudness(sine(1000.0, level, 20.0)) == pytest.approx(level, abs=0.1)


@pytest.mark.parametrize(("divisor", "phase"), [(4, 0.0), (4, 45.0), (6, 60.0), (8, 67.5)])
def test_true_peak_between_the_samples(divisor: int, phase: float) -> None:
    """EBU Tech 3341, table 1, cases 15 to 18: sines of fs/4, fs/6 and fs/8 at -6 dBTP, within +0.2 and -0.4."""
    tone = sine(RATE / divisor, -6.02, 1.0, np.radians(phase))
    edge = 1000  # a sine that starts at once rings when it is interpolated; the cases measure it as it goes on
    ramp = np.minimum(1.0, np.arange(tone.shape[1]) / edge)
    assert -6.4 <= true_peak((tone * ramp * ramp[::-1]).astype(np.float32)) <= -5.8


def test_align_brings_everything_to_one_loudness() -> None:
    for level in (0.01, 0.1, 0.5):
        aligned = align(sound(3.0, level=level))
        assert aligned.loudness_lufs == pytest.approx(-23.0)
        assert integrated_loudness(aligned.samples) == pytest.approx(-23.0, abs=0.01)
        assert true_peak(aligned.samples) == pytest.approx(aligned.true_peak_dbtp, abs=0.01)


def test_align_stays_below_the_ceiling_and_says_what_it_did() -> None:
    """One click in quiet noise: the loudness rule alone would send it far beyond full scale."""
    samples = sound(3.0, level=0.001)
    samples[:, 60_000] = 0.5
    aligned = align(samples)
    assert aligned.true_peak_dbtp == pytest.approx(-1.0)
    assert true_peak(aligned.samples) == pytest.approx(-1.0, abs=0.01)
    assert aligned.loudness_lufs < -23.0
    assert integrated_loudness(aligned.samples) == pytest.approx(aligned.loudness_lufs, abs=0.01)
    assert np.allclose(aligned.samples, samples * 10 ** (aligned.gain_db / 20), rtol=1e-5)


@pytest.mark.parametrize("level", [0.0, 1e-4])
def test_near_silence_cannot_be_aligned(level: float) -> None:
    with pytest.raises(TooQuiet):
        align(sound(2.0, level=level))


def test_short_sounds_have_a_loudness_too() -> None:
    assert integrated_loudness(sound(0.2)) == pytest.approx(integrated_loudness(sound(3.0)), abs=1.0)
