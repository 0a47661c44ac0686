"""The plan of a session: a pure function of the study's design, its seed and the session's slot."""

from __future__ import annotations

from listening_test.design.chance import chance
from listening_test.design.extras import with_repeats, with_traps
from listening_test.design.factors import Candidate, Design, Group, groups_per_session
from listening_test.design.order import TURNS, order, quality_first
from listening_test.design.shares import share
from listening_test.design.trials import PlannedTrial, spread

SCALES = ("quality", "contamination")


def plan(design: Design, *, seed: int, slot: int) -> list[PlannedTrial]:
    """What the listener in this slot (0 first) meets, in order. The same arguments always give the same plan.

    Raises `ValueError` for a negative slot.
    """
    if slot < 0:
        raise ValueError("a slot is 0 or more")
    groups = slot_groups(design, seed=seed, slot=slot)
    scales = SCALES if quality_first(slot) else SCALES[::-1]
    trials: list[PlannedTrial] = []
    for number, scale in enumerate(scales if design.apart else ("",)):
        trials += _part(design, groups, seed, slot, scale, number, trials[-1].clip if trials else None)
    return trials


def slot_groups(design: Design, *, seed: int, slot: int) -> list[Group]:
    """The groups that the listener in this slot hears; their order tells nothing."""
    groups = design.groups()
    size = groups_per_session(groups, design.clips_per_listener)
    return [groups[place] for place in share([group[0].excerpt for group in groups], size, seed=seed, slot=slot)]


def _part(
    design: Design, groups: list[Group], seed: int, slot: int, scale: str, number: int, after: Candidate | None
) -> list[PlannedTrial]:
    """All clips on one scale (or on both at once), with their share of repeats and traps. `number`: 0, then 1."""
    clips = order(groups, seed=seed, slot=slot, part=scale, after=after)
    trials = spread([PlannedTrial(clip, scale) for clip in clips], after)
    lot = _lot(groups, slot)
    trials = with_repeats(trials, _half(design, design.repeats, number), chance(seed, "repeats", scale, lot), after)
    trials = with_traps(trials, _half(design, design.traps, number), chance(seed, "traps", scale, lot), after)
    return spread(trials, after)


def _lot(groups: list[Group], slot: int) -> int:
    """What names the lots of repeats and traps: the slot. But where two excerpts (or groups) take turns, whatever comes
    between them moves all that follows; then the slots whose places are balanced together have them at one place.
    """
    excerpts = {group[0].excerpt for group in groups}
    takes_turns = 2 in (len(excerpts), len(groups))
    return slot // (TURNS * max(map(len, groups))) if takes_turns else slot


def _half(design: Design, count: int, number: int) -> int:
    """How many of `count` fall into this part of the session."""
    return (count + 1 - number) // 2 if design.apart else count
