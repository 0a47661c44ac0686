"""Ready pieces of a questionnaire, which a researcher only has to choose: their words, answers, and usual place.

Only what the analysis needs is asked for by default: familiarity with each song's style, experience, attention,
distraction. Everything else is optional and says so.

The three questions on musical training ask for what the subscale "Musical Training" of the Gold-MSI asks for
(Müllensiefen, Gingras, Musil & Stewart 2014, PLoS ONE 9(2): e89642): years of practice, years of lessons, and whether
one calls oneself a musician. The words and steps are our own: the inventory may be used free of charge, but we found
no licence to pass its items on. So their answers are no Gold-MSI scores.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from listening_test.question import Kind, Question, Words

STEPS = (1, 2, 3, 4, 5)
OPENING: Final = "opening"
CLOSING: Final = "closing"


@dataclass(frozen=True)
class SongAsked:
    """What a listener is told about a song whose style they are asked about."""

    id: str
    title: str
    style: str = ""


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
    pgettext_lazy("distraction 3", "At times"),
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

YEARS: tuple[tuple[str, Words], ...] = (
    ("0", pgettext_lazy("years", "None")),
    ("1", _("1 year or less")),
    ("2-3", _("2 or 3 years")),
    ("4-6", _("4 to 6 years")),
    ("7-10", _("7 to 10 years")),
    ("11-", _("More than 10 years")),
)
PRACTICE_YEARS = Question(
    key="practice_years",
    label=_("For how many years has an instrument, or singing, been part of most days?"),
    kind=Kind.CHOICE,
    options=YEARS,
)
LESSON_YEARS = Question(
    key="lesson_years",
    label=_("How many years of lessons in an instrument, singing or music theory, in all?"),
    kind=Kind.CHOICE,
    options=YEARS,
)
MUSICIAN = Question(
    key="musician",
    label=_("“I am a musician”: how true is that?"),
    kind=Kind.STEPS,
    options=tuple(
        zip(
            STEPS,
            (
                pgettext_lazy("musician 1", "Not at all"),
                pgettext_lazy("musician 2", "A little"),
                pgettext_lazy("musician 3", "In part"),
                pgettext_lazy("musician 4", "Mostly"),
                pgettext_lazy("musician 5", "Fully"),
            ),
            strict=True,
        )
    ),
)
FAMILIARITY = "familiarity"


def familiarity_key(song_id: str) -> str:
    return f"{FAMILIARITY}:{song_id}"


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


@dataclass(frozen=True)
class Piece:
    """A ready question as the researcher chooses it; `question` is None for familiarity, which is asked per song."""

    key: str
    group: Words
    name: Words
    place: str = OPENING
    question: Question | None = None

    @property
    def needed(self) -> bool:
        """Whether it is required unless the researcher says otherwise."""
        return self.question is None or self.question.required


def _piece(group: Words, question: Question, place: str = OPENING) -> Piece:
    return Piece(question.key, group, question.label, place, question)


_TRAINING = _("Musical training")
_PERSON = _("The person and their equipment")
_LISTENING = _("Attention and distraction")
PIECES: Mapping[str, Piece] = {
    piece.key: piece
    for piece in (
        Piece(FAMILIARITY, _("Familiarity with styles"), _("Familiarity with the style of each song")),
        _piece(_("Preference for genres"), GENRES),
        _piece(_("Experience in judging sound"), EXPERIENCE),
        _piece(_TRAINING, MUSICAL_TRAINING),
        _piece(_TRAINING, PRACTICE_YEARS),
        _piece(_TRAINING, LESSON_YEARS),
        _piece(_TRAINING, MUSICIAN),
        _piece(_PERSON, EQUIPMENT),
        _piece(_PERSON, HEARING),
        _piece(_PERSON, AGE_BAND),
        _piece(_LISTENING, ATTENTION, CLOSING),
        _piece(_LISTENING, DISTRACTION, CLOSING),
        _piece(pgettext_lazy("questions", "Other"), COMMENT, CLOSING),
    )
}
USUAL = (
    FAMILIARITY,
    *(each.key for each in (GENRES, EXPERIENCE, EQUIPMENT, MUSICAL_TRAINING, HEARING, AGE_BAND)),
    *(each.key for each in (ATTENTION, DISTRACTION, COMMENT)),
)
"""What a study asks whose researcher has chosen nothing else."""
