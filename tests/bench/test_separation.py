"""The bench of separation: its tables, its peers, and its measures, on the small demo models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audio.synthesis import synthetic_song
from bench import page, separation, separation_tables
from bench.separation_peers import peer
from separation.separators import registry

FOUND: dict[str, Any] = {
    "machine": "2 cores of a processor",
    "htdemucs_s": {"package": 21.0, "exact": 18.0, "fast": 15.0},
    "htdemucs_speedup": 1.4,
    "htdemucs_exact_speedup": 1.17,
    "htdemucs_exact_difference": 5e-8,
    "htdemucs_fast": "int8 transformer",
    "htdemucs_fast_snr_db": 58.3,
    "spleeter_s": {
        "10": {"separator": 6.0, "rebuilt": 2.5, "ours": 0.5},
        "30": {"separator": 9.0, "rebuilt": 3, "ours": 1},
    },
    "spleeter_difference": {"separator": 2e-6, "rebuilt": 0.0},
}


def test_tables_show_what_was_found_and_only_that() -> None:
    text = separation_tables.tables(FOUND)
    assert "2 cores of a processor" in text
    assert "| fast (int8 transformer) | 15.0 | 1.40 | SNR 58.3 dB |" in text
    assert "| Spleeter's own `Separator` (TensorFlow 2.12) | 6.00 | 9.00 | 12.0 and 9.0 |" in text
    assert "2e-06 (separator), 0e+00 (rebuilt)" in text
    assert "peak memory" not in text


def test_a_gpu_has_a_table_of_its_own() -> None:
    of_gpu = {name: value for name, value in FOUND.items() if name.startswith("htdemucs")}
    text = separation_tables.tables({"machine": "2 cores", "gpu": {"device": "a GPU", **of_gpu}})
    assert "On a GPU:" in text and "| fast (int8 transformer) | 15.0 | 1.40 | SNR 58.3 dB |" in text


def test_tables_are_written_between_their_marks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "performance.md"
    place.write_text("before\n<!-- separation: begin -->\nold\n<!-- separation: end -->\nafter\n")
    monkeypatch.setattr(page, "PAGE", place)
    page.tables_write("separation", "new")
    assert place.read_text() == "before\n<!-- separation: begin -->\nnew\n<!-- separation: end -->\nafter\n"
    with pytest.raises(ValueError, match="no place for other"):
        page.tables_write("other", "new")


def test_the_page_has_a_place_for_the_tables() -> None:
    assert "<!-- separation: begin -->" in page.PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("key", ["umx:demo", "htdemucs:demo"])
def test_the_peer_and_ours_separate_alike(key: str) -> None:
    """So what is compared in speed is the same work. Spleeter's peer needs a published configuration."""
    mixture = synthetic_song(17, 6.0).mixture
    separator = registry.get(key)
    with peer(key) as package:
        assert package.seconds(mixture) > 0.0
        expected = package.stems(mixture)
    found = separation.separated(separator, mixture, separation.whole(mixture))
    assert separation.largest_difference(found, expected) < 1e-5


def test_a_tiled_song_is_the_same_music_again_and_again() -> None:
    tiled = separation.Tiled(75.0)
    short = separation.song(30)
    n = short.shape[1]
    assert tiled.samples == 75 * 44_100
    assert np.array_equal(tiled.read(n - 10, n + 10), np.concatenate([short[:, -10:], short[:, :10]], axis=1))


def test_excerpts_lie_inside_the_songs_and_apart() -> None:
    for number in range(20):
        (a, b), (c, d) = separation._excerpts(number)
        assert 0 <= a < b <= c < d <= 180 * 44_100
        assert b - a == d - c == 441_000
