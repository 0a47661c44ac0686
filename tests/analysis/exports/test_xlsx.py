"""The workbook, opened by another library: the report's numbers, and nothing that runs."""

from __future__ import annotations

import io
from typing import Any

import openpyxl
import pandas as pd
import pytest

from analysis.exports import xlsx
from analysis.exports.files import Material
from analysis.exports.xlsx import workbook_write
from analysis.report import StudyReport
from analysis.result_tables import TABLES, header
from tests.analysis.tables import crossed, report, tidy

pytestmark = pytest.mark.usefixtures("in_english")


def written(found: StudyReport, table: pd.DataFrame) -> bytes:
    file = io.BytesIO()
    workbook_write(found, Material(found, lambda: table).told, table, file)
    return file.getvalue()


def opened(found: StudyReport, table: pd.DataFrame) -> Any:
    return openpyxl.load_workbook(io.BytesIO(written(found, table)))


def rows(sheet: Any) -> list[dict[str, Any]]:
    head, *lines = sheet.iter_rows(values_only=True)
    return [dict(zip(head, line, strict=True)) for line in lines]


def test_every_number_is_the_reports() -> None:
    table = crossed(listeners=6, songs=6)
    found = report(table)
    book = opened(found, table)
    assert book.sheetnames == ["Read me", *TABLES, "ratings"]
    systems = rows(book["systems"])
    assert list(systems[0]) == header(TABLES["systems"])
    by_key = {(line["scale"], line["system"]): line for line in systems if line["source"] is None}
    for wanted in (one for one in found.rows if one.grouping == "system"):
        line = by_key[wanted.scale, wanted.system]
        assert line["mos"] == pytest.approx(wanted.mos, rel=1e-11)
        assert wanted.these_clips and wanted.any_song
        assert line["these_clips_low"] == pytest.approx(wanted.these_clips.low, rel=1e-11)
        assert line["any_song_high"] == pytest.approx(wanted.any_song.high, rel=1e-11)
        assert line["ratings"] == wanted.ratings
    pairs = rows(book["pairs"])
    assert list(pairs[0]) == header(TABLES["pairs"])
    assert len(pairs) == len(found.pairs)
    assert len(rows(book["clips"])) == 2 * 6 * 2 * 3
    assert len(rows(book["listeners"])) == 2 * 6
    ratings = rows(book["ratings"])
    assert [(line["listener"], line["clip"], line["scale"], line["score"]) for line in ratings] == list(
        table[["listener", "clip", "scale", "score"]].itertuples(index=False, name=None)
    )


def test_clips_have_their_own_numbers() -> None:
    table = crossed(listeners=6, songs=5)
    means = table.groupby(["scale", "clip"])["score"].agg(["mean", "count"])
    for line in rows(opened(report(table), table)["clips"]):
        wanted = means.loc[(line["scale"], line["clip"])]
        assert line["mos"] == pytest.approx(wanted["mean"]) and line["ratings"] == wanted["count"]
        assert sum(int(said.split(":")[1]) for said in line["histogram"].split()) == 6
        assert line["clip"] == "/".join((line["song"], line["source"], line["system"]))


NASTY = ("=cmd|' /C calc'!A0", "+1", "@SUM(A1)", "{=1+1}", "http://x.example", "007", "a\x01\x0bb", "ñandú 🎵", "<b>&")


@pytest.mark.parametrize("name", NASTY)
def test_names_stay_text(name: str) -> None:
    table = crossed(listeners=3, songs=1)
    table["song"], table["listener"] = name, table["listener"] + name
    book = opened(report(table, name=name), table)
    kinds = {cell.data_type for sheet in book for line in sheet.iter_rows() for cell in line}
    assert "f" not in kinds
    assert not any(cell.hyperlink for sheet in book for line in sheet.iter_rows() for cell in line)
    shown = name.replace("\x01", "\N{REPLACEMENT CHARACTER}").replace("\x0b", "\N{REPLACEMENT CHARACTER}")
    assert {line["song"] for line in rows(book["ratings"])} == {shown}
    assert book["Read me"]["B1"].value == shown


def test_the_same_data_is_the_same_workbook() -> None:
    table = crossed(listeners=4, songs=2)
    assert written(report(table), table) == written(report(table), table)


def test_too_many_ratings_are_left_to_the_csv_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx, "MOST_RATINGS", 10)
    table = crossed(listeners=3, songs=1)
    book = opened(report(table), table)
    assert "ratings" not in book.sheetnames
    said = " ".join(str(cell.value) for line in book["Read me"].iter_rows() for cell in line)
    assert "36 ratings, too many for a spreadsheet" in said and "ratings.csv" in said


def test_a_table_longer_than_a_sheet_goes_on_in_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    table = crossed(listeners=3, songs=2)
    whole = rows(opened(report(table), table)["clips"])
    monkeypatch.setattr(xlsx, "MOST_ROWS", 21)
    book = opened(report(table), table)
    assert [name for name in book.sheetnames if name.startswith("clips")] == ["clips", "clips 2"]
    assert rows(book["clips"]) + rows(book["clips 2"]) == whole


def test_one_listener_one_clip_and_none_at_all_are_workbooks() -> None:
    for table in (crossed(listeners=1, songs=1), tidy([])):
        assert opened(report(table), table).sheetnames[1] == "systems"
