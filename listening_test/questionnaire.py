"""What a study's listeners are asked about themselves, from the list that its researcher made of pieces and questions.

The list is `study.questions`; None is the product's own choice. An entry is a ready piece,
`{"piece": key, "place": "opening"|"closing", "needed": bool}`, or a question of the researcher's own:

    {"own": "q1", "kind": "choice", "place": "opening", "needed": false,
     "label": {"es": "…", "en": "…"}, "help": {"es": "…"}, "options": [{"es": "…", "en": "…"}, …],
     "least": 0, "most": 120}

The steps of a scale are its options. Answers are stored under the piece's key (with the song's id where it is asked
per song), or under `own:q1` with the number of the option, from 1: so that it is the same in every language.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.utils.functional import lazy
from django.utils.translation import get_language

from listening_test.question import Answer, Kind, Question, checked, required_keys
from listening_test.question_pieces import (
    CLOSING,
    FAMILIARITY,
    OPENING,
    PIECES,
    USUAL,
    SongAsked,
    familiarity,
    familiarity_key,
)
from listening_test.refusal import Refused

__all__ = [
    "CLOSING",
    "OPENING",
    "PIECES",
    "Answer",
    "Kind",
    "Question",
    "SongAsked",
    "checked",
    "closing",
    "familiarity",
    "familiarity_key",
    "opening",
    "questions_checked",
    "required_keys",
    "usual",
]

PLACES = (OPENING, CLOSING)
MOST_QUESTIONS, MOST_OPTIONS = 60, 20
SCALE_STEPS = (3, 7)  # a scale of the researcher's own has at least and at most so many
OWN_KEY = re.compile(r"[a-z0-9_]{1,20}")
WORDS_MAX_LENGTH = 500

Entry = Mapping[str, Any]
Specification = Sequence[Entry] | None


def usual() -> list[dict[str, Any]]:
    """The product's own choice, as a list that a researcher can go on from."""
    return [{"piece": key, "place": PIECES[key].place, "needed": PIECES[key].needed} for key in USUAL]


def opening(songs: Iterable[SongAsked], specification: Specification = None) -> list[Question]:
    return _asked(OPENING, songs, specification)


def closing(specification: Specification = None, songs: Iterable[SongAsked] = ()) -> list[Question]:
    return _asked(CLOSING, songs, specification)


def _asked(place: str, songs: Iterable[SongAsked], specification: Specification) -> list[Question]:
    entries = usual() if specification is None else specification
    songs = list(songs)
    return [question for entry in entries if entry["place"] == place for question in _questions(entry, songs)]


def _questions(entry: Entry, songs: Sequence[SongAsked]) -> list[Question]:
    if "own" in entry:
        return [_own(entry)]
    if entry["piece"] == FAMILIARITY:
        return [replace(familiarity(song), required=entry["needed"]) for song in songs]
    ready = PIECES[entry["piece"]].question
    return [replace(ready, required=entry["needed"])] if ready else []


# ── Questions of the researcher's own ───────────────────────────────────────────────────────────────────────────────


def own_key(entry: Entry) -> str:
    return f"own:{entry['own']}"


def _own(entry: Entry) -> Question:
    kind = Kind(entry["kind"])
    words = [_words(each) for each in entry.get("options", ())]
    value = (lambda number: number) if kind == Kind.STEPS else str
    return Question(
        key=own_key(entry),
        label=_words(entry["label"]),
        kind=kind,
        options=tuple((value(number), each) for number, each in enumerate(words, start=1)),
        required=entry["needed"],
        help=_words(entry["help"]) if any(entry.get("help", {}).values()) else "",
        least=entry.get("least"),
        most=entry.get("most"),
    )


def _in_language(by_language: Mapping[str, str]) -> str:
    """In the language of the page; a language without words of its own reads the first that has some."""
    language = get_language() or ""
    candidates = (by_language.get(language), by_language.get(language.partition("-")[0]), *by_language.values())
    return next((words for words in candidates if words), "")


_words = lazy(_in_language, str)


# ── What a researcher sends ─────────────────────────────────────────────────────────────────────────────────────────


def questions_checked(given: Any, languages: Collection[str]) -> list[dict[str, Any]]:
    """The list as it is stored. Raises `Refused` with a code of `messages` and the number of the question, from 1."""
    if not isinstance(given, list) or len(given) > MOST_QUESTIONS:
        raise Refused("questions_bad", most=MOST_QUESTIONS)
    entries = [_entry(number, entry, languages) for number, entry in enumerate(given, start=1)]
    names = [entry.get("own") or entry["piece"] for entry in entries]
    for number, name in enumerate(names, start=1):
        if names.index(name) < number - 1:
            raise Refused("question_twice", number=number)
    return entries


def _entry(number: int, entry: Any, languages: Collection[str]) -> dict[str, Any]:
    if not isinstance(entry, dict) or entry.get("place") not in PLACES or type(entry.get("needed")) is not bool:
        raise Refused("question_bad", number=number)
    common = {"place": entry["place"], "needed": entry["needed"]}
    if "own" in entry:
        return {**_own_entry(number, entry, languages), **common}
    if entry.get("piece") not in PIECES:
        raise Refused("question_bad", number=number)
    return {"piece": entry["piece"], **common}


def _own_entry(number: int, entry: dict[str, Any], languages: Collection[str]) -> dict[str, Any]:
    key, kind = entry["own"], entry.get("kind")
    if not isinstance(key, str) or not OWN_KEY.fullmatch(key) or kind not in list(Kind):
        raise Refused("question_bad", number=number)
    made: dict[str, Any] = {"own": key, "kind": str(kind), "label": _texts(number, entry.get("label"), languages)}
    if not all(made["label"].get(language) for language in languages):
        raise Refused("question_without_words", number=number)
    helped = _texts(number, entry.get("help") or {}, languages)
    if any(helped.values()):
        made["help"] = helped
    if kind in (Kind.CHOICE, Kind.CHOICES, Kind.STEPS):
        made["options"] = _options(number, Kind(kind), entry.get("options"), languages)
    if kind == Kind.NUMBER:
        made |= _bounds(number, entry.get("least"), entry.get("most"))
    return made


def _options(number: int, kind: Kind, given: Any, languages: Collection[str]) -> list[dict[str, str]]:
    """A choice has words in every language; the steps of a scale need them at its two ends only."""
    options = [_texts(number, each, languages) for each in given] if isinstance(given, list) else []
    least, most = SCALE_STEPS if kind == Kind.STEPS else (2, MOST_OPTIONS)
    if not least <= len(options) <= most:
        code = "question_steps" if kind == Kind.STEPS else "question_options"
        raise Refused(code, number=number, least=least, most=most)
    worded = (options[0], options[-1]) if kind == Kind.STEPS else options
    if not all(each.get(language) for each in worded for language in languages):
        raise Refused("question_without_words", number=number)
    return options


def _texts(number: int, given: Any, languages: Collection[str]) -> dict[str, str]:
    if not isinstance(given, dict) or not all(isinstance(words, str) for words in given.values()):
        raise Refused("question_without_words", number=number)
    texts = {language: " ".join(given.get(language, "").split()) for language in languages}
    if any(len(words) > WORDS_MAX_LENGTH for words in texts.values()):
        raise Refused("question_long", number=number, most=WORDS_MAX_LENGTH)
    return texts


def _bounds(number: int, least: Any, most: Any) -> dict[str, float]:
    bounds = {name: value for name, value in (("least", least), ("most", most)) if value not in (None, "")}
    if not all(type(value) in (int, float) and math.isfinite(value) for value in bounds.values()):
        raise Refused("question_bounds", number=number)
    if len(bounds) == 2 and bounds["least"] >= bounds["most"]:
        raise Refused("question_bounds", number=number)
    return bounds
