"""Signs of not listening: facts, one kind word at most, and nothing dropped."""

from __future__ import annotations

import uuid

import pytest

from listening_test import attention
from listening_test.attention import Rated
from listening_test.attention_selectors import study_attention
from listening_test.controls import DEGRADED_ANCHOR, MIXTURE_ANCHOR
from listening_test.models import ListeningSession, Rating, Study
from listening_test.services import ratings
from separation.selectors import REFERENCE
from tests.listening_test.factories import study_open_make
from tests.listening_test.visits import Browser, Clock, session_at, trial_hear, trial_now

Step = ListeningSession.Step
TOLD = "There is no hurry"


def rated(quality: int, contamination: int, **fields: object) -> Rated:
    return Rated({"quality": quality, "contamination": contamination}, **{"seconds": 5.0, **fields})  # type: ignore[arg-type]


VARIED = [rated(1 + n % 5, 5 - n % 4) for n in range(30)]


# ── Facts ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_who_listens_shows_nothing() -> None:
    facts = attention.attention(VARIED)
    assert (facts.clips, facts.longest_run, facts.fast) == (30, 1, 0)
    assert facts.traps == facts.references == facts.anchors == (0, 0)


def test_the_longest_run_counts_the_same_answers_on_all_scales() -> None:
    trials = [*VARIED[:2], *[rated(3, 3)] * 5, rated(3, 4), *[rated(3, 3)] * 2]
    assert attention.attention(trials).longest_run == 5


def test_attention_checks_stand_apart() -> None:
    trials = [rated(2, 2, instructed=2), rated(2, 4, instructed=2), rated(5, 5, instructed=2), *VARIED[:2]]
    facts = attention.attention(trials)
    assert facts.traps == (2, 3)
    assert facts.clips == 2


def test_controls_are_counted_on_the_scales_where_the_answer_is_known() -> None:
    trials = [
        rated(5, 5, system=REFERENCE),
        rated(5, 3, system=REFERENCE),  # low on one scale
        rated(5, 1, system=MIXTURE_ANCHOR),  # it sounds well, and is full of others
        rated(5, 4, system=MIXTURE_ANCHOR),  # not heard
        rated(1, 5, system=DEGRADED_ANCHOR),
        rated(4, 1, system=DEGRADED_ANCHOR),  # not heard
        Rated({"quality": 2}, system=MIXTURE_ANCHOR),  # on the other scale it says nothing
    ]
    facts = attention.attention(trials)
    assert facts.references == (1, 2)
    assert facts.anchors == (2, 4)


def test_answers_faster_than_reading_are_counted() -> None:
    trials = [rated(3, 4, seconds=0.4), rated(2, 4, seconds=1.3), rated(2, 5, seconds=None)]
    assert attention.attention([*trials, Rated({"quality": 3}, seconds=0.5)]).fast == 2


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
        ([*VARIED, *[rated(1, 1, system=REFERENCE), rated(5, 5, system=MIXTURE_ANCHOR)] * 5], False),
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
    assert study_attention(study)[session.pk].fast == 12


def test_a_failed_check_of_attention_is_told_of_and_stays_on_record(study: Study, clock: Clock) -> None:
    session = session_at(study, Step.TRIALS)
    session.trials.filter(position=0).update(instructed=2)
    do(session, clock, 5, 5, 4.0)
    session.refresh_from_db()
    assert session.warned_at is not None
    assert TOLD in Browser(study, session).state()["notice"]
    facts = study_attention(study)[session.pk]
    assert (facts.traps, facts.clips) == ((1, 1), 0)


def test_who_takes_the_time_is_told_nothing(study: Study, clock: Clock) -> None:
    session = session_at(study, Step.TRIALS)
    for number in range(12):
        do(session, clock, 1 + number % 5, 5 - number % 5, 4.0)
    session.refresh_from_db()
    assert session.warned_at is None


def test_a_researcher_s_trial_run_is_in_no_facts(study: Study, clock: Clock) -> None:
    session = session_at(study, Step.TRIALS)
    do(session, clock, 3, 3, 0.1)
    ListeningSession.objects.update(is_test=True)
    assert study_attention(study) == {}
