"""The order of a session's steps, and what is still missing before one can be left. The only place that knows it."""

from __future__ import annotations

from dataclasses import dataclass

from listening_test.models.listener import ListeningSession

Step = ListeningSession.Step

ORDER = (
    Step.CONSENT,
    Step.QUESTIONNAIRE,
    Step.INSTRUCTIONS,
    Step.CALIBRATION,
    Step.TRIALS,
    Step.CLOSING,
    Step.DONE,
)


@dataclass(frozen=True)
class Facts:
    """What a session has behind it and before it. Questions by their keys, clips and trials by how many are left."""

    consented: bool = False
    opening_left: frozenset[str] = frozenset()
    calibration_left: int = 0
    trials_left: int = 0
    closing_left: frozenset[str] = frozenset()


def step_after(step: str) -> Step:
    """The next step; nothing comes after the last one."""
    return ORDER[min(ORDER.index(Step(step)) + 1, len(ORDER) - 1)]


def place(step: str) -> tuple[int, int]:
    """(number of the step, 1 first; how many steps there are), as a listener counts: being done is no step."""
    return min(ORDER.index(Step(step)) + 1, len(ORDER) - 1), len(ORDER) - 1


def missing(step: str, facts: Facts) -> list[str]:
    """What is still to do in `step`, empty where it can be left: keys of questions, or a word for anything else."""
    left = {
        Step.CONSENT: [] if facts.consented else ["consent"],
        Step.QUESTIONNAIRE: sorted(facts.opening_left),
        Step.CALIBRATION: ["calibration"] * facts.calibration_left,
        Step.TRIALS: ["trial"] * facts.trials_left,
        Step.CLOSING: sorted(facts.closing_left),
    }
    return left.get(Step(step), [])


def works_when_closed(step: str) -> bool:
    """Whether a listener may go on here after the study has closed.

    Who has rated everything may still answer the last questions and get the completion code; no rating changes by it.
    """
    return Step(step) in (Step.CLOSING, Step.DONE)
