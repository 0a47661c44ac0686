"""What a listener does in a trial: open the clip, hear it, rate it on both scales, go on.

Everything here may be asked twice: a browser that got no answer asks again, and that changes nothing.
"""

from __future__ import annotations

import math
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from listening_test import session_selectors
from listening_test.models import ListeningSession, Rating, Trial
from listening_test.refusal import BadValue, Refused
from listening_test.scales import HIGHEST, LOWEST, SCALES
from listening_test.services.sessions import TOLERANCE_SECONDS, session_lock, session_step_forward, time_check

MOST_SECONDS = 24 * 3600.0  # more than that is no time of hearing but a mistake
MOST_PLAYS = MOST_CHANGES = 10_000
CHANGING = ["opened_at", "heard_at", "heard_seconds", "plays", "finished_at"]  # fields of a trial that time changes

Step = ListeningSession.Step


@transaction.atomic
def trial_open(*, trial: Trial) -> Trial:
    """The clip begins to play. Until it has been heard once, each beginning counts anew."""
    _current(trial)
    if trial.heard_at is None:
        trial.opened_at = timezone.now()
        trial.save(update_fields=["opened_at"])
    return trial


@transaction.atomic
def trial_heard(*, trial: Trial, seconds: float, plays: int = 1) -> Trial:
    """The clip came to its end. `seconds` and `plays`: in all so far, by the browser's audio clock.

    Believed only where the server's own clock agrees: `Refused("too_soon", wait=…)` says when to ask again.
    """
    _check_amount(seconds, MOST_SECONDS)
    _check_amount(plays, MOST_PLAYS)
    _current(trial)
    if trial.heard_at is None:
        _check_heard(trial, seconds)
        trial.heard_at = timezone.now()
    trial.heard_seconds = max(trial.heard_seconds, seconds)
    trial.plays = max(trial.plays, plays)
    trial.save(update_fields=["heard_at", "heard_seconds", "plays"])
    return trial


def _check_heard(trial: Trial, seconds: float) -> None:
    length = session_selectors.clip_seconds(trial.clip)
    if seconds < length - TOLERANCE_SECONDS:
        raise Refused("not_heard")
    if trial.opened_at is None:
        raise Refused("not_opened")
    time_check(trial.session, since=trial.opened_at, seconds=length)


def _check_amount(value: Any, most: float) -> None:
    if type(value) not in (int, float) or not math.isfinite(value) or not 0 <= value <= most:
        raise BadValue("bad_amount")


@transaction.atomic
def rating_save(*, trial: Trial, scale: str, value: int, key: UUID, changes: int = 0) -> Rating:
    """The rating that stands on this scale afterwards.

    `key` names the answer and `changes` counts the answers given before it on this scale: the same answer sent again
    changes nothing, nor does an older one that arrives late.
    """
    _check_rating(scale, value, key, changes)
    _current(trial)
    if trial.heard_at is None:
        raise Refused("not_heard")
    rating = trial.ratings.filter(scale=scale).first() or Rating(trial=trial, scale=scale)
    if rating.pk and (rating.key == key or rating.changes >= changes):
        return rating
    if Rating.objects.filter(key=key).exists():
        raise Refused("key_used")
    rating.value, rating.key, rating.changes, rating.given_at = value, key, changes, timezone.now()
    rating.save()
    return rating


def _check_rating(scale: Any, value: Any, key: Any, changes: Any) -> None:
    """Types are looked at too: `True` equals 1, and 3.0 equals 3, and neither is a rating."""
    if scale not in SCALES:
        raise BadValue("bad_scale")
    if type(value) is not int or not LOWEST <= value <= HIGHEST:
        raise BadValue("bad_rating", lowest=LOWEST, highest=HIGHEST)
    if not isinstance(key, UUID) or type(changes) is not int or not 0 <= changes <= MOST_CHANGES:
        raise BadValue("bad_key")


@transaction.atomic
def trial_finish(*, trial: Trial) -> Trial:
    """The listener goes on: both ratings are there, and stand from now on. After the last trial comes the next step."""
    _lock(trial)
    if trial.finished_at is None:
        _check_current(trial)
        if set(trial.ratings.values_list("scale", flat=True)) != set(SCALES):
            raise Refused("not_rated")
        trial.finished_at = timezone.now()
        trial.save(update_fields=["finished_at"])
        _leave_after_last(trial.session)
    return trial


def _leave_after_last(session: ListeningSession) -> None:
    if not _unfinished(session).exists():
        session_step_forward(session=session)


def _current(trial: Trial) -> None:
    """Bring `trial` up to date; it is ours until the transaction ends. Refuses any but the session's current one."""
    _lock(trial)
    _check_current(trial)


def _lock(trial: Trial) -> None:
    session_lock(trial.session)
    trial.refresh_from_db(fields=CHANGING)


def _check_current(trial: Trial) -> None:
    session = trial.session
    if session.step == Step.DONE:
        raise Refused("session_done")
    if trial.finished_at is not None:
        raise Refused("trial_finished")
    if session.step != Step.TRIALS or _unfinished(session).filter(position__lt=trial.position).exists():
        raise Refused("not_now")


def _unfinished(session: ListeningSession) -> QuerySet[Trial]:
    return session.trials.filter(finished_at__isnull=True)
