"""The order of a session's steps, and what is still missing before one can be left. The only place that knows it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from listening_test.models.listener import ListeningSession

Step = ListeningSession.Step

ORDER = (
    Step.CONSENT,
    Step.EQUIPMENT,
    Step.QUESTIONNAIRE,
    Step.INSTRUCTIONS,
    Step.CALIBRATION,
    Step.PRACTICE,
    Step.TRIALS,
    Step.CLOSING,
    Step.DONE,
)
"""A session may also end before the rating (`Step.ENDED`): nothing comes after that."""


@dataclass(frozen=True)
class Facts:
    """What a session has behind it and before it. Questions by their keys, clips and trials by how many are left."""

    unused: frozenset[str] = frozenset()  # steps that the study does not have: they are passed over
    consented: bool = False
    equipment_left: tuple[str, ...] = ()  # kinds of checks that are neither judged nor set aside
    opening_left: frozenset[str] = frozenset()
    calibration_left: int = 0
    practice_left: int = 0
    trials_left: int = 0
    closing_left: frozenset[str] = frozenset()


def steps(unused: Collection[str] = ()) -> tuple[Step, ...]:
    """The steps of a study, in order."""
    return tuple(step for step in ORDER if step not in unused)


def step_after(step: str, unused: Collection[str] = ()) -> Step:
    """The next step that the study has; nothing comes after the last one, or after the end before the rating."""
    if step not in ORDER:
        return Step(step)
    later = ORDER[ORDER.index(Step(step)) + 1 :]
    return next((each for each in later if each not in unused), ORDER[-1])


def place(step: str, unused: Collection[str] = ()) -> tuple[int, int]:
    """(number of the step, 1 first; how many steps there are), as a listener of this study counts.

    Being done is no step, nor is the end before the rating.
    """
    counted = steps({*unused, Step.DONE})
    before = [each for each in counted if step in ORDER and ORDER.index(each) <= ORDER.index(Step(step))]
    return max(1, len(before)), len(counted)


def missing(step: str, facts: Facts) -> list[str]:
    """What is still to do in `step`, empty where it can be left: keys of questions, or a word for anything else."""
    left = {
        Step.CONSENT: [] if facts.consented else ["consent"],
        Step.EQUIPMENT: list(facts.equipment_left),
        Step.QUESTIONNAIRE: sorted(facts.opening_left),
        Step.CALIBRATION: ["calibration"] * facts.calibration_left,
        Step.PRACTICE: ["practice"] * facts.practice_left,
        Step.TRIALS: ["trial"] * facts.trials_left,
        Step.CLOSING: sorted(facts.closing_left),
        Step.ENDED: ["ended"],
    }
    return left.get(Step(step), [])


def works_when_closed(step: str) -> bool:
    """Whether a listener may go on here after the study has closed.

    Who has rated everything may still answer the last questions and get the completion code; no rating changes by it.
    """
    return Step(step) in (Step.CLOSING, Step.DONE, Step.ENDED)
