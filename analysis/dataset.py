"""The only reader of ratings: a study becomes one tidy table, one row per rating, always in the same order."""

from __future__ import annotations

import hashlib
from dataclasses import astuple, dataclass
from typing import Any
from uuid import UUID

import pandas as pd
from django.db.models import Count, Max, Q

from listening_test.models import Clip, ListeningSession, Rating, Study
from listening_test.systems import system_is_demo
from separation.models import Song
from separation.models.imported import IMPORTED
from separation.selectors import REFERENCE

COLUMNS = (
    "study",
    "session",
    "listener",
    "simulated",
    "language",
    "song",
    "song_id",
    "excerpt_start",
    "excerpt_end",
    "source",
    "system",
    "weights",
    "demo",
    "clip",
    "repeat",
    "position",
    "scale",
    "value",
    "given_at",
    "changes",
    "heard_seconds",
    "plays",
    "quality_first",
    "completed",
    "finished",
)
"""Names in the table and in the CSV; they are a format: they do not change."""

_FIELDS = {
    "study": "trial__session__study_id",
    "session": "trial__session__number",
    "listener": "trial__session__listener_id",
    "simulated": "trial__session__listener__simulated",
    "language": "trial__session__language",
    "song_id": "trial__clip__excerpt__song_id",
    "excerpt_start": "trial__clip__excerpt__start",
    "excerpt_end": "trial__clip__excerpt__end",
    "source": "trial__clip__source",
    "system": "trial__clip__system",
    "weights": "trial__clip__stem__job__weights",
    "demo": "trial__clip__excerpt__song__is_demo",
    "clip": "trial__clip_id",
    "repeat": "trial__repeat",
    "position": "trial__position",
    "scale": "scale",
    "value": "value",
    "given_at": "given_at",
    "changes": "changes",
    "heard_seconds": "trial__heard_seconds",
    "plays": "trial__plays",
    "quality_first": "trial__session__quality_first",
    "completed": "trial__session__completed_at",
    "finished": "trial__finished_at",
}


@dataclass(frozen=True)
class Sessions:
    """How many listeners came, and how far they went."""

    started: int = 0
    completed: int = 0
    simulated: int = 0


@dataclass(frozen=True)
class State:
    """`version` differs as soon as anything that the report shows has changed."""

    version: str
    ratings: int
    sessions: int
    completed: int


def ratings(study: Study) -> pd.DataFrame:
    """Every stored rating of the study, with the columns `COLUMNS`, by session, place in its order and scale.

    `finished`: the listener went on from that trial, so the rating no longer changes. `completed`: the session came to
    its end. `demo`: the study, the song or the system's weights are the project's own. `song`: its title, unique in the
    study. `weights`: what separated it, "published", "demo" or "imported"; "" for a
    true stem.
    """
    rows = (
        Rating.objects.filter(trial__session__study=study, trial__clip__purpose=Clip.Purpose.TEST)
        .order_by("trial__session__number", "trial__position", "scale")
        .values_list(*_FIELDS.values())
    )
    table = pd.DataFrame.from_records(list(rows), columns=list(_FIELDS))
    table["song"] = table["song_id"].map(song_titles(study)).astype(object)
    for name in ("study", "listener", "song_id", "clip"):
        table[name] = _strings(table[name])
    table["weights"] = _weights(table)
    table["demo"] = (table["demo"].astype(bool) | study.is_demo | (table["weights"] == "demo")).astype(bool)
    for name in ("completed", "finished"):
        table[name] = table[name].notna()
    for name in ("simulated", "quality_first"):
        table[name] = table[name].astype(bool)
    return table[list(COLUMNS)]


def _strings(column: pd.Series[Any]) -> pd.Series[Any]:
    """Each different value is turned into text once: a million ratings hold few different identifiers."""
    return column.map({value: str(value) for value in column.unique()}).astype(object)


def _weights(table: pd.DataFrame) -> pd.Series[Any]:
    """As the job that ran says; where its stem is gone, as the system's key says."""
    by_key = {key: _weights_of(key) for key in table["system"].unique()}
    return table["weights"].where(table["weights"].notna(), table["system"].map(by_key)).astype(object)


def _weights_of(key: str) -> str:
    if key == REFERENCE:
        return ""
    if key.startswith(IMPORTED):
        return "imported"
    return "demo" if system_is_demo(key) else "published"


def song_titles(study: Study) -> dict[UUID, str]:
    """Of the study's songs, oldest first. A title that two songs share is numbered: one name is one song."""
    titles: dict[UUID, str] = {}
    songs = Song.objects.filter(excerpts__study=study).distinct().order_by("created_at", "id")
    for song_id, title in songs.values_list("id", "title"):
        taken, number, name = set(titles.values()), 1, title
        while name in taken:
            number += 1
            name = f"{title} ({number})"
        titles[song_id] = name
    return titles


def sessions(study: Study) -> Sessions:
    counts = ListeningSession.objects.filter(study=study).aggregate(
        started=Count("id"),
        completed=Count("id", filter=Q(completed_at__isnull=False)),
        simulated=Count("id", filter=Q(listener__simulated=True)),
    )
    return Sessions(**counts)


def state(study: Study) -> State:
    """Cheap enough to be asked for every few seconds."""
    counts = Rating.objects.filter(trial__session__study=study).aggregate(
        ratings=Count("id"),
        last=Max("given_at"),
        finished=Count("id", filter=Q(trial__finished_at__isnull=False)),
        completed=Count("id", filter=Q(trial__session__completed_at__isnull=False)),
    )
    came = sessions(study)
    named = (study.name, study.is_demo, study.systems, study.sources, *song_titles(study).items())
    version = hashlib.sha256(repr((*counts.values(), *astuple(came), named)).encode()).hexdigest()[:16]
    return State(version, counts["ratings"], came.started, came.completed)
