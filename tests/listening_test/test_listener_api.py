"""What a listener's browser may ask for while it rates, and how it is refused."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from django.test import Client

from listening_test.api import ListenerThrottle
from listening_test.clip_names import clip_name
from listening_test.models import CalibrationHeard, Clip, ListeningSession, Rating, Study
from listening_test.sealing import unsealed
from listening_test.services.studies import study_close
from tests.listening_test.factories import study_open_make
from tests.listening_test.visits import CLIP_SECONDS, Browser, Clock, session_at, trial_do, trial_hear, trial_now

Step = ListeningSession.Step


@pytest.fixture
def session(study: Study) -> ListeningSession:
    return session_at(study, Step.TRIALS)


@pytest.fixture
def browser(study: Study, session: ListeningSession) -> Browser:
    return Browser(study, session)


def hear(browser: Browser, clock: Clock, position: int = 0) -> None:
    assert browser.trial("POST", "opened/", position=position).status_code == 204
    clock.forward(CLIP_SECONDS)
    heard = browser.trial("POST", "heard/", {"seconds": CLIP_SECONDS, "plays": 1}, position)
    assert heard.status_code == 204


# ── The right way ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_current_trial_is_described(browser: Browser, session: ListeningSession) -> None:
    trial = browser.state()["trial"]
    clips = [trial.clip for trial in session.trials.select_related("clip").order_by("position")]
    assert trial["position"] == 0
    assert trial["total"] == 4
    assert trial["minutes_left"] == 1
    assert trial["source"] == {"key": clips[0].source, "name": clips[0].source.capitalize()}
    assert trial["clip"] == f"/s/{session.study.token}/clip/{browser.name_of(clips[0], 0)}.flac"
    assert trial["next_clip"] == f"/s/{session.study.token}/clip/{browser.name_of(clips[1], 1)}.flac"
    assert trial["seconds"] == CLIP_SECONDS
    assert (trial["mixture"], trial["heard"], trial["ratings"]) == (None, False, {})


def test_a_trial_from_opening_to_next(browser: Browser, clock: Clock) -> None:
    hear(browser, clock)
    assert browser.state()["trial"]["heard"] is True
    assert browser.rate("quality", value=4).json() == {"value": 4, "changes": 0}
    assert browser.rate("quality", value=2, changes=1).json() == {"value": 2, "changes": 1}
    assert browser.rate("contamination", value=5).status_code == 200
    assert browser.state()["trial"]["ratings"] == {
        "quality": {"value": 2, "changes": 1},
        "contamination": {"value": 5, "changes": 0},
    }
    going_on = browser.trial("POST", "finish/")
    assert going_on.status_code == 200
    assert going_on.json()["trial"]["position"] == 1


def test_next_after_the_last_trial_tells_the_next_step(
    browser: Browser, session: ListeningSession, clock: Clock
) -> None:
    for _trial in range(3):
        trial_do(session, clock)
    assert browser.state()["trial"]["next_clip"] is None
    hear(browser, clock, position=3)
    for scale in ("quality", "contamination"):
        browser.rate(scale, position=3)
    expected = {"step": "closing", "trial": None, "pause": False, "notice": None, "next": None}
    assert browser.trial("POST", "finish/", position=3).json() == expected
    assert browser.trial("POST", "finish/", position=3).json() == expected  # the answer was lost on the way


def test_the_mixture_is_offered_where_the_study_allows_it(db: None) -> None:
    study = study_open_make(show_mixture=True)
    browser = Browser(study, session_at(study, Step.TRIALS))
    mixture = study.clips.get(purpose=Clip.Purpose.MIXTURE)
    assert browser.state()["trial"]["mixture"] == f"/s/{study.token}/clip/{browser.name_of(mixture)}.flac"
    assert browser.get(f"clip/{browser.name_of(mixture)}.flac").status_code == 200


def test_calibration_clips_are_reported_as_heard(study: Study, clock: Clock) -> None:
    session = session_at(study, Step.CALIBRATION)
    browser = Browser(study, session)
    clip = study.clips.get(role=Clip.Role.DISTORTED)
    assert browser.send("POST", f"calibration/{browser.name_of(clip)}/heard/").json()["code"] == "too_soon"
    clock.forward(CLIP_SECONDS)
    for _sent in range(2):
        assert browser.send("POST", f"calibration/{browser.name_of(clip)}/heard/").status_code == 204
    assert CalibrationHeard.objects.get().clip == clip
    assert browser.send("POST", "calibration/nothing/heard/").status_code == 404
    rated = study.clips.filter(purpose=Clip.Purpose.TEST)[0]
    assert browser.send("POST", f"calibration/{rated.token}/heard/").status_code == 404


def test_the_device_is_noted_with_its_browser(browser: Browser, session: ListeningSession) -> None:
    browser.client.defaults["HTTP_USER_AGENT"] = "Mozilla/5.0 Gecko/20100101 Firefox/132.0"
    sent = browser.send("POST", "device/", {"sample_rate": 48000, "output_latency": 0.0213})
    session.refresh_from_db()
    assert sent.status_code == 204
    assert session.device == {"sample_rate": 48000, "output_latency": 0.0213, "browser": "firefox"}


@pytest.mark.parametrize(
    "facts", [{}, {"sample_rate": "48000"}, {"sample_rate": 0}, {"sample_rate": 48000, "output_latency": -1}]
)
def test_a_device_that_is_none(browser: Browser, session: ListeningSession, facts: dict[str, Any]) -> None:
    assert browser.send("POST", "device/", facts).status_code == 400
    session.refresh_from_db()
    assert session.device == {}


# ── Bad input ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("value", [0, 6, -1, 3.5, 3.0, "5", "5; drop", "", True, None, [3], {"value": 3}, 10**30])
def test_values_that_are_no_rating_are_refused(browser: Browser, clock: Clock, value: Any) -> None:
    hear(browser, clock)
    assert browser.rate(value=value).status_code == 400
    assert not Rating.objects.exists()


@pytest.mark.parametrize(
    "fields", [{"key": "1"}, {"key": True}, {"key": None}, {"changes": -1}, {"changes": 1.5}, {"changes": 10**9}]
)
def test_keys_and_counts_that_are_none_are_refused(browser: Browser, clock: Clock, fields: dict[str, Any]) -> None:
    hear(browser, clock)
    assert browser.rate(**fields).status_code == 400
    assert not Rating.objects.exists()


def test_an_unknown_scale_is_refused(browser: Browser, clock: Clock) -> None:
    hear(browser, clock)
    assert browser.rate("loudness").status_code == 400


@pytest.mark.parametrize("body", ["", "{", "[]", "null", '"x"', '{"value": NaN}', "value=4"])
def test_what_is_no_json_object_is_refused(browser: Browser, clock: Clock, body: str) -> None:
    hear(browser, clock)
    address = f"{browser.api}trials/0/ratings/quality/"
    assert browser.client.put(address, body, content_type="application/json").status_code == 400


@pytest.mark.parametrize(
    "body", [{}, {"seconds": "9", "plays": 1}, {"seconds": -1, "plays": 1}, {"seconds": 1e9, "plays": 1}]
)
def test_times_that_are_none_are_refused(browser: Browser, clock: Clock, body: dict[str, Any]) -> None:
    browser.trial("POST", "opened/")
    clock.forward(60)
    assert browser.trial("POST", "heard/", body).status_code == 400


def test_other_content_and_other_methods_are_refused(browser: Browser) -> None:
    assert browser.client.put(f"{browser.api}trials/0/ratings/quality/", "<x/>", "text/xml").status_code == 415
    assert browser.send("DELETE", "trials/0/ratings/quality/").status_code == 405
    assert browser.send("GET", "trials/0/finish/").status_code == 405


@pytest.mark.parametrize("token", ["%00", "a%20b", "%27%3B--", "..%2F..%2Fetc", "x" * 5000])
def test_names_that_nobody_has_are_not_there(browser: Browser, token: str) -> None:
    for address in (f"/s/{token}/", f"/api/v1/listen/{token}/", f"{browser.page}clip/{token}.flac"):
        assert browser.client.get(address).status_code == 404


# ── Not now ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_rating_before_the_clip_was_heard_is_refused(browser: Browser) -> None:
    refused = browser.rate()
    assert refused.status_code == 409
    assert refused.json() == {"code": "not_heard", "detail": "Please listen to the clip to its end first."}


def test_a_clip_heard_too_fast_is_refused_and_the_browser_told_when_to_ask_again(
    browser: Browser, clock: Clock
) -> None:
    browser.trial("POST", "opened/")
    refused = browser.trial("POST", "heard/", {"seconds": CLIP_SECONDS, "plays": 1})
    assert (refused.status_code, refused.json()["code"]) == (409, "too_soon")
    clock.forward(refused.json()["wait"])
    assert browser.trial("POST", "heard/", {"seconds": CLIP_SECONDS, "plays": 1}).status_code == 204


def test_next_without_both_ratings_is_refused(browser: Browser, clock: Clock) -> None:
    hear(browser, clock)
    browser.rate("quality")
    assert browser.trial("POST", "finish/").json()["code"] == "not_rated"


def test_a_finished_trial_is_refused(browser: Browser, session: ListeningSession, clock: Clock) -> None:
    trial_do(session, clock)
    refused = browser.rate(value=1, changes=5)
    assert (refused.status_code, refused.json()["code"]) == (409, "trial_finished")


@pytest.mark.parametrize("position", [1, 3, 4, 999, 10**30])
def test_trials_to_come_are_not_there(browser: Browser, position: int) -> None:
    for method, rest in (("POST", "opened/"), ("POST", "finish/")):
        assert browser.trial(method, rest, position=position).status_code == 404
    assert browser.rate(position=position).status_code == 404


def test_nothing_is_there_before_the_trials(study: Study) -> None:
    browser = Browser(study, session_at(study, Step.CALIBRATION))
    assert (browser.state()["step"], browser.state()["trial"]) == ("calibration", None)
    assert browser.trial("POST", "opened/").status_code == 404


def test_after_the_session_is_done_everything_is_refused(
    browser: Browser, session: ListeningSession, clock: Clock
) -> None:
    for _trial in range(4):
        trial_do(session, clock)
    browser.post("closing/", {"attention": 4, "distraction": 1})
    refused = browser.rate()
    assert (refused.status_code, refused.json()["code"]) == (409, "session_done")


def test_a_study_that_closes_in_the_middle_says_so(browser: Browser, study: Study, clock: Clock) -> None:
    hear(browser, clock)
    browser.rate("quality")
    study_close(study=study)
    refused = browser.rate("contamination")
    assert (refused.status_code, refused.json()["code"]) == (409, "study_closed")
    assert "What you had rated is saved" in refused.json()["detail"]
    assert browser.client.get(browser.api).status_code == 409
    assert Rating.objects.count() == 1


# ── Who asks ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_without_the_cookie_nothing_is_told(study: Study, session: ListeningSession) -> None:
    stranger = Browser(study)
    assert stranger.client.get(stranger.api).json()["code"] == "no_session"
    assert stranger.client.get(stranger.api).status_code == 403
    assert stranger.rate().status_code == 403


def test_a_cookie_is_good_for_its_own_study_only(study: Study, session: ListeningSession, db: None) -> None:
    other = study_open_make()
    assert Browser(other, session).client.get(f"/api/v1/listen/{other.token}/").status_code == 403


def test_an_unknown_study_is_not_there(browser: Browser) -> None:
    assert browser.client.get("/api/v1/listen/nothing/").status_code == 404


def test_writing_needs_the_csrf_token(study: Study, session: ListeningSession) -> None:
    browser = Browser(study, session, Client(enforce_csrf_checks=True))
    assert browser.trial("POST", "opened/").status_code == 403
    page = browser.get()
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.content.decode())
    assert token is not None
    browser.client.defaults["HTTP_X_CSRFTOKEN"] = token[1]
    assert browser.trial("POST", "opened/").status_code == 204


def test_each_session_has_its_own_allowance(
    study: Study, session: ListeningSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ListenerThrottle, "THROTTLE_RATES", {"listener": "3/min"})
    mine, neighbour = Browser(study, session), Browser(study, session_at(study, Step.TRIALS))
    answers = [mine.client.get(mine.api).status_code for _asked in range(4)]
    assert answers == [200, 200, 200, 429]
    assert neighbour.client.get(neighbour.api).status_code == 200


def test_answers_are_never_stored_on_the_way(browser: Browser) -> None:
    assert browser.client.get(browser.api)["Cache-Control"] == "no-store"


# ── Sound ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_only_the_current_and_the_next_clip_are_there(
    browser: Browser, session: ListeningSession, clock: Clock
) -> None:
    trials = session.trials.select_related("clip").order_by("position")
    tokens = [browser.name_of(trial.clip, trial.position) for trial in trials]
    assert [browser.get(f"clip/{token}.flac").status_code for token in tokens] == [200, 200, 404, 404]
    trial_do(session, clock)
    assert [browser.get(f"clip/{token}.flac").status_code for token in tokens] == [404, 200, 200, 404]


def test_calibration_clips_are_there_in_their_step(study: Study) -> None:
    clean = study.clips.get(role=Clip.Role.CLEAN)
    expected = {Step.INSTRUCTIONS: 404, Step.CALIBRATION: 200, Step.TRIALS: 404}
    for step, status in expected.items():
        browser = Browser(study, session_at(study, step))
        assert browser.get(f"clip/{browser.name_of(clean)}.flac").status_code == status


def test_clips_of_others_are_not_there(study: Study, session: ListeningSession) -> None:
    token = clip_name(session, trial_now(session).clip, 0)
    assert Browser(study).get(f"clip/{token}.flac").status_code == 404
    neighbour = session_at(study, Step.TRIALS)
    far = clip_name(neighbour, neighbour.trials.order_by("position")[3].clip, 3)
    assert Browser(study, neighbour).get(f"clip/{far}.flac").status_code == 404
    assert Browser(study, session).get(f"clip/{uuid.uuid4()}.flac").status_code == 404


def test_a_clip_is_sound_that_no_shared_cache_keeps(browser: Browser) -> None:
    answer = browser.client.get(browser.state()["trial"]["clip"])
    assert answer["Content-Type"] == "application/octet-stream"
    assert "private" in answer["Cache-Control"]
    assert unsealed(answer.content)[:4] == b"fLaC"


def test_clips_are_gone_when_the_study_closes(browser: Browser, study: Study) -> None:
    address = browser.state()["trial"]["clip"]
    study_close(study=study)
    assert browser.client.get(address).status_code == 404


def test_hearing_is_counted_in_all(browser: Browser, session: ListeningSession, clock: Clock) -> None:
    trial_hear(trial_now(session), clock)
    clock.forward(3)
    browser.trial("POST", "heard/", {"seconds": 1.25, "plays": 3})
    state = browser.state()["trial"]
    assert (state["heard_seconds"], state["plays"]) == (1.25, 3)
