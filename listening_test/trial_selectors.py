"""Questions about one trial: what it asks, how long it has to be heard, whether a pause comes before it."""

from __future__ import annotations

from django.utils import timezone

from listening_test.design import block_starts
from listening_test.models import Clip, Trial
from listening_test.pauses import pause_due
from listening_test.scales import ScaleKey
from listening_test.session_selectors import clip_seconds

LOOP_SECONDS = 0.5  # the shortest part of a clip that may be repeated


def scales_asked(trial: Trial) -> tuple[str, ...]:
    """One or both, in the order in which this listener meets them."""
    if trial.scale:
        return (trial.scale,)
    order = (ScaleKey.QUALITY, ScaleKey.CONTAMINATION)
    return tuple(scale.value for scale in (order if trial.session.quality_first else reversed(order)))


def seconds_to_hear(trial: Trial) -> float:
    """Without a break, before the trial may be rated."""
    length = clip_seconds(trial.clip)
    return min(length, trial.session.study.minimum_seconds or length)


def is_written_trap(trial: Trial) -> bool:
    """Whether the page itself tells which answer to give; a spoken one says so in its clip."""
    return trial.instructed is not None and trial.clip.purpose != Clip.Purpose.TRAP


def pause_before(trial: Trial) -> bool:
    """Whether a pause is offered before this trial: never once it has begun.

    Where a trial before it is still being rated, it is taken to end now.
    """
    rows = list(trial.session.trials.order_by("position").values_list("opened_at", "finished_at", "scale"))
    before = rows[: trial.position]
    if trial.opened_at or not before:
        return False
    now = timezone.now()
    done = [(opened or now, finished or now) for opened, finished, _scale in before]
    blocks = block_starts([scale for _opened, _finished, scale in rows], trial.session.study.block_trials)
    _opened, last, scale = before[-1]
    back = trial.session.calibrated_at  # who was away and has heard the examples again is rested
    came_back = bool(back and last and last < back)
    return scale != trial.scale or (not came_back and pause_due(done, blocks))


def warned_here(trial: Trial) -> bool:
    """Whether the listener was to be told, when they came to this trial, to take the time to listen."""
    session = trial.session
    if session.warned_at is None or trial.opened_at:
        return False
    before = session.trials.filter(position=trial.position - 1).values_list("finished_at", flat=True).first()
    return before is not None and before <= session.warned_at
