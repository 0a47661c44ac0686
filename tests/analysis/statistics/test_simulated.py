"""The made-up listening tests of `bench/coverage.py`: their truth is true, and the bench reports what it says."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from bench.simulated import (
    DESIGNS,
    LISTENER,
    SHAKIEST,
    SONG,
    STEADIEST,
    SYSTEM_PANELS,
    Panel,
    careless,
    expected,
    places,
)
from tests.config.running import ROOT


@pytest.mark.parametrize("latent", [1.2, 3.0, 4.3])
def test_expected_means_are_those_of_very_many_ratings(latent: float) -> None:
    rng = np.random.default_rng(1)
    size = 400_000
    noise = rng.uniform(STEADIEST, SHAKIEST, size) * rng.normal(size=size)
    rated = np.clip(np.round(latent + rng.normal(0, LISTENER, size) + rng.normal(0, SONG, size) + noise), 1, 5)
    assert expected(latent, SONG**2)[0] == pytest.approx(rated.mean(), abs=0.01)


@pytest.mark.parametrize("design", [*DESIGNS, *SYSTEM_PANELS], ids=lambda design: design.name)
def test_a_listener_hears_a_song_once(design: object) -> None:
    who, what = places(design, np.random.default_rng(2))  # type: ignore[arg-type]
    cells = np.unique(np.stack([who, what]), axis=1)
    assert cells.shape[1] == who.size == design.ratings  # type: ignore[attr-defined]
    assert np.bincount(who).tolist() == [design.heard] * design.listeners  # type: ignore[attr-defined]
    assert set(what) == set(range(design.songs))  # type: ignore[attr-defined]


def test_versions_of_a_song_share_it() -> None:
    panel = Panel.drawn(SYSTEM_PANELS[0], np.random.default_rng(3))
    versions = panel.songs.reshape(4, 16)
    assert np.allclose(np.diff(versions, axis=0), np.diff(SYSTEM_PANELS[0].systems)[:, None])


def test_careless_listeners_stay_on_the_scale() -> None:
    rng = np.random.default_rng(4)
    ratings = rng.integers(1, 6, 64).astype(float)
    given = {kind: careless(kind, ratings, rng) for kind in ("permuted", "reversed", "one button", "nearly one button")}
    assert sorted(given["permuted"]) == sorted(ratings)
    assert (given["reversed"] + ratings == 6).all()
    assert np.ptp(given["one button"]) == 0
    assert np.ptp(given["nearly one button"]) <= 2
    assert all(((one >= 1) & (one <= 5)).all() for one in given.values())


def test_the_bench_prints_one_object() -> None:
    command = [sys.executable, "-m", "bench.coverage", "--json", "--sets", "40", "--design", "8×12, mid"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    found = json.loads(done.stdout)
    low, high = found["any_song"]
    assert 0.8 <= low <= high <= 1.0
    assert found["these_clips"][0] >= 0.8
    assert found["per_clip_min"] >= 0.85
    assert found["false_positive_max"] <= 0.2
    assert {"screening_hit_min", "false_alarm_max"} <= found.keys()
    pooled = found["tables"]["means"][0]["any song: pooled z (P.808 toolkit)"]
    assert pooled < 0.75  # the mistake that the table is there to show
