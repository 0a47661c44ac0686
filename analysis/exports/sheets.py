"""What stands in which order in files, and the tables of a workbook."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from analysis.report import StudyReport
from analysis.result_tables import TABLES, Columns, header, values
from analysis.statistics.whole import ALL, Contest, MeanRow, ScaleAnalysis
from listening_test.scales import SCALES

Row = Sequence[Any]


# ── Order ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def ordered_scales(report: StudyReport) -> list[ScaleAnalysis]:
    """As listeners saw them; scales of other people's tables after those."""
    found = report.analysed.found.scales if report.analysed else ()
    return sorted(found, key=lambda scale: _place(list(SCALES), report.label("scale", scale.scale)))


def ordered_contests(report: StudyReport, scale: ScaleAnalysis) -> list[Contest]:
    """Over all sources first, then as the study lists them."""
    return sorted(
        scale.contests,
        key=lambda one: -1 if one.source == ALL else _place(report.sources, report.label("source", one.source)),
    )


def ordered_systems(report: StudyReport, rows: Iterable[MeanRow]) -> list[MeanRow]:
    """As the study lists its systems."""
    return sorted(rows, key=lambda row: _place(report.systems, report.label("system", row.system)))


def _place(order: Sequence[str], name: str) -> int:
    return order.index(name) if name in order else len(order)


# ── Sheets ──────────────────────────────────────────────────────────────────────────────────────────────────────────

RATING_COLUMNS = (
    "listener",
    "session",
    "language",
    "simulated",
    "song",
    "excerpt_start",
    "excerpt_end",
    "source",
    "system",
    "clip",
    "repeat",
    "scale",
    "score",
    "finished",
)


@dataclass(frozen=True)
class Sheet:
    """`rows` hold text, numbers, truth and None; what is not known is None."""

    name: str
    header: tuple[str, ...]
    rows: Iterable[Row]


def analysis_sheets(told: Mapping[str, Any]) -> list[Sheet]:
    """The tables of `results_json.results`, as their CSV files have them."""
    return [_sheet(name, columns, told.get(name, ())) for name, columns in TABLES.items()]


def _sheet(name: str, columns: Columns, rows: Iterable[Mapping[str, Any]]) -> Sheet:
    return Sheet(name, tuple(header(columns)), (values(columns, row) for row in rows))


def ratings_sheet(table: pd.DataFrame) -> Sheet:
    """Of every rating what a person at a spreadsheet needs; `ratings.csv` has all that was stored."""
    chosen = tuple(name for name in RATING_COLUMNS if name in table)
    return Sheet("ratings", chosen, zip(*(table[name].tolist() for name in chosen), strict=True))
