"""Which answers count."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import translation

from listening_test import questionnaire
from listening_test.questionnaire import Kind, SongAsked
from listening_test.refusal import BadValue

SONGS = [SongAsked("1", "Río", "folk"), SongAsked("2", "Neón")]
OPENING = questionnaire.opening(SONGS)
ENOUGH: dict[str, Any] = {"familiarity:1": 5, "familiarity:2": 1, "experience": "casual"}


def test_familiarity_is_asked_for_each_song_with_its_title_and_style() -> None:
    asked = [question for question in OPENING if question.key.startswith("familiarity:")]
    assert [(question.about, question.help) for question in asked] == [("Río", "folk"), ("Neón", "")]
    assert asked[0].values == [1, 2, 3, 4, 5]


def test_only_what_the_analysis_needs_is_required() -> None:
    assert questionnaire.required_keys(OPENING) == {"familiarity:1", "familiarity:2", "experience"}
    assert questionnaire.required_keys(questionnaire.closing()) == {"attention", "distraction"}


def test_experience_goes_from_casual_to_trained() -> None:
    assert questionnaire.EXPERIENCE.values[0] == "casual"
    assert questionnaire.EXPERIENCE.values[-1] == "trained"


def test_required_answers_are_enough() -> None:
    assert questionnaire.checked(OPENING, ENOUGH) == ENOUGH


def test_optional_answers_are_kept_and_empty_ones_left_out() -> None:
    given = {**ENOUGH, "genres": ["rock", "tango"], "age_band": "25-34", "equipment": "", "hearing_difficulty": None}
    assert questionnaire.checked(OPENING, given) == {**ENOUGH, "genres": ["rock", "tango"], "age_band": "25-34"}


def test_a_comment_is_trimmed_and_an_empty_one_left_out() -> None:
    closing = {"attention": 4, "distraction": 1}
    assert questionnaire.checked(questionnaire.closing(), {**closing, "comment": "  Hola \n"})["comment"] == "Hola"
    assert questionnaire.checked(questionnaire.closing(), {**closing, "comment": " \n"}) == closing


@pytest.mark.parametrize(
    ("key", "value", "code"),
    [
        ("experience", "", "answer_missing"),
        ("familiarity:1", None, "answer_missing"),
        ("familiarity:1", 0, "answer_bad"),
        ("familiarity:1", 6, "answer_bad"),
        ("familiarity:1", 3.0, "answer_bad"),
        ("familiarity:1", True, "answer_bad"),
        ("familiarity:1", "3", "answer_bad"),
        ("experience", "wizard", "answer_bad"),
        ("experience", ["casual"], "answer_bad"),
        ("genres", "rock", "answer_bad"),
        ("genres", ["rock", "polka"], "answer_bad"),
        ("genres", ["rock", "rock"], "answer_bad"),
        ("genres", [["rock"]], "answer_bad"),
        ("age_band", {"a": 1}, "answer_bad"),
        ("name", "Ana", "answer_unknown"),
        ("familiarity:3", 3, "answer_unknown"),
    ],
)
def test_answers_that_are_none(key: str, value: Any, code: str) -> None:
    with pytest.raises(BadValue) as refusal:
        questionnaire.checked(OPENING, {**ENOUGH, key: value})
    assert refusal.value.code == code
    assert refusal.value.params == {"question": key}


@pytest.mark.parametrize("comment", ["x" * 2001, 5, ["a"]])
def test_comments_that_are_none(comment: Any) -> None:
    with pytest.raises(BadValue, match="answer_bad"):
        questionnaire.checked(questionnaire.closing(), {"attention": 4, "distraction": 1, "comment": comment})


def test_keys_are_unique_and_every_choice_has_words() -> None:
    questions = [*OPENING, *questionnaire.closing()]
    assert len({question.key for question in questions}) == len(questions)
    with translation.override("en"):
        for question in questions:
            assert str(question.label)
            assert (question.kind == Kind.TEXT) == (not question.options)
            assert len({str(words) for _value, words in question.options}) == len(question.options)
