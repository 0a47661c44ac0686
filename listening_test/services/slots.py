"""Places in a study's design: each is held by one session, and one that falls silent loses its place to the next.

A place is a number (slot), and the plan of a session follows from it. What is held are the slots of sessions that have
not been given up; the lowest that nobody holds goes to who comes next. So a given-up place, or one whose listener had
everything erased, is filled again before a new one is begun.

Who comes back after having been given up takes the place back if it is still free. If somebody else has it, they go on
all the same: nothing of theirs is lost, and what they finish is counted, beside the plan.

Everything here that gives or takes a place holds the study's row; the constraint `one_session_per_slot` is the last
guard.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import connection, transaction
from django.db.models import Count, F, Max, Q, QuerySet
from django.utils import timezone

from listening_test.models import ListeningSession, Study

Step = ListeningSession.Step
RATED = (Step.CLOSING, Step.DONE)  # who has come so far has rated everything and keeps the place
BLOCK = 256  # places that are counted together


def slot_free(*, study: Study) -> int:
    """The lowest place that nobody holds. The caller has locked the study's row and takes the place at once."""
    slots_give_up(study=study)
    held = _held(study)
    found = held.aggregate(held=Count("*"), last=Max("slot"))
    if found["last"] is None or found["last"] < found["held"]:
        return int(found["held"])
    return _first_gap(held)


def _first_gap(held: QuerySet[ListeningSession]) -> int:
    """Below the last place held: first the block of places that is not full, then the place. Tens of thousands of
    places are counted in milliseconds, and not fetched or sorted."""
    blocks = held.annotate(block=F("slot") / BLOCK).values_list("block").annotate(held=Count("*")).order_by("block")
    first = BLOCK * next(place for place, found in enumerate(blocks) if found != (place, BLOCK))
    taken = set(held.filter(slot__range=(first, first + BLOCK - 1)).values_list("slot", flat=True))
    return next(slot for slot in range(first, first + BLOCK) if slot not in taken)


def _held(study: Study) -> QuerySet[ListeningSession]:
    return study.sessions.filter(given_up_at__isnull=True, slot__isnull=False).order_by()


# ── Giving up ───────────────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def slots_give_up(*, study: Study) -> int:
    """Give up the places of sessions that have been silent for longer than the study waits, or that ended before the
    rating; returns how many. Their ratings stay.

    A session that is locked is being used at this very moment: it is passed over.
    """
    now = timezone.now()
    silent = Q(seen_at__lt=now - timedelta(minutes=study.give_up_minutes)) & ~Q(step__in=RATED)
    under_way = study.sessions.filter(given_up_at__isnull=True, completed_at__isnull=True)
    due = under_way.filter(silent | Q(step=Step.ENDED)).order_by("pk")
    locked = due.select_for_update(skip_locked=connection.features.has_select_for_update_skip_locked)
    sessions = list(locked.values_list("pk", flat=True))
    return ListeningSession.objects.filter(pk__in=sessions).update(given_up_at=now) if sessions else 0


def slots_sweep() -> None:
    """For every open study; who arrives in between does the same for theirs."""
    for study in Study.objects.filter(state=Study.State.OPEN).order_by("pk"):
        slots_give_up(study=study)


@transaction.atomic
def slot_take_back(*, session: ListeningSession) -> None:
    """Somebody is back whose session had been given up; the study's row is locked, and then `session`'s. See the top
    of this module."""
    if session.given_up_at is None or session.step == Step.ENDED:
        return
    if session.is_test or not _held(session.study).filter(slot=session.slot).exists():
        session.given_up_at = None
        session.save(update_fields=["given_up_at"])
