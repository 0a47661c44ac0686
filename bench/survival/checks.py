"""What is found afterwards: jobs, rows and files, held against one another and against an undisturbed separation."""

from __future__ import annotations

import hashlib
import io
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from audio.reading import read_flac

TOLERANCE = 1e-4  # of full scale
SOURCES = {"vocals", "drums", "bass", "other"}

Audio = npt.NDArray[np.float32]
Stems = dict[str, Audio]


@dataclass
class Found:
    """Everything but the first five is a fault."""

    jobs: int = 0
    done: int = 0
    again: int = 0  # done, and not at the first attempt
    failed: dict[str, int] = field(default_factory=dict)  # by code
    cancelled: int = 0
    unended: int = 0
    failed_without_reason: int = 0
    missing: int = 0  # stems of done jobs
    doubled: int = 0
    damaged: int = 0  # not the bytes or the length that the row says
    different: int = 0  # from the undisturbed separation
    orphans: list[str] = field(default_factory=list)  # files without a row
    fileless: int = 0  # rows without a file
    difference: float = 0.0  # the largest one

    @property
    def faults(self) -> dict[str, Any]:
        kept = ("unended", "failed_without_reason", "missing", "doubled", "damaged", "different", "orphans", "fileless")
        return {name: value for name, value in asdict(self).items() if name in kept and value}


def found_now(media: Path, run: Path, undisturbed: Stems) -> Found:
    from separation.models import SeparationJob, Stem

    found = Found(orphans=orphans(media, run))
    for job in SeparationJob.objects.prefetch_related("stems"):
        _job(found, job, undisturbed)
    names = Stem.objects.values_list("file", flat=True)
    found.fileless = sum(not (media / name).is_file() for name in names)
    return found


def _job(found: Found, job: Any, undisturbed: Stems) -> None:
    found.jobs += 1
    if job.state == "failed":
        found.failed[job.error_code] = found.failed.get(job.error_code, 0) + 1
        found.failed_without_reason += not job.error_code
    found.cancelled += job.state == "cancelled"
    found.unended += job.is_live
    stems = list(job.stems.all())
    if job.state != "done":
        found.doubled += len(stems)
        return
    found.done += 1
    found.again += job.attempt > 1
    sources = [stem.source for stem in stems]
    found.missing += len(SOURCES.difference(sources))
    found.doubled += len(sources) - len(set(sources))
    for stem in stems:
        _stem(found, stem, undisturbed)


def _stem(found: Found, stem: Any, undisturbed: Stems) -> None:
    data = Path(stem.file.path).read_bytes() if Path(stem.file.path).is_file() else b""
    length = stem.song.samples if stem.samples is None else stem.samples
    try:
        samples = read_flac(io.BytesIO(data)) / np.float32(stem.gain)
    except Exception:
        samples = np.zeros((2, 0), dtype=np.float32)
    if hashlib.sha256(data).hexdigest() != stem.sha256 or samples.shape != (2, length):
        found.damaged += 1
    elif undisturbed:
        expected = undisturbed[stem.source][:, stem.start : stem.start + length]
        difference = float(np.max(np.abs(samples - expected)))
        found.difference = max(found.difference, difference)
        found.different += difference > TOLERANCE


def stems_of(job: Any) -> Stems:
    return {stem.source: read_flac(Path(stem.file.path)) / np.float32(stem.gain) for stem in job.stems.all()}


def orphans(media: Path, run: Path) -> list[str]:
    """Files below the media folder that no row names, and half-finished things in the other one."""
    from separation.models import Song, Stem
    from separation.services.orphans import TEMPORARY

    owned = set(Stem.objects.values_list("file", flat=True))
    for pair in Song.objects.values_list("original", "mixture"):
        owned.update(pair)
    stored = {str(path.relative_to(media)) for path in media.rglob("*") if path.is_file()}
    half = {f"run/{path.name}" for pattern in TEMPORARY for path in run.glob(pattern)}
    return sorted((stored - owned) | half)
