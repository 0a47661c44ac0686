"""When a listener is offered a pause. Pure.

At the beginning of each block of the design, and after 20 minutes of rating without one (ITU-T P.808 keeps sessions
short for the same reason: attention fades). A pause is only offered: nobody is made to take or to end it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

LONGEST = timedelta(minutes=20)  # of rating in one go
REST = timedelta(minutes=2)  # who was away for so long has rested

Span = tuple[datetime, datetime]  # from the first sound of a trial to its "next"


def pause_due(done: Sequence[Span], blocks: Collection[int] = ()) -> bool:
    """Whether a pause is offered before the trial that follows those `done`, which are in order.

    `blocks`: the places at which blocks begin, see `design.block_starts`.
    """
    if not done:
        return False
    return len(done) in blocks or done[-1][1] - _began(done, blocks) >= LONGEST


def _began(done: Sequence[Span], blocks: Collection[int]) -> datetime:
    """When the rating since the last pause began."""
    began = done[0][0]
    for place in range(1, len(done)):
        opened, ended_before = done[place][0], done[place - 1][1]
        if place in blocks or opened - ended_before >= REST or ended_before - began >= LONGEST:
            began = opened
    return began
