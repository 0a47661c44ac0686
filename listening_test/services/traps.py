"""Spoken attention checks: recordings in which the researcher says which answer to choose.

A recording is a stranger's file like any other upload, and read like one. What is kept is what listeners will get: as
loud as the clips, and, once the study is prepared, as long as most of them, so that nothing tells it before it is
heard. Recordings belong to the draft; making its clips anew leaves them.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.db import transaction

from audio.levels import level_of
from audio.loudness import TooQuiet
from audio.reading import SAMPLE_RATE, Audio, Decoded, UnreadableAudio, read_flac_samples, read_upload
from audio.writing import encode_flac
from listening_test.models import Clip, Excerpt, Study
from listening_test.refusal import StudyRefused
from listening_test.scales import HIGHEST, LOWEST, ScaleKey
from listening_test.stimulus import BITS, stimulus
from separation.services.songs import UploadRefused, file_on_disk, refuse_by_name_and_size, room_needed, shown_name

SHORTEST_SECONDS = 0.5
QUIET_DB = -45.0  # against the loudest moment: silence before and after the words, which is cut off
MARGIN_SECONDS = 0.1

Refusal = dict[str, Any]


def trap_recording_add(*, study: Study, language: str, file: File[Any], answer: int) -> Clip:
    """Take in a recording in `language` that asks for `answer` (1–5) on every scale.

    Raises `StudyRefused` (`not_draft`, `trap_answer`, `trap_language`, `trap_too_quiet`) and, for the file itself,
    `separation.services.songs.UploadRefused`. Nothing of a refused one is kept.
    """
    _refuse(study, language, answer)
    name = shown_name(file.name or "")
    refuse_by_name_and_size(name, file.size)
    with file_on_disk(file, name) as path:
        decoded = _decoded(path)
    words = trimmed(decoded.samples)
    try:
        sound = stimulus(words, seed=[study.seed, answer])
    except TooQuiet:
        raise StudyRefused("trap_too_quiet") from None
    clip = Clip(study=study, purpose=Clip.Purpose.TRAP, language=language, samples=sound.samples)
    clip.expected = {scale: [answer, answer] for scale in ScaleKey.values}
    clip.made_by = {"how": "recorded", "name": name, "format": decoded.format, "samples": sound.samples}
    clip.gain_db, clip.loudness_lufs, clip.true_peak_dbtp = sound.gain_db, sound.loudness_lufs, sound.true_peak_dbtp
    _stored(clip, sound.data)
    return clip


@transaction.atomic
def trap_recording_remove(*, clip: Clip) -> None:
    """Raises `StudyRefused("not_draft")`."""
    study = Study.objects.select_for_update().get(pk=clip.study_id)
    if study.state != Study.State.DRAFT or clip.purpose != Clip.Purpose.TRAP:
        raise StudyRefused("not_draft")
    name = str(clip.file.name)
    clip.delete()
    transaction.on_commit(lambda: default_storage.delete(name))


def trap_recordings_copy(*, source: Study, target: Study) -> None:
    """Every recording of a study for a copy of it."""
    for recording in source.clips.filter(purpose=Clip.Purpose.TRAP).order_by("created_at", "id"):
        kept = {name: getattr(recording, name) for name in ("language", "expected", "made_by", "gain_db", "samples")}
        levels = {"loudness_lufs": recording.loudness_lufs, "true_peak_dbtp": recording.true_peak_dbtp}
        with recording.file.open("rb") as file:
            _stored(Clip(study=target, purpose=Clip.Purpose.TRAP, **kept, **levels), file.read())


def traps_fit(*, study: Study, check: Callable[[], None]) -> list[Refusal]:
    """Make every recording as long as most excerpts of the study; what is longer than that is refused.

    `check` is called in each transaction that saves.
    """
    recordings = list(study.clips.filter(purpose=Clip.Purpose.TRAP).order_by("created_at", "id"))
    lengths = Counter(end - start for start, end in (excerpt.span for excerpt in study.excerpts.all()))
    if not recordings or not lengths or not is_spoken(study):
        return []
    length = max(lengths, key=lambda each: (lengths[each], each))
    too_long = [clip for clip in recordings if clip.made_by["samples"] > length]
    for clip in recordings:
        if not too_long and clip.samples != length:
            _fit(clip, length, check)
    return [_too_long(clip, length) for clip in too_long]


def is_spoken(study: Study) -> bool:
    return study.traps_per_listener > 0 and study.trap_kind == Study.TrapKind.SPOKEN


# ── Reading ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _refuse(study: Study, language: str, answer: int) -> None:
    if Study.objects.get(pk=study.pk).state != Study.State.DRAFT:
        raise StudyRefused("not_draft")
    if language not in dict(settings.LANGUAGES):
        raise StudyRefused("trap_language")
    if answer not in range(LOWEST, HIGHEST + 1):
        raise StudyRefused("trap_answer")


def _decoded(path: Path) -> Decoded:
    folder = Path(settings.FILE_UPLOAD_TEMP_DIR) if settings.FILE_UPLOAD_TEMP_DIR else None
    longest = 2 * Excerpt.MAX_SECONDS
    try:
        with room_needed():
            return read_upload(path, folder=folder, min_seconds=SHORTEST_SECONDS, max_seconds=longest)
    except UnreadableAudio as refusal:
        raise UploadRefused(refusal.code, refusal.params) from refusal


def trimmed(samples: Audio) -> Audio:
    """Without the silence before the first and after the last word, but for a tenth of a second."""
    level = np.max(np.abs(samples), axis=0)
    heard = np.flatnonzero(level > 10.0 ** (QUIET_DB / 20.0) * float(level.max()))
    margin = round(MARGIN_SECONDS * SAMPLE_RATE)
    first, last = max(0, int(heard[0]) - margin), min(samples.shape[1], int(heard[-1]) + 1 + margin)
    return samples[:, first:last]


# ── Storing ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _stored(clip: Clip, data: bytes) -> None:
    clip.sha256 = hashlib.sha256(data).hexdigest()
    with room_needed():
        clip.file.save("clip.flac", ContentFile(data), save=False)
    try:
        clip.save()
    except BaseException:
        clip.file.delete(save=False)
        raise


def _fit(clip: Clip, length: int, check: Callable[[], None]) -> None:
    """The same words, followed by silence; the file before goes once the new one is the row's."""
    spoken = clip.made_by["samples"]
    with clip.file.open("rb") as file:
        words = read_flac_samples(file, 0, spoken)
    samples = np.pad(words, ((0, 0), (0, length - spoken)))
    before, level = str(clip.file.name), level_of(samples)
    clip.samples, clip.loudness_lufs, clip.true_peak_dbtp = length, level.loudness_lufs, level.true_peak_dbtp
    with transaction.atomic():
        check()
        _stored(clip, encode_flac(samples, bits=BITS)[0])
        transaction.on_commit(lambda: default_storage.delete(before))


def _too_long(clip: Clip, length: int) -> Refusal:
    seconds = {"seconds": f"{clip.made_by['samples'] / SAMPLE_RATE:.1f}", "limit": f"{length / SAMPLE_RATE:g}"}
    return {"code": "trap_too_long", "params": {"name": clip.made_by["name"], **seconds}}
