"""The order of steps and what each waits for."""

from __future__ import annotations

import pytest

from listening_test import flow
from listening_test.flow import Facts, Step


def way(unused: set[str] | frozenset[str] = frozenset()) -> list[str]:
    steps = [Step.CONSENT]
    while steps[-1] != Step.DONE:
        steps.append(flow.step_after(steps[-1], unused))
    return list(steps)


def test_steps_come_in_the_order_of_the_design() -> None:
    assert way() == [
        "consent",
        "equipment",
        "questionnaire",
        "instructions",
        "calibration",
        "practice",
        "trials",
        "closing",
        "done",
    ]


@pytest.mark.parametrize("unused", [{"equipment"}, {"practice"}, {"equipment", "practice", "questionnaire"}])
def test_steps_that_a_study_does_not_use_are_passed_over(unused: set[str]) -> None:
    assert way(unused) == [step for step in way() if step not in unused]
    assert list(flow.steps(unused)) == way(unused)


def test_every_step_has_its_place_and_nothing_follows_an_end() -> None:
    assert {*flow.ORDER, Step.ENDED} == set(Step)
    assert flow.step_after(Step.DONE) == Step.DONE
    assert flow.step_after(Step.ENDED) == Step.ENDED


@pytest.mark.parametrize(
    ("step", "facts", "missing"),
    [
        (Step.CONSENT, Facts(), ["consent"]),
        (Step.CONSENT, Facts(consented=True), []),
        (Step.EQUIPMENT, Facts(equipment_left=("sides", "quiet")), ["sides", "quiet"]),
        (Step.EQUIPMENT, Facts(practice_left=2), []),
        (Step.QUESTIONNAIRE, Facts(opening_left=frozenset({"experience"})), ["experience"]),
        (Step.QUESTIONNAIRE, Facts(closing_left=frozenset({"attention"}), trials_left=3), []),
        (Step.INSTRUCTIONS, Facts(calibration_left=4), []),
        (Step.CALIBRATION, Facts(calibration_left=2), ["calibration", "calibration"]),
        (Step.PRACTICE, Facts(practice_left=1, trials_left=5), ["practice"]),
        (Step.TRIALS, Facts(trials_left=1), ["trial"]),
        (Step.CLOSING, Facts(closing_left=frozenset({"b", "a"})), ["a", "b"]),
        (Step.DONE, Facts(), []),
        (Step.ENDED, Facts(), ["ended"]),
    ],
)
def test_a_step_waits_for_its_own_work_only(step: str, facts: Facts, missing: list[str]) -> None:
    assert flow.missing(step, facts) == missing


def test_listeners_count_the_steps_of_their_own_study() -> None:
    assert flow.place(Step.CONSENT) == (1, 8)
    assert flow.place(Step.CLOSING) == (8, 8)
    assert flow.place(Step.DONE) == (8, 8)
    small = {Step.EQUIPMENT, Step.PRACTICE}
    assert flow.place(Step.CONSENT, small) == (1, 6)
    assert flow.place(Step.QUESTIONNAIRE, small) == (2, 6)
    assert flow.place(Step.TRIALS, small) == (5, 6)
    assert flow.place(Step.DONE, small) == (6, 6)


def test_only_who_has_rated_everything_goes_on_after_the_study_closed() -> None:
    assert [step for step in Step if flow.works_when_closed(step)] == ["closing", "done", "ended"]
