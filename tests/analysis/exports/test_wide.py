"""Other shapes of the ratings lose and invent nothing."""

from __future__ import annotations

import csv
import io

import pandas as pd

from analysis.exports import matrix_csv, wide_csv
from tests.analysis.tables import crossed, row, tidy


def lines(pieces: object) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(b"".join(pieces).decode(), newline="")))  # type: ignore[call-overload]


def test_the_wide_table_holds_every_rating_once() -> None:
    table = crossed(listeners=4, songs=3)
    wide = lines(wide_csv(table))
    assert len(wide) == len(table) / 2
    long = {
        (line["listener"], line["clip"], line["repeat"], scale): line[scale]
        for line in wide
        for scale in ("quality", "contamination")
    }
    stored = zip(table["listener"], table["clip"], table["repeat"], table["scale"], table["score"], strict=True)
    assert long == {(who, clip, str(again), scale): str(score) for who, clip, again, scale, score in stored}


def test_what_was_not_rated_is_empty_and_an_unfinished_half_is_not_finished() -> None:
    table = tidy(
        [
            row(scale="quality", score=4),
            row(scale="contamination", score=2, finished=False),
            row(scale="quality", listener="b", score=1),
        ]
    )
    first, second = lines(wide_csv(table))
    assert (first["quality"], first["contamination"], first["finished"]) == ("4", "2", "false")
    assert (second["quality"], second["contamination"], second["finished"]) == ("1", "", "true")


def test_a_repeat_and_a_double_rating_have_rows_of_their_own() -> None:
    table = tidy([row(score=1), row(score=2, repeat=1), row(score=3)])
    assert [(line["repeat"], line["quality"]) for line in lines(wide_csv(table))] == [
        ("0", "1"),
        ("1", "2"),
        ("0", "3"),
    ]


def test_a_scale_that_is_called_like_a_column_overwrites_nothing() -> None:
    [line] = lines(wide_csv(tidy([row(scale="listener", score=5)])))
    assert (line["listener"], line["score of listener"]) == ("a", "5")


def test_the_matrix_has_a_line_per_clip_and_a_column_per_listener() -> None:
    table = crossed(listeners=5, songs=3)
    table = table[~((table["listener"] == "listener-02") & (table["song"] == "Song 2"))]
    found = lines(matrix_csv(table, "quality"))
    own = table[table["scale"] == "quality"]
    wanted = own.pivot(index="clip", columns="listener", values="score")
    assert [line["clip"] for line in found] == list(wanted.index)
    for line in found:
        for who in wanted.columns:
            score = wanted.loc[line["clip"], who]
            assert line[who] == ("" if pd.isna(score) else str(int(score)))


def test_the_matrix_has_first_presentations_only() -> None:
    table = tidy([row(score=2, repeat=1), row(score=5), row(score=1, listener="=b")])
    [line] = lines(matrix_csv(table, "quality"))
    assert (line["a"], line["'=b"]) == ("5", "1")


def test_a_large_matrix_is_written_in_pieces(monkeypatch: object) -> None:
    table = crossed(listeners=5, songs=4)
    whole = b"".join(matrix_csv(table, "quality"))
    monkeypatch.setattr("analysis.exports.wide.CELLS_AT_ONCE", 10)  # type: ignore[attr-defined]
    pieces = list(matrix_csv(table, "quality"))
    assert len(pieces) == 13 and b"".join(pieces) == whole


def test_no_ratings_is_a_header() -> None:
    assert len(b"".join(wide_csv(tidy([]))).splitlines()) == 1
    assert len(b"".join(matrix_csv(tidy([]), "quality")).splitlines()) == 1
