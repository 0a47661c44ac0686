"""What a listener does in a trial: open the clip, hear it, rate it on the scales it asks, go on.

Everything here may be asked twice: a browser that got no answer asks again, and that changes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from listening_test.models import ListeningSession, Rating, Trial
from listening_test.refusal import BadValue, Refused
from listening_test.scales import HIGHEST, LOWEST
from listening_test.services.attention import attention_note
from listening_test.services.sessions import TOLERANCE_SECONDS, session_lock, session_step_forward, time_check
from listening_test.trial_selectors import LOOP_SECONDS, scales_asked, seconds_to_hear

MOST_SECONDS = 24 * 3600.0  # more than that is no time of hearing but a mistake
MOST_COUNT = MOST_CHANGES = 10_000
COUNTS = ("plays", "loops", "interruptions", "glitches")
CHANGING = ["opened_at", "heard_at", "heard_seconds", "finished_at", *COUNTS]  # fields of a trial that time changes

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
def trial_heard(*, trial: Trial, seconds: float, plays: int = 1, **counts: int) -> Trial:
    """The clip came to its end, or as far as the study asks. `seconds` and counts: in all so far, as the browser says.

    Believed only where the server's own clock agrees: `Refused("too_soon", wait=…)` says when to ask again.
    """
    heard = {"plays": plays, **counts}
    _check_listening(seconds, heard)
    _current(trial)
    if trial.heard_at is None:
        _check_heard(trial, seconds)
        trial.heard_at = timezone.now()
    _note(trial, seconds, heard)
    trial.save(update_fields=CHANGING)
    return trial


def _check_heard(trial: Trial, seconds: float) -> None:
    needed = seconds_to_hear(trial)
    if seconds < needed - TOLERANCE_SECONDS:
        raise Refused("not_heard")
    if trial.opened_at is None:
        raise Refused("not_opened")
    time_check(trial.session, since=trial.opened_at, seconds=needed)


def _note(trial: Trial, seconds: float, counts: Mapping[str, int]) -> None:
    """What only the browser knows. An old message that comes late takes nothing back, and none is believed further
    than the server's own clock has gone since the listener came to this trial."""
    if not trial.session.listener.simulated:
        gone = _seconds_here(trial) + TOLERANCE_SECONDS
        most_loops = int(gone / LOOP_SECONDS) if trial.session.study.loop_allowed else 0
        seconds, counts = min(seconds, gone), {**counts, "loops": min(counts.get("loops", 0), most_loops)}
    trial.heard_seconds = max(trial.heard_seconds, seconds)
    for name, count in counts.items():
        setattr(trial, name, max(getattr(trial, name), count))


def _seconds_here(trial: Trial) -> float:
    before = trial.session.trials.filter(position__lt=trial.position).order_by("position").last()
    since = before.finished_at if before else trial.session.consented_at
    return max(0.0, (timezone.now() - since).total_seconds()) if since else 0.0


def _check_listening(seconds: Any, counts: Mapping[str, Any]) -> None:
    if type(seconds) not in (int, float) or not math.isfinite(seconds) or not 0 <= seconds <= MOST_SECONDS:
        raise BadValue("bad_amount")
    if not counts.keys() <= set(COUNTS):
        raise BadValue("bad_amount")
    if not all(type(count) is int and 0 <= count <= MOST_COUNT for count in counts.values()):
        raise BadValue("bad_amount")


@transaction.atomic
def rating_save(*, trial: Trial, scale: str, value: int, key: UUID, changes: int = 0) -> Rating:
    """The rating that stands on this scale afterwards.

    `key` names the answer and `changes` counts the answers given before it on this scale: the same answer sent again
    changes nothing, nor does an older one that arrives late.
    """
    _check_rating(trial, scale, value, key, changes)
    _lock(trial)
    rating = trial.ratings.filter(scale=scale).first() or Rating(trial=trial, scale=scale)
    if rating.pk and rating.key == key:
        return rating  # stored before, and its answer lost: whatever has come since
    _check_current(trial)
    if trial.heard_at is None:
        raise Refused("not_heard")
    if rating.pk and rating.changes >= changes:
        return rating
    if Rating.objects.filter(key=key).exists():
        raise Refused("key_used")
    is_new = rating.pk is None
    rating.value, rating.key, rating.changes, rating.given_at = value, key, changes, timezone.now()
    rating.save()
    _counted(trial, new=int(is_new and trial.instructed is None))
    return rating


def _check_rating(trial: Trial, scale: Any, value: Any, key: Any, changes: Any) -> None:
    """Types are looked at too: `True` equals 1, and 3.0 equals 3, and neither is a rating."""
    if scale not in scales_asked(trial):
        raise BadValue("bad_scale")
    if type(value) is not int or not LOWEST <= value <= HIGHEST:
        raise BadValue("bad_rating", lowest=LOWEST, highest=HIGHEST)
    if not isinstance(key, UUID) or type(changes) is not int or not 0 <= changes <= MOST_CHANGES:
        raise BadValue("bad_key")


@transaction.atomic
def trial_finish(*, trial: Trial, seconds: float = 0.0, **counts: int) -> Trial:
    """The listener goes on: what the trial asks is rated, and stands from now on. After the last comes the next step.

    `seconds` and counts: what was heard in all, with what came after the first hearing.
    """
    _check_listening(seconds, counts)
    _lock(trial)
    if trial.finished_at is None:
        _check_current(trial)
        if set(trial.ratings.values_list("scale", flat=True)) != set(scales_asked(trial)):
            raise Refused("not_rated")
        _note(trial, seconds, counts)
        trial.finished_at = timezone.now()
        trial.save(update_fields=CHANGING)
        _counted(trial)
        attention_note(trial.session)
        _leave_after_last(trial.session)
    return trial


def _counted(trial: Trial, new: int = 0) -> None:
    """In the session's row, which is locked: results see there whether anything has changed."""
    session = trial.session
    session.rating_count += new
    session.rating_changes += 1
    session.save(update_fields=["rating_count", "rating_changes"])


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
