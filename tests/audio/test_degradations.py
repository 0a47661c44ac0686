from __future__ import annotations

import numpy as np
import pytest

from audio.degradations import contaminate, distort
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
