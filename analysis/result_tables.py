"""The tables of an analysis as files: CSV in the form of `separation.csv_text`, and results.json. Pure.

A column is a name in the JSON object; of a value with parts, such as an interval, each part is a column.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from analysis.results_json import as_json
from separation.csv_text import cell, lines

INTERVAL = ("low", "high", "centre", "se", "df")
TEST = (*INTERVAL, "p", "p_holm", "p_bh")
MODEL = ("score", "se", "low", "high")

Columns = Sequence[str | tuple[str, tuple[str, ...]]]

MEAN: Columns = (
    "ratings",
    "listeners",
    "songs",
    "mos",
    "sd",
    ("these_clips", INTERVAL),
    "these_clips_reason",
    ("any_song", INTERVAL),
    "any_song_reason",
)
TABLES: Mapping[str, Columns] = {
    "systems": (
        "scale",
        "source",
        "system",
        "control",
        *MEAN,
        ("bootstrap", ("low", "high")),
        "bootstrap_reason",
        "letters",
        ("rank", ("low", "high")),
        "rank_reason",
        "best",
    ),
    "pairs": (
        "scale",
        "source",
        "first",
        "second",
        "pairs",
        "listeners",
        "songs",
        "difference",
        "difference_reason",
        "sd",
        ("these_clips", TEST),
        "these_clips_reason",
        ("any_song", TEST),
        "any_song_reason",
        "effect",
        "wins",
        "ties",
        "losses",
        "win_rate",
        "win_rate_reason",
        "notes",
        "margin",
        "equivalence_p",
        ("wilcoxon", ("statistic", "p", "p_holm", "p_bh", "blocks", "zeros")),
        ("ordinal", ("difference", "p", "p_holm")),
    ),
    "clips": (
        "scale",
        "clip",
        "song",
        "system",
        "source",
        "ratings",
        "mos",
        "median",
        "sd",
        ("t_interval", ("low", "high")),
        "t_interval_reason",
        "histogram",
        ("modelled", MODEL),
        "modelled_reason",
        ("compat", ("procedure", *MODEL)),
        "compat_reason",
    ),
    "groups": (
        "scale",
        "by",
        "system",
        "source",
        "song",
        *MEAN,
        ("bootstrap", ("low", "high")),
        "bootstrap_reason",
        ("shares", ("listener", "item", "residual")),
        "shares_reason",
    ),
    "listeners": (
        "scale",
        "listener",
        "ratings",
        "mean",
        "variance",
        "scale_use",
        "bias",
        "inconsistency",
        "correlation",
        "random_share",
        "modelled_bias",
        "modelled_inconsistency",
        "traps_failed",
        "seconds",
        "equipment_failed",
        "repeat_difference",
        "reference_mean",
        "anchor_mean",
        "flagged",
        "reasons",
        ("compat", ("procedure", "bias", "inconsistency", "rejected")),
        "compat_reason",
    ),
    "reliability": (
        "scale",
        *(
            column
            for name in ("icc_a1", "icc_ak", "icc_c1", "icc_ck")
            for column in (name, f"{name}_reason", (f"{name}_interval", ("low", "high")))
        ),
        "ratings_per_clip",
        "noise_ceiling",
        "alpha",
        "alpha_reason",
        ("alpha_interval", ("low", "high")),
        "alpha_interval_reason",
        "sos",
        ("repeats", ("pairs", "listeners", "sd", "repeatability", "same", "within_one", "correlation")),
    ),
    "variance": (
        "scale",
        "source",
        "system",
        "items",
        ("components", ("listener", "item", "residual")),
        "components_reason",
        ("shares", ("listener", "item", "residual")),
    ),
}
"""Of each table its columns; these names are a format: they do not change."""


def files(told: Mapping[str, Any]) -> dict[str, bytes]:
    """Of `results_json.results`: name → content, always the same ones; an empty table is its header."""
    made = {f"{name}.csv": table(columns, told[name]) for name, columns in TABLES.items()}
    return made | {"results.json": as_json(told)}


def table(columns: Columns, rows: Iterable[Mapping[str, Any]]) -> bytes:
    return lines([header(columns)]) + lines([cell(value) for value in values(columns, row)] for row in rows)


def header(columns: Columns) -> list[str]:
    names: list[str] = []
    for column in columns:
        names += [column] if isinstance(column, str) else [f"{column[0]}_{part}" for part in column[1]]
    return names


def values(columns: Columns, row: Mapping[str, Any]) -> list[Any]:
    told: list[Any] = []
    for column in columns:
        if isinstance(column, str):
            told.append(_plain(row.get(column)))
        else:
            found = row.get(column[0]) or {}
            told += [found.get(part) for part in column[1]]
    return told


def _plain(value: Any) -> Any:
    """Lists and histograms in one cell."""
    if isinstance(value, list):
        return " ".join(map(str, value))
    if isinstance(value, dict):
        return " ".join(f"{key}:{count}" for key, count in value.items())
    return value
