"""The model of simulated listeners behaves as it says."""

from __future__ import annotations

import numpy as np
import pytest

from listening_test.simulation import Latent, latent, ratings, si_sir, simulated_listener
from tests.factories import sound


def test_interference_is_measured_in_its_own_decibels() -> None:
    """A known mixture: the source at gain 0.5, another one 12 dB weaker, and noise that belongs to neither."""
    voice, drums, artefacts = (sound(2.0, seed=seed) for seed in (1, 2, 3))
    estimate = 0.5 * voice + 0.5 * 10 ** (-12 / 20) * drums + artefacts
    assert si_sir("vocals", {"vocals": voice, "drums": drums}, estimate) == pytest.approx(12.0, abs=0.3)


def test_a_perfect_estimate_and_the_wrong_source_reach_the_ends() -> None:
    references = {"vocals": sound(seed=1), "drums": sound(seed=2)}
    assert si_sir("vocals", references, references["vocals"]) > 45
    assert si_sir("vocals", references, references["drums"]) < -20


def test_better_separation_is_worth_more_and_stays_near_the_scale() -> None:
    rng = np.random.default_rng(1)
    worth = [np.mean([latent(sdr, sdr + 4, rng).quality for _ in range(200)]) for sdr in (-10, 0, 5, 10, 25)]
    assert worth == sorted(worth)
    assert worth[2] == pytest.approx(3.0, abs=0.05)
    assert 0.9 < worth[0] < 1.2
    assert 4.9 < worth[-1] < 5.1


def test_listeners_follow_the_latent_value_and_careless_ones_do_not() -> None:
    rng = np.random.default_rng(2)
    clip = Latent(quality=4.4, contamination=1.7)
    attentive = [ratings(clip, simulated_listener(rng, careless=False), rng) for _ in range(2000)]
    careless = [ratings(clip, simulated_listener(rng, careless=True), rng) for _ in range(2000)]
    quality, contamination = np.mean(attentive, axis=0)
    assert quality == pytest.approx(4.3, abs=0.15)  # a little below: the scale ends at 5
    assert contamination == pytest.approx(1.75, abs=0.15)
    assert np.mean(careless, axis=0) == pytest.approx([3.0, 3.0], abs=0.15)
    assert {value for pair in attentive + careless for value in pair} == {1, 2, 3, 4, 5}


def test_the_same_seed_gives_the_same_ratings() -> None:
    clip = Latent(quality=3.2, contamination=2.8)
    once, again = (
        [ratings(clip, simulated_listener(rng, careless=False), rng) for _ in range(20)]
        for rng in (np.random.default_rng(3), np.random.default_rng(3))
    )
    assert once == again
