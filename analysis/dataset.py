"""The only reader of ratings: a study becomes one tidy table, one row per rating, always in the same order."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt
import pandas as pd
from django.db.models import Count, Max, Q, QuerySet, Sum

from analysis.measured import measured_state
from analysis.tidy import COLUMNS
from listening_test.models import Clip, EquipmentCheck, ListeningSession, Rating, Study, Trial
from separation.models import Song
from separation.models.imported import IMPORTED
from separation.separators import registry
from separation.separators.base import SeparatorError

_OF_RATINGS = {
    "trial": "trial_id",
    "scale": "scale",
    "score": "value",
    "given_at": "given_at",
    "changes": "changes",
}
_OF_TRIALS = {
    "trial": "id",
    "session": "session__number",
    "clip": "clip_id",
    "repeat": "repeat",
    "position": "position",
    "heard_seconds": "heard_seconds",
    "plays": "plays",
    "heard_at": "heard_at",
    "finished": "finished_at",
}
_OF_SESSIONS = {
    "session": "number",
    "listener": "listener_id",
    "simulated": "listener__simulated",
    "language": "language",
    "quality_first": "quality_first",
    "completed": "completed_at",
}
_OF_CLIPS = {
    "clip": "id",
    "song_id": "excerpt__song_id",
    "excerpt_start": "excerpt__start",
    "excerpt_end": "excerpt__end",
    "source": "source",
    "system": "system",
    "weights": "stem__job__weights",
    "demo": "excerpt__song__is_demo",
}
"""What a row is made of: trials, sessions and clips are read once, however many ratings belong to them."""

_ROWS_AT_ONCE = 20_000
_TIMES = ("given_at", "heard_at")


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


@dataclass(frozen=True)
class Stored:
    """Of a study: its table of ratings, and what is known of each listener beside them (see `listeners`)."""

    ratings: pd.DataFrame
    listeners: pd.DataFrame


def ratings(study: Study) -> pd.DataFrame:
    """Every stored rating of the study, with the columns `COLUMNS`, by session, place in its order and scale.

    `finished`: the listener went on from that trial, so the rating no longer changes. `completed`: the session came to
    its end. `demo`: the study, the song or the system's weights are the project's own. `song`: its title, unique in the
    study. `weights`: what separated it, "published", "demo", "unpinned" (hashes were not compared), "package" or
    "imported"; "" for a true stem, an anchor, and a system of which no more is known.
    """
    return _table(study)[list(COLUMNS)]


def stored(study: Study) -> Stored:
    """All that an analysis asks for, in one reading of the ratings."""
    table = _table(study)
    return Stored(table[list(COLUMNS)], _listeners(study, table))


def _table(study: Study) -> pd.DataFrame:
    """The columns `COLUMNS`, and `heard_at`: when the clip had first been heard to its end."""
    clips = _read(study.clips.filter(purpose=Clip.Purpose.TEST).order_by("id"), _OF_CLIPS)
    table = _rows(study, {key: place for place, key in enumerate(clips["clip"])})
    came = _read(_came(study).order_by("number"), _OF_SESSIONS)
    whose = pd.Index(came["session"]).get_indexer(table["session"])
    order = np.lexsort([table["scale"] == "quality", table["position"], table["session"]])
    order = order[whose[order] >= 0]  # a session that was erased meanwhile has no rating any more
    table, whose = table.iloc[order].reset_index(drop=True), whose[order]
    columns: dict[str, Any] = {str(name): table[name] for name in table if name != "clip"}
    columns |= _taken(_clip_facts(study, clips), table["clip"].to_numpy())
    columns |= _taken(_session_facts(came), whose)
    return pd.DataFrame({"study": str(study.id), **columns}, index=table.index).astype({"study": object})


def _read(rows: QuerySet[Any], fields: Mapping[str, str]) -> pd.DataFrame:
    return pd.DataFrame.from_records(list(rows.values_list(*fields.values())), columns=list(fields))


def _taken(facts: pd.DataFrame, places: npt.NDArray[np.intp]) -> dict[str, npt.NDArray[Any]]:
    return {str(name): facts[name].to_numpy()[places] for name in facts}


def _rows(study: Study, place: Mapping[UUID, int]) -> pd.DataFrame:
    """What is told of the ratings and their trials, in any order; `clip` is its `place`."""
    ratings = _in_pieces(_ratings_of(study), _OF_RATINGS, {})
    trials = _in_pieces(_trials_of(study), _OF_TRIALS, place)
    whose = pd.Index(trials.pop("trial")).get_indexer(ratings.pop("trial"))
    there = whose >= 0  # a session that began meanwhile has ratings without a trial here
    columns = {name: ratings[name].to_numpy()[there] for name in ratings if name not in _TIMES}
    columns |= {name: trials[name].to_numpy()[whose[there]] for name in trials if name not in _TIMES}
    given_at, heard_at = ratings["given_at"][there], trials["heard_at"].iloc[whose[there]]
    return pd.DataFrame(columns).assign(given_at=given_at.array, heard_at=heard_at.array)


def _in_pieces(rows: QuerySet[Any], fields: Mapping[str, str], place: Mapping[UUID, int]) -> pd.DataFrame:
    """What Django makes of a row is many times larger than what stays of it: there is one piece of that at a time."""
    read = rows.order_by().values_list(*fields.values()).iterator(chunk_size=_ROWS_AT_ONCE)
    pieces = [_piece([], fields, place)]
    while batch := list(islice(read, _ROWS_AT_ONCE)):
        pieces.append(_piece(batch, fields, place))
    return pd.concat(pieces[1:] or pieces, ignore_index=True)


def _piece(batch: Sequence[tuple[Any, ...]], fields: Mapping[str, str], place: Mapping[UUID, int]) -> pd.DataFrame:
    values = zip(*batch, strict=True) if batch else [()] * len(fields)
    return pd.DataFrame({name: _column(name, told, place) for name, told in zip(fields, values, strict=True)})


def _column(name: str, told: Sequence[Any], place: Mapping[UUID, int]) -> Any:
    if name in _TIMES:
        return pd.to_datetime(list(told), utc=True).as_unit("us")
    if name == "clip":
        return np.array([place[key] for key in told], dtype=np.int64)
    if name == "scale":
        return np.array([sys.intern(scale) for scale in told], dtype=object)
    if name == "finished":
        return np.array([at is not None for at in told], dtype=bool)
    return np.array(told, dtype=np.float64 if name == "heard_seconds" else np.int64)


def _clip_facts(study: Study, clips: pd.DataFrame) -> pd.DataFrame:
    facts = clips.copy()
    facts["song"] = facts["song_id"].map(song_titles(study)).astype(object)
    for name in ("clip", "song_id"):
        facts[name] = _strings(facts[name])
    facts["weights"] = _weights(facts)
    facts["demo"] = (facts["demo"].astype(bool) | study.is_demo | (facts["weights"] == "demo")).astype(bool)
    for name in ("excerpt_start", "excerpt_end"):
        facts[name] = facts[name].astype(float)
    return facts


def _session_facts(came: pd.DataFrame) -> pd.DataFrame:
    facts = came.drop(columns="session")
    facts["listener"] = _strings(facts["listener"])
    facts["completed"] = facts["completed"].notna()
    for name in ("simulated", "quality_first"):
        facts[name] = facts[name].astype(bool)
    return facts


def _ratings_of(study: Study) -> QuerySet[Rating]:
    """Neither a researcher's own trials of the test nor answers that an attention check asked for."""
    return Rating.objects.filter(
        trial__session__study=study,
        trial__session__is_test=False,
        trial__clip__purpose=Clip.Purpose.TEST,
        trial__instructed__isnull=True,
    )


def _trials_of(study: Study) -> QuerySet[Trial]:
    """Those that can have such ratings: a clip is rated once it has been heard."""
    return Trial.objects.filter(
        session__study=study,
        session__is_test=False,
        clip__purpose=Clip.Purpose.TEST,
        instructed__isnull=True,
        heard_at__isnull=False,
    )


# ── Listeners ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _listeners(study: Study, table: pd.DataFrame) -> pd.DataFrame:
    """One row per listener who rated (index: as in the table); NaN where it is not known.

    `traps_failed`: share of the attention checks. `seconds`: the median over clips of the time from the first hearing
    to the last answer, for one answer; a simulated listener needs none. `equipment_failed`: 1 where one of the checks
    was not passed in any attempt.
    """
    facts = pd.DataFrame(index=pd.Index(table["listener"].unique(), dtype=object))
    facts["traps_failed"] = pd.Series(_traps_failed(study), dtype=float)
    facts["seconds"] = _seconds(table)
    facts["equipment_failed"] = pd.Series(_equipment_failed(study), dtype=float)
    return facts


def _seconds(table: pd.DataFrame) -> pd.Series[float]:
    own = table[table["finished"] & ~table["simulated"] & table["heard_at"].notna()]
    trial = own.groupby(["listener", "position"], sort=False)
    last, heard = trial["given_at"].max(), trial["heard_at"].first()
    seconds = (last - heard).dt.total_seconds() / trial.size()
    return seconds.groupby(level="listener").median()


def _traps_failed(study: Study) -> dict[str, float]:
    """As `listening_test.attention` counts them, of many sessions at once."""
    rows = Rating.objects.filter(
        trial__session__study=study,
        trial__session__is_test=False,
        trial__instructed__isnull=False,
        trial__finished_at__isnull=False,
    ).values_list("trial__session__listener_id", "trial_id", "value", "trial__instructed")
    failed: dict[str, dict[int, bool]] = {}
    for listener, trial, value, instructed in rows.order_by("id").iterator():
        own = failed.setdefault(str(listener), {})
        own[trial] = own.get(trial, False) or value != instructed
    return {listener: sum(own.values()) / len(own) for listener, own in failed.items()}


def _equipment_failed(study: Study) -> dict[str, float]:
    checks = EquipmentCheck.objects.filter(
        session__study=study, session__is_test=False, passed__isnull=False
    ).values_list("session__listener_id", "kind", "passed")
    passed: dict[str, dict[str, bool]] = {}
    for listener, kind, is_passed in checks.order_by("id").iterator():
        own = passed.setdefault(str(listener), {})
        own[kind] = own.get(kind, False) or bool(is_passed)
    return {listener: float(not all(own.values())) for listener, own in passed.items()}


# ── Names ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _strings(column: pd.Series[Any]) -> pd.Series[Any]:
    """Each different value is turned into text once: a million ratings hold few different identifiers."""
    return column.map({value: str(value) for value in column.unique()}).astype(object)


def _weights(table: pd.DataFrame) -> pd.Series[Any]:
    """As the job that ran says; where its stem is gone, as the system's key says."""
    by_key = {key: _weights_of(key) for key in table["system"].unique()}
    return table["weights"].where(table["weights"].notna(), table["system"].map(by_key)).astype(object)


def _weights_of(key: str) -> str:
    if key.startswith(IMPORTED):
        return "imported"
    try:
        return registry.spec(key).weights
    except SeparatorError:
        return ""


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


# ── State ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def sessions(study: Study) -> Sessions:
    counts = _came(study).aggregate(**_COUNTS)
    return Sessions(**counts)


def state(study: Study) -> State:
    """Cheap enough to be asked for every few seconds: sessions count their own ratings."""
    counts = _came(study).aggregate(
        **_COUNTS,
        ratings=Sum("rating_count", default=0),
        changes=Sum("rating_changes", default=0),
        numbers=Sum("number", default=0),
        last=Max("started_at"),
    )
    named = (study.name, study.is_demo, study.systems, study.sources, *song_titles(study).items())
    named += measured_state(study)
    version = hashlib.sha256(repr((*counts.values(), named)).encode()).hexdigest()[:16]
    return State(version, counts["ratings"], counts["started"], counts["completed"])


_COUNTS = {
    "started": Count("id"),
    "completed": Count("id", filter=Q(completed_at__isnull=False)),
    "simulated": Count("id", filter=Q(listener__simulated=True)),
}


def _came(study: Study) -> QuerySet[ListeningSession]:
    return ListeningSession.objects.filter(study=study, is_test=False)
