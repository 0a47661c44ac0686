"""CSV of ratings, one row each, and of results; in the form of `separation.csv_text`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pandas as pd

from analysis.report import Difference, MosRow, PairRow, StudyReport
from analysis.statistics.intervals import Interval
from analysis.tidy import COLUMNS
from separation.csv_text import cell, lines

ROWS_AT_ONCE = 5_000

MOS_COLUMNS = (
    "scale",
    "grouping",
    "system",
    "source",
    "song",
    "weights",
    "demo",
    "simulated",
    "ratings",
    "listeners",
    "mos",
    "sd",
    "listener_mean",
    "listener_sd",
    "level",
    "these_clips_low",
    "these_clips_high",
    "these_clips_df",
    "these_clips_reason",
    "any_song_low",
    "any_song_high",
    "any_song_df",
    "any_song_reason",
)
PAIR_COLUMNS = (
    "scale",
    "source",
    "first",
    "second",
    "demo",
    "simulated",
    "pairs",
    "listeners",
    "songs",
    "wins",
    "ties",
    "losses",
    "win_rate",
    "effect",
    "margin",
    "tost_p",
    "level",
    *(
        f"{kind}_{part}"
        for kind in ("these_clips", "any_song")
        for part in ("difference", "low", "high", "df", "p", "p_holm", "p_bh", "reason")
    ),
)


# ── Ratings ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def ratings_csv(table: pd.DataFrame) -> Iterator[bytes]:
    """Every rating of the table, in pieces."""
    yield lines([COLUMNS])
    for start in range(0, len(table), ROWS_AT_ONCE):
        part = table.iloc[start : start + ROWS_AT_ONCE]
        yield lines(zip(*(cells(part[name]) for name in COLUMNS), strict=True))


def ratings_digest(table: pd.DataFrame) -> str:
    """sha256 of `ratings.csv`: who has the file can check that a report was made from it."""
    digest = hashlib.sha256()
    for piece in ratings_csv(table):
        digest.update(piece)
    return digest.hexdigest()


def cells(column: pd.Series[Any]) -> list[str]:
    """The column's cells; each different value is written once."""
    values = column.tolist()  # plain Python values, which print alike on every machine
    known: dict[Any, str] = {}
    for value in values:
        if value not in known:
            known[value] = cell(value)
    return [known[value] for value in values]


# ── Results ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def mos_csv(report: StudyReport) -> bytes:
    """One line per scale and system, source, song, system and source, system and song."""
    return _file(MOS_COLUMNS, (_mos_values(report, row) for row in report.rows))


def _mos_values(report: StudyReport, row: MosRow) -> Sequence[Any]:
    return (
        row.scale,
        row.grouping,
        row.system,
        row.source,
        row.song,
        report.weights_of(row.system),
        report.is_demo_row(row.system),
        report.counts.simulated,
        row.ratings,
        row.listeners,
        row.mos,
        row.sd,
        row.listener_mean,
        row.listener_sd,
        report.level,
        *_interval_values(row.these_clips),
        row.these_clips_reason,
        *_interval_values(row.any_song),
        row.any_song_reason,
    )


def _interval_values(found: Interval | None) -> Sequence[float | None]:
    return (found.low, found.high, found.df) if found else (None, None, None)


def pairs_csv(report: StudyReport) -> bytes:
    """One line per scale, source ("" = all of them) and pair of systems."""
    return _file(PAIR_COLUMNS, (pair_values(report, pair) for pair in report.pairs))


def pair_values(report: StudyReport, pair: PairRow) -> Sequence[Any]:
    return (
        pair.scale,
        pair.source,
        pair.first,
        pair.second,
        report.is_demo_row(pair.first) or report.is_demo_row(pair.second),
        report.counts.simulated,
        pair.pairs,
        pair.listeners,
        pair.songs,
        pair.wins,
        pair.ties,
        pair.losses,
        pair.win_rate,
        pair.effect,
        pair.margin,
        pair.tost_p,
        report.level,
        *_difference_values(pair.these_clips),
        *_difference_values(pair.any_song),
    )


def _difference_values(found: Difference) -> Sequence[Any]:
    centre = found.interval.centre if found.interval else None
    return (centre, *_interval_values(found.interval), found.p, found.p_holm, found.p_bh, found.reason)


def _file(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    return lines([header]) + lines([cell(value) for value in row] for row in rows)
