"""The pages a listener meets, from the link to the completion code."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from listening_test.listener_access import cookie_name
from listening_test.models import Clip, Invitation, ListeningSession, Study
from listening_test.services import sessions
from listening_test.services.studies import study_close, study_reopen
from listening_test.texts import consent_sha256
from tests.listening_test.factories import study_make, study_open_make
from tests.listening_test.visits import CLIP_SECONDS, Browser, Clock, session_at, trial_do

Step = ListeningSession.Step


def text_of(response: HttpResponse) -> str:
    return response.content.decode()


def answers(study: Study, **others: Any) -> dict[str, Any]:
    songs = {f"familiarity:{excerpt.song_id}": "3" for excerpt in study.excerpts.all()}
    return {**songs, "experience": "casual", **others}


# ── From the link to the code ───────────────────────────────────────────────────────────────────────────────────────


def test_the_whole_visit_leads_to_the_completion_code(study: Study, clock: Clock) -> None:
    browser = Browser(study)
    assert browser.agree().url == browser.page
    assert "A few questions" in text_of(browser.get())
    browser.post("questionnaire/", answers(study, genres=["rock", "tango"]))
    assert "What it is about" in text_of(browser.get())
    browser.post("instructions/")
    assert "Four examples" in text_of(browser.get())
    for clip in study.clips.filter(purpose=Clip.Purpose.CALIBRATION):
        clock.forward(CLIP_SECONDS)
        browser.send("POST", f"calibration/{browser.name_of(clip)}/heard/")
    browser.post("calibration/")
    assert 'id="trial"' in text_of(browser.get())
    for _trial in range(4):
        trial_do(browser.session, clock)
    assert "That was the last clip" in text_of(browser.get())
    browser.post("closing/", {"attention": "4", "distraction": "2", "comment": "Bien"})
    session = browser.session
    assert session.completion_code in text_of(browser.get())
    assert dict(session.answers.values_list("question", "value")) == {
        f"familiarity:{study.excerpts.get().song_id}": 3,
        "experience": "casual",
        "genres": ["rock", "tango"],
        "attention": 4,
        "distraction": 2,
        "comment": "Bien",
    }


def test_looking_at_the_link_takes_nobody_s_place(study: Study) -> None:
    for _visit in range(3):
        assert Browser(study).get().status_code == 200
    assert not study.sessions.exists()


@pytest.mark.parametrize("step", [Step.QUESTIONNAIRE, Step.INSTRUCTIONS, Step.CALIBRATION, Step.TRIALS])
def test_a_reload_or_a_later_visit_returns_to_the_same_step(study: Study, step: str) -> None:
    marks = {
        Step.QUESTIONNAIRE: "A few questions",
        Step.INSTRUCTIONS: "What it is about",
        Step.CALIBRATION: "Four examples",
        Step.TRIALS: 'id="trial"',
    }
    browser = Browser(study, session_at(study, step))
    for _visit in range(2):
        assert marks[step] in text_of(browser.get())
    assert study.sessions.count() == 1


def test_a_later_visit_returns_to_the_same_trial(study: Study, clock: Clock) -> None:
    session = session_at(study, Step.TRIALS)
    trial_do(session, clock)
    clock.forward(20 * 24 * 3600)
    assert Browser(study, session).state()["trial"]["position"] == 1


def test_the_cookie_is_kept_from_scripts_and_lasts_thirty_days(study: Study) -> None:
    browser = Browser(study)
    cookie = browser.agree().cookies[cookie_name(study)]
    assert cookie["httponly"] is True
    assert cookie["samesite"] == "Lax"
    assert cookie["max-age"] == 30 * 24 * 3600
    assert not cookie["secure"]


def test_the_cookie_is_secure_under_https(study: Study, settings: Any) -> None:
    settings.HTTPS = True
    assert Browser(study).agree().cookies[cookie_name(study)]["secure"] is True


def through(study: Study, **fields: Any) -> ListeningSession:
    session = session_at(study, Step.CLOSING)
    session.step, session.completed_at = Step.DONE, timezone.now()
    for name, value in fields.items():
        setattr(session, name, value)
    session.save()
    return session


def test_somebody_else_at_the_same_browser_can_begin_and_nothing_is_lost(study: Study) -> None:
    first = through(study)
    browser = Browser(study, first)
    assert "Somebody else here?" in text_of(browser.get())
    browser.post("leave/")
    assert "I have read this" in text_of(browser.get())
    browser.agree()
    assert browser.session != first
    first.refresh_from_db()
    assert first.step == Step.DONE


@pytest.mark.parametrize("why", ["invited", "recruited", "at it", "closed", "full"])
def test_nobody_is_forgotten_who_was_recruited_or_is_at_it_or_where_nobody_can_begin(why: str, study: Study) -> None:
    link = Invitation.objects.create(study=study)
    fields = {"invited": {"invitation": link}, "recruited": {"platform": {"pid": "7"}}, "at it": {"step": "practice"}}
    session = through(study, **fields.get(why, {}))
    Study.objects.update(**{"closed": {"state": "closed"}, "full": {"quota": 1}}.get(why, {"quota": None}))
    browser = Browser(study, session)
    assert "Somebody else here?" not in text_of(browser.get())
    browser.post("leave/")
    assert browser.session == session


def test_each_study_has_its_own_cookie(study: Study) -> None:
    browser = Browser(study)
    browser.agree()
    other = Browser(study_open_make(), client=browser.client)
    assert "I have read this" in text_of(other.get())
    other.agree()
    assert browser.session.study == study
    assert other.session.study == other.study


def test_a_forged_cookie_is_nobody(study: Study) -> None:
    browser = Browser(study)
    browser.client.cookies[cookie_name(study)] = "guess"
    assert "I have read this" in text_of(browser.get())


def test_pages_are_never_taken_from_a_cache(study: Study) -> None:
    assert "no-store" in Browser(study).get()["Cache-Control"]


# ── Consent ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_consent_is_the_study_s_own_text_or_ours(study: Study) -> None:
    assert "Taking part is voluntary." in text_of(Browser(study).get())
    study.texts.create(language="en", key="consent", text="Own words.\n\n<script>alert(1)</script>")
    shown = text_of(Browser(study).get())
    assert "Own words." in shown
    assert "&lt;script&gt;" in shown
    assert "Taking part is voluntary." not in shown


def test_what_is_agreed_to_is_stored(study: Study) -> None:
    browser = Browser(study)
    browser.agree()
    assert browser.session.consent_sha256 == consent_sha256(study, "en")
    assert browser.session.language == "en"


def test_a_text_that_was_not_shown_is_not_agreed_to(study: Study) -> None:
    for sha256 in ("", "0" * 64, consent_sha256(study, "en")[:-1]):
        Browser(study).post("consent/", {"sha256": sha256})
    assert not study.sessions.exists()


def test_agreeing_twice_is_one_session(study: Study) -> None:
    browser = Browser(study)
    sha256 = consent_sha256(study, "en")
    for _tap in range(2):
        browser.post("consent/", {"sha256": sha256})
    assert study.sessions.count() == 1


# ── Steps by the wrong road ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("step", ["consent", "questionnaire", "instructions", "calibration", "closing"])
def test_addresses_of_steps_lead_back_to_the_link(study: Study, step: str) -> None:
    session = session_at(study, Step.TRIALS)
    for browser in (Browser(study), Browser(study, session)):
        assert browser.get(f"{step}/").url == browser.page
        assert browser.post(f"{step}/").url == browser.page
    session.refresh_from_db()
    assert session.step == Step.TRIALS


def test_calibration_cannot_be_skipped(study: Study) -> None:
    browser = Browser(study, session_at(study, Step.CALIBRATION))
    assert browser.post("calibration/").url == browser.page
    assert "Four examples" in text_of(browser.get())


def test_the_questionnaire_shows_what_is_missing_and_keeps_the_rest(study: Study) -> None:
    browser = Browser(study, session_at(study, Step.QUESTIONNAIRE))
    sent = answers(study, age_band="25-34")
    del sent["experience"]
    shown = text_of(browser.post("questionnaire/", sent))
    assert "Please answer this question." in shown
    assert '<option value="25-34" selected>' in shown
    assert browser.session.step == Step.QUESTIONNAIRE
    assert not browser.session.answers.exists()


@pytest.mark.parametrize("bad", [{"experience": "wizard"}, {"genres": ["polka"]}, {"age_band": "7"}])
def test_answers_that_no_question_offers_are_not_stored(study: Study, bad: dict[str, Any]) -> None:
    browser = Browser(study, session_at(study, Step.QUESTIONNAIRE))
    assert browser.post("questionnaire/", answers(study, **bad)).status_code == 200
    assert not browser.session.answers.exists()


def test_each_song_is_asked_about_with_title_and_style(db: None) -> None:
    study = study_open_make(songs=2)
    shown = text_of(Browser(study, session_at(study, Step.QUESTIONNAIRE)).get())
    for excerpt in study.excerpts.select_related("song"):
        assert f"familiarity:{excerpt.song_id}" in shown
        assert excerpt.song.title in shown
        assert excerpt.song.style in shown


# ── Language ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_link_may_choose_the_language(study: Study) -> None:
    client = Client(headers={"Accept-Language": "es"})
    chosen = client.get(f"/s/{study.token}/?lang=en")
    assert chosen.url == f"/s/{study.token}/"
    assert "Taking part is voluntary." in text_of(client.get(chosen.url))
    assert client.get(f"/s/{study.token}/?lang=xx").status_code == 200


def test_the_session_keeps_its_language_without_the_cookie(study: Study) -> None:
    browser = Browser(study)
    browser.agree()
    browser.client.defaults["HTTP_ACCEPT_LANGUAGE"] = "es"
    assert '<html lang="en"' in text_of(browser.get())


def test_the_session_follows_the_switch(study: Study) -> None:
    browser = Browser(study)
    browser.agree()
    browser.client.post("/i18n/setlang/", {"language": "es", "next": browser.page})
    assert '<html lang="es"' in text_of(browser.get())
    assert browser.session.language == "es"
    assert browser.client.cookies[settings.LANGUAGE_COOKIE_NAME].value == "es"


# ── Title, demo ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_title_is_the_study_s_text_else_its_name(study: Study) -> None:
    assert "<title>Un estudio</title>" in text_of(Browser(study).get())
    study.texts.create(language="es", key="title", text="¿Cómo suena?")
    assert "<title>¿Cómo suena?</title>" in text_of(Browser(study).get())
    study.texts.create(language="en", key="title", text="How does it sound?")
    assert "<title>How does it sound?</title>" in text_of(Browser(study).get())


def test_a_demonstration_says_so_on_every_page(study: Study) -> None:
    notice = "Answers are not used for research."
    assert notice not in text_of(Browser(study).get())
    Study.objects.update(is_demo=True)
    assert notice in text_of(Browser(study).get())
    for step in (Step.QUESTIONNAIRE, Step.CALIBRATION, Step.TRIALS):
        assert notice in text_of(Browser(study, session_at(study, step)).get())


def test_the_order_of_scales_is_the_session_s(study: Study) -> None:
    for first, second in (("quality", "contamination"), ("contamination", "quality")):
        shown = text_of(Browser(study, session_at(study, Step.TRIALS)).get())
        assert shown.index(f'data-scale="{first}"') < shown.index(f'data-scale="{second}"')


# ── Not open ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_unknown_link_is_answered_kindly(db: None) -> None:
    answer = Client(headers={"Accept-Language": "en"}).get("/s/nothing/")
    assert answer.status_code == 404
    assert "There is no listening test at this address" in text_of(answer)


@pytest.mark.parametrize("state", ["draft", "preparing"])
def test_a_study_that_is_not_open_yet_says_so(db: None, state: str) -> None:
    study = study_make(state=state)
    answer = Browser(study).get()
    assert answer.status_code == 403
    assert "has not begun yet" in text_of(answer)
    assert Browser(study).post("consent/", {"sha256": consent_sha256(study, "en")}).url == f"/s/{study.token}/"
    assert not study.sessions.exists()


def test_a_closed_study_takes_nobody_new(study: Study) -> None:
    study_close(study=study)
    answer = Browser(study).get()
    assert answer.status_code == 403
    assert "It no longer takes new listeners" in text_of(answer)


def test_a_study_that_closed_thanks_those_under_way_and_lets_them_on_when_it_opens_again(study: Study) -> None:
    browser = Browser(study, session_at(study, Step.TRIALS))
    study_close(study=study)
    assert "Everything that you had rated is saved" in text_of(browser.get())
    study_reopen(study=study)
    assert 'id="trial"' in text_of(browser.get())


def test_the_code_is_shown_again_even_after_the_study_closed(study: Study, clock: Clock) -> None:
    session = session_at(study, Step.TRIALS)
    for _trial in range(4):
        trial_do(session, clock)
    study_close(study=study)
    browser = Browser(study, session)
    assert "That was the last clip" in text_of(browser.get())
    browser.post("closing/", {"attention": "4", "distraction": "2"})
    for _visit in range(2):
        assert session.completion_code in text_of(browser.get())


def test_the_thanks_are_the_study_s_own(study: Study, clock: Clock) -> None:
    study.texts.create(language="en", key="thanks", text="A thousand thanks.")
    session = session_at(study, Step.TRIALS)
    for _trial in range(4):
        trial_do(session, clock)
    session.refresh_from_db()
    sessions.session_answers_save(session=session, answers={"attention": 5, "distraction": 1})
    sessions.session_step_forward(session=session)
    assert "A thousand thanks." in text_of(Browser(study, session).get())


def test_a_browser_without_cookies_is_told_so(study: Study) -> None:
    client = Client(enforce_csrf_checks=True, headers={"Accept-Language": "en"})
    answer = client.post(f"/s/{study.token}/consent/", {"sha256": consent_sha256(study, "en")})
    assert answer.status_code == 403
    assert "this browser refuses cookies" in text_of(answer)
    assert not study.sessions.exists()
