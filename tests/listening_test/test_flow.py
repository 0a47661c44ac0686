"""The order of steps and what each waits for."""

from __future__ import annotations

import pytest

from listening_test import flow
from listening_test.flow import Facts, Step


def test_steps_come_in_the_order_of_the_design() -> None:
    steps = [Step.CONSENT]
    while steps[-1] != Step.DONE:
        steps.append(flow.step_after(steps[-1]))
    assert steps == ["consent", "questionnaire", "instructions", "calibration", "trials", "closing", "done"]


def test_every_step_has_its_place_and_nothing_follows_the_last() -> None:
    assert set(flow.ORDER) == set(Step)
    assert flow.step_after(Step.DONE) == Step.DONE


@pytest.mark.parametrize(
    ("step", "facts", "missing"),
    [
        (Step.CONSENT, Facts(), ["consent"]),
        (Step.CONSENT, Facts(consented=True), []),
        (Step.QUESTIONNAIRE, Facts(opening_left=frozenset({"experience"})), ["experience"]),
        (Step.QUESTIONNAIRE, Facts(closing_left=frozenset({"attention"}), trials_left=3), []),
        (Step.INSTRUCTIONS, Facts(calibration_left=4), []),
        (Step.CALIBRATION, Facts(calibration_left=2), ["calibration", "calibration"]),
        (Step.TRIALS, Facts(trials_left=1), ["trial"]),
        (Step.CLOSING, Facts(closing_left=frozenset({"b", "a"})), ["a", "b"]),
        (Step.DONE, Facts(), []),
    ],
)
def test_a_step_waits_for_its_own_work_only(step: str, facts: Facts, missing: list[str]) -> None:
    assert flow.missing(step, facts) == missing


def test_listeners_count_six_steps() -> None:
    assert flow.place(Step.CONSENT) == (1, 6)
    assert flow.place(Step.CLOSING) == (6, 6)
    assert flow.place(Step.DONE) == (6, 6)


def test_only_who_has_rated_everything_goes_on_after_the_study_closed() -> None:
    assert [step for step in Step if flow.works_when_closed(step)] == ["closing", "done"]
