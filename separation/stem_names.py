"""What people call sources and songs in the names of files and folders. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from typing import TypeVar

SYNONYMS = {
    "vocals": "vocals vocal voice voices voz voces vox singing canto lead_vocals",
    "drums": "drums drum drumkit bateria percussion percusion",
    "bass": "bass bajo bassline",
    "other": "other others otro otros resto rest residual",
    "piano": "piano keys keyboard teclado teclados",
    "guitar": "guitar guitars guitarra guitarras",
    "accompaniment": "accompaniment acompanamiento instrumental instrumentals karaoke backing minus_one "
    "no_vocals no_vocal novocals without_vocals non_vocals sin_voz minus_vocals instrum inst",
}
"""Sources by the words that English and Spanish tools and people name their files with; `_` joins words."""

MIXTURES = "mixture mix original input mezcla cancion song"
NEGATIONS = ("no", "non", "without", "sin", "minus")
JOINERS = ("and", "y", "e", "with", "con")  # before the last source of several: such a file is no one source's
CLOSE = 0.72
"""Likeness (0–1) from which a song is worth proposing."""

Key = TypeVar("Key")


def plain(text: str) -> str:
    """Lower case without accents; words joined by single spaces."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return " ".join(re.findall(r"[^\W_]+", bare))


_SOURCES = {plain(word): source for source, words in SYNONYMS.items() for word in words.split()}
_MIXTURES = {plain(word) for word in MIXTURES.split()}


def source_of(name: str) -> str | None:
    """The source that a file is named for, or None.

    The whole name decides (`vocals.wav`, `no_vocals.flac`), else its last words (`My song - Batería.wav`,
    `song_(Vocals).mp3`), else its first one (`bass_estimate.wav`). `no …` of another source than the vocals is none,
    and so are two sources together (`vocals and drums.wav`).
    """
    words = plain(_bare(name)).split()
    for part in (words, words[-2:], words[-1:], words[:2], words[:1]):
        if source := _SOURCES.get(" ".join(part)):
            before = _before(words, part)
            return None if before in JOINERS or (before in NEGATIONS and source != "accompaniment") else source
    return None


def is_mixture(name: str) -> bool:
    """Whether a file is named as the song itself, which many tools leave beside its stems."""
    return plain(_bare(name)) in _MIXTURES


def song_matches(folder: str, names: Mapping[Key, Sequence[str]]) -> tuple[list[Key], list[Key]]:
    """(the songs that the folder names, those that it nearly names); `names`: what each song is known by.

    A name is equal without case, accents and punctuation, or without the number of a track before it.
    """
    wanted = plain(folder)
    known = {key: {plain(name) for name in of} - {""} for key, of in names.items()}
    exact = [key for key, of in known.items() if wanted in of]
    if not exact and (untracked := re.sub(r"^\d{1,3} ", "", wanted)) != wanted:
        exact = [key for key, of in known.items() if untracked in of]
    if exact or not wanted:
        return exact, []
    likeness = {key: max((_likeness(wanted, name) for name in of), default=0.0) for key, of in known.items()}
    close = [key for key in known if likeness[key] >= CLOSE]
    return [], sorted(close, key=lambda key: -likeness[key])


def _likeness(first: str, second: str) -> float:
    if first in second or second in first:
        return max(CLOSE, min(len(first), len(second)) / max(len(first), len(second)))
    return SequenceMatcher(None, first, second).ratio()


def _bare(name: str) -> str:
    return name.rsplit(".", 1)[0] if "." in name else name


def _before(words: list[str], part: list[str]) -> str:
    """The word before `part` where the name ends with it."""
    rest = words[: -len(part)] if words[-len(part) :] == part else []
    return rest[-1] if rest else ""
