"""Studies in tiny real audio, for every test that needs one.

`study_make` gives a draft whose songs are separated and whose excerpts are chosen; `study_open_make` gives one that is
open, with clips (small FLAC files straight from the stems, without the clip service). `session_make` and `rate` write
rows directly: for tests of what comes after the listener's pages, such as the analysis.
"""

from __future__ import annotations

import hashlib
import io
import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from typing import Any

import soundfile
from django.core.files.base import ContentFile
from django.utils import timezone

from listening_test.models import Clip, Excerpt, Listener, ListeningSession, Rating, Study, Trial
from separation.models import SeparationJob, Song, Stem
from tests.factories import RATE, Audio, encoded, job_make, song_make, sound

SYSTEMS = ("umxhq", "htdemucs")
SOURCES = ("vocals", "drums")


@cache
def noise(seconds: float, seed: int) -> bytes:
    """A FLAC file of noise, encoded once for all tests."""
    return encoded(sound(seconds, seed=seed), subtype="PCM_24")


def stem_make(
    *, song: Song, source: str, job: SeparationJob | None = None, samples: Audio | None = None, seed: int = 7
) -> Stem:
    """A stem that holds `samples` (noise by default): of a job, or (no job) the song's true stem."""
    data = noise(song.seconds, seed) if samples is None else encoded(samples, subtype="PCM_24")
    stem = Stem(song=song, source=source, job=job, sha256=hashlib.sha256(data).hexdigest())
    stem.file.save(f"{source}.flac", ContentFile(data), save=False)
    stem.save()
    return stem


def separated_make(*, song: Song, system: str, sources: Iterable[str] = SOURCES, seed: int = 11) -> SeparationJob:
    """A done job of `system` with a stem of its own for every source."""
    done = {"state": SeparationJob.State.DONE, "attempt": 1, "progress": 1.0, "finished_at": timezone.now()}
    job = job_make(song=song, separator=system, **done)
    for number, source in enumerate(sources):
        stem_make(song=song, source=source, job=job, seed=seed + number)
    return job


def references_make(song: Song, sources: Iterable[str] = SOURCES, seed: int = 90) -> list[Stem]:
    return [stem_make(song=song, source=source, seed=seed + number) for number, source in enumerate(sources)]


def study_make(
    *,
    songs: int = 1,
    systems: Iterable[str] = SYSTEMS,
    sources: Iterable[str] = SOURCES,
    seconds: float = 3.0,
    excerpt: tuple[float, float] = (0.5, 2.0),
    **fields: Any,
) -> Study:
    """A draft: `songs` songs separated by all systems, one excerpt in each."""
    fields = {"name": "Un estudio", "seed": 1234, **fields}
    study = Study.objects.create(systems=list(systems), sources=list(sources), **fields)
    for number in range(songs):
        song = song_make(title=f"Canción {number + 1}", seconds=seconds, seed=number)
        for place, system in enumerate(study.systems):
            separated_make(song=song, system=system, sources=study.sources, seed=100 * number + 10 * place)
        Excerpt.objects.create(study=study, song=song, start=excerpt[0], end=excerpt[1])
    return study


def clip_make(*, study: Study, data: bytes | None = None, **fields: Any) -> Clip:
    """A clip with a real file: half a second unless `data` is given."""
    data = noise(0.5, 3) if data is None else data
    clip = Clip(study=study, sha256=hashlib.sha256(data).hexdigest(), **{**LEVELS, **fields})
    clip.samples = soundfile.info(io.BytesIO(data)).frames
    clip.file.save("clip.flac", ContentFile(data), save=False)
    clip.save()
    return clip


LEVELS: Mapping[str, float] = {"gain_db": -3.0, "loudness_lufs": -23.0, "true_peak_dbtp": -6.0}


def clips_make(study: Study) -> list[Clip]:
    """One clip for every excerpt, source and system, a mixture clip where the study shows it, four for calibration."""
    data = noise(0.5, 3)
    clips = [
        clip_make(study=study, data=data, excerpt=excerpt, source=source, system=system)
        for excerpt in study.excerpts.all()
        for source in study.sources
        for system in study.systems
    ]
    for role in Clip.Role:
        clip_make(study=study, data=data, purpose=Clip.Purpose.CALIBRATION, role=role, source="vocals")
    if study.show_mixture:
        for excerpt in study.excerpts.all():
            clip_make(study=study, data=data, purpose=Clip.Purpose.MIXTURE, excerpt=excerpt)
    return clips


def study_open_make(**fields: Any) -> Study:
    """A study that listeners may enter."""
    study = study_make(**fields)
    clips_make(study)
    study.state, study.opened_at = Study.State.OPEN, timezone.now()
    study.save()
    return study


def session_make(
    study: Study,
    *,
    clips: Iterable[Clip] | None = None,
    simulated: bool = False,
    language: str = "es",
    done: bool = False,
) -> ListeningSession:
    """A session in the middle of its trials (or `done`): one trial for each of `clips`, all rated ones by default."""
    now = timezone.now()
    session = ListeningSession.objects.create(
        study=study,
        listener=Listener.objects.create(simulated=simulated),
        number=study.sessions.count(),
        language=language,
        step=ListeningSession.Step.DONE if done else ListeningSession.Step.TRIALS,
        consented_at=now,
        quality_first=study.sessions.count() % 2 == 0,
        completed_at=now if done else None,
    )
    chosen = study.clips.filter(purpose=Clip.Purpose.TEST) if clips is None else clips
    for position, clip in enumerate(chosen):
        Trial.objects.create(session=session, clip=clip, position=position)
    return session


def rate(
    trial: Trial, *, quality: int | None = None, contamination: int | None = None, at: datetime | None = None
) -> None:
    """The trial heard, rated on the scales that are given, and finished."""
    now = at or timezone.now()
    trial.opened_at, trial.heard_at, trial.finished_at = now, now, now
    trial.plays, trial.heard_seconds = 1, trial.clip.samples / RATE
    trial.save()
    for scale, value in (("quality", quality), ("contamination", contamination)):
        if value is not None:
            Rating.objects.create(trial=trial, scale=scale, value=value, key=uuid.uuid4(), given_at=now)
