"""The parts of a song that a job separates: brought into one form, so that equal wishes are equal rows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from separation.models import SeparationJob, Song
from separation.separators.base import SAMPLE_RATE, SeparatorError, Span

KEY_LENGTH = SeparationJob._meta.get_field("spans_key").max_length or 64


class SpanOutside(SeparatorError):
    """A part that does not lie inside the song. params: `start`, `end`, `seconds` (of the song)."""

    code = "span_outside"


def spans_checked(song: Song, spans: Iterable[Sequence[int]]) -> list[Span]:
    """Ascending and apart: what overlaps or touches is one. Empty where it is all of the song. Raises `SpanOutside`."""
    merged: list[Span] = []
    for start, end in sorted((int(start), int(end)) for start, end in spans):
        _refuse_outside(song, start, end)
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return [] if merged == [(0, song.samples)] else merged


def _refuse_outside(song: Song, start: int, end: int) -> None:
    if not 0 <= start < end <= song.samples:
        shown = {"start": f"{start / SAMPLE_RATE:.2f}", "end": f"{end / SAMPLE_RATE:.2f}"}
        message = f"samples {start} to {end} do not lie inside a song of {song.samples}"
        raise SpanOutside(message, **shown, seconds=str(song.seconds))


def spans_key(spans: Sequence[Span]) -> str:
    """What tells jobs of one song and separator apart: readable where it is short, else a digest."""
    readable = ",".join(f"{start}-{end}" for start, end in spans)
    return readable if len(readable) <= KEY_LENGTH else hashlib.sha256(readable.encode()).hexdigest()
