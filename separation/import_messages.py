"""What a person reads when stems of another system are imported: refusals, and notes of what was done."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext_lazy as _

from audio.loudness import decibels

IMPORT_SENTENCES = {
    # the archive
    "zip_not_a_zip": _(
        "This is no ZIP archive that can be read, whatever its name says. Nothing was kept. "
        "Please pack the folder again as ZIP, not as RAR, 7z or TAR."
    ),
    "zip_damaged": _(
        "The archive is damaged: “%(name)s” cannot be unpacked to its end. Nothing of this song was kept. "
        "Please pack it again, and upload it once more."
    ),
    "zip_encrypted": _(
        "The archive wants a password: “%(name)s” is encrypted. Nothing was kept. Please pack it without a password."
    ),
    "zip_unsafe_path": _(
        "The archive holds a name that leads out of it: “%(name)s”. It is damaged or made to mislead, so nothing of it "
        "was unpacked or kept. Please pack the folder again."
    ),
    "zip_link": _(
        "The archive holds a link in the place of a file: “%(name)s”. Nothing was unpacked or kept. "
        "Please pack the files themselves."
    ),
    "zip_nested": _(
        "There is an archive inside the archive: “%(name)s”. Nothing was kept. "
        "Please unpack it, and pack the folders of the songs directly."
    ),
    "zip_method": _(
        "“%(name)s” is packed in a way that cannot be read here. Nothing was kept. "
        "Please pack the folder with the usual ZIP compression."
    ),
    "zip_too_many": _(
        "The archive holds more than %(limit_files)s files, which no set of stems does. Nothing was kept. "
        "Please pack the folders of the songs only."
    ),
    "zip_bomb": _(
        "The archive unpacks to more than %(limit_mb)s MB, which sound never does, so unpacking was stopped. "
        "Nothing of this song was kept. Please pack the sound files again from their originals."
    ),
    # what lies in it
    "import_no_files": _(
        "There is no sound file in it that could be a stem. Nothing was kept. It takes a folder for each song, "
        "and in it one file for each source, such as “My song/vocals.wav”."
    ),
    "import_no_folder": _(
        "These files lie in no folder, so nothing says which song they are of. Nothing was kept yet. "
        "Please choose the song."
    ),
    "import_song_unknown": _(
        "No song here is called “%(folder)s”. Nothing was kept yet. "
        "Please choose the song, or upload its mixture first."
    ),
    "import_song_ambiguous": _(
        "%(count)s songs here are called “%(folder)s”. Nothing was kept yet. Please choose which one is meant."
    ),
    "import_song_twice": _(
        "Several folders are of the song “%(title)s”: %(folders)s. None of them was kept. "
        "Please leave the right one, or choose another song for the others."
    ),
    "import_source_unknown": _(
        "The name does not tell which source it is: %(files)s. Nothing of this song was kept. Please name the files "
        "vocals, drums, bass, other, piano, guitar or accompaniment, and leave out what is none of these."
    ),
    "import_source_twice": _(
        "Two files are of the same source: “%(file)s” and “%(other)s”. Nothing of this song was kept. "
        "Please leave one of them."
    ),
    # the sound
    "import_sample_rate": _(
        "The sample rate is %(sample_rate)s Hz; stems here have 44100 Hz. Nothing of this song was kept. Please export "
        "it at 44100 Hz, or allow the conversion, which is noted with the stems."
    ),
    "import_longer": _(
        "The stem lasts %(seconds)s and the song %(length)s: it is longer than its song, by more than padding. "
        "Nothing of this song was kept. Please check that it is of this very version of the song."
    ),
    "import_shorter": _(
        "The stem lasts %(seconds)s and the song %(length)s: a part of it is missing. Nothing of this song was "
        "kept. Please bring stems of the whole song."
    ),
    "import_lag_late": _(
        "The stems begin %(seconds)s after the song; up to %(limit)s is put right by itself. Nothing of this song was "
        "kept. Please cut the silence at their beginning, or check that they are of this very version of the song."
    ),
    "import_lag_early": _(
        "The beginning of the stems is missing: they start %(seconds)s into the song; up to %(limit)s is put right by "
        "itself. Nothing of this song was kept. Please bring stems of the whole song."
    ),
    "import_unlike": _(
        "These stems do not sound in this song at any place near their own: they are of another song or another "
        "version of it. Nothing of them was kept. Please check which song the folder is of."
    ),
    "import_stem_unlike": _(
        "This stem does not sound in the song, though the others do: it is of another song. Nothing of this song was "
        "kept. Please check the file."
    ),
    "import_drifts": _(
        "The stems and the song drift apart: they were made at another speed, or from another version of the song. "
        "Nothing of them was kept. Please make them from the very file that was uploaded here."
    ),
    "import_all_silent": _(
        "All stems are silent from start to end. Nothing of this song was kept. Please check the export."
    ),
    # what is there already
    "import_exists": _(
        "This song has stems of this system already. They are as they were, and nothing new was kept. "
        "To put these in their place, allow it, and import them again."
    ),
    "import_in_use": _(
        "A study uses these stems: %(studies)s. They are as they were. A study's sound never changes under it; "
        "import the new ones as another system, or delete the study first."
    ),
    "import_not_imported": _(
        "These stems were made here and not imported. They are as they were, and go with their song."
    ),
    "import_no_name": _("The system has no name. Nothing was kept. Please say which model the stems are of."),
    "import_name_too_long": _(
        "The name of the system is longer than %(letters)s letters. Nothing was kept. Please choose a shorter one."
    ),
    "import_name_taken": _(
        "“%(name)s” is the name of a separator that runs here, so results could not tell them apart. Nothing was kept. "
        "Please choose another name, such as the model's name and where it was run."
    ),
    "import_failed": _(
        "Something unexpected happened while these stems were taken in. Nothing of this song was kept. "
        "Please try again; the server's log has the details."
    ),
}

IMPORT_NOTES = {
    "mono_doubled": _("it is mono: both sides hold the same sound"),
    "mixed_down": _("its %(channels)s channels were mixed down to stereo"),
    "resampled": _("it was converted from %(sample_rate)s Hz"),
    "moved_earlier": _("it began %(lag)s samples late and was moved to its place"),
    "moved_later": _("it began %(lag)s samples early and was moved to its place"),
    "own_lag": _("it did not begin with the other stems"),
    "cut": _("%(over)s samples after the song's end were cut off"),
    "padded": _("%(over)s samples that were missing at the end are silence"),
    "inverted": _("its polarity is the reverse of the song's; it was left so"),
    "stem_silent": _("it is silent from start to end"),
    "faint": _("it is so faint that its place could not be checked by itself"),
    "clipped": _("it is clipped: %(clipped)s samples stand at full scale"),
    "level_differs": _("together the stems are %(decibels)s dB louder or softer than the song"),
    "peaks_scaled": _("its peaks lie beyond full scale, so that its copy here is softer; nothing was clipped"),
}
"""Of one stem; they stand in a list after its name."""


def stem_note_sentences(origin: dict[str, Any]) -> list[str]:
    """What was done to an imported stem, and what was noticed, in the person's language."""
    return [str(IMPORT_NOTES[note]) % values for note, values in _noted(origin)]


def notes_of_set(origins: Mapping[str, dict[str, Any]]) -> list[tuple[list[str], str]]:
    """(names, note) for a set of stems, by the name of each: what is true of several is said once."""
    said: dict[str, list[str]] = {}
    for name, origin in origins.items():
        for note in stem_note_sentences(origin):
            said.setdefault(note, []).append(name)
    return [(names, note) for note, names in said.items()]


def _noted(origin: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    gain = float(origin.get("set_gain", 1.0)) or 1.0
    values = {
        "channels": origin.get("channels", 2),
        "sample_rate": origin.get("sample_rate", ""),
        "lag": abs(int(origin.get("lag", 0))),
        "over": abs(int(origin.get("over", 0))),
        "clipped": origin.get("clipped", 0),
        "decibels": number_format(_decibels(gain), 1),
    }
    return ((note, values) for note in origin.get("notes", []) if note in IMPORT_NOTES)


def _decibels(gain: float) -> float:
    return round(abs(decibels(gain)), 1)
