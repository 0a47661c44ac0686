"""Which answers count."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import translation

from listening_test import messages, questionnaire
from listening_test.questionnaire import Kind, SongAsked
from listening_test.refusal import BadValue, Refused

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
    asked = next(question for question in OPENING if question.key == "experience")
    assert (asked.values[0], asked.values[-1]) == ("casual", "trained")


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


# ── A list of the researcher's own ──────────────────────────────────────────────────────────────────────────────────

LANGUAGES = ("es", "en")
PLACE = {"place": "opening", "needed": False}
ROOM = {
    **PLACE,
    "own": "q1",
    "kind": "choice",
    "label": {"es": "¿Dónde?", "en": "Where?"},
    "options": [{"es": "En casa", "en": "At home"}, {"es": "En un aula", "en": "In a classroom"}],
}
SCALE = {
    "own": "q2",
    "kind": "steps",
    "place": "closing",
    "needed": True,
    "label": {"es": "¿Cansa?", "en": "Tiring?"},
    "options": [{"es": "Nada", "en": "Not at all"}, {"es": "", "en": ""}, {"es": "Mucho", "en": "Very"}],
}
AGE = {**PLACE, "own": "q3", "kind": "number", "label": {"es": "Edad", "en": "Age"}, "least": 0, "most": 120}
CITY = {**PLACE, "own": "q4", "kind": "line", "label": {"es": "Ciudad", "en": "Town"}}


def own(*entries: dict[str, Any]) -> list[dict[str, Any]]:
    return questionnaire.questions_checked(list(entries), LANGUAGES)


def test_a_list_replaces_the_product_s_choice_and_keeps_its_order_and_places() -> None:
    made = own(AGE, {"piece": "musician", "place": "opening", "needed": True}, SCALE)
    asked = questionnaire.opening(SONGS, made)
    assert [(question.key, question.required) for question in asked] == [("own:q3", False), ("musician", True)]
    assert [question.key for question in questionnaire.closing(made)] == ["own:q2"]


def test_the_product_s_own_choice_written_out_asks_the_same() -> None:
    made = questionnaire.questions_checked(questionnaire.usual(), LANGUAGES)
    assert questionnaire.opening(SONGS, made) == OPENING
    assert questionnaire.closing(made) == questionnaire.closing()


def test_familiarity_can_be_optional_and_asked_at_the_end() -> None:
    made = own({"piece": "familiarity", "place": "closing", "needed": False})
    assert questionnaire.opening(SONGS, made) == []
    assert [(question.about, question.required) for question in questionnaire.closing(made, SONGS)] == [
        ("Río", False),
        ("Neón", False),
    ]


@pytest.mark.parametrize(("language", "words"), [("es", "En un aula"), ("en", "In a classroom"), ("ar", "En un aula")])
def test_own_words_come_in_the_reader_s_language_and_the_value_is_the_same_in_all(language: str, words: str) -> None:
    with translation.override(language):
        assert str(questionnaire.opening([], own(ROOM))[0].options[1][1]) == words
    assert questionnaire.checked(questionnaire.opening([], own(ROOM)), {"own:q1": "2"}) == {"own:q1": "2"}


@pytest.mark.parametrize(
    ("entry", "value", "kept"),
    [
        (AGE, 34, 34),
        (AGE, 0, 0),
        (AGE, 121, None),
        (AGE, -1, None),
        (AGE, "34", None),
        (AGE, True, None),
        (AGE, float("nan"), None),
        (CITY, " Rosario ", "Rosario"),
        (CITY, "x" * 201, None),
        (CITY, "a\nb", None),
        (CITY, 5, None),
        ({**ROOM, "kind": "choices"}, ["2", "1"], ["2", "1"]),
        ({**ROOM, "kind": "choices"}, ["3"], None),
        ({**SCALE, "place": "opening"}, 3, 3),
        ({**SCALE, "place": "opening"}, "3", None),
        ({**SCALE, "place": "opening"}, 4, None),
    ],
)
def test_answers_to_own_questions_are_typed(entry: dict[str, Any], value: Any, kept: Any) -> None:
    questions = questionnaire.opening([], own(entry))
    if kept is None:
        with pytest.raises(BadValue, match="answer_bad"):
            questionnaire.checked(questions, {questions[0].key: value})
    else:
        assert questionnaire.checked(questions, {questions[0].key: value}) == {questions[0].key: kept}


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("not a list", "questions_bad"),
        ([PLACE] * 61, "questions_bad"),
        (["text"], "question_bad"),
        ([{"piece": "shoe_size", **PLACE}], "question_bad"),
        ([{"piece": "genres", "place": "middle", "needed": True}], "question_bad"),
        ([{"piece": "genres", "place": "opening", "needed": "yes"}], "question_bad"),
        ([{"piece": "genres", **PLACE}, {"piece": "genres", **PLACE}], "question_twice"),
        ([ROOM, ROOM], "question_twice"),
        ([{**ROOM, "own": "../x"}], "question_bad"),
        ([{**ROOM, "kind": "essay"}], "question_bad"),
        ([{**ROOM, "kind": ["choice"]}], "question_bad"),
        ([{**ROOM, "label": {"es": "¿Dónde?"}}], "question_without_words"),
        ([{**ROOM, "label": "Where?"}], "question_without_words"),
        ([{**ROOM, "label": {"es": "x" * 501, "en": "x"}}], "question_long"),
        ([{**ROOM, "options": ROOM["options"][:1]}], "question_options"),
        ([{**ROOM, "options": ROOM["options"] * 11}], "question_options"),
        ([{**ROOM, "options": "abc"}], "question_options"),
        ([{**ROOM, "options": [{"es": "Sí", "en": ""}, {"es": "No", "en": "No"}]}], "question_without_words"),
        ([{**SCALE, "options": SCALE["options"][:2]}], "question_steps"),
        ([{**SCALE, "options": [{"es": "", "en": ""}, *SCALE["options"][1:]]}], "question_without_words"),
        ([{**AGE, "least": 5, "most": 5}], "question_bounds"),
        ([{**AGE, "least": "0"}], "question_bounds"),
        ([{**AGE, "most": float("inf")}], "question_bounds"),
    ],
)
def test_lists_that_are_none(given: Any, code: str) -> None:
    with pytest.raises(Refused) as refusal:
        questionnaire.questions_checked(given, LANGUAGES)
    assert refusal.value.code == code
    assert "{" not in messages.sentence(refusal.value.code, refusal.value.params)
    assert messages.sentence(refusal.value.code, refusal.value.params).startswith("Something went wrong") is False


def test_every_ready_piece_has_words_in_both_languages_and_a_place() -> None:
    for piece in questionnaire.PIECES.values():
        made = own({"piece": piece.key, "place": piece.place, "needed": True})
        asked = [*questionnaire.opening(SONGS, made), *questionnaire.closing(made, SONGS)]
        assert asked
        assert all(question.required for question in asked)
