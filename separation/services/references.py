"""True stems of songs: uploaded for a song that is there, or with a song that comes as stems. All or nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.base import File
from django.db import DEFAULT_DB_ALIAS, transaction
from django.db.models import ProtectedError, RestrictedError
from django.db.models.deletion import Collector

from audio.reading import Audio, Decoded, UnreadableAudio, read_upload
from separation.models import Song, Source, Stem
from separation.reference_checks import MAX_LAG, Aligned, NotItsStems, aligned
from separation.services.files import names_delete, stem_files_delete_after_commit
from separation.services.measurements import measurements_delete, measurements_start
from separation.services.scratch import scratch_array
from separation.services.songs import (
    SUFFIXES,
    UploadRefused,
    file_on_disk,
    file_sha256,
    reference_written,
    refuse_by_name_and_size,
    room_needed,
    shown_name,
)
from separation.services.stored_mixture import MixtureDamaged, MixtureMissing, StoredMixture

ADDS_UP_DB = -20.0
"""A residual above this says that a stem is missing, or that the mixture was mastered afterwards."""


@dataclass(frozen=True)
class Brought:
    """One decoded file. `origin` is what is kept of where it came from."""

    samples: Audio  # in a file without a name: it needs no memory
    origin: dict[str, Any]


def references_add(*, song: Song, files: Mapping[str, File[Any]]) -> list[Stem]:
    """Take in the true stems of a song, in the place of those it has, and measure its separations against them.

    `files`: sources and sound files. Raises `UploadRefused` and changes nothing.
    """
    _refuse_sources(files)
    _refuse_in_use(song)
    return references_store(song=song, brought={source: _brought(file) for source, file in files.items()})


def references_store(*, song: Song, brought: Mapping[str, Brought]) -> list[Stem]:
    """The same for files that are decoded already."""
    _refuse_in_use(song)
    placed = placed_stems(_mixture(song), brought)
    return _exchanged(song, _written(song, placed, brought))


def references_delete(*, song: Song) -> None:
    """The song without its true stems, and without what was measured against them. Raises `UploadRefused`."""
    _refuse_in_use(song)
    _exchanged(song, [])


def in_use(song: Song) -> bool:
    """Whether anything outside this app keeps the song from being deleted: a study has an excerpt of it."""
    try:
        Collector(using=DEFAULT_DB_ALIAS).collect([song])  # looks at what would go with it, and deletes nothing
    except (ProtectedError, RestrictedError):
        return True
    return False


def _refuse_in_use(song: Song) -> None:
    if song.stems.filter(job__isnull=True).exists() and in_use(song):
        raise UploadRefused("references_in_use")


def _refuse_sources(files: Mapping[str, File[Any]]) -> None:
    if not files:
        raise UploadRefused("no_file")
    strangers = sorted(set(files).difference(Source.values))
    if strangers:
        raise UploadRefused("source_unknown", {"names": ", ".join(strangers)})


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────


def _brought(file: File[Any]) -> Brought:
    name = shown_name(file.name or "")
    with named_refusals(name):
        refuse_by_name_and_size(name, file.size, SUFFIXES)
        with file_on_disk(file, name) as path:
            return brought_from(path, name)


def brought_from(path: Path, name: str, *, stream: int = 0) -> Brought:
    """A file on disk, decoded in the limited child process. Raises `UploadRefused`."""
    decoded = decoded_stem(path, stream=stream)
    origin = {
        "name": name,
        "sha256": file_sha256(path),
        "format": decoded.format,
        "sample_rate": decoded.sample_rate,
        "channels": decoded.channels,
        "notes": decoded.notes,
    }
    return Brought(_in_scratch(decoded.samples), {**origin, **({"stream": stream} if decoded.streams > 1 else {})})


def decoded_stem(path: Path, *, stream: int = 0) -> Decoded:
    """A stem may be silent, and as long as a song and its padding. Raises `UploadRefused`."""
    folder = Path(settings.FILE_UPLOAD_TEMP_DIR) if settings.FILE_UPLOAD_TEMP_DIR else None
    longest = settings.SONG_MAX_SECONDS + MAX_LAG / settings.SAMPLE_RATE
    try:
        with room_needed():
            return read_upload(path, folder=folder, max_seconds=longest, stream=stream, may_be_silent=True)
    except UnreadableAudio as refusal:
        raise UploadRefused(refusal.code, refusal.params) from refusal


def _in_scratch(samples: Audio) -> Audio:
    with room_needed():
        kept = scratch_array(samples.shape)
        kept[:] = samples
    return kept


@contextmanager
def named_refusals(name: str) -> Iterator[None]:
    """Among several files, a refusal says which one it is about."""
    try:
        yield
    except UploadRefused as refusal:
        raise UploadRefused(refusal.code, {**refusal.params, "file": name}) from refusal


def _mixture(song: Song) -> Audio:
    try:
        with StoredMixture(song) as stored:
            return stored.read(0, song.samples)
    except (MixtureMissing, MixtureDamaged) as error:
        raise UploadRefused(error.code) from error


# ── checking and storing ─────────────────────────────────────────────────────────────────────────────


def placed_stems(mixture: Audio, brought: Mapping[str, Brought]) -> Aligned:
    """The stems where they belong in the mixture. Raises `UploadRefused`."""
    try:
        return aligned(mixture, {source: each.samples for source, each in brought.items()})
    except NotItsStems as refusal:
        named = brought.get(str(refusal.params.get("source")))
        about = {"file": named.origin["name"]} if named else {}
        raise UploadRefused(refusal.code, {**refusal.params, **about}) from refusal


def origins(placed: Aligned, brought: Mapping[str, Brought]) -> dict[str, dict[str, Any]]:
    """What is kept with each stem: its file, how it was moved, and whether all of them add up to the mixture."""
    residual = max(round(placed.residual_db, 2), -200.0)  # JSON knows no infinity; 24 bits end at -146 dB
    shared = {"residual_db": residual, "adds_up": residual <= ADDS_UP_DB}
    return {source: {**each.origin, "lag": placed.lags[source], **shared} for source, each in brought.items()}


def _written(song: Song, placed: Aligned, brought: Mapping[str, Brought]) -> list[Stem]:
    known = origins(placed, brought)
    written: list[Stem] = []
    try:
        with room_needed():
            for source, samples in placed.stems.items():
                written.append(reference_written(song, source, samples, known[source]))
    except BaseException:
        _files_delete(written)
        raise
    return written


def _exchanged(song: Song, stems: list[Stem]) -> list[Stem]:
    """The new rows in the place of the old ones, in one transaction; the files of those that lose go."""
    old = Stem.objects.filter(song=song, job__isnull=True)
    try:
        with transaction.atomic():
            stem_files_delete_after_commit(old)
            old.delete()
            Stem.objects.bulk_create(stems)
            measurements_delete(song=song)
            measurements_start(song=song)
    except BaseException:
        _files_delete(stems)
        raise
    return stems


def _files_delete(stems: list[Stem]) -> None:
    names_delete(str(stem.file.name) for stem in stems)
