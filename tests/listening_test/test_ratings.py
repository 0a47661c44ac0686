"""What a listener may do in a trial, and when."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from listening_test.models import Listener, ListeningSession, Rating, Study
from listening_test.refusal import BadValue, Refused
from listening_test.services import ratings, sessions
from listening_test.services.studies import study_close
from tests.listening_test.visits import CLIP_SECONDS, Clock, session_at, trial_do, trial_hear, trial_now

KEY = uuid.UUID(int=1)


@pytest.fixture
def session(study: Study) -> ListeningSession:
    return session_at(study, ListeningSession.Step.TRIALS)


# ── Hearing ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_clip_is_heard_when_its_time_has_gone_by(session: ListeningSession, clock: Clock) -> None:
    trial = trial_now(session)
    ratings.trial_open(trial=trial)
    clock.forward(CLIP_SECONDS)
    ratings.trial_heard(trial=trial, seconds=CLIP_SECONDS, plays=1)
    trial.refresh_from_db()
    assert trial.heard_at is not None
    assert (trial.heard_seconds, trial.plays) == (CLIP_SECONDS, 1)


def test_a_browser_cannot_hear_faster_than_the_server_s_clock(session: ListeningSession, clock: Clock) -> None:
    trial = trial_now(session)
    ratings.trial_open(trial=trial)
    with pytest.raises(Refused, match="too_soon") as refusal:
        ratings.trial_heard(trial=trial, seconds=CLIP_SECONDS)
    clock.forward(refusal.value.params["wait"] + 0.01)
    ratings.trial_heard(trial=trial, seconds=CLIP_SECONDS)
    assert trial_now(session).heard_at is not None


def test_beginning_again_starts_the_time_again(session: ListeningSession, clock: Clock) -> None:
    trial = trial_now(session)
    ratings.trial_open(trial=trial)
    clock.forward(3600)  # stopped in the middle, and begun again after a long pause
    ratings.trial_open(trial=trial)
    with pytest.raises(Refused, match="too_soon"):
        ratings.trial_heard(trial=trial, seconds=CLIP_SECONDS)


def test_once_heard_a_clip_stays_heard(session: ListeningSession, clock: Clock) -> None:
    trial = trial_now(session)
    trial_hear(trial, clock)
    opened, heard = trial.opened_at, trial.heard_at
    clock.forward(10)
    ratings.trial_open(trial=trial)
    ratings.trial_heard(trial=trial, seconds=1.7, plays=4)
    ratings.trial_heard(trial=trial, seconds=0.6, plays=2)  # an old one that comes late
    trial = trial_now(session)
    assert (trial.opened_at, trial.heard_at) == (opened, heard)
    assert (trial.heard_seconds, trial.plays) == (1.7, 4)


def test_half_a_clip_is_not_heard(session: ListeningSession, clock: Clock) -> None:
    trial = trial_now(session)
    ratings.trial_open(trial=trial)
    clock.forward(60)
    with pytest.raises(Refused, match="not_heard"):
        ratings.trial_heard(trial=trial, seconds=CLIP_SECONDS / 2 - 0.01)


def test_a_clip_that_was_never_opened_is_not_heard(session: ListeningSession) -> None:
    with pytest.raises(Refused, match="not_opened"):
        ratings.trial_heard(trial=trial_now(session), seconds=CLIP_SECONDS)


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf"), True, "9", None, 1e9])
def test_seconds_that_are_none(session: ListeningSession, seconds: Any) -> None:
    with pytest.raises(BadValue, match="bad_amount"):
        ratings.trial_heard(trial=trial_now(session), seconds=seconds)


def test_simulated_listeners_need_not_wait(study: Study) -> None:
    session = session_at(study, ListeningSession.Step.TRIALS)
    Listener.objects.filter(pk=session.listener_id).update(simulated=True)
    trial = trial_now(session)
    ratings.trial_open(trial=trial)
    ratings.trial_heard(trial=trial, seconds=CLIP_SECONDS)
    assert trial.heard_at is not None


# ── Rating ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_rating_is_stored_when_it_is_given(session: ListeningSession, clock: Clock) -> None:
    trial = trial_now(session)
    trial_hear(trial, clock)
    ratings.rating_save(trial=trial, scale="quality", value=4, key=KEY)
    rating = Rating.objects.get()
    assert (rating.trial, rating.scale, rating.value, rating.key, rating.changes) == (trial, "quality", 4, KEY, 0)


def test_nothing_is_rated_before_it_was_heard(session: ListeningSession) -> None:
    trial = trial_now(session)
    ratings.trial_open(trial=trial)
    with pytest.raises(Refused, match="not_heard"):
        ratings.rating_save(trial=trial, scale="quality", value=4, key=KEY)
    assert not Rating.objects.exists()


@pytest.mark.parametrize("value", [0, 6, -1, 3.5, 3.0, "5", "5; drop", True, None, [3]])
def test_values_that_are_no_rating(session: ListeningSession, clock: Clock, value: Any) -> None:
    trial = trial_now(session)
    trial_hear(trial, clock)
    with pytest.raises(BadValue, match="bad_rating"):
        ratings.rating_save(trial=trial, scale="quality", value=value, key=KEY)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"scale": "loudness"}, "bad_scale"),
        ({"key": "1"}, "bad_key"),
        ({"changes": -1}, "bad_key"),
        ({"changes": True}, "bad_key"),
        ({"changes": 10**9}, "bad_key"),
    ],
)
def test_other_things_that_are_no_rating(
    session: ListeningSession, clock: Clock, fields: dict[str, Any], code: str
) -> None:
    trial = trial_now(session)
    trial_hear(trial, clock)
    with pytest.raises(BadValue, match=code):
        ratings.rating_save(**{"trial": trial, "scale": "quality", "value": 3, "key": KEY, **fields})


def test_the_same_answer_sent_again_is_one_rating(session: ListeningSession, clock: Clock) -> None:
    trial = trial_now(session)
    trial_hear(trial, clock)
    for _sent in range(3):
        ratings.rating_save(trial=trial, scale="quality", value=4, key=KEY)
        clock.forward(5)
    rating = Rating.objects.get()
    assert (rating.value, rating.changes) == (4, 0)
    assert (rating.given_at - trial.heard_at).total_seconds() < 1  # type: ignore[operator]


def test_a_newer_answer_replaces_and_an_older_one_that_comes_late_does_not(
    session: ListeningSession, clock: Clock
) -> None:
    trial = trial_now(session)
    trial_hear(trial, clock)
    for value, changes, stands in [(2, 0, 2), (5, 2, 5), (3, 1, 5), (1, 2, 5), (4, 3, 4)]:
        rating = ratings.rating_save(trial=trial, scale="quality", value=value, key=uuid.uuid4(), changes=changes)
        assert rating.value == stands
    assert Rating.objects.get().changes == 3


def test_a_key_belongs_to_one_answer(session: ListeningSession, clock: Clock) -> None:
    trial = trial_now(session)
    trial_hear(trial, clock)
    ratings.rating_save(trial=trial, scale="quality", value=4, key=KEY)
    with pytest.raises(Refused, match="key_used"):
        ratings.rating_save(trial=trial, scale="contamination", value=4, key=KEY)


def test_only_the_current_trial_takes_anything(session: ListeningSession) -> None:
    later = session.trials.get(position=2)
    for act in (
        lambda: ratings.trial_open(trial=later),
        lambda: ratings.trial_heard(trial=later, seconds=CLIP_SECONDS),
        lambda: ratings.rating_save(trial=later, scale="quality", value=3, key=KEY),
        lambda: ratings.trial_finish(trial=later),
    ):
        with pytest.raises(Refused, match="not_now"):
            act()


# ── Going on ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_next_needs_both_ratings(session: ListeningSession, clock: Clock) -> None:
    trial = trial_now(session)
    trial_hear(trial, clock)
    with pytest.raises(Refused, match="not_rated"):
        ratings.trial_finish(trial=trial)
    ratings.rating_save(trial=trial, scale="quality", value=4, key=uuid.uuid4())
    with pytest.raises(Refused, match="not_rated"):
        ratings.trial_finish(trial=trial)
    ratings.rating_save(trial=trial, scale="contamination", value=4, key=uuid.uuid4())
    ratings.trial_finish(trial=trial)
    assert trial_now(session).position == 1


def test_next_asked_twice_goes_on_once(session: ListeningSession, clock: Clock) -> None:
    trial = trial_now(session)
    trial_do(session, clock)
    ratings.trial_finish(trial=trial)
    assert trial_now(session).position == 1


def test_a_finished_trial_takes_no_rating(session: ListeningSession, clock: Clock) -> None:
    trial = trial_now(session)
    trial_do(session, clock, value=3)
    with pytest.raises(Refused, match="trial_finished"):
        ratings.rating_save(trial=trial, scale="quality", value=5, key=KEY, changes=9)
    assert set(Rating.objects.values_list("value", flat=True)) == {3}


def test_nothing_is_rated_after_the_session_is_done(session: ListeningSession, clock: Clock) -> None:
    trial = trial_now(session)
    for _trial in range(4):
        trial_do(session, clock)
    session.refresh_from_db()
    sessions.session_answers_save(session=session, answers={"attention": 5, "distraction": 1})
    sessions.session_step_forward(session=session)
    with pytest.raises(Refused, match="session_done"):
        ratings.rating_save(trial=trial, scale="quality", value=5, key=KEY, changes=9)


def test_nothing_is_rated_in_a_closed_study(session: ListeningSession, clock: Clock) -> None:
    trial = trial_now(session)
    trial_hear(trial, clock)
    ratings.rating_save(trial=trial, scale="quality", value=4, key=KEY)
    study_close(study=session.study)
    with pytest.raises(Refused, match="study_closed"):
        ratings.rating_save(trial=trial, scale="contamination", value=4, key=uuid.uuid4())
    with pytest.raises(Refused, match="study_closed"):
        ratings.trial_finish(trial=trial)
    assert Rating.objects.get().value == 4  # what was rated before is safe
