"""Do the intervals hold what they promise? Simulated listening tests of which the truth is known.

    python -m bench.coverage                 2,000 data sets of each design, as Markdown tables; what takes long has
                                             fewer, and every table says how many
    python -m bench.coverage --quick         500 of each
    python -m bench.coverage --json          `any_song`, `these_clips` as [min, max], `per_clip_min`,
                                             `false_positive_max`, `screening_hit_min` (panels of systems),
                                             `false_alarm_max` (every design); tables
    python -m bench.coverage --write         put the tables into docs/performance.md
    python -m bench.coverage --design 8×12   only designs whose name begins so

The same data sets go through the formulas of the field's tools; their columns stand beside ours. Everything is seeded.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Any

from bench.coverage_rows import Row, clips_row, means_row, pairs_row, screening_row, stopping_row
from bench.page import table, tables_write
from bench.simulated import DESIGNS, FEW_RATINGS, PANELS, SYSTEM_PANELS, Design

SETS, QUICK_SETS = 2000, 500
SCREENING_SHARE = 5  # every set is screened once for each kind of careless listener


def main() -> None:
    asked = arguments()
    sets = QUICK_SETS if asked.quick else asked.sets
    began = time.perf_counter()
    with ProcessPoolExecutor() as pool:  # every design has a seed of its own

        def rows(row: Callable[[Design, int], Row], designs: Iterable[Design], sets: int) -> list[Row]:
            return list(pool.map(partial(row, sets=sets), chosen(designs, asked.design)))

        means = rows(means_row, DESIGNS, sets)
        clips = rows(clips_row, (*PANELS, *DESIGNS), sets)
        pairs = rows(pairs_row, DESIGNS, sets)
        screened_sets = max(sets // SCREENING_SHARE, 40)
        screening = rows(screening_row, SYSTEM_PANELS, screened_sets)
        weaker = rows(screening_row, (*FEW_RATINGS, *DESIGNS), screened_sets)
    stopping = [stopping_row(sets)] if not asked.design else []
    found = summary(means, clips, pairs, screening, weaker)
    found |= {"sets": sets, "seconds": round(time.perf_counter() - began, 1), "designs": len(means)}
    tables = {
        "means": means,
        "clips": clips,
        "pairs": pairs,
        "screening": screening,
        "weaker": weaker,
        "stopping": stopping,
    }
    if asked.json:
        print(json.dumps(found | {"tables": tables}, ensure_ascii=False))
    else:
        print("\n".join([*page(tables), "", *(f"{key}: {value}" for key, value in found.items())]))
    if asked.write:
        tables_write("coverage", "\n".join(page(tables)).strip())


TITLES = {
    "means": "Share of intervals of a system's MOS that hold the true mean (promised: 0.95)",
    "clips": "Share of intervals of single clips that hold the clip's true mean, errors and widths in points",
    "pairs": "Share of studies in which a difference is found at 5 % between systems that do not differ on the average",
    "screening": "Panels of systems: share of careless listeners, one in a panel, that are flagged; false alarms among "
    "good ones",
    "weaker": "The same where ratings say less: fewer of each listener, close systems, or one system and its songs",
    "stopping": "Stopping as soon as the interval is narrow enough",
}


def page(tables: dict[str, list[Row]]) -> Iterator[str]:
    """Markdown, a title over each table."""
    for name, rows in tables.items():
        if rows:
            yield from ("", f"**{TITLES[name]}**", "", shown(rows))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/performance.md")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_SETS} data sets of each design")
    parser.add_argument("--sets", type=int, default=SETS, help=f"data sets of each design (default {SETS})")
    parser.add_argument("--design", default="", help="only designs whose name begins so")
    return parser.parse_args()


def chosen(designs: Iterable[Design], begins: str) -> list[Design]:
    return [design for design in designs if design.name.startswith(begins)]


def summary(means: list[Row], clips: list[Row], pairs: list[Row], screening: list[Row], weaker: list[Row]) -> Row:
    """`screening_…`: of the panels of systems, whose ratings suffice; `false_alarm_max`: of every design."""

    def extent(rows: list[Row], key: str) -> list[float] | None:
        values = [row[key] for row in rows if row.get(key) is not None]
        return [min(values), max(values)] if values else None

    def one(rows: list[Row], key: str, place: int) -> float | None:
        both = extent(rows, key)
        return None if both is None else both[place]

    return {
        "any_song": extent(means, "any_song"),
        "these_clips": extent(means, "these_clips"),
        "per_clip_min": one(clips, "modelled", 0),
        "false_positive_max": one(pairs, "crossed", 1),
        "screening_hit_min": one(screening, "least_hits", 0),
        "screening_half_random_min": one(screening, "half_random", 0),
        "false_alarm_max": one([*screening, *weaker], "false_alarms", 1),
        "weaker_hit_min": one(weaker, "least_hits", 0),
        "weaker_half_random_min": one(weaker, "half_random", 0),
    }


def shown(rows: list[Row]) -> str:
    head = list(rows[0])
    return table([head, *[[_cell(row[key]) for key in head] for row in rows]])


def _cell(value: Any) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    return "–" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    main()
