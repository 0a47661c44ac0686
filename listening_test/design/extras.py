"""What comes on top of the rated clips: clips that come back, attention checks, and where pauses lie."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import replace
from itertools import groupby
from random import Random

from listening_test.design.chance import shuffled
from listening_test.design.factors import Candidate
from listening_test.design.trials import PlannedTrial, kept_apart

ANSWERS = (1, 2, 3, 4, 5)
PART = 4  # clips of the first quarter come back in the last one


def with_repeats(
    trials: Sequence[PlannedTrial], count: int, generator: Random, after: Candidate | None = None
) -> list[PlannedTrial]:
    """`trials` and `count` of the earliest once more among the last, beside clips of other excerpts if possible.
    `after` was heard before them.

    Clips of the first quarter, drawn by lot, come back in their order at places spread over the last quarter: so at
    least half of the session lies between. No more come back than half of the clips.
    """
    count, quarter = min(count, len(trials) // 2), len(trials) // PART
    early = shuffled(trials[: max(count + 1, quarter)], generator)  # one to choose from at least
    drawn = sorted(early[:count], key=trials.index)
    result = list(trials)
    for number in range(count):
        wanted = len(trials) - quarter + quarter * (number + 1) // count + number
        places = sorted(range(len(trials) - quarter, len(result) + 1), key=lambda at: abs(at - wanted))
        place, trial = _fitting(result, places, [*drawn, *early[count:]], after)
        (drawn if trial in drawn else early).remove(trial)
        result.insert(place, replace(trial, repeat=1))
    return result


def with_traps(
    trials: Sequence[PlannedTrial], count: int, generator: Random, after: Candidate | None = None
) -> list[PlannedTrial]:
    """`trials` and `count` attention checks, one in each of as many equal stretches, never as the first trial.
    `after` was heard before them.

    A check looks like any other trial: it plays a clip that the session has anyway, from another excerpt than its
    neighbours' if possible, and asks for an answer that is drawn.
    """
    result = list(trials)
    heard = [trial for trial in trials if trial.repeat == 0]
    answers = shuffled(ANSWERS, generator)
    for number in reversed(range(count if heard else 0)):
        first, end = len(trials) * number // count, len(trials) * (number + 1) // count
        places = shuffled(range(max(1, first), max(end, 2)), generator)
        place, trial = _fitting(result, places, shuffled(heard, generator), after)
        result.insert(place, replace(trial, instructed=answers[number % len(answers)]))
    return result


def _fitting(
    trials: Sequence[PlannedTrial], places: Sequence[int], offered: Sequence[PlannedTrial], after: Candidate | None
) -> tuple[int, PlannedTrial]:
    """The first place, and for it the first trial, that is unlike its neighbours, or is at least another clip.

    Those of which there is less come first, so that where nothing fits a little moving about can still keep all apart.
    """
    alike = kept_apart(trials)
    heard = [PlannedTrial(after)] if after else []
    count = Counter(alike(trial) for trial in [*heard, *trials])
    first = alike(heard[0]) if heard else None  # of two that take turns, the first may come once more
    rarest_first = sorted(offered, key=lambda trial: (count[alike(trial)], alike(trial) != first))
    for likeness in (alike, _clip):
        for place in places:
            around = {likeness(neighbour) for neighbour in trials[max(0, place - 1) : place + 1]}
            for trial in rarest_first:
                if likeness(trial) not in around:
                    return place, trial
    return places[0], rarest_first[0]


def _clip(trial: PlannedTrial) -> Hashable:
    return trial.clip


def block_starts(scales: Sequence[str], block: int | None) -> list[int]:
    """Places before which a pause is offered, given the scale of every trial in order ("" where both are asked).

    What is asked on one scale is cut into the fewest blocks of at most `block` trials, as equal as can be, and a new
    scale begins after a pause. None: no pauses.
    """
    if block is None:
        return []
    starts, first = [], 0
    for _scale, stretch in groupby(scales):
        length = len(list(stretch))
        blocks = -(-length // block)
        starts += [first + length * number // blocks for number in range(blocks)]
        first += length
    return starts[1:]
