"""Rated studies as rows only: the analysis never opens a sound file, so none is made."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from listening_test.models import Clip, Excerpt, Listener, ListeningSession, Rating, Study, Trial
from separation.models import SeparationJob, Song, Stem

SYSTEMS = ("umxhq", "spleeter:4stems", "htdemucs")
SOURCES = ("vocals", "drums")
CLIP_ORDER = ("excerpt__song__title", "source", "system")  # ids are random, and scores are drawn in this order
START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
MEANS = {"quality": (2.2, 3.0, 3.9), "contamination": (2.6, 2.7, 4.1)}


def song_make(title: str, **fields: Any) -> Song:
    return Song.objects.create(
        title=title,
        original=f"songs/{title}/original.flac",
        mixture=f"songs/{title}/mixture.flac",
        original_name="song.flac",
        original_sha256=uuid.uuid4().hex * 2,
        original_format="FLAC",
        original_sample_rate=44_100,
        original_channels=2,
        samples=44_100 * 12,
        **fields,
    )


def study_make(
    *,
    titles: Iterable[str] = ("One", "Two", "Three"),
    systems: Iterable[str] = SYSTEMS,
    sources: Iterable[str] = SOURCES,
    song_fields: dict[str, Any] | None = None,
    **fields: Any,
) -> Study:
    """An open study with all its clips and no listener."""
    given = {"name": "A study", "seed": 7, "state": Study.State.OPEN, "opened_at": START, **fields}
    study = Study.objects.create(systems=list(systems), sources=list(sources), **given)
    for title in titles:
        song = song_make(title, **(song_fields or {}))
        excerpt = Excerpt.objects.create(study=study, song=song, start=1.0, end=9.5)
        for system in study.systems:
            job = job_make(song, system)
            for source in study.sources:
                clip_make(study, excerpt, source, system, job)
    return study


def job_make(song: Song, system: str) -> SeparationJob | None:
    if system == "reference":
        return None
    weights = "demo" if system.endswith(":demo") else "published"
    return SeparationJob.objects.create(song=song, separator=system, weights=weights, state="done", progress=1.0)


def clip_make(study: Study, excerpt: Excerpt, source: str, system: str, job: SeparationJob | None) -> Clip:
    stem = Stem.objects.create(song=excerpt.song, job=job, source=source, file="stem.flac", sha256="0" * 64)
    return Clip.objects.create(
        study=study,
        excerpt=excerpt,
        source=source,
        system=system,
        stem=stem,
        file="clip.flac",
        sha256="0" * 64,
        samples=44_100,
        gain_db=0.0,
        loudness_lufs=-23.0,
        true_peak_dbtp=-3.0,
    )


def session_make(study: Study, *, simulated: bool = False, done: bool = True, **fields: Any) -> ListeningSession:
    number = study.sessions.count()
    return ListeningSession.objects.create(
        study=study,
        listener=Listener.objects.create(simulated=simulated),
        number=number,
        language=fields.pop("language", "es"),
        step="done" if done else "trials",
        consented_at=START,
        completed_at=START + timedelta(minutes=20) if done else None,
        quality_first=number % 2 == 0,
        **fields,
    )


Score = Callable[[int, Clip, str], int]


def rate_all(
    session: ListeningSession,
    score: Score,
    *,
    clips: Iterable[Clip] | None = None,
    finished: bool = True,
    repeat: int = 0,
    seconds: float = 4.0,
) -> None:
    """The session rates these clips (all by default) on both scales, in `CLIP_ORDER`; `seconds` for each clip."""
    heard = START + timedelta(minutes=session.number)
    chosen = session.study.clips.filter(purpose="test").order_by(*CLIP_ORDER) if clips is None else clips
    first = session.trials.count()
    trials = [
        Trial(
            session=session,
            clip=clip,
            position=first + place,
            repeat=repeat,
            opened_at=heard,
            heard_at=heard,
            heard_seconds=8.5,
            plays=1,
            finished_at=heard if finished else None,
        )
        for place, clip in enumerate(chosen)
    ]
    Trial.objects.bulk_create(trials)
    Rating.objects.bulk_create(
        Rating(
            trial=trial,
            scale=scale,
            value=score(session.number, trial.clip, scale),
            key=uuid.uuid4(),
            given_at=heard + timedelta(seconds=seconds),
        )
        for trial in session.trials.filter(position__gte=first).select_related("clip")
        for scale in ("quality", "contamination")
    )
    session.rating_count += 2 * len(trials)
    session.rating_changes += 2 * len(trials)
    session.save()


def panel_make(study: Study, *, listeners: int = 8, simulated: bool = False, seed: int = 3) -> Study:
    """`listeners` who rate everything: a mean per system, plus listener, song and noise."""
    rng = np.random.default_rng(seed)
    of_song: dict[Any, float] = {}
    of_listener = rng.normal(0, 0.4, listeners)

    def score(number: int, clip: Clip, scale: str) -> int:
        song = of_song.setdefault(clip.excerpt_id, rng.normal(0, 0.4))
        mean = MEANS[scale][study.systems.index(clip.system) % 3]
        return int(np.clip(round(mean + of_listener[number % listeners] + song + rng.normal(0, 0.6)), 1, 5))

    for _place in range(listeners):
        rate_all(session_make(study, simulated=simulated), score)
    return study
