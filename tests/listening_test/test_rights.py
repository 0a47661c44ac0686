"""What a listener can do with what is stored of them, and how long it is kept."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from listening_test import guessing, rights_selectors, selectors, texts
from listening_test.models import (
    Answer,
    EquipmentCheck,
    Listener,
    ListeningSession,
    PracticeAnswer,
    Rating,
    Study,
    Trial,
)
from listening_test.services import rights, studies
from listening_test.services.recruiting import session_enter
from listening_test.tasks import sweep_retention
from tests.listening_test.factories import clip_make, rate, study_make, study_open_make
from tests.listening_test.visits import Browser

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_counted() -> None:
    cache.clear()


@pytest.fixture
def session(study: Study) -> ListeningSession:
    """Finished, with ratings, answers, a check, facts of the device and a platform's parameters."""
    session = session_enter(study=study, language="en")
    for trial in session.trials.all():
        rate(trial, quality=4, contamination=2)
    Answer.objects.create(session=session, question="genres", value=["rock", "tango"])
    Answer.objects.create(session=session, question="comment", value="My name is Ana")
    EquipmentCheck.objects.create(session=session, kind="sides", asked=["left"], answers=["left"], passed=True)
    session.consented_at, session.consent_sha256 = timezone.now(), texts.consent_sha256(study, "en")
    session.device = {"browser": "firefox", "sample_rate": 48000, "output_latency": 0.032}
    session.platform = {"PROLIFIC_PID": "5f0c"}
    session.step, session.completed_at = ListeningSession.Step.DONE, timezone.now()
    session.save()
    return session


def english_client() -> Client:
    return Client(headers={"Accept-Language": "en"})


def send(rest: str, session: ListeningSession, client: Client | None = None, **data: str) -> HttpResponse:
    return (client or english_client()).post(f"/me/{rest}", {"code": session.personal_code or "", **data})


# ── The page ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_page_asks_for_the_code_in_both_languages() -> None:
    assert "Personal code" in english_client().get("/me/").content.decode()
    assert '<html lang="es"' in Client().get("/me/").content.decode()


def test_everything_stored_is_shown(session: ListeningSession) -> None:
    text = send("", session).content.decode()
    for words in (
        "firefox",
        "48000 Hz",
        "0.032 s",
        "5f0c",
        "Rock, Tango",
        "My name is Ana",
        "4 clips",
        session.consent_sha256[:12],
    ):
        assert words in text, words


def test_what_was_practised_played_and_interrupted_is_shown_too(session: ListeningSession) -> None:
    practised = clip_make(study=session.study, purpose="practice")
    PracticeAnswer.objects.create(session=session, clip=practised, scale="contamination", value=2)
    Trial.objects.filter(session=session, position=0).update(plays=31, loops=32, interruptions=33, glitches=34)
    Rating.objects.filter(trial__position=0).update(changes=35)
    session.warned_at = session.given_up_at = timezone.now()
    session.ended_reason, session.is_test, session.slot = "equipment_sides", True, None
    session.save()
    text = send("", session).content.decode()
    for words in (
        *("Practice", "Contamination", "Drums", ">31<", ">32<", ">33<", ">34<", "35 + 35", session.completion_code),
        *("Reminded to take the time", "Place given to somebody else", "needs left and right to be heard apart"),
        *("This visit is not counted", "Left · passed", "Version 1"),
    ):
        assert words in text, words


@pytest.mark.parametrize("change", [str.lower, lambda code: code.replace("-", " "), lambda code: f"  {code}\n"])
def test_a_code_may_be_typed_in_several_ways(session: ListeningSession, change: Any) -> None:
    answer = english_client().post("/me/", {"code": change(session.personal_code)})
    assert answer.status_code == 200
    assert "My name is Ana" in answer.content.decode()


@pytest.mark.parametrize("typed", ["", "ABCD", "ABCD-EFGH-JKLM-NPQR", "' OR 1=1 --", "\x00" * 16, "é" * 16])
def test_what_is_no_code_finds_nothing(session: ListeningSession, typed: str) -> None:
    answer = english_client().post("/me/", {"code": typed})
    assert answer.status_code == 404
    assert "There are no data under this code" in answer.content.decode()


def test_no_address_holds_the_code(session: ListeningSession) -> None:
    for rest in ("", "download/", "erase/", "resume/"):
        answer = english_client().get(f"/me/{rest}?code={session.personal_code}")
        assert "My name is Ana" not in answer.content.decode()
    assert ListeningSession.objects.exists()


def test_guessing_is_stopped_and_no_address_is_remembered(
    session: ListeningSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = english_client()
    keys: list[str] = []
    added = cache.add
    monkeypatch.setattr(guessing.cache, "add", lambda key, *rest: keys.append(key) or added(key, *rest))
    for _attempt in range(guessing.MOST_WRONG):
        assert client.post("/me/", {"code": "ABCD-EFGH-JKLM-NPQR"}).status_code == 404
    answer = send("", session, client)
    assert answer.status_code == 429
    assert "wait ten minutes" in answer.content.decode()
    assert keys
    assert not any("127.0.0.1" in key for key in keys)


# ── The data as a file ──────────────────────────────────────────────────────────────────────────────────────────────


def test_the_file_holds_everything_but_what_would_tell_of_the_test(session: ListeningSession) -> None:
    answer = send("download/", session)
    assert "attachment" in answer["Content-Disposition"]
    data = json.loads(answer.content)
    assert data["platform"] == {"PROLIFIC_PID": "5f0c"}
    assert data["consent"]["text"] == texts.study_text(session.study, "consent", "en")
    assert [each["value"] for each in data["answers"] if each["question"] == "comment"] == ["My name is Ana"]
    assert data["trials"][0]["ratings"]["quality"]["value"] == 4
    assert data["equipment_checks"][0]["passed"] is True
    text = answer.content.decode()
    for secret in (*session.study.systems, "instructed", "repeat", '"asked"', session.token):
        assert secret not in text, secret


def test_while_the_visit_goes_on_nobody_learns_whether_a_check_was_passed(session: ListeningSession) -> None:
    session.step, session.completed_at = ListeningSession.Step.TRIALS, None
    session.save()
    assert "passed" not in json.loads(send("download/", session).content)["equipment_checks"][0]


# ── Going on in another browser ─────────────────────────────────────────────────────────────────────────────────────


def test_the_code_brings_a_session_to_another_browser(study: Study) -> None:
    first = Browser(study)
    first.agree()
    code = first.session.personal_code
    assert code in first.get("code/").content.decode()
    second = Browser(study)
    answer = second.client.post("/me/resume/", {"code": code})
    assert answer.url == second.page
    assert second.session == first.session
    assert second.get().context["step_number"] == first.get().context["step_number"]


def test_the_page_of_the_code_shows_nobody_else_s(study: Study, session: ListeningSession) -> None:
    assert Browser(study).get("code/").url == "/me/"


# ── Erasing ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_erasing_takes_all_of_it_and_frees_the_place(study: Study, session: ListeningSession) -> None:
    other = session_enter(study=study, language="en")
    rate(other.trials.all()[0], quality=3, contamination=3)
    kept = Rating.objects.filter(trial__session=other).count()
    slot = session.slot
    answer = send("erase/", session, sure="yes")
    assert "Everything has been erased" in answer.content.decode()
    assert list(ListeningSession.objects.all()) == [other]
    assert Listener.objects.count() == 1
    assert (Answer.objects.count(), EquipmentCheck.objects.count(), Rating.objects.count()) == (0, 0, kept)
    assert Trial.objects.exclude(session=other).count() == 0
    assert selectors.study_progress(study).ratings == kept
    assert session_enter(study=study, language="en").slot == slot
    assert english_client().post("/me/", {"code": session.personal_code}).status_code == 404


def test_nothing_is_erased_without_the_box_ticked(session: ListeningSession) -> None:
    assert "Yes, erase everything" in send("erase/", session).content.decode()
    assert Rating.objects.exists()


def test_after_erasing_the_browser_can_begin_again(study: Study) -> None:
    browser = Browser(study)
    browser.agree()
    browser.client.post("/me/erase/", {"code": browser.session.personal_code, "sure": "yes"})
    assert "agree to take part" in browser.get().content.decode()


# ── The time that data are kept ─────────────────────────────────────────────────────────────────────────────────────


def later(session: ListeningSession, days: float) -> None:
    """As if the visit had ended so many days ago."""
    moment = timezone.now() - timedelta(days=days)
    ended = {"completed_at": moment} if session.completed_at else {}
    ListeningSession.objects.filter(pk=session.pk).update(seen_at=moment, **ended)


def test_retention_removes_what_leads_to_a_person_and_leaves_the_ratings(
    study: Study, session: ListeningSession
) -> None:
    Study.objects.update(retention_days=30)
    code, token, completion = session.personal_code, session.token, session.completion_code
    ratings = Rating.objects.count()
    later(session, 31)
    sweep_retention()
    session.refresh_from_db()
    assert (session.device, session.platform, session.personal_code, session.invitation) == ({}, {}, None, None)
    assert session.token != token
    assert session.completion_code != completion
    assert not Answer.objects.exists()
    assert Rating.objects.count() == ratings
    assert session.consented_at is not None
    assert session.consent_sha256
    assert english_client().post("/me/", {"code": code}).status_code == 404
    assert rights.retention_sweep() == 0  # once is enough


@pytest.mark.parametrize(("days", "retention", "kept"), [(29, 30, True), (31, 30, False), (4000, None, True)])
def test_the_time_runs_from_the_end_of_the_visit(
    study: Study, session: ListeningSession, days: int, retention: int | None, kept: bool
) -> None:
    Study.objects.update(retention_days=retention)
    later(session, days)
    rights.retention_sweep()
    assert Answer.objects.exists() is kept


def test_each_study_has_a_time_of_its_own(study: Study, session: ListeningSession) -> None:
    other = session_enter(study=study_open_make(retention_days=1), language="en")
    Answer.objects.create(session=other, question="comment", value="x")
    for each in (session, other):
        later(each, 5)
    assert rights.retention_sweep() == 1
    assert set(Answer.objects.values_list("session", flat=True)) == {session.pk}


def test_an_unfinished_visit_that_is_forgotten_gives_its_place_back(study: Study) -> None:
    Study.objects.update(retention_days=1)
    session = session_enter(study=study, language="en")
    later(session, 2)
    rights.retention_sweep()
    session.refresh_from_db()
    assert session.given_up_at is not None
    assert session_enter(study=Study.objects.get(), language="en").slot == 0


# ── Consent ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_text_names_its_version_and_what_the_study_keeps(study: Study) -> None:
    Study.objects.update(retention_days=90, platform={"kind": "other", "names": ["pid"]})
    text = Browser(study).get().content.decode()
    assert "Version 1 of this text" in text
    assert "After 90 days" in text
    assert "The platform that sent you here" in text
    assert "personal code" in text


def test_what_is_agreed_to_is_kept_when_the_study_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    study = studies.study_open(study=study_make(retention_days=90))
    before = texts.consent_sha256(study, "es")
    monkeypatch.setitem(texts.DEFAULTS, texts.Key.CONSENT, ("Another text, of a later version of StemMOS.",))
    study = Study.objects.get()
    assert texts.consent_sha256(study, "es") == before
    assert "Another text" not in texts.study_text(study, "consent", "es")


def test_a_copy_has_the_product_s_text_again_and_not_the_kept_one() -> None:
    study = studies.study_open(study=study_make())
    assert ("es", "consent") not in studies.study_content(study).texts
    assert not studies.study_duplicate(study=study).texts.exists()


def test_no_column_of_a_listener_can_hold_an_address(session: ListeningSession) -> None:
    client = english_client()
    browser = Browser(session.study, client=client)
    client.get(browser.page, headers={"X-Forwarded-For": "203.0.113.7"}, REMOTE_ADDR="203.0.113.9")
    browser.agree()
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if table.startswith("listening_test_"):
                cursor.execute(f"SELECT * FROM {table}")
                assert "203.0.113" not in str(cursor.fetchall()), table


def test_a_record_for_the_researcher_says_more(session: ListeningSession) -> None:
    record = rights_selectors.session_record(session, for_researcher=True)
    assert record["number"] == session.number
    assert {trial["system"] for trial in record["trials"]} == set(session.study.systems)
