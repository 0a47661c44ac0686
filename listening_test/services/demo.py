"""The demo study, and the "demo results" with simulated listeners: made of the project's own songs by real jobs.

Everything is found again by its fixed seed, so each step can be asked for any number of times. Songs and jobs are begun
at once; what has to wait for them (opening, simulating, closing) is done by `demo_advance`, which the sweep calls too.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils.translation import gettext

from listening_test import selectors
from listening_test.messages import sentences
from listening_test.models import Preparation, Study
from listening_test.services.simulated import listeners_simulate
from listening_test.services.studies import Span, StudyContent, StudyRefused, study_add, study_close, study_open
from separation.messages import sentence as job_sentence
from separation.models import SeparationJob, Song
from separation.services.done_jobs import StemsInUse
from separation.services.jobs import job_start
from separation.services.songs import song_add_synthetic

STUDY_SEED, RESULTS_SEED = 20_261_101, 20_261_102
SONGS = {2: "trip hop", 6: "pop", 12: "electro", 19: "rock", 35: "folk", 44: "new age"}  # seed -> style
SYSTEMS = ["umx:demo", "spleeter:demo", "htdemucs:demo"]
SOURCES = ["vocals", "drums", "bass", "other"]
START, END = 2.0, 9.0
CLIPS_PER_LISTENER, CLIPS_PER_SIMULATED_LISTENER = 12, 24

THANKS_ES = (
    "Gracias por escuchar. Este es un estudio de demostración: el propio programa compuso las canciones, y las "
    "respuestas no se usan para ninguna investigación."
)
THANKS_EN = (
    "Thank you for listening. This is a demonstration: the program composed the songs itself, and the answers are not "
    "used for any research."
)
TEXTS = {
    ("es", "title"): "¿Qué tan bien se separa la música?",
    ("en", "title"): "How well is music separated?",
    ("es", "thanks"): THANKS_ES,
    ("en", "thanks"): THANKS_EN,
}


@dataclass(frozen=True)
class DemoProgress:
    """How far the demo is, and the sentence of what stopped it."""

    jobs_done: int
    jobs: int
    clips_made: int
    clips: int
    listeners: int
    is_ready: bool = False
    failure: str = ""


# ── Beginning ───────────────────────────────────────────────────────────────────────────────────────────────────────


def demo_begin() -> None:
    """Songs, jobs and both drafts; failed jobs and failed preparations are tried again."""
    songs = [_song_with_jobs(seed, style) for seed, style in SONGS.items()]
    _study(STUDY_SEED, gettext("Demo study"), CLIPS_PER_LISTENER, songs)
    _study(RESULTS_SEED, gettext("Demo results (simulated listeners)"), CLIPS_PER_SIMULATED_LISTENER, songs)
    drafts = _demo_studies().filter(state=Study.State.DRAFT)
    Preparation.objects.filter(study__in=drafts).delete()
    drafts.update(preparation_error={})


def _song_with_jobs(seed: int, style: str) -> Song:
    """The song, made if it is not there; its jobs can begin while the next one is composed."""
    there = Song.objects.filter(is_demo=True, synthesis_seed=seed).first()
    song = there or song_add_synthetic(seed=seed, style=style)
    for system in SYSTEMS:
        with suppress(StemsInUse):  # of demo weights that came later; the study keeps what it was made of
            job_start(song=song, separator=system)
    return song


def _study(seed: int, name: str, clips: int, songs: list[Song]) -> None:
    if _demo_studies().filter(seed=seed).exists():
        return
    content = StudyContent(
        name=name,
        sources=SOURCES,
        systems=SYSTEMS,
        trials_per_listener=clips,
        show_mixture=True,
        texts=TEXTS,
        spans=[Span(song, START, END) for song in songs],
    )
    study_add(content=content, seed=seed)


def _demo_studies() -> QuerySet[Study]:
    """The project's own two; copies and studies of researchers have seeds of their own."""
    return Study.objects.filter(is_demo=True, created_by=None, seed__in=(STUDY_SEED, RESULTS_SEED))


# ── Going on ────────────────────────────────────────────────────────────────────────────────────────────────────────


def demo_advance(*, after_each: Callable[[], object] = lambda: None) -> None:
    """Whatever can be done by now: open a draft whose stems are there, simulate listeners, close their study.

    A draft whose preparation was asked for before failed or was stopped by somebody: it waits for `demo_begin`.
    `after_each` is called after each simulated listener.
    """
    with suppress(StudyRefused):  # the sweep and the command may be at it together: whoever is second finds it done
        for study in _demo_studies().filter(state=Study.State.DRAFT, preparation__isnull=True):
            if not selectors.study_problems(study):
                study_open(study=study)
        for study in _demo_studies().filter(seed=RESULTS_SEED, state=Study.State.OPEN):
            listeners_simulate(study=study, after_each=after_each)
            study_close(study=study)


def demo_progress() -> DemoProgress:
    jobs = SeparationJob.objects.filter(song__is_demo=True, song__synthesis_seed__in=SONGS, separator__in=SYSTEMS)
    studies = list(_demo_studies())
    return DemoProgress(
        jobs_done=jobs.filter(state=SeparationJob.State.DONE).count(),
        jobs=len(SONGS) * len(SYSTEMS),
        clips_made=sum(selectors.clips_made(study) for study in studies),
        clips=sum(selectors.clips_expected(study) for study in studies),
        listeners=sum(study.sessions.filter(listener__simulated=True).count() for study in studies),
        is_ready=_are_ready(studies),
        failure=_failure(jobs, studies),
    )


def _are_ready(studies: list[Study]) -> bool:
    """One may be rated (or was, and somebody closed it), the other has had all its listeners."""
    states = {study.seed: study.state for study in studies}
    can_be_rated = states.get(STUDY_SEED) in (Study.State.OPEN, Study.State.CLOSED)
    return can_be_rated and states.get(RESULTS_SEED) == Study.State.CLOSED


def _failure(jobs: QuerySet[SeparationJob], studies: list[Study]) -> str:
    for job in jobs.filter(state=SeparationJob.State.FAILED).select_related("song"):
        return f"{job.song} · {job.separator}: {job_sentence(job.error_code, job.error_params)}"
    if cancelled := jobs.filter(state=SeparationJob.State.CANCELLED).select_related("song").first():
        return gettext("%(job)s: the separation was cancelled.") % {"job": cancelled}
    return " ".join(sentence for study in studies for sentence in sentences(study.preparation_error))
