"""What the page is told about a trial: what it asks, how long to listen, when to rest, and what comes next."""

from __future__ import annotations

import json
import uuid
from itertools import pairwise
from typing import Any

import pytest
from django.utils import timezone

from listening_test.models import Clip, ListeningSession, Rating, Study, Trial
from listening_test.refusal import BadValue, Refused
from listening_test.services import ratings
from tests.listening_test.factories import SYSTEMS, clip_make, study_open_make
from tests.listening_test.visits import CLIP_SECONDS, Browser, Clock, session_at, trial_do, trial_hear, trial_now

Step = ListeningSession.Step


@pytest.fixture
def session(study: Study) -> ListeningSession:
    return session_at(study, Step.TRIALS)


@pytest.fixture
def browser(study: Study, session: ListeningSession) -> Browser:
    return Browser(study, session)


def change(session: ListeningSession, position: int, **fields: Any) -> Trial:
    session.trials.filter(position=position).update(**fields)
    return session.trials.get(position=position)


def change_study(session: ListeningSession, **fields: Any) -> None:
    Study.objects.filter(pk=session.study_id).update(**fields)


# ── What is asked ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_both_scales_in_the_order_of_the_session(browser: Browser, session: ListeningSession) -> None:
    expected = ["quality", "contamination"] if session.quality_first else ["contamination", "quality"]
    assert browser.state()["trial"]["scales"] == expected


def test_the_time_left_counts_what_is_asked(browser: Browser, session: ListeningSession) -> None:
    """As the outline of a study does: 14 s for both scales of a clip, 9 s for one."""
    Clip.objects.update(samples=56 * 44_100)
    both = browser.state()["trial"]
    assert (both["total"], both["minutes_left"]) == (4, 5)  # 4 x (56 + 14) s
    session.trials.update(scale="quality")
    Clip.objects.update(samples=51 * 44_100)
    assert browser.state()["trial"]["minutes_left"] == 4  # 4 x (51 + 9) s


def test_a_trial_on_one_scale_takes_and_needs_only_that(
    browser: Browser, session: ListeningSession, clock: Clock
) -> None:
    change(session, 0, scale="contamination")
    assert browser.state()["trial"]["scales"] == ["contamination"]
    trial_hear(trial_now(session), clock)
    assert browser.rate("quality").status_code == 400
    assert browser.trial("POST", "finish/").json()["code"] == "not_rated"
    assert browser.rate("contamination", value=2).status_code == 200
    assert browser.trial("POST", "finish/").status_code == 200
    assert list(Rating.objects.values_list("scale", "value")) == [("contamination", 2)]


def test_a_written_attention_check_tells_what_to_choose(browser: Browser, session: ListeningSession) -> None:
    assert browser.state()["trial"]["instruction"] is None
    change(session, 0, instructed=2)
    assert browser.state()["trial"]["instruction"] == (
        "For this clip, please choose 2 on both scales, however it sounds."
    )
    change(session, 0, instructed=4, scale="quality")
    assert browser.state()["trial"]["instruction"] == "For this clip, please choose 4, however it sounds."


def spoken_study(languages: tuple[str, ...] = ("en",), **fields: Any) -> Study:
    """Only drums are rated, beside the song; each recording asks for another answer."""
    study = study_open_make(
        songs=3, sources=["drums"], show_mixture=True, traps_per_listener=3, trap_kind="spoken", **fields
    )
    for answer, language in enumerate(languages, start=2):
        expected = {"quality": [answer, answer], "contamination": [answer, answer]}
        clip_make(study=study, purpose=Clip.Purpose.TRAP, language=language, expected=expected)
    return study


def checks_of(session: ListeningSession) -> list[Trial]:
    return list(session.trials.filter(instructed__isnull=False).select_related("clip"))


def test_a_spoken_attention_check_looks_like_any_other(db: None, clock: Clock) -> None:
    session = session_at(spoken_study(), Step.TRIALS)
    browser = Browser(session.study, session)
    mixtures = []
    for _trial in range(session.trials.count()):
        state = browser.state()
        for told in (state["trial"], (state["next"] or state)["trial"]):
            assert (told["instruction"], told["source"]["key"]) == (None, "drums")
            assert browser.client.get(told["mixture"]).status_code == 200
        mixtures.append(state["trial"]["mixture"])
        trial_do(session, clock)
    assert all(one != other for one, other in pairwise(mixtures))
    assert [trial.clip.purpose for trial in checks_of(session)] == ["trap"] * 3


def test_spoken_checks_follow_the_language_but_for_what_the_browser_may_hold(db: None, clock: Clock) -> None:
    session = session_at(spoken_study(("en", "es")), Step.PRACTICE)
    browser = Browser(session.study, session)
    browser.get("?lang=es")
    browser.get()
    assert {(trial.clip.language, trial.instructed) for trial in checks_of(session)} == {("es", 3)}
    ListeningSession.objects.update(step=Step.TRIALS)
    first, second, *later = checks_of(session)
    while trial_now(session).position < first.position:
        trial_do(session, clock)
    kept = {trial.pk for trial in (first, second) if trial.position <= first.position + 1}
    browser.get("?lang=en")
    browser.get()
    for trial in checks_of(session):
        assert (trial.clip.language, trial.instructed) == (("es", 3) if trial.pk in kept else ("en", 2))
    assert later and later[-1].pk not in kept


def test_in_a_language_without_recordings_checks_are_written_and_back_again_spoken(db: None) -> None:
    session = session_at(spoken_study(("en",)), Step.PRACTICE)
    browser = Browser(session.study, session)
    planned = [trial.stands_for for trial in checks_of(session)]
    browser.get("?lang=es")
    browser.get()
    assert [trial.clip for trial in checks_of(session)] == planned
    browser.get("?lang=en")
    browser.get()
    assert [trial.clip.language for trial in checks_of(session)] == ["en"] * 3
    assert [trial.stands_for for trial in checks_of(session)] == planned


def test_an_attention_check_is_stored_like_any_other(browser: Browser, session: ListeningSession, clock: Clock) -> None:
    change(session, 0, instructed=2)
    trial_do(session, clock, value=5)
    assert set(Rating.objects.filter(trial__position=0).values_list("value", flat=True)) == {5}


# ── How long ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_whole_clip_where_the_study_says_nothing(browser: Browser) -> None:
    assert browser.state()["trial"]["minimum_seconds"] is None


def test_as_long_as_the_study_asks(browser: Browser, session: ListeningSession, clock: Clock) -> None:
    change_study(session, minimum_seconds=0.4)
    assert browser.state()["trial"]["minimum_seconds"] == 0.4
    browser.trial("POST", "opened/")
    clock.forward(0.1)
    assert browser.trial("POST", "heard/", {"seconds": 0.4, "plays": 1}).json()["code"] == "too_soon"
    clock.forward(0.3)
    assert browser.trial("POST", "heard/", {"seconds": 0.1, "plays": 1}).json()["code"] == "not_heard"
    assert browser.trial("POST", "heard/", {"seconds": 0.4, "plays": 1}).status_code == 204


def test_never_longer_than_the_clip(browser: Browser, session: ListeningSession, clock: Clock) -> None:
    change_study(session, minimum_seconds=60.0)
    assert browser.state()["trial"]["minimum_seconds"] is None
    trial_hear(trial_now(session), clock)
    assert browser.state()["trial"]["heard"] is True


# ── What the browser says of the listening ──────────────────────────────────────────────────────────────────────────


def test_what_only_the_browser_knows_is_kept_with_the_trial(
    browser: Browser, session: ListeningSession, clock: Clock
) -> None:
    change_study(session, loop_allowed=True)
    browser.trial("POST", "opened/")
    clock.forward(10)
    body = {"seconds": 2.5, "plays": 3, "loops": 4, "interruptions": 1, "glitches": 2}
    assert browser.trial("POST", "heard/", body).status_code == 204
    assert browser.trial("POST", "heard/", {"seconds": 0.5, "plays": 1}).status_code == 204  # an old one comes late
    trial = session.trials.get(position=0)
    kept = (trial.heard_seconds, trial.plays, trial.loops, trial.interruptions, trial.glitches)
    assert kept == (2.5, 3, 4, 1, 2)
    state = browser.state()["trial"]
    assert {name: state[name] for name in ("plays", "loops", "interruptions", "glitches")} == {
        name: body[name] for name in ("plays", "loops", "interruptions", "glitches")
    }


def test_next_brings_what_was_heard_after_the_first_time(
    browser: Browser, session: ListeningSession, clock: Clock
) -> None:
    trial_hear(trial_now(session), clock)
    clock.forward(5)
    for scale in ("quality", "contamination"):
        browser.rate(scale)
    assert browser.trial("POST", "finish/", {"seconds": 3.5, "plays": 7, "interruptions": 2}).status_code == 200
    trial = session.trials.get(position=0)
    assert (trial.heard_seconds, trial.plays, trial.interruptions) == (3.5, 7, 2)


def test_seconds_are_believed_as_far_as_the_server_s_clock_has_gone(
    browser: Browser, session: ListeningSession, clock: Clock
) -> None:
    browser.trial("POST", "opened/")
    clock.forward(2)
    assert browser.trial("POST", "heard/", {"seconds": 3600, "plays": 1}).status_code == 204
    assert session.trials.get(position=0).heard_seconds == pytest.approx(2.25, abs=0.1)


def test_a_part_is_repeated_only_where_the_study_allows_it_and_no_faster_than_time(
    browser: Browser, session: ListeningSession, clock: Clock
) -> None:
    browser.trial("POST", "opened/")
    clock.forward(3)
    said = {"seconds": 2, "plays": 1, "loops": 9000}
    browser.trial("POST", "heard/", said)
    assert session.trials.get(position=0).loops == 0
    change_study(session, loop_allowed=True)
    browser.trial("POST", "heard/", said)
    assert session.trials.get(position=0).loops == 6  # half a second each, in 3.25 s


@pytest.mark.parametrize("name", ["plays", "loops", "interruptions", "glitches"])
@pytest.mark.parametrize("count", [-1, 1.5, "1", True, 10**9, None])
def test_counts_that_are_none(browser: Browser, session: ListeningSession, name: str, count: Any) -> None:
    browser.trial("POST", "opened/")
    assert browser.trial("POST", "heard/", {"seconds": 1, "plays": 1, name: count}).status_code == 400
    with pytest.raises(BadValue, match="bad_amount"):
        ratings.trial_heard(trial=trial_now(session), **{"seconds": 1.0, name: count})


# ── The same again ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_answer_whose_receipt_was_lost_is_confirmed_later_too(
    browser: Browser, session: ListeningSession, clock: Clock
) -> None:
    key = str(uuid.uuid4())
    trial_hear(trial_now(session), clock)
    browser.rate("quality", value=4, key=key)
    browser.rate("contamination", value=5)
    browser.trial("POST", "finish/")
    again = browser.rate("quality", value=4, key=key)
    assert (again.status_code, again.json()) == (200, {"value": 4, "changes": 0})
    assert browser.rate("quality", value=1, changes=1).status_code == 409
    assert Rating.objects.count() == 2


# ── What comes next ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_next_trial_is_known_before_it_is_needed(browser: Browser, clock: Clock, session: ListeningSession) -> None:
    before = browser.state()
    assert before["next"]["step"] == "trials"
    assert before["next"]["trial"]["clip"] == before["trial"]["next_clip"]
    trial_do(session, clock)
    after = browser.state()
    changing = ("minutes_left", "next_clip")
    for place in (before["next"]["trial"], after["trial"]):
        for name in changing:
            place.pop(name)
    assert before["next"]["trial"] == after["trial"]


def test_nothing_comes_after_the_last(browser: Browser, clock: Clock, session: ListeningSession) -> None:
    for _trial in range(3):
        trial_do(session, clock)
    assert browser.state()["next"] is None


def test_the_mixture_of_the_next_trial_may_be_fetched(session: ListeningSession, study: Study) -> None:
    change_study(session, show_mixture=True)
    for excerpt in study.excerpts.all():
        clip_make(study=study, purpose=Clip.Purpose.MIXTURE, excerpt=excerpt)
    browser = Browser(study, session)
    address = browser.state()["next"]["trial"]["mixture"]
    assert browser.client.get(address).status_code == 200


def test_nothing_that_is_told_names_a_system(browser: Browser) -> None:
    told = json.dumps(browser.state()).lower()
    assert [system for system in SYSTEMS if system in told] == []


# ── Rest ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_pause_is_offered_before_a_block_and_not_again_once_it_has_begun(
    browser: Browser, session: ListeningSession, clock: Clock
) -> None:
    change_study(session, block_trials=2)
    session.refresh_from_db()
    assert (browser.state()["pause"], browser.state()["next"]["pause"]) == (False, False)
    trial_do(session, clock)
    assert (browser.state()["pause"], browser.state()["next"]["pause"]) == (False, True)
    trial_do(session, clock)
    assert browser.state()["pause"] is True
    browser.trial("POST", "opened/", position=2)
    assert browser.state()["pause"] is False


def test_a_pause_is_offered_where_the_question_changes(
    browser: Browser, session: ListeningSession, clock: Clock
) -> None:
    session.trials.update(scale="quality")
    change(session, 1, scale="contamination")
    assert browser.state()["next"]["pause"] is True


def test_a_pause_is_offered_after_twenty_minutes(browser: Browser, session: ListeningSession, clock: Clock) -> None:
    trial_hear(trial_now(session), clock)
    assert browser.state()["next"]["pause"] is False
    clock.forward(20 * 60)
    assert browser.state()["next"]["pause"] is True


# ── A kind word ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_notice_is_told_before_the_next_clip_and_then_no_more(
    browser: Browser, session: ListeningSession, clock: Clock
) -> None:
    assert browser.state()["notice"] is None
    trial_do(session, clock)
    session.warned_at = timezone.now()
    session.save()
    assert "take the time to listen" in browser.state()["notice"]
    trial_do(session, clock)
    assert browser.state()["notice"] is None


# ── Too much ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_ten_thousand_answers_a_minute_are_stopped_with_a_sentence(browser: Browser, clock: Clock) -> None:
    browser.trial("POST", "opened/")
    clock.forward(CLIP_SECONDS)
    browser.trial("POST", "heard/", {"seconds": CLIP_SECONDS, "plays": 1})
    answers = [browser.rate(value=1 + number % 5, changes=number) for number in range(1000)]
    statuses = [answer.status_code for answer in answers]
    assert statuses.count(200) <= 240
    assert statuses[-1] == 429
    refused = answers[-1].json()
    assert refused["code"] == "too_many"
    assert "please wait a moment" in refused["detail"]
    assert int(answers[-1]["Retry-After"]) == refused["wait"] >= 1
    assert Rating.objects.count() == 1


def test_a_listener_who_has_gone_on_keeps_what_was_rated(session: ListeningSession, clock: Clock) -> None:
    trial = trial_now(session)
    trial_do(session, clock)
    with pytest.raises(Refused, match="trial_finished"):
        ratings.trial_heard(trial=trial, seconds=CLIP_SECONDS)
