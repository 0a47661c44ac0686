"""What every separator keeps, whatever package is behind it: run with the demo weights of all three."""

from __future__ import annotations

from importlib.metadata import version

import numpy as np
import pytest

from audio.metrics import sdr
from audio.synthesis import synthetic_song
from separation.separators import registry
from separation.separators.base import Audio, BadMixture, Separator

KEYS = ["umx:demo", "spleeter:demo", "htdemucs:demo"]
PACKAGES = {"umx:demo": "openunmix", "spleeter:demo": "spleeter", "htdemucs:demo": "demucs"}


class Stop(Exception):
    """What a worker's progress callback raises when the job is cancelled."""


@pytest.fixture(params=KEYS)
def separator(request: pytest.FixtureRequest) -> Separator:
    return registry.get(request.param)


@pytest.fixture(scope="module")
def mixture() -> Audio:
    return synthetic_song(50, 3.0).mixture


@pytest.mark.parametrize("samples", [4410, 44_101, 100_000])
def test_one_stem_per_source_as_long_as_the_mixture(separator: Separator, mixture: Audio, samples: int) -> None:
    stems = separator.separate(mixture[:, :samples]).stems
    assert tuple(stems) == separator.spec.sources
    for stem in stems.values():
        assert stem.dtype == np.float32
        assert stem.shape == (2, samples)
        assert np.isfinite(stem).all()


def test_the_same_mixture_gives_the_same_stems_and_is_left_as_it_was(separator: Separator, mixture: Audio) -> None:
    before = mixture.copy()
    one, two = separator.separate(mixture).stems, separator.separate(mixture).stems
    assert all(np.array_equal(one[source], two[source]) for source in one)
    assert np.array_equal(mixture, before)


def test_a_silent_mixture_gives_silent_stems(separator: Separator) -> None:
    for stem in separator.separate(np.zeros((2, 44_100), dtype=np.float32)).stems.values():
        assert np.abs(stem).max() < 1e-3


def test_progress_runs_from_nothing_to_done_and_never_back(separator: Separator, mixture: Audio) -> None:
    seen: list[float] = []
    separator.separate(mixture, seen.append)
    assert seen[0] == 0.0
    assert seen[-1] == 1.0
    assert seen == sorted(seen)
    assert len(seen) > 3


@pytest.mark.parametrize("share", [0.0, 0.3])
def test_a_callback_that_raises_stops_the_work(separator: Separator, mixture: Audio, share: float) -> None:
    def cancel(done: float) -> None:
        if done >= share:
            raise Stop

    with pytest.raises(Stop):
        separator.separate(mixture, cancel)
    assert separator.separate(mixture[:, :8820]).stems  # and the next job runs


def test_what_ran_is_told(separator: Separator, mixture: Audio) -> None:
    ran = separator.separate(mixture).ran
    package = PACKAGES[ran.separator]
    assert (ran.package, ran.package_version) == (package, version(package))
    assert ran.weights == "demo"
    assert ran.weights_origin.startswith("separation/separators/demo_weights/")
    assert all(len(sha256) == 64 for sha256 in ran.weights_sha256.values())
    assert ran.device == "cpu" or ":" in ran.device
    assert 0 < ran.seconds < 60


@pytest.mark.parametrize(
    "bad",
    [
        np.zeros((1, 44_100), dtype=np.float32),
        np.zeros((3, 44_100), dtype=np.float32),
        np.zeros(44_100, dtype=np.float32),
        np.zeros((2, 44_100), dtype=np.float64),
        np.zeros((2, 4409), dtype=np.float32),
        np.full((2, 44_100), np.nan, dtype=np.float32),
        np.full((2, 44_100), np.inf, dtype=np.float32),
    ],
    ids=["mono", "three channels", "flat", "float64", "too short", "NaN", "infinite"],
)
def test_anything_but_a_stereo_mixture_is_refused(separator: Separator, bad: Audio) -> None:
    with pytest.raises(BadMixture):
        separator.separate(bad)


def test_each_demo_system_separates_a_song_it_has_not_heard_and_the_three_differ() -> None:
    song = synthetic_song(900_000, 6.0)
    found = {key: registry.get(key).separate(song.mixture).stems for key in KEYS}
    for stems in found.values():
        gains = [sdr(song.stems[s], stems[s]) - sdr(song.stems[s], song.mixture) for s in stems]
        assert np.mean(gains) >= 5.0
        assert min(sdr(song.stems[s], stems[s]) for s in stems) > 0.0  # better than silence, for every source
    for one, other in [(KEYS[0], KEYS[1]), (KEYS[1], KEYS[2]), (KEYS[0], KEYS[2])]:
        assert all(sdr(found[one][s], found[other][s]) < 25.0 for s in song.stems)
