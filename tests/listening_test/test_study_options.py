"""Every option of a study: in the form, on its page, in the API and in the admin."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from listening_test import outline_selectors
from listening_test.models import EquipmentCheck, Invitation, Study
from listening_test.outline import Outline
from listening_test.services import studies
from listening_test.services.recruiting import session_enter
from separation.models import Song
from tests.factories import song_make
from tests.listening_test.factories import separated_make, study_make, study_open_make
from tests.listening_test.test_questionnaire import AGE, ROOM
from tests.listening_test.test_researcher_pages import excerpts_data

pytestmark = pytest.mark.django_db

BACK = "https://app.prolific.com/submissions/complete?cc=C1A2B3"
QUESTIONS = [{"piece": "experience", "place": "opening", "needed": True}, ROOM, AGE]
EVERYTHING: dict[str, Any] = {
    "name": "Todo",
    "systems": ["umxhq", "htdemucs"],
    "sources": ["vocals"],
    "controls": ["reference", "anchor:mixture"],
    "trials_per_listener": "4",
    "scale_layout": "apart",
    "contamination_words": "acr",
    "block_trials": "6",
    "show_mixture": "on",
    "minimum_seconds": "2.5",
    "loop_allowed": "on",
    "loudness_rule": "mixture",
    "repeats_per_listener": "1",
    "traps_per_listener": "2",
    "trap_kind": "spoken",
    "equipment_sides": "end",
    "equipment_level": "warn",
    "questions": json.dumps(QUESTIONS),
    "links": "single",
    "quota": "20",
    "give_up_minutes": "45",
    "platform_kind": "prolific",
    "platform_completed": BACK,
    "retention_days": "365",
    "title_es": "¿Cómo suena?",
    "title_en": "How does it sound?",
}
KEPT: dict[str, Any] = {
    "controls": ["reference", "anchor:mixture"],
    "trials_per_listener": 4,
    "scale_layout": "apart",
    "contamination_words": "acr",
    "block_trials": 6,
    "show_mixture": True,
    "minimum_seconds": 2.5,
    "loop_allowed": True,
    "loudness_rule": "mixture",
    "repeats_per_listener": 1,
    "traps_per_listener": 2,
    "trap_kind": "spoken",
    "equipment": {"sides": "end", "level": "warn"},
    "practice": False,
    "links": "single",
    "quota": 20,
    "give_up_minutes": 45,
    "retention_days": 365,
}


@pytest.fixture
def song() -> Song:
    song = song_make(title="Milonga", seconds=3.0)
    for system in ("umxhq", "htdemucs"):
        separated_make(song=song, system=system)
    return song


def test_every_option_is_kept_and_shown_again_as_it_is(english: Client, song: Song) -> None:
    english.post(reverse("study_add"), {**EVERYTHING, **excerpts_data((song, "0.5", "2.5"))})
    study = Study.objects.get()
    assert {name: getattr(study, name) for name in KEPT} == KEPT
    assert [entry.get("own") or entry["piece"] for entry in study.questions] == ["experience", "q1", "q3"]
    assert (study.platform["kind"], study.platform["completed"]) == ("prolific", BACK)
    content = studies.study_content(study)
    shown = english.get(reverse("study_edit", args=[study.id])).context["form"]
    again = {name: shown[name].value() for name in shown.fields if shown[name].value() not in (None, False)}
    english.post(reverse("study_edit", args=[study.id]), {**again, **excerpts_data((song, "0.5", "2.5"))})
    study.refresh_from_db()
    assert studies.study_content(study) == content


def test_controls_are_named_in_the_reader_s_language(researcher_client: Client, song: Song) -> None:
    for language, words in (("es", "Pista verdadera"), ("en", "True stem (reference)"), ("es", "Pista verdadera")):
        answer = researcher_client.get(reverse("study_add"), headers={"accept-language": language})
        assert words in answer.content.decode()


def test_a_new_study_begins_with_sensible_options(english: Client, song: Song) -> None:
    form = english.get(reverse("study_add")).context["form"]
    assert form["practice"].value() is True
    assert form["block_trials"].value() == 12
    assert form["equipment_sides"].value() == "warn"
    assert form["questions"].value() == ""
    assert form["scale_layout"].value() == "together"
    assert form["contamination_words"].value() == "amount"


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("controls", "anchor:worst", "not one of the available choices"),
        ("scale_layout", "sideways", "not one of the available choices"),
        ("contamination_words", "stars", "not one of the available choices"),
        ("loudness_rule", "louder", "not one of the available choices"),
        ("minimum_seconds", "-1", "greater than or equal to 0.5"),
        ("minimum_seconds", "nan", "Enter a number"),
        ("repeats_per_listener", "51", "less than or equal to 50"),
        ("equipment_sides", "shoot", "not one of the available choices"),
        ("questions", "{", "could not be read"),
        ("questions", '[{"piece": "shoes", "place": "opening", "needed": true}]', "Question 1 could not be read"),
        ("quota", "0", "greater than or equal to 1"),
        ("give_up_minutes", "1", "greater than or equal to 5"),
        ("retention_days", "0.5", "Enter a whole number"),
        ("platform_completed", "http://prolific.com", "must begin with https://"),
        ("platform_full", "https://x.org/{nobody}", "which nothing can fill in"),
    ],
)
def test_what_cannot_be_is_explained_and_nothing_is_saved(
    english: Client, song: Song, field: str, value: str, sentence: str
) -> None:
    data = {**EVERYTHING, field: value, **excerpts_data((song, "0.5", "2.5"))}
    answer = english.post(reverse("study_add"), data)
    assert answer.status_code == 200
    assert sentence in answer.content.decode()
    assert answer.context["form"].errors.keys() == {field}
    assert not Study.objects.exists()


def test_names_of_another_platform_s_parameters(english: Client, song: Song) -> None:
    data = {
        **EVERYTHING,
        "platform_kind": "other",
        "platform_names": "pid, lang",
        **excerpts_data((song, "0.5", "2.5")),
    }
    answer = english.post(reverse("study_add"), data)
    assert answer.context["form"].errors.keys() == {"platform_names"}
    english.post(reverse("study_add"), {**data, "platform_names": "pid, batch"})
    assert Study.objects.get().platform["names"] == ["pid", "batch"]


# ── What a session would be ─────────────────────────────────────────────────────────────────────────────────────────


def test_the_outline_of_the_form_as_it_stands(english: Client, song: Song) -> None:
    data = {**EVERYTHING, "questions": "", **excerpts_data((song, "0.5", "2.5"))}
    told = english.post(reverse("study_outline"), data).json()
    # 3 clips on each scale (the song has no true stem), 1 that comes back, 2 checks
    assert told["summary"].startswith("A session: 9 clips, about ")
    assert "20 listeners give each of the 3 clips 20 ratings on each scale." in told["summary"]
    assert any("Milonga" in advice and "true stems" in advice for advice in told["advice"])
    assert not Study.objects.exists()


def test_the_outline_of_an_empty_form_says_what_is_missing(english: Client) -> None:
    told = english.post(reverse("study_outline"), excerpts_data()).json()
    assert told == {
        "summary": "Choose an excerpt, a system and a source to see how long a session takes.",
        "advice": [],
    }


def test_the_outline_reads_past_what_is_not_filled_in_well(english: Client, song: Song) -> None:
    data = {
        **EVERYTHING,
        "quota": "x",
        "minimum_seconds": "-4",
        **excerpts_data((song, "0.5", "2.5"), (song, "9", "x")),
    }
    assert "16 listeners" in english.post(reverse("study_outline"), data).json()["summary"]


@pytest.mark.parametrize(
    ("outline", "presented", "ratings"),
    [
        (Outline(seconds=(10.0,) * 10, sources=4, conditions=3, trials_per_listener=24, quota=16), 24, (3, 4)),
        (Outline(seconds=(10.0,) * 10, sources=4, conditions=3, trials_per_listener=60, quota=16), 60, (8, 8)),
        (Outline(seconds=(10.0,), sources=1, conditions=3, apart=True, repeats=2, traps=1), 9, (16, 16)),
    ],
)
def test_what_a_session_asks(outline: Outline, presented: int, ratings: tuple[int, int]) -> None:
    assert outline.presented == presented
    assert outline.ratings_per_clip == ratings


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"trials_per_listener": 4},
        {"trials_per_listener": 4, "scale_layout": "apart"},
        {"repeats_per_listener": 2, "traps_per_listener": 1},
        {"repeats_per_listener": 1, "traps_per_listener": 2, "scale_layout": "apart"},
    ],
)
def test_the_outline_tells_what_the_planner_then_does(options: dict[str, Any]) -> None:
    study = study_open_make(songs=2, **options)
    session = session_enter(study=study, language="en")
    assert outline_selectors.study_outline(study).presented == session.trials.count()


def test_more_of_anything_takes_longer() -> None:
    small = Outline(seconds=(10.0,), sources=2, conditions=4, questions=5, checks=1)
    longer = [
        Outline(**{**vars(small), **more})
        for more in (
            {"apart": True},
            {"repeats": 4},
            {"traps": 4},
            {"practice": True},
            {"checks": 4},
            {"questions": 20},
            {"block_trials": 2},
            {"seconds": (20.0,)},
        )
    ]
    assert all(each.minutes > small.minutes for each in longer)


# ── The study's page, the API, the admin ────────────────────────────────────────────────────────────────────────────


def test_the_page_tells_what_was_decided(english: Client) -> None:
    study = study_open_make(**KEPT, questions=QUESTIONS, design_digest="ab" * 32)
    text = english.get(reverse("study", args=[study.id])).content.decode()
    for words in (
        "Mixture instead of the stem (anchor)",
        "All clips on one scale, then all on the other",
        "The words of Quality",
        "As loud as in the song",
        "2.5 s",
        "Left and right",
        "Volume set",
        "365 days",
        "abababababababab",
        "0 of 20 wanted have finished",
        "Each listener needs a link of their own",
    ):
        assert words in text, words


def test_the_page_shows_where_listeners_come_from_and_go_to(english: Client) -> None:
    study = study_open_make(platform={"kind": "prolific", "names": ["PROLIFIC_PID"], "completed": BACK, "full": ""})
    text = english.get(reverse("study", args=[study.id])).content.decode()
    assert "?PROLIFIC_PID={{%PROLIFIC_PID%}}" in text
    assert BACK in text


def test_the_api_has_every_option(english: Client) -> None:
    study = study_make(**KEPT, questions=QUESTIONS)
    facts = english.get(reverse("api_study", args=[study.id])).json()
    assert {name: facts[name] for name in KEPT} == KEPT
    assert facts["questions"] == QUESTIONS
    missing = {field.name for field in Study._meta.concrete_fields} - set(facts)
    assert missing == {"token", "created_by"} | {name for name in missing if name.startswith("preparation_")}


@pytest.mark.parametrize("model", ["study", "listeningsession", "invitation", "equipmentcheck", "clip", "trial"])
def test_the_admin_shows_the_rows_and_never_a_code(model: str, client: Client, django_user_model: Any) -> None:
    client.force_login(django_user_model.objects.create_superuser("root"), "django.contrib.auth.backends.ModelBackend")
    study = study_open_make(**{**KEPT, "links": "open"})
    invitation = Invitation.objects.create(study=study)
    session = session_enter(study=study, language="es", invitation=invitation)
    EquipmentCheck.objects.create(session=session, kind="sides")
    listed = client.get(reverse(f"admin:listening_test_{model}_changelist"))
    rows = listed.context["cl"].result_list
    page = client.get(reverse(f"admin:listening_test_{model}_change", args=[rows[0].pk])).content.decode()
    assert session.personal_code not in page
    assert session.token not in page


def test_advice_stands_on_the_page_of_a_draft(english: Client) -> None:
    study = study_make(trials_per_listener=2, controls=["anchor:degraded"])
    text = english.get(reverse("study", args=[study.id])).content.decode()
    assert "cannot be shared out evenly" in text
    assert outline_selectors.study_outline(study).conditions == 3


# ── The API writes drafts ───────────────────────────────────────────────────────────────────────────────────────────


def sent(client: Client, method: str, address: str, body: Any) -> Any:
    return client.generic(method, address, json.dumps(body), content_type="application/json")


def test_a_program_makes_a_draft_with_every_option(english: Client, song: Song) -> None:
    body = {
        **KEPT,
        "name": "Por programa",
        "systems": ["umxhq", "htdemucs"],
        "sources": ["vocals"],
        "questions": QUESTIONS,
        "platform": {"kind": "prolific", "completed": BACK},
        "excerpts": [{"song": str(song.id), "start": 0.5, "end": 2.5}],
        "texts": {"es": {"title": "¿Cómo suena?"}},
    }
    answer = sent(english, "POST", reverse("api_studies"), body)
    assert answer.status_code == 201
    study = Study.objects.get()
    assert {name: getattr(study, name) for name in KEPT} == KEPT
    assert (study.platform["completed"], study.texts.get().text) == (BACK, "¿Cómo suena?")
    assert answer.json()["excerpts"][0]["title"] == "Milonga"


def test_a_program_changes_only_what_it_sends(english: Client) -> None:
    study = study_make(quota=7)
    answer = sent(english, "PATCH", reverse("api_study", args=[study.id]), {"retention_days": 30})
    assert answer.status_code == 200
    study.refresh_from_db()
    assert (study.retention_days, study.quota, study.systems) == (30, 7, ["umxhq", "htdemucs"])
    assert study.excerpts.count() == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"quota": 0}, "quota"),
        ({"loudness_rule": "louder"}, "loudness_rule"),
        ({"equipment": {"nose": "warn"}}, "equipment"),
        ({"equipment": {"sides": "shoot"}}, "equipment"),
        ({"questions": [{"piece": "shoes"}]}, "questions"),
        ({"platform": {"kind": "prolific", "completed": "http://x.org"}}, "platform"),
        ({"systems": ["nobody"]}, "systems"),
        ({"texts": {"xx": {"title": "?"}}}, "texts"),
        ({"state": "open"}, "state"),
        ({"seed": 1}, "seed"),
        ({"excerpts": [{"song": "00000000-0000-0000-0000-000000000000", "start": 0, "end": 2}]}, "excerpts"),
    ],
)
def test_what_a_program_cannot_send(english: Client, body: dict[str, Any], field: str) -> None:
    study = study_make()
    before = studies.study_content(study)
    answer = sent(english, "PATCH", reverse("api_study", args=[study.id]), body)
    assert answer.status_code == 400
    assert answer.json().keys() == {field}
    assert studies.study_content(Study.objects.get()) == before


def test_a_program_cannot_change_an_open_study(english: Client) -> None:
    study = study_open_make()
    answer = sent(english, "PATCH", reverse("api_study", args=[study.id]), {"quota": 5})
    assert answer.status_code == 409
    assert "no longer a draft" in answer.json()["detail"]


def test_a_program_makes_links(english: Client) -> None:
    study = study_open_make()
    answer = sent(english, "POST", reverse("api_study_links", args=[study.id]), {"count": 2, "labels": ["Ana"]})
    assert answer.status_code == 201
    listed = english.get(reverse("api_study_links", args=[study.id])).json()
    assert sorted((row["label"], row["used"]) for row in listed) == [("", False), ("Ana", False)]
    assert all(f"/s/{study.token}/?i=" in row["link"] for row in listed)
    assert sent(english, "POST", reverse("api_study_links", args=[study.id]), {"count": 501}).status_code == 400


def test_only_researchers_may(client: Client) -> None:
    study = study_make()
    assert sent(client, "PATCH", reverse("api_study", args=[study.id]), {"quota": 5}).status_code == 403
    assert sent(client, "POST", reverse("api_study_links", args=[study.id]), {"count": 5}).status_code == 403
