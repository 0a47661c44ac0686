"""Signs of not listening: one kind word at most, and nothing dropped."""

from __future__ import annotations

import uuid

import pytest

from listening_test import attention
from listening_test.attention import Rated
from listening_test.models import ListeningSession, Rating, Study
from listening_test.services import ratings
from tests.listening_test.factories import study_open_make
from tests.listening_test.visits import Browser, Clock, session_at, trial_hear, trial_now

Step = ListeningSession.Step
TOLD = "There is no hurry"


def rated(quality: int, contamination: int, **fields: object) -> Rated:
    return Rated({"quality": quality, "contamination": contamination}, **{"seconds": 5.0, **fields})  # type: ignore[arg-type]


VARIED = [rated(1 + n % 5, 5 - n % 4) for n in range(30)]


# ── When to say a word ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("trials", "told"),
    [
        ([], False),
        (VARIED, False),
        ([*VARIED, *[rated(3, 3)] * 7], False),
        ([*VARIED, *[rated(3, 3)] * 8], True),
        ([*[rated(3, 3)] * 8, rated(2, 3)], False),
        ([Rated({"quality": 5})] * 15, False),
        ([Rated({"quality": 5})] * 16, True),
        ([*VARIED, *[rated(1, 2, seconds=0.3), rated(2, 4, seconds=0.3)]], False),
        ([*VARIED, *[rated(n, 5 - n, seconds=0.3) for n in (1, 2, 4)]], True),
        ([*VARIED, rated(4, 4, instructed=4)], False),
        ([*VARIED, rated(4, 3, instructed=4)], True),
    ],
)
def test_a_word_is_said_for_plain_signs_only(trials: list[Rated], told: bool) -> None:
    assert attention.is_to_be_told(trials) is told


# ── In a session ────────────────────────────────────────────────────────────────────────────────────────────────────


def do(session: ListeningSession, clock: Clock, quality: int, contamination: int, seconds: float) -> None:
    trial = trial_now(session)
    trial_hear(trial, clock)
    clock.forward(seconds)
    for scale, value in (("quality", quality), ("contamination", contamination)):
        ratings.rating_save(trial=trial, scale=scale, value=value, key=uuid.uuid4())
    ratings.trial_finish(trial=trial)
    clock.forward(1)


@pytest.fixture
def study(db: None) -> Study:
    return study_open_make(songs=3, block_trials=None)  # 12 trials


def test_one_kind_word_in_a_session_and_every_rating_is_kept(study: Study, clock: Clock) -> None:
    session = session_at(study, Step.TRIALS)
    browser = Browser(study, session)
    notices = []
    for number in range(12):
        notices.append(TOLD in (browser.state().get("notice") or ""))
        do(session, clock, 1 + number % 5, 5 - number % 5, 0.2)
    assert notices == [False] * 3 + [True] + [False] * 8
    assert Rating.objects.count() == 24


def test_a_failed_check_of_attention_is_told_of_and_stays_on_record(study: Study, clock: Clock) -> None:
    session = session_at(study, Step.TRIALS)
    session.trials.filter(position=0).update(instructed=2)
    do(session, clock, 5, 5, 4.0)
    session.refresh_from_db()
    assert session.warned_at is not None
    assert TOLD in Browser(study, session).state()["notice"]


def test_who_takes_the_time_is_told_nothing(study: Study, clock: Clock) -> None:
    session = session_at(study, Step.TRIALS)
    for number in range(12):
        do(session, clock, 1 + number % 5, 5 - number % 5, 4.0)
    session.refresh_from_db()
    assert session.warned_at is None
