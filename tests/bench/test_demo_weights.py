"""The measuring and training of the demo weights: what is compared with what, and on which songs."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from audio.synthesis import SOURCES, synthetic_song
from bench import demo_weights
from bench.training.songs import TRAINING_SEEDS, Plan, batch_of, rate_at

SCORES = {
    "umx:demo": {
        "improvement_db": 7.5,
        "sdr_db": dict.fromkeys(SOURCES, 2.5),
        "mixture_sdr_db": dict.fromkeys(SOURCES, -5.0),
        "songs": 1,
    }
}


def test_no_model_is_judged_on_a_song_it_has_learnt_from() -> None:
    assert not set(TRAINING_SEEDS) & set(demo_weights.HELD_OUT_SEEDS)
    assert len(demo_weights.HELD_OUT_SEEDS) >= 8


def test_the_table_names_the_system_and_its_improvement() -> None:
    lines = demo_weights.table(SCORES).splitlines()
    assert lines[2].startswith("| the mixture itself | -5.0 |")
    assert lines[3] == "| `umx:demo` | 2.5 | 2.5 | 2.5 | 2.5 | 2.5 | +7.5 |"


def test_the_table_is_put_between_its_marks_and_nothing_else_changes(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- table: begin -->\nold\n<!-- table: end -->\nafter\n", encoding="utf-8")
    demo_weights.write_table(SCORES, page)
    text = page.read_text(encoding="utf-8")
    assert text.startswith("before\n<!-- table: begin -->\n| system")
    assert text.endswith("|\n<!-- table: end -->\nafter\n")
    assert "old" not in text


def test_the_page_shows_a_table_of_all_three_with_at_least_five_decibels_each() -> None:
    rows = re.findall(r"\| `(\S+:demo)` \|.*\| \+(\S+) \|", demo_weights.PAGE.read_text(encoding="utf-8"))
    assert [key for key, _ in rows] == ["umx:demo", "spleeter:demo", "htdemucs:demo"]
    assert all(float(improvement) >= 5.0 for _, improvement in rows)


def test_json_is_the_only_thing_printed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(demo_weights, "measured", lambda songs: SCORES)
    monkeypatch.setattr(demo_weights, "HELD_OUT_SEEDS", range(0))
    monkeypatch.setattr(sys, "argv", ["demo_weights", "--json"])
    demo_weights.main()
    assert json.loads(capsys.readouterr().out) == SCORES


def test_examples_are_seeded_and_of_the_asked_shape() -> None:
    song = synthetic_song(60, 2.0)
    songs = [np.stack([song.stems[source] for source in SOURCES])]
    one = batch_of(songs, np.random.default_rng(1), 3, 44_100)
    assert one.shape == (3, 4, 2, 44_100)
    assert np.array_equal(one, batch_of(songs, np.random.default_rng(1), 3, 44_100))


def test_the_learning_rate_rises_to_its_peak_and_falls_to_almost_nothing() -> None:
    plan = Plan(steps=200, batch=1, seconds=1.0, rate=1.0, seed=0, songs=1)
    rates = [rate_at(step, plan) for step in range(200)]
    assert max(rates) == pytest.approx(1.0, abs=0.02)
    assert rates.index(max(rates)) <= 10
    assert rates[-1] < 0.02
