"""What a question is, and which answers to it count. Pure: which questions are asked is in `questionnaire`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.utils.functional import Promise

from listening_test.refusal import BadValue

COMMENT_MAX_LENGTH = 2_000
LINE_MAX_LENGTH = 200

Value = str | int
Words = str | Promise
Answer = Value | float | list[str]


class Kind(StrEnum):
    STEPS = "steps"  # one of a few numbers in order, each with its word
    CHOICE = "choice"  # one of a few
    CHOICES = "choices"  # any number of a few
    TEXT = "text"  # some lines
    LINE = "line"  # a few words
    NUMBER = "number"


@dataclass(frozen=True)
class Question:
    """`options` are (value as it is stored, words); `about` is the title of what is asked about.

    `least` and `most` bound a number; None leaves that side open.
    """

    key: str
    label: Words
    kind: Kind
    options: tuple[tuple[Value, Words], ...] = ()
    required: bool = False
    help: Words = ""
    about: str = ""
    least: float | None = None
    most: float | None = None

    @property
    def values(self) -> list[Value]:
        return [value for value, _words in self.options]


def required_keys(questions: Iterable[Question]) -> frozenset[str]:
    return frozenset(question.key for question in questions if question.required)


def checked(questions: Sequence[Question], answers: Mapping[str, Any]) -> dict[str, Answer]:
    """The answers as they are stored; an optional question left open is left out.

    Raises `BadValue`: `answer_unknown` for a key that no question has, `answer_missing` for a required one left open,
    `answer_bad` for a value that is none of the question's.
    """
    for key in sorted(set(answers) - {question.key for question in questions}):
        raise BadValue("answer_unknown", question=key)
    given = {question.key: _checked(question, answers.get(question.key)) for question in questions}
    return {key: answer for key, answer in given.items() if answer is not None}


def _checked(question: Question, answer: Any) -> Answer | None:
    if isinstance(answer, str):
        answer = answer.strip()
    if answer in (None, "", []):
        if question.required:
            raise BadValue("answer_missing", question=question.key)
        return None
    if not FITS[question.kind](question, answer):
        raise BadValue("answer_bad", question=question.key)
    return answer  # type: ignore[no-any-return]  # it fits the kind, which gives its type


# Types are looked at too: `True` equals 1 and is none of the steps.


def _is_text(question: Question, answer: Any) -> bool:
    most = COMMENT_MAX_LENGTH if question.kind == Kind.TEXT else LINE_MAX_LENGTH
    return isinstance(answer, str) and len(answer) <= most and (question.kind == Kind.TEXT or "\n" not in answer)


def _is_number(question: Question, answer: Any) -> bool:
    if type(answer) not in (int, float) or not math.isfinite(answer):
        return False
    above = question.least is None or answer >= question.least
    return above and (question.most is None or answer <= question.most)


def _is_option(question: Question, answer: Any) -> bool:
    return any(type(answer) is type(value) and answer == value for value in question.values)


def _are_options(question: Question, answer: Any) -> bool:
    once = isinstance(answer, list) and len(set(map(str, answer))) == len(answer)
    return once and all(_is_option(question, one) for one in answer)


FITS: dict[Kind, Callable[[Question, Any], bool]] = {
    Kind.STEPS: _is_option,
    Kind.CHOICE: _is_option,
    Kind.CHOICES: _are_options,
    Kind.TEXT: _is_text,
    Kind.LINE: _is_text,
    Kind.NUMBER: _is_number,
}
