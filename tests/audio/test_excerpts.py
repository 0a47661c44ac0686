from __future__ import annotations

import numpy as np
import pytest

from audio.excerpts import cut, fade, is_active, rms_db
from tests.factories import RATE, sound


def test_equal_times_give_equal_lengths_in_every_stem() -> None:
    stems = [sound(4.0, seed=seed) for seed in range(3)]
    rng = np.random.default_rng(5)
    for start, end in np.sort(rng.uniform(0, 4, (50, 2)), axis=1):
        lengths = {cut(stem, start, end).shape[1] for stem in stems}
        assert lengths == {round(end * RATE) - round(start * RATE)}


def test_cut_to_the_very_end() -> None:
    samples = sound(3.0)[:, :131_071]
    assert cut(samples, 1.0, samples.shape[1] / RATE).shape[1] == 131_071 - RATE


def test_cut_outside() -> None:
    with pytest.raises(ValueError, match="do not lie inside"):
        cut(sound(3.0), 2.0, 3.5)


def test_fade_is_a_raised_cosine_from_and_to_zero() -> None:
    faded = fade(np.ones((2, RATE), dtype=np.float32))
    length = round(0.005 * RATE)
    expected = 0.5 - 0.5 * np.cos(np.pi * np.arange(length) / length)
    assert np.allclose(faded[0, :length], expected, atol=1e-6)
    assert np.allclose(faded[1, -length:], expected[::-1], atol=1e-6)
    assert np.all(faded[:, length:-length] == 1.0)
    assert faded[0, 0] == 0.0 and faded[0, -1] == 0.0


def test_fade_leaves_its_input_alone_and_takes_short_sounds() -> None:
    samples = np.ones((2, 100), dtype=np.float32)
    assert np.max(fade(samples)) <= 1.0
    assert np.all(samples == 1.0)


def test_rms() -> None:
    assert rms_db(np.full((2, 100), 0.5, dtype=np.float32)) == pytest.approx(-6.02, abs=0.01)
    assert rms_db(np.zeros((2, 100), dtype=np.float32)) == float("-inf")


def test_a_source_that_sings_half_of_the_time_is_active_and_bleed_is_not() -> None:
    half = sound(4.0)
    half[:, : 2 * RATE] = 0.0
    assert is_active(half)
    assert not is_active(sound(4.0, level=0.001))
    assert not is_active(np.zeros((2, RATE), dtype=np.float32))
