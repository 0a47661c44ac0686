"""Tidy tables made by hand, without a database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from analysis.dataset import COLUMNS
from analysis.metrics import metric_report
from analysis.report import StudyReport
from analysis.report_make import report_make

SYSTEMS = ("umxhq", "spleeter:4stems", "htdemucs")
SOURCES = ("vocals", "drums")
START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def row(**fields: Any) -> dict[str, Any]:
    """One final rating of a real listener, on a real song, of a published system, unless `fields` say otherwise."""
    values: dict[str, Any] = {
        "study": "00000000-0000-0000-0000-000000000001",
        "session": 0,
        "listener": "a",
        "simulated": False,
        "language": "es",
        "song": "One",
        "song_id": "one",
        "excerpt_start": 0.0,
        "excerpt_end": 10.0,
        "source": "vocals",
        "system": "umxhq",
        "weights": "published",
        "demo": False,
        "repeat": 0,
        "position": 0,
        "scale": "quality",
        "score": 3,
        "given_at": START,
        "changes": 0,
        "heard_seconds": 10.0,
        "plays": 1,
        "quality_first": True,
        "completed": True,
        "finished": True,
        **fields,
    }
    clip = "/".join(str(values[part]) for part in ("song", "source", "system"))
    return {"clip": clip, **values}


def tidy(rows: Iterable[dict[str, Any]]) -> pd.DataFrame:
    table = pd.DataFrame(list(rows), columns=list(COLUMNS))
    return table.astype(dict.fromkeys(("simulated", "demo", "quality_first", "completed", "finished"), bool))


def unequal() -> list[tuple[str, str, str, int]]:
    """Listener, song, system, score. Twelve listeners heard one song and put htdemucs ahead, one heard forty and hears
    umxhq ahead in some: over listeners there is a clear lead, over all ratings next to none."""
    heard = [(f"l{who}", "Song 0", 3 + who % 2, 2) for who in range(12)]
    heard += [("l12", f"Song {song}", 2 if song % 8 < 3 else 3, 3) for song in range(40)]
    return [
        (who, song, system, score)
        for who, song, first, second in heard
        for system, score in (("htdemucs", first), ("umxhq", second))
    ]


def crossed(
    *,
    listeners: int = 8,
    songs: int = 6,
    systems: Iterable[str] = SYSTEMS,
    sources: Iterable[str] = SOURCES,
    steps: Iterable[float] = (2.2, 3.0, 4.0),
    seed: int = 4,
    **fields: Any,
) -> pd.DataFrame:
    """Every listener rates every clip on both scales: a mean per system, plus listener, song and noise; 1–5, whole."""
    rng = np.random.default_rng(seed)
    of_listener, of_song = rng.normal(0, 0.4, listeners), rng.normal(0, 0.5, songs)
    rows = []
    for who in range(listeners):
        place = 0
        for song in range(songs):
            for source in sources:
                for system, step in zip(systems, steps, strict=True):
                    for scale in ("contamination", "quality"):
                        level = step + of_listener[who] + of_song[song] + rng.normal(0, 0.6)
                        rows.append(
                            row(
                                session=who,
                                listener=f"listener-{who:02d}",
                                song=f"Song {song + 1}",
                                song_id=f"song-{song}",
                                source=source,
                                system=system,
                                weights="demo" if system.endswith(":demo") else "published",
                                demo=system.endswith(":demo"),
                                position=place,
                                scale=scale,
                                score=int(np.clip(round(level), 1, 5)),
                                given_at=START + timedelta(seconds=len(rows)),
                                **fields,
                            )
                        )
                    place += 1
    return tidy(rows)


def report(table: pd.DataFrame, **fields: Any) -> StudyReport:
    return report_make(table, systems=dict.fromkeys(table["system"]), sources=SOURCES, **fields)


def with_metrics(found: StudyReport, replicates: int = 60) -> StudyReport:
    """A metric that follows the MOS, its opposite, and one that is none for most clips."""
    assert found.analysed
    ratings = found.analysed.ratings
    on_quality = ratings.where(ratings.scales == 1)
    mos = np.bincount(on_quality.clips, on_quality.scores) / np.bincount(on_quality.clips)
    rng = np.random.default_rng(5)
    figures = pd.DataFrame(
        {
            "sdr": 3 * mos + rng.normal(0, 1.0, mos.size),
            "sir": -mos,
            "isr": np.where(np.arange(mos.size) < 2, 1, np.nan),
        },
        index=ratings.names["clip"],
    )
    return replace(found, metrics=metric_report(found.analysed, figures, replicates=replicates))
