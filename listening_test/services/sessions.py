"""A listener's visit: its beginning with a planned order of trials, and its steps to the completion code."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from listening_test import flow, questionnaire, recruiting_selectors, session_selectors
from listening_test.design import PlannedTrial, plan, quality_first
from listening_test.design_selectors import study_design
from listening_test.device import DeviceFacts
from listening_test.models import Answer, CalibrationHeard, Clip, Invitation, Listener, ListeningSession, Study, Trial
from listening_test.models.listener import new_personal_code, new_session_token
from listening_test.refusal import Refused
from listening_test.services import slots
from listening_test.services.spoken_checks import check_speak, checks_translate, recordings
from listening_test.texts import consent_sha256

Step = ListeningSession.Step

# A clip counts as heard when at least its length has gone by on the server, less what networks and clocks differ by.
TOLERANCE_SECONDS = 0.25
TEST_PLACES = 1_000_000  # test links play the plans of places that no study comes to
SEEN_EVERY = timedelta(seconds=30)  # signs of life that come faster are not written down


# ── Beginning ───────────────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def session_start(
    *,
    study: Study,
    language: str,
    listener: Listener | None = None,
    invitation: Invitation | None = None,
    platform: Mapping[str, str] | None = None,
    token: str | None = None,
) -> ListeningSession:
    """A session at the study's next free place, with all its trials. The study's row is locked, so that listeners who
    arrive together get places one after the other.

    By a test link it takes no place and never counts. Raises `Refused`: `study_not_open`, `link_used` where a session
    was begun by the invitation already, `study_full` where as many as the study wants are through or under way.
    """
    study = Study.objects.select_for_update().get(pk=study.pk)
    if not study.is_open:
        raise Refused("study_not_open")
    if invitation is not None and recruiting_selectors.is_used(invitation):
        raise Refused("link_used")
    is_test = invitation is not None and invitation.is_test
    slot = None if is_test else slots.slot_free(study=study)
    if slot is not None and recruiting_selectors.is_full(study):
        raise Refused("study_full")
    number = _next_number(study)
    place = TEST_PLACES + number if slot is None else slot
    session = ListeningSession.objects.create(
        study=study,
        listener=listener or Listener.objects.create(),
        number=number,
        slot=slot,
        is_test=is_test,
        token=token or new_session_token(),
        personal_code=new_personal_code(),
        invitation=invitation,
        platform=dict(platform or {}),
        language=language,
        quality_first=quality_first(place),
        seen_at=timezone.now(),
    )
    _trials_plan(session, place)
    return session


def _next_number(study: Study) -> int:
    last = study.sessions.aggregate(last=Max("number"))["last"]
    return 0 if last is None else last + 1


def _trials_plan(session: ListeningSession, place: int) -> None:
    planned = plan(study_design(session.study), seed=session.study.seed, slot=place)
    trials = [_trial(session, position, trial) for position, trial in enumerate(planned)]
    recorded = recordings(session)
    for trial in trials:
        if trial.instructed:
            check_speak(trial, recorded)
    Trial.objects.bulk_create(trials)


def _trial(session: ListeningSession, position: int, planned: PlannedTrial) -> Trial:
    return Trial(
        session=session,
        position=position,
        clip_id=planned.key,
        scale=planned.scale,
        repeat=planned.repeat,
        instructed=planned.instructed,
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
        return session_selectors.closing_questions(session.study)
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
    facts = session_selectors.session_facts(session)
    missing = flow.missing(session.step, facts)
    if missing:
        raise Refused("step_incomplete", missing=missing)
    if session.step == Step.CALIBRATION:
        session.calibrated_at = timezone.now()
    session.step = flow.step_after(session.step, facts.unused)
    if session.step == Step.DONE and session.completed_at is None:
        session.completed_at = timezone.now()
    session.save()


@transaction.atomic
def session_calibration_heard(*, session: ListeningSession, clip: Clip) -> None:
    """A calibration clip was heard to its end.

    It is believed once as much time has gone by as the clip lasts since the last one was heard (or since consent).
    """
    session_lock(session)
    again = session_selectors.calibration_due(session)
    if session.step != Step.CALIBRATION and not again:
        raise Refused("not_now")
    if not session_selectors.calibration_left(session).filter(pk=clip.pk).exists():
        return
    last = session.calibration_heard.aggregate(last=Max("heard_at"))["last"] or session.consented_at
    time_check(session, since=last, seconds=session_selectors.clip_seconds(clip))
    CalibrationHeard.objects.update_or_create(session=session, clip=clip, defaults={"heard_at": timezone.now()})


@transaction.atomic
def session_calibrated_again(*, session: ListeningSession) -> ListeningSession:
    """Who had been away has heard the examples again, and goes on in the step where they were."""
    session_lock(session)
    if session_selectors.calibration_due(session):
        if left := session_selectors.calibration_left(session).count():
            raise Refused("step_incomplete", missing=["calibration"] * left)
        session.calibrated_at = timezone.now()
        session.save(update_fields=["calibrated_at"])
    return session


@transaction.atomic
def session_returned(*, session: ListeningSession) -> ListeningSession:
    """A sign of life. Who was away for longer than `AWAY` while rating is to hear the examples again first, and gets
    the place back if it had been given up and is still free.

    Raises `Refused("no_session")` where everything was erased meanwhile.
    """
    now = timezone.now()
    if now - session.seen_at < SEEN_EVERY:
        return session
    was_given_up = ListeningSession.objects.filter(pk=session.pk, given_up_at__isnull=False).exists()
    if was_given_up:  # a place may be taken back: the study's row is locked first, as everywhere
        Study.objects.select_for_update().get(pk=session.study_id)
    _refresh_locked(session)
    if now - session.seen_at > session_selectors.AWAY and session.step in (Step.PRACTICE, Step.TRIALS):
        session.calibrated_at = None
    session.seen_at = now
    session.save(update_fields=["seen_at", "calibrated_at"])
    if was_given_up:
        slots.slot_take_back(session=session)
    return session


# ── Facts about the visit ───────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def session_device_save(*, session: ListeningSession, facts: DeviceFacts) -> None:
    """What the browser says of itself; the first time counts."""
    session_lock(session)
    if not session.device:
        session.device = facts.as_dict()
        session.save(update_fields=["device"])


@transaction.atomic
def session_language_set(*, session: ListeningSession, language: str) -> None:
    session.language = language
    session.save(update_fields=["language"])
    checks_translate(session=session)


# ── What these services share with those of ratings ─────────────────────────────────────────────────────────────────


def session_lock(session: ListeningSession) -> None:
    """Bring `session` up to date; its row is ours until the transaction ends. Refuses where the study has closed."""
    _refresh_locked(session)
    if session_selectors.is_shut(session):
        raise Refused("study_closed")


def _refresh_locked(session: ListeningSession) -> None:
    try:
        session.refresh_from_db(from_queryset=ListeningSession.objects.select_for_update())
    except ListeningSession.DoesNotExist:  # erased in this very moment, from another window
        raise Refused("no_session") from None


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
