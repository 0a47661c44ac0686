"""Where an excerpt might well be: about ten seconds near the middle of a song, with every stem sounding."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.db.models.fields.files import FieldFile

from audio.excerpts import is_active
from audio.reading import read_flac
from listening_test import selectors
from separation.models import Song

SECONDS = 10.0
STEP_SECONDS = 5.0
TRIES = 9  # windows looked at: the middle, then ever further to both sides

Span = tuple[float, float]


def excerpt_suggestion(*, song: Song, systems: Iterable[str], sources: Iterable[str]) -> Span:
    """Start and end in seconds: the window nearest to the middle in which every chosen stem sounds, else the middle."""
    stems = selectors.stems_of([song], systems, sources).values()
    files = [stem.file for several in stems for stem in several if stem.samples is None]  # of the whole song
    windows = list(_windows(song.seconds))
    for window in windows:
        if all(_sounds(file, window) for file in files):
            return window
    return windows[0]


def _windows(seconds: float) -> Iterator[Span]:
    length = min(SECONDS, seconds)
    middle = (seconds - length) / 2.0
    for number in range(TRIES):
        offset = STEP_SECONDS * ((number + 1) // 2) * (-1) ** number
        if 0.0 <= middle + offset <= seconds - length:
            start = int((middle + offset) * 100) / 100  # hundredths, rounded down: the end stays inside the song
            yield start, round(start + int(length * 100) / 100, 2)


def _sounds(file: FieldFile, window: Span) -> bool:
    with file.open("rb") as opened:
        return is_active(read_flac(opened, *window))
