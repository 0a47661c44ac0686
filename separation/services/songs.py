"""Songs come in, checked and decoded, and go out with everything that belongs to them."""

from __future__ import annotations

import errno
import hashlib
import tempfile
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile, File
from django.db import DatabaseError, transaction
from django.db.models import ProtectedError
from django.utils.translation import gettext as _

from audio.reading import Audio, Decoded, UnreadableAudio, read_upload
from audio.synthesis import synthetic_song
from audio.writing import blocks_of, encode_flac, fitting_gain, peak_of
from separation.models import Song, Stem
from separation.services.files import job_files_delete_after_commit, song_files_delete, stem_files_delete_after_commit
from separation.services.flac_files import flac_saved

SUFFIXES = (".wav", ".flac", ".mp3", ".ogg", ".oga", ".opus", ".aif", ".aiff", ".aifc", ".m4a")
NAME_LENGTH, TITLE_LENGTH = 255, 200
TURNING = {*map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A))}
"""Characters that turn the direction of what follows: they make "gpj.wav" of "vaw.jpg"."""


class UploadRefused(Exception):
    """A song that cannot be taken in. Nothing of it is kept. `messages.sentence(code, params)` says why."""

    def __init__(self, code: str, params: dict[str, Any] | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.params = params or {}


class SongInUse(Exception):
    """A study uses the song."""

    code = "song_in_use"


def song_add(*, file: File[Any], title: str = "", artist: str = "", style: str = "", uploaded_by: Any = None) -> Song:
    """Take in an uploaded file, or raise `UploadRefused` and leave nothing behind."""
    name = shown_name(file.name or "")
    refuse_by_name_and_size(name, file.size)
    with file_on_disk(file, name) as path:
        decoded = _decoded(path)
        song = Song(
            title=title.strip()[:TITLE_LENGTH] or title_of(name),
            artist=artist,
            style=style,
            original_name=name,
            original_sha256=file_sha256(path),
            original_format=decoded.format,
            original_sample_rate=decoded.sample_rate,
            original_channels=decoded.channels,
            notes=decoded.notes,
            uploaded_by=uploaded_by,
        )
        return song_stored(song, file, decoded.samples, {})


def song_add_synthetic(*, seed: int, title: str | None = None, style: str = "", seconds: float = 12.0) -> Song:
    """A song that the project makes itself, with its true stems."""
    made = synthetic_song(seed, seconds)
    data, _gain = encode_flac(made.mixture)  # as if it had been uploaded
    song = Song(
        title=title or made.title,
        style=style,
        original_name=f"synthetic-{seed}.flac",
        original_sha256=hashlib.sha256(data).hexdigest(),
        original_format="FLAC 24 bit",
        original_sample_rate=settings.SAMPLE_RATE,
        original_channels=2,
        is_demo=True,
        synthesis_seed=seed,
    )
    return song_stored(song, ContentFile(data), made.mixture, made.stems)


def song_update(*, song: Song, title: str, artist: str, style: str) -> Song:
    song.title, song.artist, song.style = title, artist, style
    song.save(update_fields=["title", "artist", "style"])
    return song


def song_delete(*, song: Song) -> None:
    """The song with its jobs, stems and files; stems that another song's job shares stay. Raises `SongInUse` while a
    study has an excerpt of it.

    A worker that is separating it finds its job gone and stops.
    """
    with transaction.atomic():
        jobs = list(song.jobs.values_list("pk", flat=True))
        song_id, stems = song.pk, list(song.stems.all())
        try:
            song.delete()
        except ProtectedError as error:
            raise SongInUse from error
        transaction.on_commit(lambda: song_files_delete(song_id))
        for job_id in jobs:
            job_files_delete_after_commit(job_id)
        stem_files_delete_after_commit(stems)


# ── names ────────────────────────────────────────────────────────────────────────────────────────────


def shown_name(name: str) -> str:
    """The person's file name for showing: no folders, no control characters, emoji and all else as it was."""
    base = PurePosixPath(name.replace("\\", "/")).name
    kept = "".join(c for c in base if unicodedata.category(c) != "Cc" and c not in TURNING).strip()
    suffix = PurePosixPath(kept).suffix
    return kept if len(kept) <= NAME_LENGTH else kept[: NAME_LENGTH - len(suffix)] + suffix


def title_of(name: str) -> str:
    stem = PurePosixPath(name).stem.replace("_", " ").strip()
    return stem[:TITLE_LENGTH] or _("Untitled song")


def refuse_by_name_and_size(name: str, size: int, suffixes: Sequence[str] = SUFFIXES) -> None:
    suffix = PurePosixPath(name).suffix.lower()
    if suffix not in suffixes:
        raise UploadRefused("suffix_unknown", {"suffix": suffix or name})
    if size == 0:
        raise UploadRefused("empty_file")
    if size > settings.UPLOAD_MAX_BYTES:
        raise UploadRefused("too_big", {"limit_mb": settings.UPLOAD_MAX_BYTES // 2**20})


# ── decoding and storing ─────────────────────────────────────────────────────────────────────────────


@contextmanager
def file_on_disk(file: File[Any], name: str) -> Iterator[Path]:
    """The upload as a file on disk: where it already is, or a copy that is gone afterwards."""
    if hasattr(file, "temporary_file_path"):
        yield Path(file.temporary_file_path())
        return
    suffix = PurePosixPath(name).suffix.lower()
    with (
        tempfile.NamedTemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR, prefix="upload-", suffix=suffix) as copy,
        room_needed(),
    ):
        for chunk in file.chunks():
            copy.write(chunk)
        copy.flush()
        file.seek(0)
        yield Path(copy.name)


def _decoded(path: Path) -> Decoded:
    limits: dict[str, Any] = {"min_seconds": settings.SONG_MIN_SECONDS, "max_seconds": settings.SONG_MAX_SECONDS}
    folder = Path(settings.FILE_UPLOAD_TEMP_DIR) if settings.FILE_UPLOAD_TEMP_DIR else None
    try:
        with room_needed():
            return read_upload(path, folder=folder, **limits)
    except UnreadableAudio as refusal:
        raise UploadRefused(refusal.code, refusal.params) from refusal


def song_stored(
    song: Song,
    original: File[Any],
    mixture: Audio,
    references: Mapping[str, Audio],
    origins: Mapping[str, dict[str, Any]] | None = None,
) -> Song:
    """Files first, then the rows in one transaction; if anything fails, neither stays."""
    try:
        with room_needed():
            stems = _files_written(song, original, mixture, references, origins or {})
        with transaction.atomic():
            song.save()
            Stem.objects.bulk_create(stems)
    except BaseException:
        _files_delete_unless_stored(song)
        raise
    return song


def _files_delete_unless_stored(song: Song) -> None:
    """A commit may succeed although its answer is lost with the database; then the sweep of files decides."""
    with suppress(DatabaseError):
        if not Song.objects.filter(pk=song.pk).exists():
            song_files_delete(song.pk)


def _files_written(
    song: Song,
    original: File[Any],
    mixture: Audio,
    references: Mapping[str, Audio],
    origins: Mapping[str, dict[str, Any]],
) -> list[Stem]:
    song.mixture_gain = fitting_gain(peak_of(mixture))
    if song.mixture_gain != 1.0:
        song.notes = [*song.notes, "peaks_scaled"]
    song.samples = mixture.shape[1]
    song.original.save(song.original_name, original, save=False)
    song.mixture_sha256 = flac_saved(song.mixture, "mixture.flac", blocks_of(mixture), song.mixture_gain)
    return [reference_written(song, source, stem, origins.get(source, {})) for source, stem in references.items()]


def reference_written(song: Song, source: str, samples: Audio, origin: dict[str, Any]) -> Stem:
    """The true stem's file, and its row, not yet saved."""
    stem = Stem(song=song, source=source, gain=fitting_gain(peak_of(samples)), origin=origin)
    stem.sha256 = flac_saved(stem.file, f"{source}.flac", blocks_of(samples), stem.gain)
    return stem


@contextmanager
def room_needed() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise UploadRefused("disk_full") from error
        raise


def file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
