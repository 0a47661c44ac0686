"""The bench of what bytes tell finds what there is to find, and nothing in sealed files."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from bench.blindness import SYSTEMS, Files, as_they_are, measured, padded_by_excerpt, sealed_to_one_size, wave
from listening_test.stimulus import stimulus
from tests.factories import RATE, sound


@pytest.fixture(scope="module")
def files() -> Files:
    """Six excerpts of coloured noise, by the bench's six systems."""
    made: Files = {}
    for number in range(6):
        colour = signal.butter(1, 1_500.0 + 500.0 * number, fs=RATE, output="sos")
        alone, others = (
            np.asarray(signal.sosfilt(colour, sound(0.7, seed=10 * number + part)), np.float32) for part in (1, 2)
        )
        for order, (system, spoil) in enumerate(SYSTEMS.items()):
            made[number, "vocals", system] = stimulus(spoil(alone, others), seed=[number, order]).data
    return made


@pytest.mark.parametrize("way", [as_they_are, padded_by_excerpt, wave])
def test_plain_files_tell_which_clips_share_a_system(files: Files, way: type[Files]) -> None:
    found = measured(way(files), np.random.default_rng(1))
    assert found["auc"] > 0.8 and found["p"] < 0.01


def test_sealed_files_do_not_and_have_one_size(files: Files) -> None:
    found = measured(sealed_to_one_size(files), np.random.default_rng(1))
    assert found["sizes"] == 1
    assert found["auc"] < 0.7 and found["p"] > 0.05
