"""The researcher's pages, as a browser asks for them, in both languages."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from listening_test.models import Clip, Study
from listening_test.services import clips as clip_services
from listening_test.services import studies
from separation.models import SeparationJob, Song
from tests.factories import RATE, song_make, sound
from tests.listening_test.factories import (
    rate,
    separated_make,
    session_make,
    stem_make,
    study_make,
    study_open_make,
)

pytestmark = pytest.mark.django_db


def page(client: Client, name: str, *args: Any) -> str:
    answer = client.get(reverse(name, args=args))
    assert answer.status_code == 200
    return answer.content.decode()


def excerpts_data(*rows: tuple[Any, Any, Any]) -> dict[str, Any]:
    data: dict[str, Any] = {"excerpt-TOTAL_FORMS": len(rows), "excerpt-INITIAL_FORMS": 0}
    for number, (song, start, end) in enumerate(rows):
        data |= {
            f"excerpt-{number}-song": song.id if isinstance(song, Song) else song,
            f"excerpt-{number}-start": start,
            f"excerpt-{number}-end": end,
        }
    return data


@pytest.fixture
def song() -> Song:
    song = song_make(title="Milonga", seconds=3.0)
    for system in ("umxhq", "htdemucs"):
        separated_make(song=song, system=system)
    return song


# ── Who may see them ────────────────────────────────────────────────────────────────────────────────────────────────

GET = ("study", "study_edit")
POST = ("study_open", "study_stop", "study_close", "study_reopen", "study_duplicate", "study_delete", "study_edit")
API = ("api_study", "api_study_sessions")


def addresses(study: Study) -> list[tuple[str, str]]:
    clip = study.clips.first()
    assert clip is not None
    return [
        *(("get", reverse(name, args=[study.id])) for name in GET),
        *(("post", reverse(name, args=[study.id])) for name in POST),
        ("get", reverse("studies")),
        ("get", reverse("study_add")),
        ("post", reverse("study_add")),
        ("get", reverse("excerpt_suggestion", args=[study.excerpts.all()[0].song_id])),
        ("get", reverse("clip_audio_preview", args=[study.id, clip.id])),
    ]


def test_strangers_are_asked_to_log_in_and_others_are_refused(client: Client) -> None:
    study = study_open_make()
    for method, address in addresses(study):
        answer = getattr(client, method)(address)
        assert answer.status_code == 302, address
        assert answer.url.startswith("/accounts/login/"), address
    client.force_login(User.objects.create_user("listener"), backend="django.contrib.auth.backends.ModelBackend")
    for method, address in addresses(study):
        assert getattr(client, method)(address).status_code == 403, address
    study.refresh_from_db()
    assert study.is_open


@pytest.mark.parametrize("name", ["study_open", "study_stop", "study_close", "study_reopen", "study_delete"])
def test_looking_at_an_address_changes_nothing(researcher_client: Client, name: str) -> None:
    study = study_open_make()
    assert researcher_client.get(reverse(name, args=[study.id])).status_code == 405
    assert Study.objects.get().is_open


@pytest.mark.parametrize("name", [*GET, *API])
def test_a_study_that_is_not_there_is_not_found(researcher_client: Client, name: str) -> None:
    assert researcher_client.get(reverse(name, args=[uuid4()])).status_code == 404


# ── The list ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_empty_list_teaches_the_three_steps(researcher_client: Client, english: Client) -> None:
    text = page(english, "studies")
    for word in ("Song", "Study", "Link", reverse("song_add")):
        assert word in text
    song_make()
    assert reverse("study_add") in page(english, "studies")


def test_the_list_shows_state_and_counts_and_what_is_demo(english: Client) -> None:
    study = study_open_make(name="Con datos")
    session = session_make(study, simulated=True, done=True)
    rate(session.trials.all()[0], quality=4, contamination=5)
    study_make(name="Demostración", is_demo=True)
    text = page(english, "studies")
    shown, demo = text.split("Demostración")[1], text.split("Demostración")[0]
    assert "Con datos" in text
    assert "Simulated listeners" in shown or "Simulated listeners" in demo
    assert text.count(">Demo<") == 1
    assert "<dd>2</dd>" in text  # two ratings


def test_pages_speak_spanish_unless_english_is_asked_for(researcher_client: Client) -> None:
    study = study_make()
    spanish = page(researcher_client, "study", study.id)
    assert '<html lang="es"' in spanish
    english = researcher_client.get(reverse("study", args=[study.id]), headers={"accept-language": "en"})
    assert "Open the study" in english.content.decode()


# ── One study ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_draft_that_lacks_stems_says_which_and_links_to_the_song(english: Client) -> None:
    study = study_make(songs=2, systems=("umxhq", "htdemucs"))
    song = study.excerpts.all()[0].song
    song.jobs.get(separator="htdemucs").stems.get(source="drums").delete()
    other = study.excerpts.all()[1].song
    other.jobs.filter(separator="umxhq").delete()
    SeparationJob.objects.create(song=other, separator="umxhq", weights="published")
    text = page(english, "study", study.id)
    assert reverse("song", args=[song.id]) in text
    assert "Does not give this source" in text
    assert "Queued" in text
    assert reverse("study_open", args=[study.id]) not in text


def test_a_failed_preparation_is_told_on_the_page(english: Client) -> None:
    refusal = {
        "code": "stem_too_quiet",
        "params": {"song": "Milonga", "start": "1", "end": "2.5", "source": "drums", "system": "umx:demo"},
    }
    study = study_make(preparation_error={"refusals": [refusal]})
    text = page(english, "study", study.id)
    assert "“Milonga”, 1–2.5 s: Drums by Open-Unmix demo is practically silent there." in text
    assert "choose another excerpt" in text


def test_opening_from_the_page_and_its_progress(
    english: Client, django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = study_make()
    answer = english.post(reverse("study_open", args=[study.id]), follow=True)
    assert "The clips are being made" in answer.content.decode()
    facts = english.get(reverse("api_study", args=[study.id])).json()
    assert (facts["state"], facts["clips_made"]) == ("preparing", 0)
    clip_services.clips_make(study=study)
    assert english.get(reverse("api_study", args=[study.id])).json()["clips_made"] == facts["clips_expected"]
    english.post(reverse("study_stop", args=[study.id]))
    study.refresh_from_db()
    assert study.is_editable


def test_a_study_that_cannot_open_says_why(english: Client) -> None:
    study = studies.study_add(content=studies.StudyContent(name="Vacío"))
    answer = english.post(reverse("study_open", args=[study.id]), follow=True)
    assert "No excerpt has been chosen" in answer.content.decode()
    study.refresh_from_db()
    assert study.is_editable


def test_an_open_study_shows_its_link_in_every_language(english: Client) -> None:
    study = study_open_make()
    text = page(english, "study", study.id)
    link = f"http://testserver{reverse('listen', args=[study.token])}"
    for address in (link, f"{link}?lang=es", f"{link}?lang=en"):
        assert f'value="{address}"' in text
    assert reverse("results", args=[study.id]) in text


@pytest.mark.parametrize("state", ["draft", "preparing", "closed"])
def test_the_link_is_offered_only_while_the_study_is_open(english: Client, state: str) -> None:
    study = study_make(state=state)
    assert study.token not in page(english, "study", study.id)


def test_demo_and_simulated_are_said_on_the_page(english: Client) -> None:
    study = study_open_make(is_demo=True)
    session_make(study, simulated=True)
    text = page(english, "study", study.id)
    assert "This is a demo" in text
    assert "no person gave these ratings" in text
    plain = page(english, "study", study_open_make().id)
    assert "This is a demo" not in plain
    assert "no person gave these ratings" not in plain


def test_closing_reopening_copying(english: Client) -> None:
    study = study_open_make()
    english.post(reverse("study_close", args=[study.id]))
    assert Study.objects.get().state == Study.State.CLOSED
    english.post(reverse("study_reopen", args=[study.id]))
    assert Study.objects.get().is_open
    answer = english.post(reverse("study_duplicate", args=[study.id]), follow=True)
    assert "Un estudio (copy)" in answer.content.decode()
    assert Study.objects.count() == 2


def test_deleting_asks_for_the_name_where_real_ratings_are(english: Client) -> None:
    study = study_open_make()
    rate(session_make(study).trials.all()[0], quality=4)
    assert 'name="typed_name"' in page(english, "study", study.id)
    answer = english.post(reverse("study_delete", args=[study.id]), {"typed_name": "otro"}, follow=True)
    assert "type its name exactly" in answer.content.decode()
    answer = english.post(reverse("study_delete", args=[study.id]), {"typed_name": "Un estudio"}, follow=True)
    assert "was deleted" in answer.content.decode()
    assert not Study.objects.exists()


def test_clips_can_be_heard_by_name_in_whole_and_in_part(english: Client) -> None:
    study = study_open_make()
    clip = study.clips.filter(purpose=Clip.Purpose.TEST)[0]
    address = reverse("clip_audio_preview", args=[study.id, clip.id])
    text = page(english, "study", study.id)
    assert address in text
    assert "Open-Unmix umxhq" in text
    whole = english.get(address)
    with clip.file.open("rb") as file:
        data = file.read()
    assert b"".join(whole.streaming_content) == data
    part = english.get(address, headers={"range": "bytes=10-19"})
    assert part.status_code == 206
    assert b"".join(part.streaming_content) == data[10:20]
    senseless = english.get(address, headers={"range": f"bytes={'9' * 5000}-"})
    assert b"".join(senseless.streaming_content) == data
    other = study_open_make()
    assert english.get(reverse("clip_audio_preview", args=[other.id, clip.id])).status_code == 404


def test_a_name_with_markup_is_shown_as_text(english: Client) -> None:
    name = "<script>alert('x')</script>"
    study = study_make(name=name)
    for text in (page(english, "studies"), page(english, "study", study.id), page(english, "study_edit", study.id)):
        assert name not in text
        assert escape(name) in text


# ── The form ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_study_is_made_on_one_page(english: Client, researcher: User, song: Song) -> None:
    data = {
        "name": "Milongas",
        "systems": ["umxhq", "htdemucs"],
        "sources": ["vocals"],
        "trials_per_listener": 4,
        "show_mixture": "on",
        "title_es": "¿Cómo suena?",
        "consent_en": "I agree.",
        **excerpts_data((song, "0.5", "2.5"), ("", "", ""), (song, "1", "3")),
    }
    answer = english.post(reverse("study_add"), data)
    study = Study.objects.get()
    assert answer.url == reverse("study", args=[study.id])
    assert (study.name, study.created_by, study.trials_per_listener, study.show_mixture) == (
        "Milongas",
        researcher,
        4,
        True,
    )
    assert study.systems == ["umxhq", "htdemucs"]
    assert study.sources == ["vocals"]
    assert [(excerpt.start, excerpt.end) for excerpt in study.excerpts.all()] == [(0.5, 2.5), (1.0, 3.0)]
    assert {(text.language, text.key): text.text for text in study.texts.all()} == {
        ("es", "title"): "¿Cómo suena?",
        ("en", "consent"): "I agree.",
    }


def test_the_form_of_a_study_shows_it_and_saving_it_unchanged_changes_nothing(english: Client) -> None:
    study = study_make(songs=2, systems=("umxhq", "htdemucs"), trials_per_listener=2, show_mixture=True)
    content = studies.study_content(study)
    ids = set(study.excerpts.values_list("id", flat=True))
    answer = english.get(reverse("study_edit", args=[study.id]))
    form, rows = answer.context["form"], answer.context["excerpts"]
    data = {name: form[name].value() for name in form.fields if form[name].value() not in (None, False)}
    spans = [tuple(row[name].value() for name in ("song", "start", "end")) for row in rows]
    english.post(reverse("study_edit", args=[study.id]), {**data, **excerpts_data(*spans)})
    study.refresh_from_db()
    assert studies.study_content(study) == content
    assert set(study.excerpts.values_list("id", flat=True)) == ids


@pytest.mark.parametrize(
    ("start", "end", "sentence"),
    [
        ("1", "9", "must lie inside the song, which lasts 3 s"),
        ("1", "1.2", "lasts at least 1 s"),
        ("-1", "2", "greater than or equal to 0"),
        ("", "2", "required"),
        ("x", "2", "Enter a number"),
        ("nan", "2", "Enter a number"),
    ],
)
def test_a_bad_excerpt_is_explained_and_nothing_is_saved(
    english: Client, song: Song, start: str, end: str, sentence: str
) -> None:
    answer = english.post(reverse("study_add"), {"name": "X", **excerpts_data((song, start, end))})
    assert answer.status_code == 200
    assert sentence in answer.content.decode()
    assert not Study.objects.exists()


def test_the_same_excerpt_twice_is_explained(english: Client, song: Song) -> None:
    answer = english.post(reverse("study_add"), {"name": "X", **excerpts_data((song, "0", "2"), (song, "0", "2"))})
    assert "in the study already" in answer.content.decode()
    assert not Study.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"), [("systems", "reference' OR 1=1"), ("sources", "kazoo"), ("trials_per_listener", "0")]
)
def test_what_is_not_offered_is_refused(english: Client, song: Song, field: str, value: str) -> None:
    answer = english.post(reverse("study_add"), {"name": "X", field: value, **excerpts_data((song, "0", "2"))})
    assert answer.status_code == 200
    assert answer.context["form"].errors.keys() == {field}


def test_a_name_is_needed(english: Client) -> None:
    answer = english.post(reverse("study_add"), {"name": "  ", **excerpts_data()})
    assert answer.context["form"].errors.keys() == {"name"}
    assert not Study.objects.exists()


def test_a_half_made_draft_can_be_saved(english: Client) -> None:
    english.post(reverse("study_add"), {"name": "Más tarde", **excerpts_data()})
    assert Study.objects.get().name == "Más tarde"


def test_the_form_knows_what_each_song_offers(english: Client, song: Song) -> None:
    separated_make(song=song_make(title="Zamba"), system="umx:demo", sources=("vocals", "bass"))
    answer = english.get(reverse("study_add"))
    offer = json.loads(answer.context["offer"])
    assert offer[str(song.id)] == {"umxhq": ["drums", "vocals"], "htdemucs": ["drums", "vocals"]}
    text = answer.content.decode()
    assert f'data-audio="{reverse("song_audio", args=[song.id])}"' in text
    assert 'data-seconds="3.000"' in text
    for name in ("Open-Unmix umxhq", "Open-Unmix demo", "Vocals", "Bass"):
        assert name in text


def test_without_any_song_the_form_says_what_comes_first(english: Client) -> None:
    assert "There is no song yet" in page(english, "study_add")
    song_make()
    assert "There is no song yet" not in page(english, "study_add")


def test_own_texts_are_shown_as_placeholders_in_their_language(english: Client, song: Song) -> None:
    text = page(english, "study_add")
    assert "Taking part is voluntary" in text
    assert 'lang="es"' in text


def test_only_a_draft_has_a_form(english: Client) -> None:
    study = study_open_make()
    answer = english.get(reverse("study_edit", args=[study.id]), follow=True)
    assert "no longer a draft" in answer.content.decode()
    english.post(reverse("study_edit", args=[study.id]), {"name": "Otro", **excerpts_data()})
    assert Study.objects.get().name == "Un estudio"


def test_a_study_opened_meanwhile_in_another_tab_is_not_changed(
    english: Client, song: Song, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = study_make()
    update = studies.study_update

    def opened_first(*, study: Study, content: studies.StudyContent) -> Study:
        Study.objects.update(state="open", opened_at=timezone.now())
        return update(study=study, content=content)

    monkeypatch.setattr(studies, "study_update", opened_first)
    answer = english.post(reverse("study_edit", args=[study.id]), {"name": "Otro", **excerpts_data()})
    assert "no longer a draft" in answer.content.decode()
    assert Study.objects.get().name == "Un estudio"


# ── Suggestions ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_passage_is_suggested_where_every_chosen_stem_sounds(english: Client) -> None:
    song = song_make(seconds=40.0)
    late = sound(40.0)
    late[:, : 30 * RATE] = 0.0  # silent in the middle
    job = separated_make(song=song, system="umxhq", sources=("drums",))
    stem_make(song=song, source="vocals", job=job, samples=late)
    address = reverse("excerpt_suggestion", args=[song.id])
    assert english.get(address).json().items() >= {"start": 15.0, "end": 25.0}.items()
    asked = english.get(address, {"system": ["umxhq"], "source": ["vocals", "drums"]}).json()
    assert asked["start"] >= 20.0
    assert asked["end"] == asked["start"] + 10.0
    heard = late[:, round(asked["start"] * RATE) : round(asked["end"] * RATE)]
    assert np.any(heard)


def test_a_short_song_is_suggested_whole(english: Client) -> None:
    song = song_make(seconds=3.456)
    span = english.get(reverse("excerpt_suggestion", args=[song.id])).json()
    assert (span["start"], span["end"]) == (0.0, 3.45)
    song = song_make(seconds=12.345)
    span = english.get(reverse("excerpt_suggestion", args=[song.id])).json()
    assert studies.span_checked(song=song, start=span["start"], end=span["end"])


# ── The API ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_api_tells_studies_and_their_progress(english: Client) -> None:
    study = study_open_make(songs=1)
    session = session_make(study, done=True)
    session_make(study, simulated=True)
    rate(session.trials.all()[0], quality=4, contamination=5)
    (listed,) = english.get(reverse("api_studies")).json()
    alone = english.get(reverse("api_study", args=[study.id])).json()
    assert listed == alone
    assert alone["state"] == "open"
    assert (alone["sessions_started"], alone["sessions_completed"], alone["sessions_simulated"]) == (2, 1, 1)
    assert (alone["ratings"], alone["fewest_per_clip"], alone["most_per_clip"]) == (2, 0, 1)
    assert alone["excerpts"][0]["start"] == 0.5
    assert alone["link"].endswith(reverse("listen", args=[study.token]))
    sessions = english.get(reverse("api_study_sessions", args=[study.id])).json()
    assert [(one["number"], one["simulated"], one["trials"], one["trials_finished"]) for one in sessions] == [
        (0, False, 4, 1),
        (1, True, 4, 0),
    ]
    told = json.dumps(sessions)
    assert session.token not in told
    assert session.completion_code not in told


@pytest.mark.parametrize("name", ["api_studies", "api_study", "api_study_sessions"])
def test_the_api_is_for_researchers_and_changes_no_open_study(client: Client, english: Client, name: str) -> None:
    study = study_open_make()
    address = reverse(name, args=[] if name == "api_studies" else [study.id])
    assert english.get(address).status_code == 200
    for method in ("post", "put", "patch", "delete"):
        answer = getattr(english, method)(address, "{}", content_type="application/json")
        assert answer.status_code in (400, 403, 405, 409), method
    assert Study.objects.count() == 1
    english.logout()
    assert client.get(address).status_code == 403
    listener = User.objects.create_user("listener")
    client.force_login(listener, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(address).status_code == 403


def test_the_schema_tells_of_the_api(english: Client) -> None:
    schema = english.get(reverse("api_schema"), {"format": "json"}).json()
    assert "sessions_started" in schema["components"]["schemas"]["Study"]["properties"]


# ── The admin ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_admin_shows_ratings_and_changes_none(client: Client) -> None:
    admin = User.objects.create_superuser("admin", password="a long password")
    client.force_login(admin, backend="django.contrib.auth.backends.ModelBackend")
    study = study_open_make()
    session = session_make(study)
    rate(session.trials.all()[0], quality=4)
    rating = session.trials.all()[0].ratings.get()
    for model in ("study", "clip", "listener", "listeningsession", "trial", "rating"):
        assert client.get(reverse(f"admin:listening_test_{model}_changelist")).status_code == 200
    detail = client.get(reverse("admin:listening_test_rating_change", args=[rating.pk]))
    assert detail.status_code == 200
    assert client.post(reverse("admin:listening_test_rating_change", args=[rating.pk]), {"value": 1}).status_code == 403
    assert client.post(reverse("admin:listening_test_rating_delete", args=[rating.pk])).status_code == 403
    assert client.get(reverse("admin:listening_test_rating_add")).status_code == 403
    shown = client.get(reverse("admin:listening_test_listeningsession_change", args=[session.pk])).content.decode()
    assert session.token not in shown
    rating.refresh_from_db()
    assert rating.value == 4
