"""The researcher's pages about links, listeners, their data and their answers."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from listening_test.models import Answer, Invitation, ListeningSession, Study
from listening_test.services.recruiting import session_enter
from tests.listening_test.factories import session_make, study_make, study_open_make
from tests.listening_test.visits import Browser

pytestmark = pytest.mark.django_db


def told(answer: Any) -> str:
    return str(answer.content.decode())


@pytest.fixture
def study() -> Study:
    return study_open_make()


def at(name: str, study: Study, *args: Any) -> str:
    return reverse(name, args=[study.id, *args])


POSTS = ("study_links_add", "study_try", "study_recording_add")


@pytest.mark.parametrize(
    "name", [*POSTS, "study_links_csv", "study_listeners", "study_answers_csv", "study_answers_json"]
)
def test_only_researchers_come_here(client: Client, study: Study, name: str) -> None:
    method = client.post if name in POSTS else client.get
    assert method(at(name, study)).url.startswith("/accounts/login/")
    assert not Invitation.objects.exists()


def test_links_are_made_shown_downloaded_and_removed(english: Client, study: Study) -> None:
    answer = english.post(at("study_links_add", study), {"count": "3", "labels": "Ana\nBruno\n"}, follow=True)
    assert "3 links were made" in told(answer)
    links = list(study.invitations.order_by("created_at", "id"))
    assert sorted(link.label for link in links) == ["", "Ana", "Bruno"]
    address = f"http://testserver/s/{study.token}/?i={links[0].token}"
    assert address in told(answer)
    session_enter(study=study, language="es", invitation=study.invitations.get(label="Ana"))
    rows = list(csv.DictReader(io.StringIO(told(english.get(at("study_links_csv", study))))))
    assert {row["label"]: row["used"] for row in rows} == {"Ana": "true", "Bruno": "false", "": "false"}
    english.post(at("study_link_remove", study, study.invitations.get(label="Bruno").id))
    answer = english.post(at("study_link_remove", study, study.invitations.get(label="Ana").id), follow=True)
    assert "Somebody has used this link" in told(answer)
    assert study.invitations.count() == 2


def test_more_labels_than_links_asked_for_make_as_many_links(english: Client, study: Study) -> None:
    english.post(at("study_links_add", study), {"count": "1", "labels": "A\nB\nC"})
    assert study.invitations.count() == 3


@pytest.mark.parametrize("count", ["0", "501", "x", "-3", "9" * 30, "9" * 5000])
def test_a_number_of_links_that_is_none_is_explained(english: Client, study: Study, count: str) -> None:
    answer = english.post(at("study_links_add", study), {"count": count}, follow=True)
    assert "Between 1 and 500 links" in told(answer)
    assert not study.invitations.exists()


def test_a_label_that_a_spreadsheet_would_run_is_text(english: Client, study: Study) -> None:
    english.post(at("study_links_add", study), {"labels": "=1+1"})
    assert "'=1+1" in told(english.get(at("study_links_csv", study)))


def test_trying_the_study_opens_a_session_that_never_counts(english: Client, study: Study) -> None:
    answer = english.post(at("study_try", study))
    assert answer.url.startswith(f"http://testserver/s/{study.token}/?i=")
    browser = Browser(study)
    browser.get("?" + answer.url.partition("?")[2])
    browser.agree()
    assert browser.session.is_test
    facts = english.get(reverse("api_study", args=[study.id])).json()
    assert (facts["sessions_test"], facts["sessions_started"]) == (1, 0)
    assert not study.invitations.filter(is_test=False).exists()  # it is not among the listeners' links


def test_a_closed_study_cannot_be_tried(english: Client, study: Study) -> None:
    Study.objects.update(state="closed")
    assert "not open" in told(english.post(at("study_try", study), follow=True))


# ── Listeners ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_page_of_listeners_tells_how_far_each_came(english: Client, study: Study) -> None:
    invitation = Invitation.objects.create(study=study, label="Ana")
    session_enter(study=study, language="en", invitation=invitation)
    session_make(study, done=True)
    text = told(english.get(at("study_listeners", study)))
    assert "Ana" in text
    assert "Done" in text
    assert ListeningSession.objects.get(invitation=invitation).personal_code not in text  # the listener's own


def test_one_listener_s_data_are_exported_and_erased(english: Client, study: Study) -> None:
    session = session_enter(study=study, language="en")
    answer = english.get(at("study_listener_data", study, session.id))
    assert "attachment" in answer["Content-Disposition"]
    record = json.loads(answer.content)
    assert (record["number"], record["slot"]) == (0, 0)
    assert {trial["system"] for trial in record["trials"]} == set(study.systems)
    assert "was erased" in told(english.post(at("study_listener_erase", study, session.id), follow=True))
    assert not ListeningSession.objects.exists()


def test_a_session_of_another_study_is_not_found(english: Client, study: Study) -> None:
    session = session_enter(study=study_open_make(), language="en")
    assert english.get(at("study_listener_data", study, session.id)).status_code == 404
    assert english.post(at("study_listener_erase", study, session.id)).status_code == 404
    assert ListeningSession.objects.exists()


# ── Answers ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_answers_are_a_table_without_ratings(english: Client) -> None:
    question = {
        "own": "q1",
        "kind": "choices",
        "place": "opening",
        "needed": False,
        "label": {"es": "¿Dónde?", "en": "Where?"},
        "options": [{"es": "Casa", "en": "Home"}, {"es": "Calle", "en": "Street"}],
    }
    study = study_open_make(questions=[question, {"piece": "familiarity", "place": "opening", "needed": False}])
    session = session_enter(study=study, language="en")
    song = study.excerpts.get().song
    Answer.objects.create(session=session, question="own:q1", value=["1", "2"])
    Answer.objects.create(session=session, question=f"familiarity:{song.id}", value=4)
    Answer.objects.create(session=session, question="comment", value="=danger")
    rows = {
        row["question"]: row for row in csv.DictReader(io.StringIO(told(english.get(at("study_answers_csv", study)))))
    }
    assert (rows["own:q1"]["value"], rows["own:q1"]["words"]) == ("1; 2", "Home, Street")
    assert rows[f"familiarity:{song.id}"]["about"] == song.title
    assert rows["comment"]["value"] == "'=danger"
    assert "quality" not in told(english.get(at("study_answers_csv", study)))
    data = english.get(at("study_answers_json", study)).json()
    assert {row["question"]: row["value"] for row in data}["own:q1"] == ["1", "2"]
    assert {row["listener"] for row in data} == {str(session.listener_id)}


def test_answers_of_trial_runs_are_left_out(english: Client, study: Study) -> None:
    invitation = Invitation.objects.create(study=study, is_test=True)
    session = session_enter(study=study, language="en", invitation=invitation)
    Answer.objects.create(session=session, question="comment", value="only trying")
    assert english.get(at("study_answers_json", study)).json() == []


# ── Recordings ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_recording_that_is_missing_or_no_audio_is_explained(english: Client) -> None:
    study = study_make(traps_per_listener=1, trap_kind="spoken")
    data = {"language": "es", "answer": "2"}
    assert "No recording was chosen" in told(english.post(at("study_recording_add", study), data, follow=True))
    text = io.BytesIO(b"this is no sound")
    text.name = "check.wav"
    answer = english.post(at("study_recording_add", study), {**data, "recording": text}, follow=True)
    assert "good" not in [message.extra_tags for message in answer.context["messages"]]
    assert not study.clips.exists()


def test_a_recording_is_added_heard_and_removed(english: Client) -> None:
    from tests.factories import encoded, sound

    study = study_make(traps_per_listener=1, trap_kind="spoken")
    file = io.BytesIO(encoded(sound(1.0, seed=5), subtype="PCM_16"))
    file.name = "dos.flac"
    data = {"language": "es", "answer": "2", "recording": file}
    answer = english.post(at("study_recording_add", study), data, follow=True)
    assert "The recording was stored" in told(answer)
    clip = study.clips.get()
    assert (clip.purpose, clip.language) == ("trap", "es")
    assert "asks for 2" in told(answer)
    assert english.get(reverse("clip_audio_preview", args=[study.id, clip.id])).status_code == 200
    english.post(at("study_recording_remove", study, clip.id))
    assert not study.clips.exists()


# ── Versions ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_new_version_is_a_draft_with_the_same_content_and_says_which(english: Client, study: Study) -> None:
    answer = english.post(at("study_version", study), follow=True)
    later = Study.objects.get(earlier=study)
    assert (later.version, later.state, later.systems) == (2, "draft", study.systems)
    assert "This is version 2" in told(answer)
    assert "version 2" in told(english.get(reverse("studies")))
    answer = english.post(at("study_version", later), follow=True)
    assert Study.objects.count() == 2
    assert "without a new version" in told(answer)
