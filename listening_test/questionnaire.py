"""What listeners are asked about themselves: the questions, their words, and which answers count.

Only what the analysis needs is required: familiarity with each song's style, experience, attention, distraction.
Everything else is optional and says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from listening_test.refusal import BadValue

COMMENT_MAX_LENGTH = 2_000
STEPS = (1, 2, 3, 4, 5)

Value = str | int
Words = str | Promise
Answer = Value | list[str]


class Kind(StrEnum):
    STEPS = "steps"  # a value of 1–5, each with its word
    CHOICE = "choice"  # one of a few
    CHOICES = "choices"  # any number of a few
    TEXT = "text"


@dataclass(frozen=True)
class SongAsked:
    """What a listener is told about a song whose style they are asked about."""

    id: str
    title: str
    style: str = ""


@dataclass(frozen=True)
class Question:
    """`options` are (value as it is stored, words); `about` is the title of what is asked about."""

    key: str
    label: Words
    kind: Kind
    options: tuple[tuple[Value, Words], ...] = ()
    required: bool = False
    help: Words = ""
    about: str = ""

    @property
    def values(self) -> list[Value]:
        return [value for value, _words in self.options]


FAMILIARITY_WORDS: tuple[Words, ...] = (
    pgettext_lazy("familiarity 1", "Not at all"),
    pgettext_lazy("familiarity 2", "A little"),
    pgettext_lazy("familiarity 3", "Somewhat"),
    pgettext_lazy("familiarity 4", "Quite"),
    pgettext_lazy("familiarity 5", "Very"),
)
ATTENTION_WORDS: tuple[Words, ...] = (
    pgettext_lazy("attention 1", "Very little"),
    pgettext_lazy("attention 2", "Little"),
    pgettext_lazy("attention 3", "Some"),
    pgettext_lazy("attention 4", "Much"),
    pgettext_lazy("attention 5", "Full"),
)
DISTRACTION_WORDS: tuple[Words, ...] = (
    pgettext_lazy("distraction 1", "Never"),
    pgettext_lazy("distraction 2", "Hardly ever"),
    pgettext_lazy("distraction 3", "Sometimes"),
    pgettext_lazy("distraction 4", "Often"),
    pgettext_lazy("distraction 5", "All the time"),
)

GENRES = Question(
    key="genres",
    label=_("Which music do you like?"),
    help=_("As many as apply."),
    kind=Kind.CHOICES,
    options=(
        ("rock", _("Rock")),
        ("pop", _("Pop")),
        ("latin", _("Salsa, cumbia, bachata…")),
        ("tango", _("Tango")),
        ("folk", _("Folk and traditional")),
        ("urban", _("Hip hop and urban")),
        ("electronic", _("Electronic")),
        ("jazz", _("Jazz and blues")),
        ("classical", _("Classical")),
        ("metal", _("Metal")),
        ("other", pgettext_lazy("music", "Other")),
    ),
)
EXPERIENCE = Question(
    key="experience",
    label=_("How much experience do you have in judging sound?"),
    kind=Kind.CHOICE,
    required=True,
    options=(
        ("casual", _("None in particular: I listen to music")),
        ("attentive", _("I often notice how good or bad a recording sounds")),
        ("practised", _("I work or study with sound: I play, record or mix")),
        ("trained", _("I have trained my hearing for tests like this one")),
    ),
)
EQUIPMENT = Question(
    key="equipment",
    label=_("What will you listen with?"),
    kind=Kind.CHOICE,
    options=(
        ("headphones", _("Headphones")),
        ("earbuds", _("Earbuds")),
        ("speakers", _("Loudspeakers")),
        ("phone", _("The speaker of the phone or computer")),
    ),
)
MUSICAL_TRAINING = Question(
    key="musical_training",
    label=_("Have you learned music?"),
    kind=Kind.CHOICE,
    options=(
        ("none", pgettext_lazy("musical training", "No")),
        ("some", _("A little, or by myself")),
        ("years", _("For several years")),
        ("professional", _("It is my profession or my studies")),
    ),
)
HEARING = Question(
    key="hearing_difficulty",
    label=_("Do you have any difficulty hearing?"),
    kind=Kind.CHOICE,
    options=(
        ("none", pgettext_lazy("hearing difficulty", "No")),
        ("slight", _("A slight one")),
        ("marked", _("Yes, a marked one")),
        ("unsure", _("I am not sure")),
    ),
)
AGE_BAND = Question(
    key="age_band",
    label=_("How old are you?"),
    kind=Kind.CHOICE,
    options=(
        ("-17", _("Under 18")),
        *((band, band.replace("-", "–")) for band in ("18-24", "25-34", "35-44", "45-54", "55-64")),
        ("65-", _("65 or over")),
    ),
)
ATTENTION = Question(
    key="attention",
    label=_("How much attention could you pay?"),
    kind=Kind.STEPS,
    required=True,
    options=tuple(zip(STEPS, ATTENTION_WORDS, strict=True)),
)
DISTRACTION = Question(
    key="distraction",
    label=_("Did anything distract you while you listened?"),
    help=_("Noise, people, messages…"),
    kind=Kind.STEPS,
    required=True,
    options=tuple(zip(STEPS, DISTRACTION_WORDS, strict=True)),
)
COMMENT = Question(
    key="comment",
    label=_("Is there anything you would like to tell us?"),
    help=_("For example, whether something did not work or was hard to understand."),
    kind=Kind.TEXT,
)

OPENING_FIXED = (GENRES, EXPERIENCE, EQUIPMENT, MUSICAL_TRAINING, HEARING, AGE_BAND)
CLOSING = (ATTENTION, DISTRACTION, COMMENT)


def familiarity_key(song_id: str) -> str:
    return f"familiarity:{song_id}"


def familiarity(song: SongAsked) -> Question:
    return Question(
        key=familiarity_key(song.id),
        label=_("How familiar is this style of music to you?"),
        kind=Kind.STEPS,
        required=True,
        options=tuple(zip(STEPS, FAMILIARITY_WORDS, strict=True)),
        help=song.style,
        about=song.title,
    )


def opening(songs: Iterable[SongAsked]) -> list[Question]:
    return [*map(familiarity, songs), *OPENING_FIXED]


def closing() -> list[Question]:
    return list(CLOSING)


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
    if answer in (None, "", []):
        if question.required:
            raise BadValue("answer_missing", question=question.key)
        return None
    if not _fits(question, answer):
        raise BadValue("answer_bad", question=question.key)
    return answer.strip() or None if question.kind == Kind.TEXT else answer


def _fits(question: Question, answer: Any) -> bool:
    """Types are looked at too: `True` equals 1 and is none of the steps."""
    if question.kind == Kind.TEXT:
        return isinstance(answer, str) and len(answer) <= COMMENT_MAX_LENGTH
    if question.kind == Kind.CHOICES:
        once = isinstance(answer, list) and len(set(map(str, answer))) == len(answer)
        return once and all(_is_option(question, one) for one in answer)
    return _is_option(question, answer)


def _is_option(question: Question, answer: Any) -> bool:
    return any(type(answer) is type(value) and answer == value for value in question.values)
