"""Clips: an excerpt of a stem, faded, levelled, encoded, opaquely named; and what is made beside them.

All clips of one excerpt are made together and saved in one transaction: they have one length, their levels follow one
rule, and an excerpt either has all of them or none, so a preparation that was cut short goes on where it stopped.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import PurePosixPath
from typing import Any, Protocol
from uuid import UUID

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction

from audio.levels import MIXTURE, Level
from audio.loudness import TooQuiet
from audio.reading import Audio
from listening_test import selectors
from listening_test.controls import MIXTURE_ANCHOR
from listening_test.models import Clip, Excerpt, Study
from listening_test.sealing import sealed_size
from listening_test.services.calibration import Sounding, calibration_sounds
from listening_test.services.control_sounds import NoStem, StemTooShort, mixture_samples, system_sound
from listening_test.services.traps import traps_fit
from listening_test.stimulus import Stimulus, clip_gains, clip_level, stimulus
from separation.separators.base import SeparatorError
from separation.services.files import folder_delete

Purpose = Clip.Purpose


class Hold(Protocol):
    """What says whether the clips are still wanted from us. Both raise where they are not."""

    def clips(self, made: float) -> None:
        """Called before each piece of work, with the number of clips that are there by then, or half there."""

    def check(self) -> None:
        """Called inside the transaction that saves."""


class Unhindered:
    """Nobody else can want to make these clips."""

    def clips(self, made: float) -> None: ...

    def check(self) -> None: ...


Refusal = dict[str, Any]  # {"code": …, "params": {…}}, see `listening_test.messages`


class ClipsRefused(SeparatorError):
    """Clips that cannot be made as the study asks for them, with the reason for each. Trying again cannot help."""

    code = "clips_refused"

    def __init__(self, refusals: list[Refusal]) -> None:
        super().__init__(", ".join(refusal["code"] for refusal in refusals))
        self.refusals = refusals
        self.params: dict[str, Any] = {"refusals": refusals}


@dataclass
class Making:
    """The clips of a study in the making."""

    study: Study
    hold: Hold
    stems: selectors.Stems
    made: float = 0.0  # a clip whose level is known counts half
    refusals: list[Refusal] = field(default_factory=list)

    def half(self) -> None:
        self.hold.clips(self.made)
        self.made += 0.5


@dataclass(frozen=True)
class Recipe:
    """A clip, not yet saved, and how its sound is had; `seed` decides its dither."""

    clip: Clip
    sound: Callable[[], Audio]
    seed: list[int]


Made = list[tuple[Clip, Stimulus]]


def clips_make(*, study: Study, hold: Hold | None = None) -> None:
    """Make every clip of `study` that is not there yet. Raises `ClipsRefused`, naming everything that is too quiet."""
    making = Making(study, hold or Unhindered(), selectors.study_stems(study), study.clips.count())
    for number, excerpt in enumerate(study.excerpts.select_related("song")):
        if not excerpt.clips.exists():
            _save(making, _excerpt_made(making, excerpt, number))
    if making.refusals:
        raise ClipsRefused(making.refusals)
    if not study.clips.filter(purpose=Purpose.CALIBRATION).exists():
        _save(making, _calibration_made(making))
    if refusals := traps_fit(study=study, check=making.hold.check):
        raise ClipsRefused(refusals)
    sizes_level(study=study)


def sizes_level(*, study: Study) -> None:
    """From now on all clips of one length are sent in one size: that of the largest of them."""
    sizes: dict[int, int] = {}
    for clip in study.clips.all():
        sizes[clip.samples] = max(sizes.get(clip.samples, 0), sealed_size(clip.file.size))
    for samples, size in sizes.items():
        study.clips.filter(samples=samples).update(sent_bytes=size)


def clips_remove(*, study_id: UUID) -> None:
    """What was made for the study, and the files once the transaction is committed. Recordings of persons stay."""
    Clip.objects.filter(study_id=study_id).exclude(purpose=Purpose.TRAP).delete()
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


def _excerpt_made(making: Making, excerpt: Excerpt, number: int) -> Made:
    """Levels first, since by two of the rules the clips of an excerpt share their gain; then the files."""
    audible = [(recipe, level) for recipe in _recipes(making, excerpt, number) if (level := _level(making, recipe))]
    if making.refusals:
        return []  # the study goes back to draft; the levels only show what else is too quiet
    return _rendered(making, audible, lambda: mixture_samples(excerpt))


def _recipes(making: Making, excerpt: Excerpt, number: int) -> Iterator[Recipe]:
    study = making.study
    for place, source in enumerate(study.sources):
        for order, system in enumerate(selectors.systems_rated(study)):
            clip = Clip(study=study, excerpt=excerpt, source=source, system=system)
            seed = [study.seed, number, place, order]
            if not selectors.is_left_out(study, making.stems, excerpt, system, source):
                yield Recipe(clip, system_sound(clip, making.stems, seed=seed), seed)
    if study.show_mixture:
        mixture = Clip(study=study, excerpt=excerpt, purpose=Purpose.MIXTURE)
        yield Recipe(mixture, lambda: mixture_samples(excerpt), [study.seed, number])


def _level(making: Making, recipe: Recipe) -> Level | None:
    """None where the clip is too quiet, which is noted: the others are looked at too, so that all are named at once."""
    making.half()
    try:
        return clip_level(recipe.sound())
    except TooQuiet:
        making.refusals.append(_refusal("too_quiet", recipe.clip))
    except (FileNotFoundError, NoStem):
        raise ClipsRefused([_refusal("gone", recipe.clip)]) from None
    except StemTooShort:
        raise ClipsRefused([_refusal("too_short", recipe.clip)]) from None
    return None


def _rendered(making: Making, levelled: list[tuple[Recipe, Level]], mixture: Callable[[], Audio]) -> Made:
    """Clips of one excerpt, at the levels that the study's rule gives them."""
    rule = making.study.loudness_rule
    whole = clip_level(mixture()) if rule == MIXTURE else None
    gains = clip_gains(rule, [level for _recipe, level in levelled], whole)
    made = []
    for (recipe, level), gain in zip(levelled, gains, strict=True):
        making.half()
        made.append((recipe.clip, stimulus(recipe.sound(), seed=recipe.seed, gain_db=gain, level=level)))
    return made


def _refusal(kind: str, clip: Clip) -> Refusal:
    """The code and the words that name the clip in its sentence."""
    excerpt = clip.excerpt
    assert excerpt is not None  # noqa: S101  only clips of excerpts are refused
    span = {"song": excerpt.song.title, "start": f"{excerpt.start:g}", "end": f"{excerpt.end:g}"}
    if clip.purpose == Purpose.MIXTURE or clip.system == MIXTURE_ANCHOR:
        return {"code": f"mixture_{kind}", "params": span}
    return {"code": f"stem_{kind}", "params": {**span, "source": clip.source, "system": clip.system}}


# ── Calibration and practice ────────────────────────────────────────────────────────────────────────────────────────


def _calibration_made(making: Making) -> Made:
    """Sounds of one mixture share their gain, where the rule says so."""
    groups: dict[int, list[tuple[int, Sounding]]] = {}
    for number, sounding in enumerate(calibration_sounds(study=making.study)):
        groups.setdefault(id(sounding.mixture), []).append((number, sounding))
    return [made for group in groups.values() for made in _sounding_made(making, group)]


def _sounding_made(making: Making, group: list[tuple[int, Sounding]]) -> Made:
    levelled = []
    for number, sounding in group:
        making.half()
        recipe = Recipe(sounding.clip, partial(_samples_of, sounding), [making.study.seed, number])
        levelled.append((recipe, clip_level(sounding.samples)))
    mixture = partial(_mixture_of, group[0][1])
    return _rendered(making, levelled, mixture)


def _samples_of(sounding: Sounding) -> Audio:
    return sounding.samples


def _mixture_of(sounding: Sounding) -> Audio:
    return sounding.mixture


# ── Saving ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _save(making: Making, made: Made) -> None:
    """Save clips that are compared with one another: all in one transaction."""
    try:
        with transaction.atomic():
            making.hold.check()
            for clip, sound in made:
                _save_one(clip, sound)
    except BaseException:
        for clip, _sound in made:
            if clip.file:
                clip.file.delete(save=False)
        raise


def _save_one(clip: Clip, sound: Stimulus) -> None:
    clip.samples, clip.gain_db = sound.samples, sound.gain_db
    clip.loudness_lufs, clip.true_peak_dbtp = sound.loudness_lufs, sound.true_peak_dbtp
    clip.sha256 = hashlib.sha256(sound.data).hexdigest()
    clip.file.save("clip.flac", ContentFile(sound.data), save=False)
    clip.save()
