"""Stems that other models have made elsewhere: matched, checked, put in place, stored. All or nothing per song."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from audio.writing import fitting_gain
from separation.archives import BadArchive, Container, Limits, ZipContainer
from separation.models import ImportedSystem, SeparationJob, Song, Stem
from separation.services.files import job_files_delete
from separation.services.flac_files import flac_saved
from separation.services.import_matching import CHOOSE, Matched, folders_matched
from separation.services.imported_audio import (
    LENGTH_TOLERANCE,
    MAX_LAG,
    Decoded,
    Placed,
    placed_blocks,
    stem_decoded,
    stems_placed,
)
from separation.services.imported_systems import jobs_replaced, refuse_used, system_kept, system_named
from separation.services.songs import UploadRefused, room_needed, shown_name
from separation.services.stored_mixture import mixture_sha256

WEIGHTS = "imported"
METHOD = "audio.alignment 1"
STEREO_FLOAT_BYTES = 8

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Wish:
    """What is to be done with the files. `only`: the folders that are meant, where some are."""

    system: str
    description: str = ""
    song_map: Mapping[str, str] = field(default_factory=dict)
    only: Collection[str] = ()
    convert: bool = False  # other sample rates than 44.1 kHz are converted, not refused
    replace: bool = False  # stems of the same system that the song has are replaced
    dry_run: bool = False  # everything is checked and nothing stored


@dataclass
class Result:
    """What became of one folder. `state` is "imported", "checked" (dry run), "choice" (of the song) or "refused"."""

    folder: str
    state: str
    song: Song | None = None
    stems: list[Decoded] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    candidates: list[Song] = field(default_factory=list)
    code: str = ""
    params: dict[str, Any] = field(default_factory=dict)
    job: SeparationJob | None = None

    @property
    def is_good(self) -> bool:
        return self.state in ("imported", "checked")


@dataclass(frozen=True)
class Imported:
    """`system` is saved where at least one song was imported."""

    system: ImportedSystem
    results: list[Result]

    @property
    def is_good(self) -> bool:
        return all(result.is_good for result in self.results)


def stems_import(*, container: Container, wish: Wish, by: Any = None) -> Imported:
    """Import what is there, song by song; the songs that cannot be imported say why, and the others stay.

    Raises `UploadRefused` where nothing can be begun with: no name, no usable file.
    """
    system = system_named(wish.system, wish.description)
    matched = folders_matched(container, wish.song_map, wish.only)
    return Imported(system, [_folder_imported(container, each, system, wish, by) for each in matched])


def _folder_imported(container: Container, matched: Matched, system: ImportedSystem, wish: Wish, by: Any) -> Result:
    """Whatever goes wrong with one song is that song's result."""
    result = Result(matched.folder, "refused", matched.song, ignored=matched.ignored)
    if matched.code or matched.song is None:
        result.state = "choice" if matched.code in CHOOSE else "refused"
        result.candidates, result.code, result.params = matched.candidates, matched.code, matched.params
        return result
    try:
        with room_needed():
            _song_imported(container, matched, matched.song, system, wish, by, result)
    except (UploadRefused, BadArchive) as refusal:
        result.code, result.params = refusal.code, refusal.params
    except Exception:
        log.exception("the stems in %r could not be imported", matched.folder)
        result.code = "import_failed"
    return result


def _song_imported(
    container: Container, matched: Matched, song: Song, system: ImportedSystem, wish: Wish, by: Any, result: Result
) -> None:
    refuse_taken(song=song, system=system.key, replace=wish.replace)
    stems = []
    for source, found in matched.files.items():
        with container.on_disk(found) as path:
            stems.append(stem_decoded(path, shown_name(found.name), source, song=song, convert=wish.convert))
    placed = stems_placed(song, stems)
    result.stems = placed.stems
    if wish.dry_run:
        result.state = "checked"
        return
    result.job = stems_stored(song=song, system=system, placed=placed, replace=wish.replace, by=by)
    result.state = "imported"


def refuse_taken(*, song: Song, system: str, replace: bool) -> None:
    """Raises `UploadRefused` where the song has stems of this system which may not, or shall not, be replaced."""
    if not SeparationJob.objects.filter(song=song, separator=system).exists():
        return
    refuse_used(system, [song.pk])
    if not replace:
        raise UploadRefused("import_exists")


@contextmanager
def zip_opened(path: Path) -> Iterator[ZipContainer]:
    """An archive, ready to be looked into. Raises `UploadRefused`."""
    longest = settings.SONG_MAX_SECONDS * settings.SAMPLE_RATE * STEREO_FLOAT_BYTES
    scratch = Path(settings.FILE_UPLOAD_TEMP_DIR) if settings.FILE_UPLOAD_TEMP_DIR else None
    try:
        container = ZipContainer(path, scratch=scratch, limits=Limits(member_bytes=longest + 2**20))
    except BadArchive as refusal:
        raise UploadRefused(refusal.code, refusal.params) from refusal
    try:
        yield container
    finally:
        container.close()


# ── storing ──────────────────────────────────────────────────────────────────────────────────────────


def stems_stored(*, song: Song, system: ImportedSystem, placed: Placed, replace: bool, by: Any = None) -> SeparationJob:
    """Files first, then the rows in one transaction; if anything fails, neither stays. Raises `UploadRefused`."""
    job = _job(song, system, placed, by)
    try:
        stems = [_stem_written(job, stem) for stem in placed.stems]
        with transaction.atomic():
            refuse_taken(song=song, system=system.key, replace=replace)
            jobs_replaced(song_id=song.pk, system=system.key)
            system_kept(system)
            job.save()
            Stem.objects.bulk_create(stems)
    except IntegrityError as error:  # another import was faster
        job_files_delete(job.pk)
        raise UploadRefused("import_exists") from error
    except BaseException:
        job_files_delete(job.pk)
        raise
    return job


def _job(song: Song, system: ImportedSystem, placed: Placed, by: Any) -> SeparationJob:
    now = timezone.now()
    return SeparationJob(
        song=song,
        separator=system.key,
        weights=WEIGHTS,
        state=SeparationJob.State.DONE,
        attempt=1,
        progress=1.0,
        started_at=now,
        finished_at=now,
        ran={
            "separator": system.key,
            "system": system.name,
            "weights": WEIGHTS,
            "imported_by": str(by or ""),
            "mixture_sha256": mixture_sha256(song),
            "alignment": {
                "method": METHOD,
                "max_lag": MAX_LAG,
                "length_tolerance": LENGTH_TOLERANCE,
                "correlation": round(placed.lag.correlation, 4),
                "sharpness": round(placed.lag.sharpness, 1),
            },
        },
    )


def _stem_written(job: SeparationJob, decoded: Decoded) -> Stem:
    """The stem's file, as long as the song, and its row, not yet saved."""
    gain = fitting_gain(decoded.peak)
    origin = {**decoded.origin, "notes": [*decoded.origin["notes"], *(["peaks_scaled"] if decoded.peak > 1.0 else [])]}
    stem = Stem(song=job.song, job=job, source=decoded.source, gain=gain, origin=origin)
    blocks = placed_blocks(decoded, job.song.samples)
    stem.sha256 = flac_saved(stem.file, f"{decoded.source}.flac", blocks, gain)
    return stem
