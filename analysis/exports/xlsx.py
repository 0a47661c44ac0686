"""One workbook with everything: a page that says what it holds, then the analysis and the ratings.

Written row by row to a temporary file, so that memory does not grow with a study. Text stays text, whatever it begins
with; numbers are numbers; nothing is a formula or a link. The same data gives the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import IO, Any

import pandas as pd
import xlsxwriter
from django.utils.translation import gettext as _
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from analysis import words
from analysis.exports.sheets import Row, Sheet, analysis_sheets, ratings_sheet
from analysis.report import StudyReport

MOST_ROWS = 1_048_576  # of a sheet, by the file format
MOST_RATINGS = 100_000  # more take many seconds to write and to open: they stand in the CSV
MOST_LETTERS = 32_767  # of a cell, by the file format
MADE = datetime(2000, 1, 1)  # a workbook carries a date; a fixed one keeps the same data the same file
OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")  # XML has no way to say them
NARROW, WIDE = 14, 30
LONG_NAMES = ("clip", "song", "system", "first", "second", "listener", "reasons")


def workbook_write(report: StudyReport, told: Mapping[str, Any], table: pd.DataFrame, file: IO[bytes]) -> None:
    """`told`: what `results_json.results` says of the report; empty where nothing is counted."""
    with xlsxwriter.Workbook(file, OPTIONS) as book:
        book.set_properties({"title": _text(report.name), "created": MADE})
        bold = book.add_format({"bold": True})
        sheets = list(_sheets(told, table))
        _read_me(book.add_worksheet(_("Read me")), report, table, bold)
        for sheet in sheets:
            _fill(book.add_worksheet(sheet.name), sheet, bold)


def ratings_fit(table: pd.DataFrame) -> bool:
    return len(table) <= MOST_RATINGS


def _sheets(told: Mapping[str, Any], table: pd.DataFrame) -> Iterator[Sheet]:
    for sheet in analysis_sheets(told):
        yield from _parts(sheet)
    if ratings_fit(table):
        yield ratings_sheet(table)


def _parts(sheet: Sheet) -> Iterator[Sheet]:
    """What has more rows than a sheet can have goes on in the next one."""
    rows = list(sheet.rows)
    room = MOST_ROWS - 1
    for number, start in enumerate(range(0, max(len(rows), 1), room), start=1):
        name = sheet.name if number == 1 else f"{sheet.name} {number}"
        yield Sheet(name, sheet.header, rows[start : start + room])


def _fill(sheet: Worksheet, content: Sheet, bold: Format) -> None:
    sheet.freeze_panes(1, 0)
    for column, name in enumerate(content.header):
        sheet.set_column(column, column, WIDE if name in LONG_NAMES else NARROW)
    _line(sheet, 0, content.header, bold)
    for number, row in enumerate(content.rows, start=1):
        _line(sheet, number, row)


def _line(sheet: Worksheet, number: int, row: Row, look: Format | None = None) -> None:
    for column, value in enumerate(row):
        if value is None or value == "":
            continue
        if isinstance(value, str):
            sheet.write_string(number, column, _text(value), look)
        elif isinstance(value, bool):
            sheet.write_boolean(number, column, value, look)
        elif value == value and abs(value) != float("inf"):
            sheet.write_number(number, column, value, look)


def _text(value: Any) -> str:
    return CONTROL.sub("\N{REPLACEMENT CHARACTER}", str(value))[:MOST_LETTERS]


# ── Read me ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _read_me(sheet: Worksheet, report: StudyReport, table: pd.DataFrame, bold: Format) -> None:
    sheet.set_column(0, 0, 28)
    sheet.set_column(1, 1, 110)
    for number, (what, says) in enumerate(_about(report, table)):
        sheet.write_string(number, 0, _text(what), bold)
        sheet.write_string(number, 1, _text(says))


def _about(report: StudyReport, table: pd.DataFrame) -> Iterator[tuple[str, str]]:
    yield _("Study"), report.name
    for note in words.provenance(report):
        yield _("Please note"), note
    yield (
        _("Ratings"),
        _("%(counted)s of %(stored)s stored ratings enter the numbers: finished, first hearing.")
        % {
            "counted": report.counts.counted,
            "stored": report.counts.stored,
        },
    )
    yield (
        _("Sheet “systems”"),
        _(
            "One row per scale, source (empty: over all of them) and system: mean opinion score with its two "
            "intervals. "
            "“these_clips”: other listeners, the same clips. “any_song”: other listeners and other songs. Where there "
            "is "
            "no interval, its reason says why."
        ),
    )
    yield (
        _("Sheet “pairs”"),
        _(
            "One row per pair of systems: first minus second on what the same listener heard of both, with p values "
            "plain, by Holm and by Benjamini and Hochberg."
        ),
    )
    yield (
        _("Sheet “clips”"),
        _("One row per scale and clip: mean, interval, modelled score, and how often each value was said."),
    )
    yield _("Sheet “groups”"), _("One row per source, song or crossing of them with systems.")
    yield _("Sheet “listeners”"), _("One row per scale and listener; who is flagged is not taken out.")
    yield _("Sheet “reliability”"), _("How well listeners agree with each other, and with themselves.")
    yield _("Sheet “variance”"), _("How much of the variance is of listeners, how much of songs or clips.")
    yield _("Sheet “ratings”"), _ratings_say(table)
    yield _("Level of the intervals"), f"{report.level:g}"
    yield _("Methods"), ", ".join(report.methods)
    yield _("Versions"), ", ".join(f"{name} {version}" for name, version in report.versions.items())
    yield _("Digest of ratings.csv (sha256)"), report.digest


def _ratings_say(table: pd.DataFrame) -> str:
    if ratings_fit(table):
        return _("One row per rating; ratings.csv has all that was stored.")
    return _(
        "There are %(count)s ratings, too many for a spreadsheet to open well: they are in ratings.csv, and not here."
    ) % {"count": words.whole(len(table))}
