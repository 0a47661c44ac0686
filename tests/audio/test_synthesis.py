"""The synthetic songs: exact stems, repeatable, and with every source sounding in any excerpt."""

from __future__ import annotations

import numpy as np
import pytest

from audio import instruments
from audio.synthesis import SOURCES, SyntheticSong, synthetic_song

RATE = 44_100
SEEDS = range(40, 46)


@pytest.fixture(scope="module")
def songs() -> list[SyntheticSong]:
    return [synthetic_song(seed) for seed in SEEDS]


def test_a_song_has_four_stereo_stems_of_the_asked_length(songs: list[SyntheticSong]) -> None:
    for song in songs:
        assert tuple(song.stems) == SOURCES
        for stem in song.stems.values():
            assert stem.dtype == np.float32
            assert stem.shape == (2, 12 * RATE)
            assert np.isfinite(stem).all()


def test_the_mixture_is_exactly_the_sum_of_the_stems_and_does_not_clip(songs: list[SyntheticSong]) -> None:
    for song in songs:
        total = song.stems["vocals"] + song.stems["drums"] + song.stems["bass"] + song.stems["other"]
        assert np.array_equal(song.mixture, total)
        assert 0.4 < np.abs(song.mixture).max() < 1.0


def test_the_same_seed_gives_the_same_bytes() -> None:
    one, two = synthetic_song(7, 3.0), synthetic_song(7, 3.0)
    assert (one.title, one.tempo, one.key) == (two.title, two.tempo, two.key)
    assert all(one.stems[source].tobytes() == two.stems[source].tobytes() for source in SOURCES)


def test_songs_of_other_seeds_are_other_songs(songs: list[SyntheticSong]) -> None:
    assert len({song.tempo for song in songs}) == len(songs)
    assert len({song.key for song in songs}) > 2
    for source in SOURCES:
        assert len({song.stems[source].tobytes() for song in songs}) == len(songs)


@pytest.mark.parametrize("source", SOURCES)
def test_every_source_is_active_in_any_eight_seconds(songs: list[SyntheticSong], source: str) -> None:
    """Active: three quarters of the 0.1 s blocks are within 35 dB of the loudest one."""
    for song in songs:
        blocks = song.stems[source].reshape(2, -1, RATE // 10)
        level = np.sqrt(np.mean(np.square(blocks, dtype=np.float64), axis=(0, 2)))
        active = level > level.max() * 10 ** (-35 / 20)
        shares = [active[start : start + 80].mean() for start in range(len(active) - 79)]
        assert min(shares) > 0.75


def test_levels_are_comparable_and_vary(songs: list[SyntheticSong]) -> None:
    levels = np.array([[20 * np.log10(np.std(song.stems[source])) for source in SOURCES] for song in songs])
    assert np.ptp(levels, axis=1).max() < 8.0
    assert np.ptp(levels - levels.mean(axis=1, keepdims=True), axis=0).min() > 0.5


def test_each_source_lies_where_its_instrument_does(songs: list[SyntheticSong]) -> None:
    """The bass holds its energy below 400 Hz; the drums reach above 5 kHz, where the bass has nothing."""
    for song in songs:
        assert _share(song.stems["bass"], 0, 400) > 0.8
        assert _share(song.stems["bass"], 5000, 22050) < 0.001
        assert _share(song.stems["drums"], 5000, 22050) > 0.003


def _share(stem: np.ndarray, low: float, high: float) -> float:
    power = np.abs(np.fft.rfft(stem.mean(axis=0))) ** 2
    frequencies = np.fft.rfftfreq(stem.shape[1], 1 / RATE)
    return float(power[(frequencies >= low) & (frequencies < high)].sum() / power.sum())


def test_a_song_starts_and_ends_without_a_click(songs: list[SyntheticSong]) -> None:
    for song in songs:
        assert np.abs(song.mixture[:, [0, -1]]).max() < 1e-3


def test_the_stage_is_stereo(songs: list[SyntheticSong]) -> None:
    for song in songs:
        left, right = song.stems["other"].astype(float)
        assert np.corrcoef(left, right)[0, 1] < 0.98


@pytest.mark.parametrize(("seed", "seconds"), [(-1, 12.0), (1, 0.5)])
def test_impossible_songs_are_refused(seed: int, seconds: float) -> None:
    with pytest.raises(ValueError, match="synthetic song needs"):
        synthetic_song(seed, seconds)


def test_any_length_is_possible() -> None:
    assert synthetic_song(3, 1.0).mixture.shape == (2, RATE)
    assert synthetic_song(3, 2.51).mixture.shape == (2, round(2.51 * RATE))


@pytest.mark.parametrize("midi", [40, 57, 69])
def test_a_note_has_the_pitch_that_was_asked_for(midi: int) -> None:
    sound = instruments.note(float(instruments.hertz(midi)), 1.0, instruments.ROUND_BASS)
    peak = np.fft.rfftfreq(len(sound), 1 / RATE)[np.argmax(np.abs(np.fft.rfft(sound)))]
    assert peak == pytest.approx(440.0 * 2 ** ((midi - 69) / 12), abs=1.1)
