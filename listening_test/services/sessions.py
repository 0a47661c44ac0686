"""A listener's visit: its beginning with a planned order of trials, and its steps to the completion code."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from listening_test import flow, questionnaire, session_selectors
from listening_test.design import Candidate, plan_session, quality_first
from listening_test.device import DeviceFacts
from listening_test.models import Answer, CalibrationHeard, Clip, Listener, ListeningSession, Study, Trial
from listening_test.refusal import Refused
from listening_test.texts import consent_sha256

Step = ListeningSession.Step

# A clip counts as heard when at least its length has gone by on the server, less what networks and clocks differ by.
TOLERANCE_SECONDS = 0.25


# ── Beginning ───────────────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def session_start(*, study: Study, language: str, listener: Listener | None = None) -> ListeningSession:
    """A session at the study's next place, with all its trials. Raises `Refused` where the study is not open.

    The study's row is locked, so that listeners who arrive together get places one after the other.
    """
    study = Study.objects.select_for_update().get(pk=study.pk)
    if not study.is_open:
        raise Refused("study_not_open")
    number = _next_number(study)
    session = ListeningSession.objects.create(
        study=study,
        listener=listener or Listener.objects.create(),
        number=number,
        language=language,
        quality_first=quality_first(number),
    )
    _trials_plan(session)
    return session


def _next_number(study: Study) -> int:
    last = study.sessions.aggregate(last=Max("number"))["last"]
    return 0 if last is None else last + 1


def _trials_plan(session: ListeningSession) -> None:
    study = session.study
    clips = {str(clip.pk): clip for clip in study.clips.filter(purpose=Clip.Purpose.TEST).order_by("pk")}
    candidates = [Candidate(f"{clip.excerpt_id:012}", clip.source, clip.system, key) for key, clip in clips.items()]
    plan = plan_session(
        candidates, seed=study.seed, number=session.number, trials_per_listener=study.trials_per_listener
    )
    Trial.objects.bulk_create(
        Trial(session=session, position=position, clip=clips[candidate.key]) for position, candidate in enumerate(plan)
    )


# ── Steps ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def session_consent(*, session: ListeningSession) -> ListeningSession:
    """The listener agrees to the study's text in the session's language."""
    if _locked_in(session, Step.CONSENT):
        session.consented_at = timezone.now()
        session.consent_sha256 = consent_sha256(session.study, session.language)
        _advance(session)
    return session


@transaction.atomic
def session_answers_save(*, session: ListeningSession, answers: Mapping[str, Any]) -> ListeningSession:
    """The answers of the questionnaire or of the last questions, whichever the session is at; checked and stored.

    Raises `BadValue` for answers that do not fit. Saving again replaces.
    """
    session_lock(session)
    for key, value in questionnaire.checked(_questions(session), answers).items():
        Answer.objects.update_or_create(session=session, question=key, defaults={"value": value})
    return session


def _questions(session: ListeningSession) -> list[questionnaire.Question]:
    if session.step == Step.QUESTIONNAIRE:
        return session_selectors.opening_questions(session.study)
    if session.step == Step.CLOSING:
        return questionnaire.closing()
    raise Refused("not_now")


@transaction.atomic
def session_step_forward(*, session: ListeningSession) -> ListeningSession:
    """The step after the one that the caller saw. Asked twice, it goes forward once.

    Raises `Refused("step_incomplete", missing=…)` while there is something left to do.
    """
    if _locked_in(session, session.step):
        _advance(session)
    return session


def _advance(session: ListeningSession) -> None:
    missing = flow.missing(session.step, session_selectors.session_facts(session))
    if missing:
        raise Refused("step_incomplete", missing=missing)
    session.step = flow.step_after(session.step)
    if session.step == Step.DONE and session.completed_at is None:
        session.completed_at = timezone.now()
    session.save()


@transaction.atomic
def session_calibration_heard(*, session: ListeningSession, clip: Clip) -> None:
    """A calibration clip was heard to its end.

    It is believed once as much time has gone by as the clip lasts since the last one was heard (or since consent).
    """
    session_lock(session)
    if session.step != Step.CALIBRATION:
        raise Refused("not_now")
    if CalibrationHeard.objects.filter(session=session, clip=clip).exists():
        return
    last = session.calibration_heard.aggregate(last=Max("heard_at"))["last"] or session.consented_at
    time_check(session, since=last, seconds=session_selectors.clip_seconds(clip))
    CalibrationHeard.objects.create(session=session, clip=clip, heard_at=timezone.now())


# ── Facts about the visit ───────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def session_device_save(*, session: ListeningSession, facts: DeviceFacts) -> None:
    """What the browser says of itself; the first time counts."""
    session_lock(session)
    if not session.device:
        session.device = facts.as_dict()
        session.save(update_fields=["device"])


def session_language_set(*, session: ListeningSession, language: str) -> None:
    session.language = language
    session.save(update_fields=["language"])


# ── What these services share with those of ratings ─────────────────────────────────────────────────────────────────


def session_lock(session: ListeningSession) -> None:
    """Bring `session` up to date; its row is ours until the transaction ends. Refuses where the study has closed."""
    session.refresh_from_db(from_queryset=ListeningSession.objects.select_for_update())
    if session_selectors.is_shut(session):
        raise Refused("study_closed")


def _locked_in(session: ListeningSession, step: str) -> bool:
    """Lock, and say whether the session still is in this step."""
    session_lock(session)
    return session.step == step


def time_check(session: ListeningSession, *, since: datetime | None, seconds: float) -> None:
    """Raises `Refused("too_soon", wait=…)` where less time than `seconds` has gone by, by the server's own clock.

    Simulated listeners, whom the project makes itself and no request can claim to be, need not wait.
    """
    if session.listener.simulated:
        return
    gone = (timezone.now() - since).total_seconds() if since else 0.0
    wait = seconds - TOLERANCE_SECONDS - gone
    if wait > 0:
        raise Refused("too_soon", wait=round(wait, 2))
