"""Clips: an excerpt of a stem, faded, level-aligned, encoded, opaquely named.

All clips of one excerpt are made together and saved in one transaction: they have one length and one size, and an
excerpt either has all of them or none, so a preparation that was cut short goes on where it stopped.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Protocol
from uuid import UUID

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models.fields.files import FieldFile

from audio.loudness import TooQuiet
from audio.reading import read_flac_samples
from listening_test import selectors
from listening_test.models import Clip, Excerpt, Study
from listening_test.services.calibration import calibration_sounds
from listening_test.stimulus import Audio, Stimulus, common_size, padded, stimulus
from separation.services.files import folder_delete


class Hold(Protocol):
    """What says whether the clips are still wanted from us. Both raise where they are not."""

    def renew(self) -> None:
        """Called before each piece of work."""

    def check(self) -> None:
        """Called inside the transaction that saves."""


class Unhindered:
    """Nobody else can want to make these clips."""

    def renew(self) -> None: ...

    def check(self) -> None: ...


Refusal = dict[str, Any]  # {"code": …, "params": {…}}, see `listening_test.messages`


class ClipsRefused(Exception):
    """Clips that cannot be made as the study asks for them, with the reason for each."""

    def __init__(self, refusals: list[Refusal]) -> None:
        super().__init__(", ".join(refusal["code"] for refusal in refusals))
        self.refusals = refusals


class NoStem(Exception):
    """The stem that a clip is to be cut from is not there."""


class StemTooShort(Exception):
    """The stem ends before the excerpt does."""


@dataclass
class Making:
    """The clips of a study in the making."""

    study: Study
    hold: Hold
    stems: selectors.Stems
    refusals: list[Refusal] = field(default_factory=list)


def clips_make(*, study: Study, hold: Hold | None = None) -> None:
    """Make every clip of `study` that is not there yet. Raises `ClipsRefused`, naming everything that is too quiet."""
    making = Making(study, hold or Unhindered(), selectors.study_stems(study))
    for number, excerpt in enumerate(study.excerpts.select_related("song")):
        if not excerpt.clips.exists():
            _save(making, list(_excerpt_clips(making, excerpt, number)))
    if making.refusals:
        raise ClipsRefused(making.refusals)
    if not study.clips.filter(purpose=Clip.Purpose.CALIBRATION).exists():
        _save(making, list(_calibration_clips(making)))


def clips_remove(*, study_id: UUID) -> None:
    """Every clip of the study, and its files once the transaction is committed."""
    Clip.objects.filter(study_id=study_id).delete()
    transaction.on_commit(lambda: clip_files_sweep(study_id=study_id))


def clip_files_sweep(*, study_id: UUID) -> None:
    """Remove files that no clip of the study owns: what a killed worker or a failed run left behind."""
    folder = f"clips/{study_id}"
    kept = {PurePosixPath(name).name for name in Clip.objects.filter(study_id=study_id).values_list("file", flat=True)}
    if not kept:
        return folder_delete(folder)
    for name in set(default_storage.listdir(folder)[1]) - kept:
        default_storage.delete(f"{folder}/{name}")


# ── The clips of one excerpt ────────────────────────────────────────────────────────────────────────────────────────


def _excerpt_clips(making: Making, excerpt: Excerpt, number: int) -> Iterator[tuple[Clip, Stimulus]]:
    study = making.study
    for place, source in enumerate(study.sources):
        for order, system in enumerate(study.systems):
            clip = Clip(study=study, excerpt=excerpt, source=source, system=system)
            clip.stem = selectors.stem_of(making.stems, excerpt, system, source)
            file, begin = (clip.stem.file, clip.stem.start) if clip.stem else (None, 0)
            yield from _made(making, excerpt, clip, _Recording(file, begin), [study.seed, number, place, order])
    if study.show_mixture:
        mixture = Clip(study=study, excerpt=excerpt, purpose=Clip.Purpose.MIXTURE)
        yield from _made(making, excerpt, mixture, _Recording(excerpt.song.mixture), [study.seed, number])


@dataclass(frozen=True)
class _Recording:
    """A file that clips are cut from, and the sample of the song with which it begins."""

    file: FieldFile | None
    begin: int = 0


def _made(
    making: Making, excerpt: Excerpt, clip: Clip, recording: _Recording, seed: list[int]
) -> Iterator[tuple[Clip, Stimulus]]:
    """The clip and what it sounds like; nothing where it is too quiet, which is noted."""
    making.hold.renew()
    try:
        yield clip, stimulus(_cut(excerpt, recording), seed=seed)
    except TooQuiet:
        making.refusals.append(_refusal("too_quiet", excerpt, clip))
    except (FileNotFoundError, NoStem):
        raise ClipsRefused([_refusal("gone", excerpt, clip)]) from None
    except StemTooShort:
        raise ClipsRefused([_refusal("too_short", excerpt, clip)]) from None


def _cut(excerpt: Excerpt, recording: _Recording) -> Audio:
    """The excerpt of the recording: as many samples for every system."""
    if recording.file is None:
        raise NoStem
    start, end = excerpt.span
    with recording.file.open("rb") as opened:
        try:
            return read_flac_samples(opened, start - recording.begin, end - recording.begin)
        except ValueError:
            raise StemTooShort from None


def _refusal(kind: str, excerpt: Excerpt, clip: Clip) -> Refusal:
    """The code and the words that name the clip in its sentence."""
    span = {"song": excerpt.song.title, "start": f"{excerpt.start:g}", "end": f"{excerpt.end:g}"}
    if clip.purpose == Clip.Purpose.MIXTURE:
        return {"code": f"mixture_{kind}", "params": span}
    return {"code": f"stem_{kind}", "params": {**span, "source": clip.source, "system": clip.system}}


# ── Calibration ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _calibration_clips(making: Making) -> Iterator[tuple[Clip, Stimulus]]:
    study = making.study
    for number, (role, samples) in enumerate(calibration_sounds(study=study).items()):
        making.hold.renew()
        clip = Clip(study=study, purpose=Clip.Purpose.CALIBRATION, role=role, source="vocals")
        yield clip, stimulus(samples, seed=[study.seed, number])


# ── Saving ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _save(making: Making, made: list[tuple[Clip, Stimulus]]) -> None:
    """Save clips that are compared with one another: all in one transaction, all of one size."""
    if making.refusals:
        return  # the study goes back to draft; what was made so far only shows what else is too quiet
    size = common_size(sound.data for _clip, sound in made)
    try:
        with transaction.atomic():
            making.hold.check()
            for clip, sound in made:
                _save_one(clip, sound, padded(sound.data, size))
    except BaseException:
        for clip, _sound in made:
            if clip.file:
                clip.file.delete(save=False)
        raise


def _save_one(clip: Clip, sound: Stimulus, data: bytes) -> None:
    clip.samples, clip.gain_db = sound.samples, sound.gain_db
    clip.loudness_lufs, clip.true_peak_dbtp = sound.loudness_lufs, sound.true_peak_dbtp
    clip.sha256 = hashlib.sha256(data).hexdigest()
    clip.file.save("clip.flac", ContentFile(data), save=False)
    clip.save()
