"""What a hand-made request can do: get the right status and a sentence, and leave every table as it was."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client

from listening_test.clip_names import clip_name
from listening_test.listener_access import cookie_name
from listening_test.models import Listener, ListeningSession, Rating, Study
from listening_test.services.studies import study_close
from tests.listening_test.factories import study_open_make
from tests.listening_test.visits import Browser, Clock, session_at, trial_do, trial_hear, trial_now

pytestmark = pytest.mark.django_db

Step = ListeningSession.Step
SIGNS_OF_LIFE = {"seen_at"}  # being asked anything is one


def tables() -> dict[str, list[Any]]:
    """Every row of the listening test, but for when a session was last heard of."""
    return {
        model.__name__: [
            {name: value for name, value in row.items() if name not in SIGNS_OF_LIFE}
            for row in model._default_manager.order_by("pk").values()
        ]
        for model in apps.get_app_config("listening_test").get_models()
    }


@pytest.fixture
def session(study: Study, clock: Clock) -> ListeningSession:
    """Its second clip is heard and waits for its ratings; the first one is finished."""
    session = session_at(study, Step.TRIALS)
    trial_do(session, clock)
    trial_hear(trial_now(session), clock)
    return session


@pytest.fixture
def browser(study: Study, session: ListeningSession) -> Browser:
    return Browser(study, session)


@pytest.fixture
def neighbour(study: Study, session: ListeningSession) -> ListeningSession:
    return session_at(study, Step.TRIALS)


def refused(response: HttpResponse, *statuses: int, code: str | None = None) -> None:
    """With a sentence for the person and a code for the page."""
    assert response.status_code in statuses, (response.status_code, response.content[:300])
    body = response.json()
    assert body["detail"].strip().endswith((".", "!", "?")), body
    assert " " in body["detail"].strip()
    assert "matches the given query" not in body["detail"]
    if code:
        assert body["code"] == code


def unchanged(send: Callable[[], HttpResponse]) -> HttpResponse:
    before = tables()
    response = send()
    assert response.status_code < 500, response.content[:300]
    assert tables() == before
    return response


# ── Ratings that are none ───────────────────────────────────────────────────────────────────────────────────────────

NO_RATINGS: dict[str, Any] = {
    "zero": 0,
    "six": 6,
    "negative": -1,
    "between": 3.5,
    "real": 3.0,
    "text": "5",
    "sql": "5; drop table listening_test_rating",
    "true": True,
    "null": None,
    "list": [5],
    "object": {"$gt": 0},
    "huge": 10**30,
    "nul": "\x00",
}


@pytest.mark.parametrize("value", NO_RATINGS.values(), ids=NO_RATINGS)
def test_no_rating_but_one_to_five(value: Any, browser: Browser) -> None:
    refused(unchanged(lambda: browser.rate(position=1, value=value)), 400)


NO_BODIES = {
    "nothing": b"",
    "no json": b"value=5",
    "not utf-8": b'{"value": 5, "key": "\xff"}',
    "nan": b'{"value": NaN, "key": "%s", "changes": 0}' % str(uuid.uuid4()).encode(),
    "a list": b"[5]",
    "a number": b"5",
    "null": b"null",
    "deep": b"[" * 200_000,
    "deep value": b'{"value": ' + b"[" * 200_000,
    "large": json.dumps({"value": 5, "key": str(uuid.uuid4()), "changes": 0, "more": "x" * 3_000_000}).encode(),
    "no value": json.dumps({"key": str(uuid.uuid4()), "changes": 0}).encode(),
    "no key": b'{"value": 5, "changes": 0}',
    "key of another kind": b'{"value": 5, "key": 7, "changes": 0}',
    "key that is none": b'{"value": 5, "key": "1; drop table", "changes": 0}',
    "changes below zero": json.dumps({"value": 5, "key": str(uuid.uuid4()), "changes": -1}).encode(),
}


@pytest.mark.parametrize("body", NO_BODIES.values(), ids=NO_BODIES)
def test_no_answer_but_the_agreed_one(body: bytes, browser: Browser) -> None:
    address = f"{browser.api}trials/1/ratings/quality/"
    send = browser.client.generic
    refused(unchanged(lambda: send("PUT", address, body, content_type="application/json")), 400, 413)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_no_other_kind_of_content(kind: str, browser: Browser) -> None:
    address = f"{browser.api}trials/1/ratings/quality/"
    refused(unchanged(lambda: browser.client.generic("PUT", address, b"value=5", content_type=kind)), 415)


@pytest.mark.parametrize("scale", ["naturalness", "QUALITY", "quality'--", "0", "__class__"])
def test_no_other_scale(scale: str, browser: Browser) -> None:
    refused(unchanged(lambda: browser.rate(scale, position=1)), 400, 404)


# ── Not now ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_no_rating_before_listening(study: Study, clock: Clock) -> None:
    browser = Browser(study, session_at(study, Step.TRIALS))
    refused(unchanged(lambda: browser.rate()), 409, code="not_heard")
    refused(unchanged(lambda: browser.trial("POST", "finish/")), 409)


def test_hearing_takes_its_time(study: Study, clock: Clock) -> None:
    browser = Browser(study, session_at(study, Step.TRIALS))
    heard = {"seconds": 3600, "plays": 1}
    refused(unchanged(lambda: browser.trial("POST", "heard/", heard)), 409, code="not_opened")
    browser.trial("POST", "opened/")
    refused(unchanged(lambda: browser.trial("POST", "heard/", heard)), 409, code="too_soon")


@pytest.mark.parametrize("seconds", [-1, "0.5", True, None, 1e12])
def test_no_other_measure_of_hearing(seconds: Any, browser: Browser) -> None:
    refused(unchanged(lambda: browser.trial("POST", "heard/", {"seconds": seconds, "plays": 1}, 1)), 400)


def test_nothing_changes_after_next(browser: Browser) -> None:
    refused(unchanged(lambda: browser.rate(position=0, value=1, changes=9)), 409, code="trial_finished")


@pytest.mark.parametrize("rest", ["opened/", "heard/", "finish/"])
@pytest.mark.parametrize(
    "position", ["2", "3", "4", "99", "99999999999999999999", "-1", "1.0", "x", "6dac083d-8d84-41c3-868a-9062e2116ba8"]
)
def test_no_trial_that_is_not_reached(position: str, rest: str, browser: Browser) -> None:
    body = {"seconds": 1, "plays": 1}
    send = unchanged(lambda: browser.send("POST", f"trials/{position}/{rest}", body))
    assert send.status_code == 404
    if position.isdigit():
        refused(send, 404)


def test_nothing_after_the_end(study: Study, clock: Clock) -> None:
    session = session_at(study, Step.TRIALS)
    for _trial in range(session.trials.count()):
        trial_do(session, clock)
    browser = Browser(study, session)
    browser.post("closing/", {"attention": "4", "distraction": "1"})
    assert browser.session.step == Step.DONE
    refused(unchanged(lambda: browser.rate(value=1, changes=9)), 409, code="session_done")
    refused(unchanged(lambda: browser.rate(position=3, value=1, changes=9)), 409, code="session_done")
    assert unchanged(lambda: browser.post("closing/", {"attention": "1", "distraction": "5"})).status_code == 302


def test_nothing_once_the_study_has_closed(study: Study, session: ListeningSession, browser: Browser) -> None:
    study_close(study=study)
    for send in (
        lambda: browser.rate(position=1),
        lambda: browser.trial("POST", "opened/", position=1),
        lambda: browser.trial("POST", "heard/", {"seconds": 9, "plays": 9}, 1),
        lambda: browser.trial("POST", "finish/", position=1),
        lambda: browser.client.get(browser.api),
    ):
        refused(unchanged(send), 409, code="study_closed")
    assert unchanged(lambda: browser.get()).status_code == 403
    assert unchanged(lambda: Browser(study).post("consent/", {"sha256": "x"})).status_code == 302


# ── Asked again ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_replayed_requests_change_nothing(browser: Browser) -> None:
    key = str(uuid.uuid4())
    assert browser.rate(position=1, key=key, value=4).status_code == 200
    assert browser.rate("contamination", position=1).status_code == 200
    for send in (
        lambda: browser.rate(position=1, key=key, value=4),
        lambda: browser.rate(position=1, key=key, value=1, changes=7),  # the same answer, forged anew
        lambda: browser.rate(position=1, value=1, changes=0),  # an older one
        lambda: browser.trial("POST", "opened/", position=1),
    ):
        assert unchanged(send).status_code in (200, 204)
    assert browser.trial("POST", "finish/", position=1).status_code == 200
    assert unchanged(lambda: browser.trial("POST", "finish/", position=1)).status_code == 200


def test_a_key_is_used_once_by_anybody(browser: Browser, study: Study, clock: Clock) -> None:
    key = str(Rating.objects.earliest("pk").key)
    refused(unchanged(lambda: browser.rate(position=1, key=key)), 409)


# ── Somebody else's ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_another_sessions_clips_are_not_there(browser: Browser, neighbour: ListeningSession) -> None:
    for trial in neighbour.trials.select_related("clip"):
        name = clip_name(neighbour, trial.clip, trial.position)
        assert unchanged(lambda name=name: browser.get(f"clip/{name}.flac")).status_code == 404


def test_another_studys_cookie_opens_nothing(browser: Browser, session: ListeningSession) -> None:
    other = study_open_make(name="Otro")
    stranger = Browser(other)
    stranger.client.cookies[cookie_name(other)] = session.token
    refused(unchanged(lambda: stranger.client.get(stranger.api)), 403, code="no_session")
    refused(unchanged(lambda: stranger.rate()), 403, code="no_session")
    assert unchanged(lambda: stranger.get("clip/x.flac")).status_code == 404


COOKIES = {"none": "", "long": "x" * 5000, "nul": "\x00", "sql": "' or 1=1 --", "percent": "%", "unicode": "é"}


@pytest.mark.parametrize("cookie", COOKIES.values(), ids=COOKIES)
def test_a_guessed_cookie_is_nobodys(cookie: str, study: Study, session: ListeningSession) -> None:
    browser = Browser(study)
    browser.client.cookies[cookie_name(study)] = cookie
    refused(unchanged(lambda: browser.rate(position=1)), 403, code="no_session")
    assert unchanged(lambda: browser.get()).status_code == 200  # the page that asks for consent


def test_numbers_of_rows_are_no_cookie(study: Study, session: ListeningSession) -> None:
    for value in (str(session.pk), session.pk.hex, str(session.number), session.completion_code, session.personal_code):
        browser = Browser(study)
        browser.client.cookies[cookie_name(study)] = value
        refused(unchanged(lambda browser=browser: browser.rate(position=1)), 403, code="no_session")


# ── Other roads ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_page_elsewhere_cannot_send_for_the_listener(study: Study, session: ListeningSession) -> None:
    client = Client(enforce_csrf_checks=True, headers={"Accept-Language": "en"})
    browser = Browser(study, session, client)
    refused(unchanged(lambda: browser.rate(position=1)), 403)
    refused(unchanged(lambda: browser.trial("POST", "finish/", position=1)), 403)
    for step in ("consent/", "questionnaire/", "closing/"):
        assert unchanged(lambda step=step: browser.post(step, {})).status_code == 403


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
def test_ratings_are_only_put(method: str, browser: Browser) -> None:
    body = {"value": 5, "key": str(uuid.uuid4()), "changes": 0}
    refused(unchanged(lambda: browser.trial(method, "ratings/quality/", body, 1)), 405)


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_what_happens_is_only_posted(method: str, browser: Browser) -> None:
    for rest in ("opened/", "heard/", "finish/"):
        refused(unchanged(lambda rest=rest: browser.trial(method, rest, {}, 1)), 405)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "HEAD"])
def test_steps_are_only_posted(method: str, browser: Browser) -> None:
    for step in ("consent/", "questionnaire/", "instructions/", "calibration/", "closing/"):
        answer = unchanged(lambda step=step: browser.client.generic(method, browser.page + step))
        assert answer.status_code in (302, 405)


def test_steps_that_are_not_the_sessions_own_lead_back(browser: Browser) -> None:
    for step in ("consent/", "questionnaire/", "instructions/", "calibration/", "closing/"):
        answer = unchanged(lambda step=step: browser.post(step, {"attention": "4", "distraction": "1"}))
        assert (answer.status_code, answer.url) == (302, browser.page)


# ── The questionnaire ───────────────────────────────────────────────────────────────────────────────────────────────

NO_ANSWERS = {
    "a step beyond": {"familiarity": "9"},
    "no number": {"familiarity": "3.5"},
    "another's word": {"experience": "' or 1=1 --"},
    "markup": {"experience": "<script>alert(1)</script>"},
    "nul": {"experience": "casual\x00"},
    "many": {"experience": ["casual", "trained" * 1000]},
    "nothing": {},
}


@pytest.mark.parametrize("answers", NO_ANSWERS.values(), ids=NO_ANSWERS)
def test_no_answer_that_was_not_offered(answers: dict[str, Any], study: Study) -> None:
    browser = Browser(study, session_at(study, Step.QUESTIONNAIRE))
    sent = {f"familiarity:{excerpt.song_id}": answers.get("familiarity", "3") for excerpt in study.excerpts.all()}
    sent["experience"] = answers.get("experience", "" if not answers else "casual")
    answer = unchanged(lambda: browser.post("questionnaire/", sent))
    assert answer.status_code == 200
    text = answer.content.decode()
    assert 'class="error"' in text
    assert "<script>alert" not in text


def test_a_questionnaire_of_megabytes_is_not_read(study: Study) -> None:
    browser = Browser(study, session_at(study, Step.CLOSING))
    sent = {"attention": "4", "distraction": "1", "comment": "x" * 3_000_000}
    assert unchanged(lambda: browser.post("closing/", sent)).status_code in (200, 400, 413)


def test_an_agreement_to_another_text_is_none(study: Study) -> None:
    for sha256 in ("", "0" * 64, "\x00"):
        assert unchanged(lambda sha256=sha256: Browser(study).post("consent/", {"sha256": sha256})).status_code == 302
    assert Listener.objects.count() == 0


def test_unknown_and_strange_addresses_are_nobodys(browser: Browser) -> None:
    for token in ("x", "x" * 3000, "%00", "..%2f..%2fetc", str(uuid.uuid4())):
        for address in (f"/s/{token}/", f"/api/v1/listen/{token}/", f"{browser.page}clip/{token}.flac"):
            assert unchanged(lambda address=address: browser.client.get(address)).status_code == 404


# ── A flood ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_flood_of_answers_is_turned_away_and_others_are_served(
    study: Study, browser: Browser, neighbour: ListeningSession
) -> None:
    """Ten thousand a minute would be 167 in each second: here 600 at once. `bench.listeners` sends all of them."""
    cache.clear()
    answers = [browser.rate(position=1, value=1 + number % 5, changes=number) for number in range(600)]
    statuses = [answer.status_code for answer in answers]
    assert set(statuses) == {200, 429}
    assert statuses.count(200) <= 240
    turned_away = next(answer for answer in answers if answer.status_code == 429)
    refused(turned_away, 429)
    assert int(turned_away["Retry-After"]) <= 60
    last = statuses.count(200) - 1
    rating = Rating.objects.get(trial__session=browser.session, trial__position=1, scale="quality")
    assert (rating.value, rating.changes) == (1 + last % 5, last)
    assert Browser(study, neighbour).client.get(browser.api).status_code == 200
