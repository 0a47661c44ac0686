"""What pages and the API show of imports."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from separation import messages
from separation.import_messages import notes_of_set, stem_note_sentences
from separation.models import SeparationJob, Song, Source
from separation.selectors import stems_sorted
from separation.services.imported_audio import Decoded
from separation.services.imports import Result

STATES = {"imported": "good", "checked": "good", "choice": "warn", "refused": "bad"}


def state_name(state: str) -> str:
    names = {
        "imported": _("imported"),
        "checked": _("can be imported"),
        "choice": _("which song?"),
        "refused": _("not imported"),
    }
    return names[state]


def result_shown(result: Result) -> dict[str, Any]:
    """One folder, for a person and for a program."""
    return {
        "folder": result.folder,
        "state": result.state,
        "state_name": state_name(result.state),
        "song": song_shown(result.song),
        "candidates": [song_shown(song) for song in result.candidates],
        "code": result.code,
        "sentence": messages.refusal_sentence(result.code, result.params) if result.code else "",
        "job": str(result.job.pk) if result.job else None,
        "stems": [_stem_shown(stem) for stem in result.stems] if result.is_good else [],
        "ignored": result.ignored,
    }


def song_shown(song: Song | None) -> dict[str, str] | None:
    if song is None:
        return None
    return {"id": str(song.pk), "title": song.title, "artist": song.artist, "url": reverse("song", args=[song.pk])}


def song_told_apart(song: Song) -> str:
    """For choosing among songs that may have one title."""
    parts = (song.title, song.artist, messages.duration(song.seconds), song.original_name)
    return " · ".join(part for part in parts if part)


def _stem_shown(stem: Decoded) -> dict[str, Any]:
    return {
        "source": stem.source,
        "source_name": str(Source(stem.source).label),
        "name": stem.name,
        "lag": stem.lag,
        "correlation": stem.origin.get("correlation"),
        "notes": stem_note_sentences(stem.origin),
        "note_codes": stem.origin["notes"],
    }


def result_row(result: Result) -> dict[str, Any]:
    """One line of the page's table."""
    shown = result_shown(result)
    notes = notes_of_set({str(Source(stem.source).label): stem.origin for stem in result.stems if result.is_good})
    count = len(result.stems)
    return {
        **shown,
        "tone": STATES[result.state],
        "sources": ", ".join(stem["source_name"] for stem in shown["stems"]),
        "perhaps": [(song.pk, song_told_apart(song)) for song in result.candidates],
        "set_notes": [(_("All stems") if len(names) == count > 1 else ", ".join(names), note) for names, note in notes],
    }


def imported_card(job: SeparationJob) -> dict[str, Any]:
    """What a song's page shows of imported stems, beside what it shows of every job."""
    if not job.is_imported:
        return {}
    stems = stems_sorted(list(job.stems.all()))
    return {
        "imported_by": job.ran.get("imported_by", ""),
        "files": [
            {
                "source": stem.get_source_display(),
                "origin": stem.origin,
                "sha256": stem.origin.get("sha256", ""),
                "notes": stem_note_sentences(stem.origin),
            }
            for stem in stems
        ],
    }
