"""Whoever comes back after an hour away hears both ends of the scales again, and loses nothing."""

from __future__ import annotations

import uuid

import pytest

from listening_test import session_selectors
from listening_test.models import ListeningSession, Study
from listening_test.services import ratings, sessions
from tests.listening_test.visits import CLIP_SECONDS, Browser, Clock, session_at, trial_do, trial_hear, trial_now

Step = ListeningSession.Step
HOUR = 3600.0


def calibrate(session: ListeningSession, clock: Clock) -> None:
    for clip in session_selectors.calibration_clips(session.study):
        clock.forward(CLIP_SECONDS)
        sessions.session_calibration_heard(session=session, clip=clip)


@pytest.fixture
def listener(study: Study, clock: Clock) -> Browser:
    """A listener who has been calibrated and has rated one clip."""
    session = session_at(study, Step.CALIBRATION)
    calibrate(session, clock)
    sessions.session_step_forward(session=session)
    trial_do(session, clock)
    listener = Browser(study, session)
    listener.get()
    return listener


def page(listener: Browser) -> str:
    return listener.get().content.decode()


def test_after_an_hour_away_the_examples_come_again_and_then_the_same_trial(listener: Browser, clock: Clock) -> None:
    clock.forward(HOUR + 1)
    assert "Welcome back" in page(listener)
    assert listener.state()["step"] == "calibration"
    listener.post("calibration/")
    assert "Welcome back" in page(listener)  # they are not heard yet
    calibrate(listener.session, clock)
    listener.post("calibration/")
    assert 'id="trial"' in page(listener)
    assert listener.state()["step"] == "trials"
    assert listener.state()["trial"]["position"] == 1
    assert listener.session.calibrated_at == clock.time


def test_a_shorter_break_goes_on_at_once(listener: Browser, clock: Clock) -> None:
    clock.forward(HOUR - 60)
    assert 'id="trial"' in page(listener)
    clock.forward(HOUR - 60)  # counted from the last sign of life
    assert 'id="trial"' in page(listener)


def test_the_examples_are_served_again_and_the_trial_s_clip_is_not(listener: Browser, clock: Clock) -> None:
    trial_clip = listener.state()["trial"]["clip"]
    clock.forward(HOUR + 1)
    shown = page(listener)
    example = shown.split('data-clip="')[1].split('"')[0]
    assert listener.client.get(example).status_code == 200
    assert listener.client.get(trial_clip).status_code == 404


def test_answers_that_arrive_late_are_kept(listener: Browser, clock: Clock) -> None:
    """The network was away for longer than an hour, with a clip heard and rated in the listener."""
    trial = trial_now(listener.session)
    trial_hear(trial, clock)
    clock.forward(2 * HOUR)
    for scale in ("quality", "contamination"):
        sent = {"value": 4, "key": str(uuid.uuid4()), "changes": 0}
        assert listener.trial("PUT", f"ratings/{scale}/", sent, position=1).status_code == 200
    listener.trial("POST", "finish/", position=1)
    assert listener.state()["step"] == "calibration"
    trial.refresh_from_db()
    assert trial.finished_at is not None
    assert trial.ratings.count() == 2


def test_calibration_again_goes_back_to_where_it_was_after_the_practice_too(
    study: Study, listener: Browser, clock: Clock
) -> None:
    clock.forward(HOUR + 1)
    listener.get()
    calibrate(listener.session, clock)
    listener.post("calibration/")
    for _trial in range(3):
        trial_do(listener.session, clock)
    assert listener.session.step == Step.CLOSING


def test_after_the_examples_no_pause_is_offered(study: Study, listener: Browser, clock: Clock) -> None:
    Study.objects.update(block_trials=1)
    assert listener.state()["pause"] is True
    clock.forward(HOUR + 1)
    listener.get()
    calibrate(listener.session, clock)
    listener.post("calibration/")
    assert listener.state()["pause"] is False


def test_examples_heard_long_ago_are_heard_again_before_the_first_clip(study: Study, clock: Clock) -> None:
    session = session_at(study, Step.CALIBRATION)
    calibrate(session, clock)
    clock.forward(HOUR + 1)
    listener = Browser(study, session)
    assert "Four examples" in page(listener)
    listener.post("calibration/")
    assert listener.session.step == Step.CALIBRATION


def test_whoever_rates_on_without_a_break_is_not_interrupted(listener: Browser, clock: Clock) -> None:
    session = listener.session
    for _minute in range(70):
        clock.forward(60)
        assert listener.state()["step"] == "trials"
    ratings.trial_open(trial=trial_now(session))
