"""Files hold what was stored, are the same each time, and nothing in them runs in a spreadsheet."""

from __future__ import annotations

import csv
import hashlib
import io
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from django.utils import translation

from analysis.dataset import COLUMNS
from analysis.exports import MOS_COLUMNS, PAIR_COLUMNS, cell, mos_csv, pairs_csv, ratings_csv, ratings_digest

from .tables import crossed, report, row, tidy


def lines(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8"), newline="")))


def test_ratings_come_back_as_they_were() -> None:
    table = crossed(listeners=2, songs=2)
    back = pd.read_csv(io.BytesIO(b"".join(ratings_csv(table))), parse_dates=["given_at"])
    assert tuple(back.columns) == COLUMNS
    pd.testing.assert_frame_equal(back, table, check_dtype=False)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_what_a_spreadsheet_would_run_is_made_harmless(start: str) -> None:
    nasty = f'{start}HYPERLINK("http://x";"y")'
    table = tidy([row(listener=who, song=nasty, score=score) for who, score in (("a", 1), ("b", 5))])
    [first, _second] = lines(b"".join(ratings_csv(table)))
    assert first["song"] == f"'{nasty}"
    songs = {line["song"] for line in lines(mos_csv(report(table))) if line["song"]}
    assert songs == {f"'{nasty}"}


def test_names_with_commas_quotes_and_lines_stay_one_cell() -> None:
    title = 'Uno, "dos"\ny tres: ñandú 🎵'
    [line] = lines(b"".join(ratings_csv(tidy([row(song=title)]))))
    assert line["song"] == title


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (-0.25, "-0.25"),
        (1 / 3, "0.3333333333333333"),
        (3, "3"),
        (True, "true"),
        (None, ""),
        ("", ""),
        ("a-b", "a-b"),
        (datetime(2026, 3, 1, 9, 30, 0, 5, tzinfo=UTC), "2026-03-01T09:30:00.000005Z"),
    ],
)
def test_cells(value: Any, text: str) -> None:
    """A negative number stays a number: it is no text."""
    assert cell(value) == text


def test_many_pieces_are_one_file() -> None:
    table = pd.concat([crossed(listeners=9, songs=12)] * 5, ignore_index=True)
    assert len(table) > 5_000
    pieces = list(ratings_csv(table))
    assert len(pieces) > 2
    assert len(lines(b"".join(pieces))) == len(table)


def test_the_same_data_is_the_same_file_in_every_language() -> None:
    table = crossed(listeners=4)
    files = []
    for language in ("es", "en"):
        with translation.override(language):
            files.append((b"".join(ratings_csv(table)), mos_csv(report(table)), pairs_csv(report(table))))
    assert files[0] == files[1]


def test_the_digest_is_that_of_the_file() -> None:
    table = crossed(listeners=2)
    assert ratings_digest(table) == hashlib.sha256(b"".join(ratings_csv(table))).hexdigest()
    changed = table.assign(score=np.where(table.index == 7, 6 - table["score"], table["score"]))
    assert (changed["score"] != table["score"]).sum() <= 1
    assert (ratings_digest(changed) == ratings_digest(table)) == (table["score"][7] == 3)


def test_mos_file_has_every_line_of_the_report_with_all_digits() -> None:
    found = report(crossed(listeners=6, systems=("umxhq", "umx:demo", "htdemucs")))
    content = lines(mos_csv(found))
    assert tuple(content[0]) == MOS_COLUMNS
    assert len(content) == len(found.rows)
    for line, wanted in zip(content, found.rows, strict=True):
        assert wanted.these_clips
        assert float(line["mos"]) == wanted.mos
        assert (float(line["these_clips_low"]), float(line["these_clips_high"])) == (
            wanted.these_clips.low,
            wanted.these_clips.high,
        )
        assert line["any_song_low"] == ("" if wanted.any_song is None else repr(wanted.any_song.low))
        assert line["any_song_reason"] == wanted.any_song_reason
        assert (line["system"], line["source"], line["song"]) == (wanted.system, wanted.source, wanted.song)
        assert line["simulated"] == "false"
    by_system = {line["system"]: line for line in content if line["grouping"] == "system"}
    assert [by_system[key]["demo"] for key in ("umxhq", "umx:demo", "htdemucs")] == ["false", "true", "false"]
    assert [by_system[key]["weights"] for key in ("umxhq", "umx:demo")] == ["published", "demo"]


def test_simulated_is_on_every_line() -> None:
    found = report(crossed(listeners=3, simulated=True))
    assert {line["simulated"] for line in lines(mos_csv(found))} == {"true"}
    assert {line["simulated"] for line in lines(pairs_csv(found))} == {"true"}


def test_a_missing_interval_is_empty_and_says_why() -> None:
    found = report(crossed(listeners=1))
    assert {(line["these_clips_low"], line["these_clips_reason"]) for line in lines(mos_csv(found))} == {
        ("", "too_few_listeners")
    }
    pairs = lines(pairs_csv(found))
    assert tuple(pairs[0]) == PAIR_COLUMNS
    assert {(line["these_clips_difference"], line["these_clips_reason"]) for line in pairs} == {
        ("", "too_few_listeners")
    }


def test_no_ratings_is_a_header() -> None:
    assert b"".join(ratings_csv(tidy([]))).decode().strip() == ",".join(COLUMNS)
    assert mos_csv(report(tidy([]))).decode().strip() == ",".join(MOS_COLUMNS)
