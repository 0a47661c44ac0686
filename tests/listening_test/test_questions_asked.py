"""A questionnaire of the researcher's own, as a listener's browser meets it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from listening_test.models import Answer, ListeningSession, Study
from tests.listening_test.factories import study_open_make
from tests.listening_test.test_questionnaire import AGE, CITY, ROOM, SCALE
from tests.listening_test.visits import Browser

pytestmark = pytest.mark.django_db

NEEDED_ROOM = {**ROOM, "needed": True}
ASKED = [
    NEEDED_ROOM,
    {**ROOM, "own": "q5", "kind": "choices", "label": {"es": "¿Con quién?", "en": "With whom?"}},
    {**AGE, "needed": True},
    CITY,
    {**SCALE, "own": "q6", "place": "opening"},
    {**SCALE, "needed": False},
    {"piece": "comment", "place": "closing", "needed": True},
]
GOOD: dict[str, Any] = {"own:q1": "2", "own:q5": ["1", "2"], "own:q3": "34", "own:q4": " Rosario ", "own:q6": "3"}


@pytest.fixture
def study() -> Study:
    return study_open_make(questions=ASKED)


def entered(study: Study, language: str = "en") -> Browser:
    browser = Browser(study, client=Client(headers={"Accept-Language": language}))
    browser.agree()
    return browser


@pytest.mark.parametrize(
    ("language", "words"),
    [("es", ["¿Dónde?", "En un aula", "Ciudad", "Mucho", "opcional"]), ("en", ["Where?", "In a classroom", "Town"])],
)
def test_questions_are_asked_in_the_listener_s_language(study: Study, language: str, words: list[str]) -> None:
    text = entered(study, language).get().content.decode()
    for each in words:
        assert each in text, each
    assert "How familiar" not in text
    assert 'class="steps-3"' in text


def test_answers_are_stored_with_their_types(study: Study) -> None:
    browser = entered(study)
    browser.post("questionnaire/", GOOD)
    kept = dict(Answer.objects.values_list("question", "value"))
    assert kept == {"own:q1": "2", "own:q5": ["1", "2"], "own:q3": 34.0, "own:q4": "Rosario", "own:q6": 3}
    assert browser.session.step != ListeningSession.Step.QUESTIONNAIRE


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"own:q1": ""}, "own:q1"),
        ({"own:q1": "3"}, "own:q1"),
        ({"own:q3": ""}, "own:q3"),
        ({"own:q3": "121"}, "own:q3"),
        ({"own:q3": "nan"}, "own:q3"),
        ({"own:q4": "x" * 201}, "own:q4"),
        ({"own:q6": "4"}, "own:q6"),
        ({"own:q6": ""}, "own:q6"),
        ({"own:q5": ["1", "9"]}, "own:q5"),
    ],
)
def test_what_is_no_answer_is_marked_and_nothing_is_stored(study: Study, change: dict[str, Any], key: str) -> None:
    browser = entered(study)
    answer = browser.post("questionnaire/", {**GOOD, **change})
    assert answer.status_code == 200
    assert answer.context["form"].errors.keys() == {key}
    assert "A question is still open" in answer.content.decode()
    assert not Answer.objects.exists()
    assert browser.session.step == ListeningSession.Step.QUESTIONNAIRE


def test_optional_questions_may_stay_open(study: Study) -> None:
    entered(study).post("questionnaire/", {"own:q1": "1", "own:q3": "20", "own:q6": "1"})
    assert set(Answer.objects.values_list("question", flat=True)) == {"own:q1", "own:q3", "own:q6"}


def test_the_last_page_asks_what_was_put_there(study: Study) -> None:
    browser = entered(study)
    ListeningSession.objects.update(step="closing")
    text = browser.get().content.decode()
    assert "Tiring?" in text
    assert "How much attention" not in text
    browser.post("closing/", {"own:q2": "2"})
    assert browser.session.step == ListeningSession.Step.CLOSING  # the comment is needed here
    browser.post("closing/", {"own:q2": "2", "comment": "Bien"})
    assert dict(Answer.objects.values_list("question", "value")) == {"own:q2": 2, "comment": "Bien"}


def test_a_study_without_questions_has_no_such_steps() -> None:
    study = study_open_make(questions=[])
    browser = entered(study)
    assert browser.session.step == ListeningSession.Step.INSTRUCTIONS
