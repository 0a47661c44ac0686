"""Simulated listeners take a study through the very services that real ones use. Each is marked as simulated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any
from uuid import uuid4

import numpy as np
from django.db import transaction

from audio.metrics import sdr
from audio.reading import read_flac_samples
from listening_test import session_selectors, simulation
from listening_test.clip_names import clip_name
from listening_test.equipment import passing_answers
from listening_test.models import Clip, Excerpt, Listener, ListeningSession, Study, Trial
from listening_test.practice import expected_value
from listening_test.questionnaire import Kind, Question
from listening_test.scales import ScaleKey
from listening_test.services import ratings, sessions
from listening_test.services.equipment import check_answer, check_open
from listening_test.services.practice import practice_answer
from listening_test.simulation import Latent, SimulatedListener
from listening_test.stimulus import Audio
from listening_test.trial_selectors import scales_asked
from separation.models import Stem

LISTENERS = 24
CARELESS = 2  # of them do not listen
LANGUAGES = ("es", "en")
WORTHS, CHOICE = 0, 1  # streams of random numbers; a listener's own begin after them
STREAMS = 2

Step = ListeningSession.Step
Worths = dict[Any, Latent]  # clip's key -> what it is worth


def listeners_simulate(
    *, study: Study, count: int = LISTENERS, after_each: Callable[[], object] = lambda: None
) -> None:
    """Let simulated listeners into an open study until it has had `count` of them; `after_each` is called in between.

    Every clip's song needs its true stems. The same study seed gives the same listeners with the same ratings.
    """
    worths = _worths(study)
    careless = np.random.default_rng([study.seed, CHOICE]).choice(count, min(CARELESS, count), replace=False)
    while _next_visits(study, count, worths, set(careless.tolist())):
        after_each()


@transaction.atomic
def _next_visits(study: Study, count: int, worths: Worths, careless: set[int]) -> bool:
    """One whole visit; False where there were enough. The study's row is locked, so two workers make no more."""
    Study.objects.select_for_update().get(pk=study.pk)
    number = study.sessions.filter(listener__simulated=True).count()
    if number >= count:
        return False
    rng = np.random.default_rng([study.seed, STREAMS + number])
    listener = simulation.simulated_listener(rng, careless=number in careless)
    _visit(study, LANGUAGES[number % len(LANGUAGES)], partial(_rate, listener=listener, worths=worths, rng=rng), rng)
    return True


# ── One visit ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _visit(study: Study, language: str, rate: partial[None], rng: np.random.Generator) -> None:
    listener = Listener.objects.create(simulated=True)
    session = sessions.session_start(study=study, language=language, listener=listener)
    sessions.session_consent(session=session)
    while session.step != Step.DONE:
        _do(session, rate, rng)
        session.refresh_from_db()


def _do(session: ListeningSession, rate: partial[None], rng: np.random.Generator) -> None:
    """Whatever the session's step asks for, and on to the next one."""
    study = session.study
    if session.step == Step.TRIALS:  # which end by themselves
        for trial in session.trials.select_related("clip", "session__study", "session__listener").order_by("position"):
            rate(trial)
        return
    if session.step == Step.QUESTIONNAIRE:
        _answer(session, session_selectors.opening_questions(study), rng)
    elif session.step == Step.CLOSING:
        _answer(session, session_selectors.closing_questions(study), rng)
    elif session.step == Step.CALIBRATION:
        for clip in session_selectors.calibration_clips(study):
            sessions.session_calibration_heard(session=session, clip=clip)
    elif session.step == Step.PRACTICE:
        for clip in session_selectors.practice_clips(study):
            values = {scale: expected_value(clip.expected.get(scale)) for scale in ScaleKey.values}
            practice_answer(session=session, name=clip_name(session, clip), values=values)
    elif session.step == Step.EQUIPMENT:
        check = check_open(session=session)
        answers = passing_answers(check.kind, [item["right"] for item in check.asked])
        check_answer(session=session, kind=check.kind, attempt=check.attempt, answers=answers)
        return  # the last check goes on by itself
    sessions.session_step_forward(session=session)


def _answer(session: ListeningSession, questions: Sequence[Question], rng: np.random.Generator) -> None:
    """The required questions, answered at random."""
    answers = {question.key: _answered(question, rng) for question in questions if question.required}
    sessions.session_answers_save(session=session, answers=answers)


def _answered(question: Question, rng: np.random.Generator) -> Any:
    if not question.values:
        return question.least or 0 if question.kind == Kind.NUMBER else "–"
    value = question.values[int(rng.integers(len(question.values)))]
    return [value] if question.kind == Kind.CHOICES else value


def _rate(trial: Trial, *, listener: SimulatedListener, worths: Worths, rng: np.random.Generator) -> None:
    ratings.trial_open(trial=trial)
    ratings.trial_heard(trial=trial, seconds=session_selectors.clip_seconds(trial.clip))
    for scale, value in _values(trial, listener, worths, rng).items():
        if scale in scales_asked(trial):
            ratings.rating_save(trial=trial, scale=scale, value=value, key=uuid4())
    ratings.trial_finish(trial=trial)


def _values(trial: Trial, listener: SimulatedListener, worths: Worths, rng: np.random.Generator) -> dict[str, int]:
    """On both scales; a check of attention gets the answer that it asks for."""
    if trial.instructed is not None:
        return dict.fromkeys(ScaleKey.values, trial.instructed)
    quality, contamination = simulation.ratings(worths[trial.clip_id], listener, rng)
    return {ScaleKey.QUALITY: quality, ScaleKey.CONTAMINATION: contamination}


# ── What the clips are worth ────────────────────────────────────────────────────────────────────────────────────────


def _worths(study: Study) -> Worths:
    """For every rated clip, from its stem and the true stems; clips in an order that does not depend on their names."""
    rng = np.random.default_rng([study.seed, WORTHS])
    rated = study.clips.filter(purpose=Clip.Purpose.TEST).select_related("stem")
    worths: Worths = {}
    for excerpt in study.excerpts.order_by("id"):
        references = _references(excerpt)
        for clip in rated.filter(excerpt=excerpt).order_by("source", "system"):
            worths[clip.pk] = _worth(clip, excerpt, references, rng)
    return worths


def _worth(clip: Clip, excerpt: Excerpt, references: dict[str, Audio], rng: np.random.Generator) -> Latent:
    estimate = _samples(clip.stem, excerpt) if clip.stem else _played(clip)
    sir = simulation.si_sir(clip.source, references, estimate)
    return simulation.latent(sdr(references[clip.source], estimate), sir, rng)


def _played(clip: Clip) -> Audio:
    """A control that was made, which has no stem of its own: as it is played, less the gain that aligned it."""
    with clip.file.open("rb") as file:
        samples = read_flac_samples(file, 0, clip.samples)
    return np.asarray(samples / 10.0 ** (clip.gain_db / 20.0), dtype=np.float32)


def _references(excerpt: Excerpt) -> dict[str, Audio]:
    true = Stem.objects.filter(song=excerpt.song_id, job__isnull=True).order_by("source")
    return {stem.source: _samples(stem, excerpt) for stem in true}


def _samples(stem: Stem, excerpt: Excerpt) -> Audio:
    with stem.file.open("rb") as file:
        samples = read_flac_samples(file, excerpt.span[0] - stem.start, excerpt.span[1] - stem.start)
    return np.asarray(samples / stem.gain, dtype=np.float32)
