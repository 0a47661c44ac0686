"""What a person reads for every code: what happened, what is safe, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.utils.formats import number_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from audio.loudness import decibels
from separation.import_messages import IMPORT_SENTENCES
from separation.measurement_words import MEASUREMENT_SENTENCES, MEASURING_SENTENCES, REFERENCE_SENTENCES
from separation.models import Song, Source

FORMATS = "WAV, FLAC, MP3, OGG, AIFF, M4A"

UPLOAD_SENTENCES = {
    "no_file": _("No file was chosen. Please choose at least one sound file."),
    "empty_file": _(
        "The file is empty: it has not a single byte. Nothing was kept. Please check the original and upload it again."
    ),
    "too_big": _(
        "The file is larger than %(limit_mb)s MB, the most that can be uploaded. Nothing was kept. "
        "The same song as FLAC or MP3 is smaller."
    ),
    "suffix_unknown": _(
        "Files of the kind “%(suffix)s” cannot be used. Nothing was kept. Please upload one of: %(formats)s."
    ),
    "not_audio": _(
        "This is no sound file that can be read, whatever its name says. Nothing was kept. "
        "Please check that it plays, and upload it as one of: %(formats)s."
    ),
    "no_audio_track": _("There is no sound in this file. Nothing was kept. Please upload the song itself."),
    "truncated": _(
        "The file is incomplete or damaged: its end is missing. Nothing was kept. "
        "Please copy or download the original again, and upload it once more."
    ),
    "truncated_at": _(
        "The file is incomplete or damaged: only the first %(seconds)s can be read. Nothing was kept. "
        "Please copy or download the original again, and upload it once more."
    ),
    "header_implausible": _(
        "The file says that it is longer than any song, so it is damaged or made to mislead. Nothing was kept. "
        "Please save the song again from its original."
    ),
    "unpacks_too_large": _(
        "These %(packed_mb)s MB would unpack to %(unpacked_mb)s MB, which music never does. Nothing was kept. "
        "Please save the song again from its original."
    ),
    "too_long": _(
        "The song lasts %(seconds)s; it may last %(limit)s at most. Nothing was kept. Please upload the part you need."
    ),
    "too_short": _(
        "The song lasts %(seconds)s; it must last %(limit)s at least. Nothing was kept. Please upload a longer part."
    ),
    "channels_unsupported": _(
        "The file has %(channels)s channels in an arrangement that cannot be mixed down. Nothing was kept. "
        "Please upload it in stereo, mono or 5.1."
    ),
    "sample_rate_unsupported": _(
        "The sample rate of %(sample_rate)s Hz cannot be used. Nothing was kept. "
        "Please save the song at 44100 or 48000 Hz."
    ),
    "bad_samples": _(
        "The file holds values that are no sound (not a number, infinite, or a thousand times too loud). "
        "Nothing was kept. Please export the song again."
    ),
    "silent": _(
        "The song is silent from start to end. Nothing was kept. Please check the export, and upload it again."
    ),
    "too_costly": _(
        "Reading this file took more time or memory than any song needs, so it was stopped. Nothing was kept. "
        "Please save the song again as WAV or FLAC."
    ),
    "disk_full": _(
        "There is no room left on the server's disk. What was there before is safe; nothing of this was kept. "
        "Please free some space, then try again."
    ),
    "upload_failed": _(
        "Something unexpected happened while the song was taken in. Nothing was kept. "
        "Please try again; the server's log has the details."
    ),
}

JOB_SENTENCES = {
    "weights_missing": _(
        "The weights of this separator are not on the server: the file %(file)s is missing from %(folder)s. "
        "No song is affected. Once the file is there, the separation can be tried again."
    ),
    "weights_mismatch": _(
        "The weights of this separator cannot be trusted: the file %(file)s in %(folder)s is not the right one, "
        "or is damaged. No song is affected. Once the file is replaced, the separation can be tried again."
    ),
    "bad_mixture": _(
        "The separator cannot take this song: it is too short, too long, or holds values that are no sound. "
        "The song is safe. Upload another version of it."
    ),
    "mixture_missing": _(
        "The sound of this song is no longer on the server's disk. Other songs are not affected. "
        "Restore the data folder from a backup, or upload the song again."
    ),
    "unknown_separator": _(
        "There is no separator called %(key)s in this installation. The song is safe. Choose another separator."
    ),
    "worker_lost": _(
        "The worker stopped in the middle of the separation, three times in a row; most often the machine ran out of "
        "memory. The song is safe and no half stems were kept. Retry, or separate a shorter part of the song."
    ),
    "out_of_memory": _(
        "The machine ran out of memory. The song is safe and no half stems were kept. "
        "Retry when less is running, or separate a shorter part of the song."
    ),
    "separation_failed": _(
        "The separator could not separate this song. The song is safe. Retry, or choose another separator; "
        "the server's log has the details."
    ),
    "unexpected": _(
        "Something unexpected happened during the separation (%(error)s). The song is safe and no half stems were "
        "kept. Retry; the server's log has the details."
    ),
}

RUNNING_SENTENCES = {
    "time_limit": _(
        "The separation was not done within %(limit)s, several times what a song of this length needs, so it was "
        "stopped. The song is safe and no half stems were kept. Retry; on a very slow machine, raise the limit first "
        "(JOB_TIME_… in docs/configuration.md)."
    ),
    "mixture_damaged": _(
        "The sound of this song on the server's disk is damaged. Other songs are not affected. "
        "Restore the data folder from a backup, or upload the song again."
    ),
    "bad_stems": _(
        "What the separator made is no set of stems: samples are missing, or are no sound. The song is safe and "
        "nothing of it was kept. Choose another separator; the server's log has the details."
    ),
    "span_outside": _(
        "The part from %(start)s s to %(end)s s does not lie inside the song, which lasts %(seconds)s. "
        "Nothing was changed. Choose a part inside it."
    ),
}

SONG_SENTENCES = {
    "song_in_use": _(
        "A study uses this song, so it was not deleted. Remove its excerpts from the study first; "
        "songs of open and closed studies stay, because their results need them."
    ),
}

STEM_SENTENCES = {
    "stems_in_use": _(
        "Clips of a study were made from these stems: %(studies)s. They are as they were. "
        "Delete the study first, or leave them as they are."
    ),
}

SENTENCES = {
    **UPLOAD_SENTENCES,
    **IMPORT_SENTENCES,
    **JOB_SENTENCES,
    **RUNNING_SENTENCES,
    **SONG_SENTENCES,
    **STEM_SENTENCES,
    **REFERENCE_SENTENCES,
    **MEASUREMENT_SENTENCES,
}

NOTES = {
    "mono_doubled": _("The file is mono: both sides hold the same sound."),
    "mixed_down": _("Its %(channels)s channels were mixed down to stereo (ITU-R BS.775, without the LFE channel)."),
    "resampled": _("It was converted from %(sample_rate)s Hz to 44100 Hz."),
    "peaks_scaled": _(
        "Its peaks lie beyond full scale, so its copy here is %(decibels)s dB quieter: nothing was clipped."
    ),
}

WEIGHTS = {
    "demo": _("demo: small, trained by this project; no result of the real system"),
    "published": _("published"),
    "unpinned": _("unpinned: their hashes were not compared, so they need not be the published ones"),
    "package": _("those of the package that brings the system, which answers for them"),
}
"""What separated a song: `SeparationJob.weights`."""

WAYS = {
    "whole": _("the whole song"),
    "windows": _("only the windows that touch the parts"),
    "blocks": _("only the blocks that touch the parts"),
    "recurrent": _("the recurrent layers over the whole song, the rest only where the parts need it"),
}
"""How a separator dealt with a part of a song: `separators.base.Ran.way`."""


class _Filled(dict[str, Any]):
    """Parameters of a sentence: a missing one is a dash, never an error page."""

    def __missing__(self, key: str) -> str:
        return "–"


def sentence(code: str, params: Mapping[str, Any] | None = None) -> str:
    """The whole sentence for a code, the command that helps included."""
    typed = command(params)
    return explanation(code, params) + (f" {gettext('This command brings it:')} {typed}" if typed else "")


def explanation(code: str, params: Mapping[str, Any] | None = None) -> str:
    """The sentence without the command, for pages that show the command beneath it."""
    given = dict(params or {})
    key = "truncated_at" if code == "truncated" and given.get("seconds") else code
    text = SENTENCES.get(key, SENTENCES["unexpected"])
    return str(text) % _Filled(_worded({"error": code, **given}), formats=FORMATS)


def refusal_sentence(code: str, params: Mapping[str, Any] | None = None) -> str:
    """The sentence, with the name of the file that it is about where several came together."""
    file = (params or {}).get("file")
    return f"{file}: {sentence(code, params)}" if file else sentence(code, params)


def measurement_sentence(code: str, params: Mapping[str, Any] | None = None) -> str:
    """Why a measurement failed. What it shares with separations has its own words here."""
    if code not in MEASURING_SENTENCES:
        return sentence(code, params) if code in SENTENCES else measurement_sentence("unexpected", {"error": code})
    return str(MEASURING_SENTENCES[code]) % _Filled(_worded({"error": code, **(params or {})}))


def command(params: Mapping[str, Any] | None = None) -> str:
    """What to type on the server, or nothing."""
    return str((params or {}).get("how", ""))


def note_sentences(song: Song) -> list[str]:
    """What was done to the song on its way in, in the person's language."""
    values = {
        "channels": song.original_channels,
        "sample_rate": song.original_sample_rate,
        "decibels": number_format(round(-decibels(song.mixture_gain), 1)),
    }
    return [str(NOTES[note]) % values for note in song.notes if note in NOTES]


def _worded(params: dict[str, Any]) -> dict[str, Any]:
    return {name: _worded_value(name, value) for name, value in params.items()}


def _worded_value(name: str, value: Any) -> Any:
    if name in ("seconds", "limit", "length"):
        return duration(float(value))
    if name.endswith("_gb"):
        return number_format(float(value))
    if name in ("source", "shorter", "longer") and value in Source.values:
        return Source(value).label
    return number_format(value) if isinstance(value, float) else value


def span(start: int, end: int) -> str:
    """A part of a song, in seconds, of samples."""
    first, last = (number_format(round(at / settings.SAMPLE_RATE, 2)) for at in (start, end))
    return gettext("%(start)s–%(end)s s") % {"start": first, "end": last}


def duration(seconds: float) -> str:
    """A length as a person says it: 1.5 s, 45 s, 12 min."""
    if seconds < 90:
        return gettext("%(number)s s") % {
            "number": number_format(round(seconds, 1)).removesuffix(".0").removesuffix(",0")
        }
    return gettext("%(number)s min") % {
        "number": number_format(round(seconds / 60, 1)).removesuffix(".0").removesuffix(",0")
    }
