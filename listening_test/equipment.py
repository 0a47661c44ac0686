"""What a study may check of its listeners' equipment, and what follows from a check that is not passed.

The checks and how many right answers pass them:

- a quiet place: asked, not measured;
- the volume: set on one clip that is as loud as all others, and then left alone;
- left and right: a sound on one side at a time; all of them, since who answers only roughly has one loudspeaker or
  two far away;
- tones in antiphase (Woods, Siegel, Traer and McDermott 2017, "Headphone screening to facilitate web-based auditory
  experiments", Atten. Percept. Psychophys. 79): which of three 200 Hz tones is the quietest; 5 of 6 as there. Through
  loudspeakers the tone in antiphase cancels in the air, and is taken for the quietest;
- Huggins pitch (Milne, Bianco, Poole et al. 2021, "An online headphone screening test based on dichotic pitch",
  Behav. Res. Methods 53): which of three noises hides a tone, which arises between two ears only; 6 of 6 as there
  (with 5 of 6 more people pass, with and without headphones).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from listening_test.models.listener import EquipmentCheck

Kind = EquipmentCheck.Kind
KINDS = (Kind.QUIET, Kind.LEVEL, Kind.SIDES, Kind.ANTIPHASE, Kind.HUGGINS)
"""In the order in which they are asked: the volume is set before anything depends on it, and then left alone."""

OFF, RECORD, WARN, END = "off", "record", "warn", "end"
CONSEQUENCES = (OFF, RECORD, WARN, END)
"""Of a failure: not checked at all; kept for the analysis without a word; said kindly; the session ends, politely."""

DEFAULT: Mapping[str, str] = {
    Kind.SIDES: WARN,
    Kind.ANTIPHASE: RECORD,
    Kind.HUGGINS: RECORD,
    Kind.LEVEL: RECORD,
    Kind.QUIET: RECORD,
}
"""What a new study begins with. A study that says nothing about a check does not have it."""

MOST_ATTEMPTS = 2  # a headphone may have been the wrong way round


@dataclass(frozen=True)
class Rule:
    """How many items a check plays, what may be answered to each of them, and how many right answers pass."""

    items: int
    options: tuple[str, ...]
    passing: int


LEFT, RIGHT, NEITHER = "left", "right", "neither"
FIRST, SECOND, THIRD = "1", "2", "3"
COMFORTABLE, NOT_COMFORTABLE = "comfortable", "not"
QUIET, SOME_NOISE, NOISY = "quiet", "some", "noisy"

RULES: Mapping[str, Rule] = {
    Kind.SIDES: Rule(items=4, options=(LEFT, RIGHT, NEITHER), passing=4),
    Kind.ANTIPHASE: Rule(items=6, options=(FIRST, SECOND, THIRD), passing=5),
    Kind.HUGGINS: Rule(items=6, options=(FIRST, SECOND, THIRD), passing=6),
    Kind.LEVEL: Rule(items=1, options=(COMFORTABLE, NOT_COMFORTABLE), passing=1),
    Kind.QUIET: Rule(items=1, options=(QUIET, SOME_NOISE, NOISY), passing=1),
}
STATED: Mapping[str, frozenset[str]] = {
    Kind.LEVEL: frozenset({COMFORTABLE}),
    Kind.QUIET: frozenset({QUIET, SOME_NOISE}),
}
"""Checks that play no riddle: what somebody says who may go on."""


def consequence(chosen: Mapping[str, str], kind: str) -> str:
    """Of failing this check in a study whose `equipment` is `chosen`; what is not chosen, or not known, is off."""
    value = chosen.get(kind, OFF)
    return value if value in CONSEQUENCES else OFF


def kinds_asked(chosen: Mapping[str, str]) -> tuple[Kind, ...]:
    return tuple(kind for kind in KINDS if consequence(chosen, kind) != OFF)


def attempts(consequence_: str) -> int:
    """How often a check may be tried. What is only recorded is asked once: a second try would tell of the failure."""
    return 1 if consequence_ == RECORD else MOST_ATTEMPTS


def may_be_skipped(consequence_: str) -> bool:
    """Only where nothing depends on it."""
    return consequence_ == RECORD


def needs_headphones(chosen: Mapping[str, str]) -> bool:
    """Whether nobody gets through without: to be said before they begin."""
    return any(consequence(chosen, kind) == END for kind in (Kind.SIDES, Kind.ANTIPHASE, Kind.HUGGINS))


def right_answers(kind: str, seed: Sequence[int]) -> list[str]:
    """What each item plays, drawn anew for each seed: every answer is right equally often, in an order of its own.

    Empty for a check that plays no riddle. Left and right are drawn alike; that it was neither is never right.
    """
    if kind in STATED:
        return []
    rule = RULES[kind]
    playable = [option for option in rule.options if option != NEITHER]
    balanced = [playable[place % len(playable)] for place in range(rule.items)]
    return [str(answer) for answer in np.random.default_rng(list(seed)).permutation(balanced)]


def fits(kind: str, answers: Sequence[str]) -> bool:
    """Whether these can be answers to this check at all."""
    rule = RULES[kind]
    return len(answers) == rule.items and all(answer in rule.options for answer in answers)


def passing_answers(kind: str, right: Sequence[str]) -> list[str]:
    """Answers of somebody whose equipment is as it should be."""
    return [min(STATED[kind])] if kind in STATED else list(right)


def passed(kind: str, right: Sequence[str], answers: Sequence[str]) -> bool:
    """`right`: what the items played. Nothing answered (a check set aside) is not passed."""
    if kind in STATED:
        return bool(answers) and all(answer in STATED[kind] for answer in answers)
    agreeing = sum(answer == expected for answer, expected in zip(answers, right, strict=False))
    return len(answers) == len(right) and agreeing >= RULES[kind].passing
