"""What may change of a study while listeners come: how many, until when, and where they go back to."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from listening_test.design_selectors import design_unchanged
from listening_test.models import Study
from listening_test.services.studies import study_close
from tests.listening_test.factories import study_open_make
from tests.listening_test.test_versions import opened

pytestmark = pytest.mark.django_db

BACK = "https://app.prolific.com/submissions/complete?cc=C1A2B3"
PLATFORM = {
    "kind": "prolific",
    "names": ["PROLIFIC_PID", "STUDY_ID", "SESSION_ID"],
    "completed": BACK,
    "screened_out": "",
    "full": "",
}
SENT = {"quota": "30", "give_up_minutes": "90", "retention_days": "100"}


def send(client: Client, study: Study, **fields: str) -> Any:
    return client.post(reverse("study_recruiting", args=[study.pk]), {**SENT, **fields})


def test_it_changes_while_the_study_is_open_and_the_design_stays(english: Client) -> None:
    study = opened(quota=20, retention_days=365, platform=PLATFORM)
    address = f"{BACK}&batch={{STUDY_ID}}"
    answer = send(english, study, platform_completed=address, platform_full="https://x.org/full")
    assert answer.url == reverse("study", args=[study.pk])
    study = Study.objects.get(pk=study.pk)
    assert (study.quota, study.give_up_minutes, study.retention_days) == (30, 90, 100)
    assert study.platform == {**PLATFORM, "completed": address, "full": "https://x.org/full"}
    assert design_unchanged(study)


def test_the_form_shows_what_is_and_sent_as_it_is_changes_nothing(english: Client) -> None:
    study = study_open_make(quota=20, retention_days=365, platform=PLATFORM)
    form = english.get(reverse("study_recruiting", args=[study.pk])).context["form"]
    as_it_is = {name: form[name].value() for name in form.fields}
    before = Study.objects.values().get(pk=study.pk)
    assert english.post(reverse("study_recruiting", args=[study.pk]), as_it_is).status_code == 302
    assert Study.objects.values().get(pk=study.pk) == before


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("quota", "0", "greater than or equal to 1"),
        ("give_up_minutes", "", "This field is required"),
        ("give_up_minutes", "1", "greater than or equal to 5"),
        ("retention_days", "366", "it can be shorter, and not longer"),
        ("retention_days", "", "Listeners have agreed that it is 365 days"),
        ("platform_completed", "http://prolific.com", "must begin with https://"),
        ("platform_full", "https://x.org/{nobody}", "which nothing can fill in"),
    ],
)
def test_what_cannot_be_is_said_and_changes_nothing(english: Client, field: str, value: str, sentence: str) -> None:
    study = study_open_make(quota=20, retention_days=365, platform=PLATFORM)
    before = Study.objects.values().get(pk=study.pk)
    answer = send(english, study, **{field: value})
    assert sentence in answer.content.decode()
    assert field in answer.context["form"].errors
    assert Study.objects.values().get(pk=study.pk) == before


def test_a_study_without_a_platform_gets_none(english: Client) -> None:
    study = study_open_make()
    assert "platform_completed" not in english.get(reverse("study_recruiting", args=[study.pk])).content.decode()
    send(english, study, platform_kind="prolific", platform_completed=BACK)
    assert Study.objects.get(pk=study.pk).platform == {}


def test_only_an_open_study_has_it(english: Client) -> None:
    study = study_open_make(quota=20)
    address = reverse("study_recruiting", args=[study.pk])
    assert address in english.get(reverse("study", args=[study.pk])).content.decode()
    study_close(study=study)
    assert send(english, study).url == reverse("study", args=[study.pk])
    assert Study.objects.get(pk=study.pk).quota == 20
    assert address not in english.get(reverse("study", args=[study.pk])).content.decode()


def test_it_is_for_researchers(client: Client) -> None:
    study = study_open_make(quota=20)
    assert send(client, study).status_code in (302, 403)
    assert Study.objects.get(pk=study.pk).quota == 20


@pytest.mark.parametrize(
    ("language", "said"), [("en", "in Spanish, Portuguese or English"), ("es", "en español, portugués o inglés")]
)
def test_the_page_of_a_study_names_the_languages_there_are(
    researcher_client: Client, settings: Any, language: str, said: str
) -> None:
    settings.LANGUAGES = [("es", "español"), ("pt", "português"), ("en", "English")]
    study = study_open_make()
    answer = researcher_client.get(reverse("study", args=[study.pk]), headers={"accept-language": language})
    assert said in answer.content.decode()
