"""Songs, jobs and stems in tiny real audio."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile
from django.core.files.base import ContentFile
from django.utils import timezone

from separation.models import SeparationJob, Song, Stem

RATE = 44_100
SOURCES = ("vocals", "drums", "bass", "other")

Audio = npt.NDArray[np.float32]


def sound(seconds: float = 3.0, *, seed: int = 1, level: float = 0.1, channels: int = 2, rate: int = RATE) -> Audio:
    """Noise `[channels, samples]`, different for every seed."""
    rng = np.random.default_rng(seed)
    return (level * rng.standard_normal((channels, round(seconds * rate)))).astype(np.float32)


def encoded(samples: Audio, *, format: str = "FLAC", subtype: str | None = None, rate: int = RATE) -> bytes:
    """The bytes of a sound file of any format that libsndfile writes."""
    file = io.BytesIO()
    soundfile.write(file, samples.T, rate, format=format, subtype=subtype)
    return file.getvalue()


def song_make(*, title: str = "Una canción", seconds: float = 3.0, seed: int = 1, **fields: Any) -> Song:
    data = encoded(sound(seconds, seed=seed), subtype="PCM_24")
    values = {
        "style": "rock",
        "original_name": f"{title}.flac",
        "original_format": "FLAC 24 bit",
        "original_sample_rate": RATE,
        "original_channels": 2,
        **fields,
    }
    song = Song(title=title, samples=round(seconds * RATE), original_sha256=hashlib.sha256(data).hexdigest(), **values)
    song.original.save("original.flac", ContentFile(data), save=False)
    song.mixture.save("mixture.flac", ContentFile(data), save=False)
    song.save()
    return song


def job_make(*, song: Song | None = None, separator: str = "umx:demo", **fields: Any) -> SeparationJob:
    """A queued job unless `fields` say otherwise."""
    weights = "demo" if separator.endswith(":demo") else "published"
    return SeparationJob.objects.create(song=song or song_make(), separator=separator, weights=weights, **fields)


def stem_make(*, song: Song, source: str, job: SeparationJob | None = None, seed: int = 7) -> Stem:
    """A stem of a job, or (no job) the song's true stem."""
    data = encoded(sound(song.seconds, seed=seed), subtype="PCM_24")
    stem = Stem(song=song, job=job, source=source, sha256=hashlib.sha256(data).hexdigest())
    stem.file.save(f"{source}.flac", ContentFile(data), save=False)
    stem.save()
    return stem


def job_done_make(
    *, song: Song | None = None, separator: str = "umx:demo", sources: Iterable[str] = SOURCES
) -> SeparationJob:
    """A done job with its stems."""
    now = timezone.now()
    job = job_make(
        song=song,
        separator=separator,
        state=SeparationJob.State.DONE,
        attempt=1,
        progress=1.0,
        started_at=now,
        finished_at=now,
        ran={
            "separator": separator,
            "package": "openunmix",
            "package_version": "1.3.0",
            "seconds": 1.5,
            "device": "cpu",
            "weights": "demo",
            "weights_origin": "here",
            "weights_sha256": {"vocals.pth": "ab" * 32},
        },
    )
    for number, source in enumerate(sources):
        stem_make(song=job.song, job=job, source=source, seed=20 + number)
    return job


def files_in(folder: Path) -> list[str]:
    """Every file below the folder, by its path from there."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
