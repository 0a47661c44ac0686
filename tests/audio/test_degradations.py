from __future__ import annotations

import numpy as np
import pytest

from audio.degradations import (
    HEAVY,
    MIDDLE,
    band_limited,
    clipped,
    contaminate,
    distort,
    dropouts,
    musical_noise,
)
from audio.excerpts import rms_db
from audio.metrics import sdr
from audio.reading import Audio
from audio.synthesis import synthetic_song
from tests.factories import RATE, sound


@pytest.fixture(scope="module")
def stems() -> dict[str, Audio]:
    return {source: stem[:, : 4 * RATE] for source, stem in synthetic_song(11, 5.0).stems.items()}


def test_distorted_is_repeatable_and_changes_with_the_seed(stems: dict[str, Audio]) -> None:
    voice = stems["vocals"]
    assert np.array_equal(distort(voice, seed=1), distort(voice, seed=1))
    assert not np.array_equal(distort(voice, seed=1), distort(voice, seed=2))


@pytest.mark.parametrize("source", ["vocals", "drums", "bass", "other"])
def test_distorted_is_far_from_the_original_at_its_level(stems: dict[str, Audio], source: str) -> None:
    distorted = distort(stems[source], seed=1)
    assert distorted.shape == stems[source].shape and distorted.dtype == np.float32
    assert rms_db(distorted) == pytest.approx(rms_db(stems[source]), abs=0.1)
    assert sdr(stems[source], distorted) < 3.0


def test_distorted_sound_lost_its_highs(stems: dict[str, Audio]) -> None:
    def highs(samples: Audio) -> float:
        power = np.abs(np.fft.rfft(samples)) ** 2
        frequencies = np.fft.rfftfreq(samples.shape[1], 1 / RATE)
        return float(power[:, frequencies > 10_000].sum() / power.sum())

    assert highs(distort(stems["drums"], seed=1)) < 0.2 * highs(stems["drums"])


def test_distorted_silence_is_silence() -> None:
    assert not distort(np.zeros((2, RATE), dtype=np.float32), seed=1).any()


@pytest.mark.parametrize("level", [-10.0, 0.0])
def test_contamination_has_the_level_that_was_asked_for(stems: dict[str, Audio], level: float) -> None:
    voice, others = stems["vocals"], stems["drums"] + stems["bass"]
    added = contaminate(voice, others, level_db=level) - voice
    assert rms_db(added) == pytest.approx(rms_db(voice) + level, abs=0.01)
    assert abs(np.corrcoef(added.ravel(), others.ravel())[0, 1]) > 0.9999


def test_contamination_needs_something_to_add(stems: dict[str, Audio]) -> None:
    with pytest.raises(ValueError, match="silent"):
        contaminate(stems["vocals"], np.zeros_like(stems["vocals"]), level_db=0.0)
    with pytest.raises(ValueError, match="differ in shape"):
        contaminate(stems["vocals"], sound(1.0), level_db=0.0)


# ── Each artefact by itself ─────────────────────────────────────────────────────────────────────────────────────────


def wave(stems: dict[str, Audio], source: str) -> np.ndarray:
    return stems[source].astype(np.float64)


def test_a_band_limit_leaves_what_lies_below_and_takes_what_lies_above() -> None:
    noise = np.random.default_rng(1).standard_normal((2, 4 * RATE))
    before, after = (np.abs(np.fft.rfft(each)) ** 2 for each in (noise, band_limited(noise, 3_500.0)))
    hertz = np.fft.rfftfreq(noise.shape[1], 1 / RATE)

    def kept_db(low: float, high: float) -> float:
        band = (hertz >= low) & (hertz < high)
        return 10 * float(np.log10(after[:, band].sum() / before[:, band].sum()))

    assert kept_db(50, 2_000) == pytest.approx(0.0, abs=0.2)
    assert kept_db(3_450, 3_550) == pytest.approx(-6.0, abs=0.4)
    assert kept_db(7_000, 20_000) < -36.0


@pytest.mark.parametrize("over_rms", [1.1, 2.5])
def test_clipping_cuts_at_its_level_and_leaves_the_rest(stems: dict[str, Audio], over_rms: float) -> None:
    voice = wave(stems, "vocals")
    cut = clipped(voice, over_rms)
    limit = over_rms * np.sqrt(np.mean(voice**2))
    assert np.max(np.abs(cut)) == pytest.approx(limit)
    below = np.abs(voice) < limit
    assert np.array_equal(cut[below], voice[below])
    assert 0.001 < np.mean(~below) < 0.5


@pytest.mark.parametrize("share", [0.02, 0.12, 0.5])
def test_dropouts_are_as_rare_as_asked_for_and_do_not_click(share: float) -> None:
    gain = dropouts(200 * RATE, share, np.random.default_rng(3))
    assert np.mean(gain < 0.01) == pytest.approx(share, rel=0.2)
    assert gain.min() < 1e-9 and gain.max() == pytest.approx(1.0)
    assert np.max(np.abs(np.diff(gain))) < 1.1 / (0.004 * RATE)  # nothing jumps


def test_even_dropouts_all_the_time_leave_a_moment() -> None:
    assert dropouts(RATE, 1.0, np.random.default_rng(1)).max() == pytest.approx(1.0)


@pytest.mark.parametrize("share", [0.18, 0.75])
def test_musical_noise_keeps_its_share_of_the_cells(share: float) -> None:
    noise = np.random.default_rng(2).standard_normal((1, 4 * RATE))
    rest = musical_noise(noise, share, np.random.default_rng(5))
    assert rest.shape == noise.shape
    kept = float(np.mean(rest**2) / np.mean(noise**2))
    assert share**2 * 0.9 < kept < share  # overlapping frames share their holes
    ringing = [_tonality(each) for each in (noise, rest)]
    assert ringing[1] > 1.5 * ringing[0] or share > 0.5


def _tonality(samples: np.ndarray) -> float:
    """Of short frames: peak over mean of the power spectrum."""
    frames = samples[0, : samples.shape[1] // 1024 * 1024].reshape(-1, 1024) * np.hanning(1024)
    power = np.abs(np.fft.rfft(frames)) ** 2
    return float(np.median(power.max(axis=1) / power.mean(axis=1)))


@pytest.mark.parametrize("source", ["vocals", "drums", "bass", "other"])
def test_heavy_is_worse_than_middle_and_middle_is_still_music(stems: dict[str, Audio], source: str) -> None:
    heavy, middle = (sdr(stems[source], distort(stems[source], seed=4, how=how)) for how in (HEAVY, MIDDLE))
    assert heavy < 3.0
    assert heavy + 4.0 < middle < 15.0


def test_nothing_comes_late() -> None:
    click = np.zeros((1, 4_000))
    click[0, 2_000] = 1.0
    assert int(np.argmax(band_limited(click, 3_500.0))) == 2_000
