"""How well the demo weights separate: SDR on synthetic songs that none of them has learnt from.

    python -m bench.demo_weights            print the table
    python -m bench.demo_weights --write    and put it into docs/demo_weights.md
    python -m bench.demo_weights --json     print one JSON object and nothing else

"Improvement" is the mean over songs and sources of the SDR of the stem minus the SDR of the mixture, used as the
estimate of that source.
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from statistics import mean
from typing import Any

from audio.metrics import sdr
from audio.synthesis import SOURCES, SyntheticSong, synthetic_song
from separation.separators import registry

HELD_OUT_SEEDS = range(900_000, 900_010)
"""Songs of 12 s for judging: disjoint from `bench.training.songs.TRAINING_SEEDS`."""

PAGE = Path(__file__).resolve().parent.parent / "docs" / "demo_weights.md"
MARKS = ("<!-- table: begin -->", "<!-- table: end -->")

Scores = dict[str, dict[str, Any]]


def main() -> None:
    parser = argparse.ArgumentParser(description="SDR of the demo weights on held-out synthetic songs.")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    parser.add_argument("--write", action="store_true", help="put the table into docs/demo_weights.md")
    asked = parser.parse_args()
    scores = measured([synthetic_song(seed) for seed in HELD_OUT_SEEDS])
    if asked.write:
        write_table(scores, PAGE)
    print(json.dumps(scores) if asked.json else table(scores))


def measured(songs: list[SyntheticSong]) -> Scores:
    """For each demo system: its SDR and the mixture's for each source, means over the songs, and the improvement."""
    return {spec.key: _of_system(spec.key, songs) for spec in registry.all_specs() if spec.is_demo}


def _of_system(key: str, songs: list[SyntheticSong]) -> dict[str, Any]:
    separator = registry.get(key)
    stems = [separator.separate(song.mixture).stems for song in songs]
    reached = {s: mean(sdr(song.stems[s], of[s]) for song, of in zip(songs, stems, strict=True)) for s in SOURCES}
    mixture = {s: mean(sdr(song.stems[s], song.mixture) for song in songs) for s in SOURCES}
    return {
        "improvement_db": round(mean(reached[s] - mixture[s] for s in SOURCES), 2),
        "sdr_db": {s: round(reached[s], 2) for s in SOURCES},
        "mixture_sdr_db": {s: round(mixture[s], 2) for s in SOURCES},
        "songs": len(songs),
    }


def table(scores: Scores) -> str:
    """The scores as a Markdown table, in dB."""
    rows = [["system", *SOURCES, "mean", "improvement"], ["---", *["---:"] * (len(SOURCES) + 2)]]
    first = next(iter(scores.values()))
    rows.append(_row("the mixture itself", first["mixture_sdr_db"], 0.0))
    rows += [_row(f"`{key}`", found["sdr_db"], found["improvement_db"]) for key, found in scores.items()]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _row(name: str, values: dict[str, float], improvement: float) -> list[str]:
    return [name, *(f"{values[s]:.1f}" for s in SOURCES), f"{mean(values.values()):.1f}", f"{improvement:+.1f}"]


def write_table(scores: Scores, page: Path) -> None:
    """Replace what stands between the two marks of the page."""
    begin, end = MARKS
    text = page.read_text(encoding="utf-8")
    between = re.compile(re.escape(begin) + ".*" + re.escape(end), re.DOTALL)
    page.write_text(between.sub(lambda _: f"{begin}\n{table(scores)}\n{end}", text), encoding="utf-8")


if __name__ == "__main__":
    main()
