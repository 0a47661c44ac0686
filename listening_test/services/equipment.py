"""The checks of a listener's equipment: items drawn, answers judged, consequences drawn, all on the server."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from listening_test import equipment, session_selectors
from listening_test.check_sounds import sound_seconds
from listening_test.models import EquipmentCheck, ListeningSession
from listening_test.refusal import BadValue, Refused
from listening_test.services.sessions import session_lock, session_step_forward, time_check

Step = ListeningSession.Step
Kind = EquipmentCheck.Kind

STREAM = 0xEA5  # of random numbers, apart from those of the session's plan


@transaction.atomic
def check_open(*, session: ListeningSession) -> EquipmentCheck:
    """The attempt that this listener is at; its items are drawn when it is first looked at, and stay."""
    session_lock(session)
    left = session_selectors.checks_left(session)
    if session.step != Step.EQUIPMENT or not left:
        raise Refused("not_now")
    kind = left[0]
    under_way = session.equipment_checks.filter(kind=kind, passed__isnull=True).first()
    return under_way or _check_begin(session, kind)


def _check_begin(session: ListeningSession, kind: str) -> EquipmentCheck:
    attempt = session.equipment_checks.filter(kind=kind).count()
    seed = [session.study.seed, STREAM, session.number, equipment.KINDS.index(Kind(kind)), attempt]
    right = equipment.right_answers(kind, seed)
    asked = [{"right": answer, "seed": [*seed, place]} for place, answer in enumerate(right)]
    return EquipmentCheck.objects.create(
        session=session, kind=kind, attempt=attempt, asked=asked, began_at=timezone.now()
    )


@transaction.atomic
def check_answer(*, session: ListeningSession, kind: str, attempt: int, answers: Sequence[str]) -> EquipmentCheck:
    """The answers to all items, judged once; on to the next check, to the next step, or to a polite end.

    Raises `BadValue("answer_bad")` for what is no answer, `Refused("too_soon", wait=…)` before all that is to be heard
    can have been heard, `Refused("not_now")` for any but the attempt that the listener is at.
    """
    check = _under_way(session, kind, attempt)
    if not equipment.fits(kind, answers):
        raise BadValue("answer_bad", question=kind)
    time_check(session, since=check.began_at, seconds=_seconds(check))
    return _judge(check, list(answers))


@transaction.atomic
def check_skip(*, session: ListeningSession, kind: str, attempt: int) -> EquipmentCheck:
    """Set aside, and recorded as not passed; only where nothing depends on it: `Refused("check_needed")` otherwise."""
    check = _under_way(session, kind, attempt)
    if not equipment.may_be_skipped(equipment.consequence(session.study.equipment, kind)):
        raise Refused("check_needed")
    return _judge(check, [])


def _under_way(session: ListeningSession, kind: str, attempt: int) -> EquipmentCheck:
    check = check_open(session=session)
    if (check.kind, check.attempt) != (kind, attempt):
        raise Refused("not_now")
    return check


def _seconds(check: EquipmentCheck) -> float:
    """How long it takes to hear everything once."""
    if check.kind == Kind.LEVEL:
        clip = session_selectors.level_clip(check.session.study)
        return session_selectors.clip_seconds(clip) if clip else 0.0
    return sum(sound_seconds(check.kind) for _item in check.asked)


def _judge(check: EquipmentCheck, answers: list[str]) -> EquipmentCheck:
    check.answers, check.judged_at = answers, timezone.now()
    check.passed = equipment.passed(check.kind, [item["right"] for item in check.asked], answers)
    check.save()
    session = check.session
    left = session_selectors.checks_left(session)
    if not check.passed and check.kind not in left and _consequence(check) == equipment.END:
        _end(session, check.kind)
    elif not left:
        session_step_forward(session=session)
    return check


def _consequence(check: EquipmentCheck) -> str:
    return equipment.consequence(check.session.study.equipment, check.kind)


def _end(session: ListeningSession, kind: str) -> None:
    """Nothing more is asked of this listener, and somebody else gets the place."""
    session.step, session.ended_reason = Step.ENDED, f"equipment_{kind}"
    session.given_up_at = session.given_up_at or timezone.now()
    session.save()
