"""Finding out by how much one sound is late against another one of the same music."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from scipy import signal

from audio.alignment import SAMPLE_RATE, find_lag, shifted
from audio.reading import Audio
from audio.synthesis import synthetic_song

MAX_LAG = SAMPLE_RATE // 2


def moved(samples: Audio, lag: int) -> Audio:
    return shifted(samples, -lag, samples.shape[1])


@pytest.fixture(scope="module")
def song() -> dict[str, Audio]:
    made = synthetic_song(5, 12.0)
    return {"mixture": made.mixture, **made.stems}


@pytest.mark.parametrize("lag", [-9_999, -1, 0, 1, 1105, 22_050])
def test_finds_the_exact_lag(song: dict[str, Audio], lag: int) -> None:
    found = find_lag(song["mixture"], moved(song["mixture"], lag), max_lag=MAX_LAG)
    assert (found.samples, found.is_sure, found.inverted) == (lag, True, False)
    assert found.correlation > 0.95
    assert found.gain == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("source", ["vocals", "drums", "bass", "other"])
def test_finds_one_stem_in_the_mixture(song: dict[str, Audio], source: str) -> None:
    found = find_lag(song["mixture"], moved(song[source], 777), max_lag=MAX_LAG)
    assert abs(found.samples - 777) <= 2  # the bass alone has no edges
    assert found.is_sure


def test_gain_and_polarity_do_not_matter_and_are_reported(song: dict[str, Audio]) -> None:
    found = find_lag(song["mixture"], moved(-0.01 * song["mixture"], 345), max_lag=MAX_LAG)
    assert (found.samples, found.inverted, found.is_sure) == (345, True, True)
    assert found.gain == pytest.approx(0.01, rel=0.02)


def test_noise_and_a_band_limit_do_not_matter(song: dict[str, Audio]) -> None:
    low = signal.sosfiltfilt(signal.butter(8, 5_000, fs=SAMPLE_RATE, output="sos"), song["mixture"])
    noise = np.random.default_rng(1).normal(0.0, 0.02, low.shape)
    found = find_lag(song["mixture"], moved((low + noise).astype(np.float32), -512), max_lag=MAX_LAG)
    assert (found.samples, found.is_sure) == (-512, True)


@pytest.mark.parametrize("seed", range(8, 11))
def test_another_song_is_not_taken_for_this_one(song: dict[str, Audio], seed: int) -> None:
    other = synthetic_song(seed, 12.0)
    for samples in (other.mixture, *other.stems.values()):
        assert not find_lag(song["mixture"], samples, max_lag=MAX_LAG).is_sure


def test_the_same_song_at_another_speed_is_not_sure(song: dict[str, Audio]) -> None:
    import soxr

    faster = soxr.resample(song["mixture"].T, SAMPLE_RATE, SAMPLE_RATE * 1.0005).T.astype(np.float32)
    assert not find_lag(song["mixture"], faster, max_lag=MAX_LAG).is_sure


def test_a_cut_in_the_middle_is_a_drift() -> None:
    whole = synthetic_song(6, 30.0).mixture
    cut = np.concatenate([whole[:, : 15 * SAMPLE_RATE], whole[:, 15 * SAMPLE_RATE + 3_000 :]], axis=1)
    found = find_lag(whole, cut, max_lag=MAX_LAG)
    assert found.drifts
    assert not found.is_sure


def test_a_loop_is_found_where_it_is_expected() -> None:
    bar = synthetic_song(7, 4.0).stems["drums"][:, :22_050]
    loop = np.tile(bar, (1, 24))
    mixture = loop + 0.1 * synthetic_song(8, 12.0).stems["other"]
    for expected in (0, 22_050):
        found = find_lag(mixture, loop, max_lag=2 * 22_050, expected=expected)
        assert found.samples == expected


def test_silence_has_no_lag(song: dict[str, Audio]) -> None:
    found = find_lag(song["mixture"], np.zeros_like(song["mixture"]), max_lag=1_000)
    assert (found.samples, found.correlation, found.is_sure) == (0, 0.0, False)


def test_a_sound_that_is_all_side_signal_is_found() -> None:
    side = synthetic_song(5, 6.0).mixture[:1]
    sound = np.concatenate([side, -side])
    assert find_lag(sound, moved(sound, 100), max_lag=1_000).samples == 100


def test_a_long_song_costs_the_memory_of_a_few_stretches(song: dict[str, Audio]) -> None:
    rng = np.random.default_rng(2)
    long = np.concatenate([song["mixture"] * np.float32(rng.uniform(0.5, 1.0)) for _ in range(75)], axis=1)
    late = moved(long, 5_000)
    tracemalloc.start()
    try:
        found = find_lag(long, late, max_lag=MAX_LAG, expected=5_000)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.samples == 5_000
    assert peak < 150 * 2**20 < long.nbytes  # a quarter of an hour has 318 MB


def test_shifted_cuts_and_fills() -> None:
    sound = np.arange(1, 11, dtype=np.float32).reshape(2, 5)
    assert shifted(sound, 2, 5).tolist() == [[3, 4, 5, 0, 0], [8, 9, 10, 0, 0]]
    assert shifted(sound, -2, 5).tolist() == [[0, 0, 1, 2, 3], [0, 0, 6, 7, 8]]
    assert shifted(sound, 0, 3).tolist() == [[1, 2, 3], [6, 7, 8]]
    assert shifted(sound, 9, 2).tolist() == [[0, 0], [0, 0]]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_no_sound_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="NaN"):
        find_lag(np.full((2, 1000), value, dtype=np.float32), np.ones((2, 1000), dtype=np.float32), max_lag=10)


def test_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="two sounds"):
        find_lag(np.zeros((2, 0), dtype=np.float32), np.ones((2, 10), dtype=np.float32), max_lag=10)
