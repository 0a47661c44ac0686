"""Songs that are the sum of their stems, as files of every kind that brings them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile

from audio.synthesis import synthetic_song
from separation.models import Song
from separation.services.songs import song_add
from tests.factories import RATE, Audio, encoded

SOURCES = ("drums", "bass", "other", "vocals")
_made: dict[tuple[int, float], tuple[Audio, dict[str, Audio]]] = {}


def music(seed: int = 5, seconds: float = 4.0) -> tuple[Audio, dict[str, Audio]]:
    """A mixture and the stems that add up to it."""
    if (seed, seconds) not in _made:
        song = synthetic_song(seed, seconds)
        stems = {source: song.stems[source].astype(np.float32) for source in SOURCES}
        _made[seed, seconds] = np.sum(list(stems.values()), axis=0, dtype=np.float32), stems
    mixture, stems = _made[seed, seconds]
    return mixture.copy(), {source: stem.copy() for source, stem in stems.items()}


def song_of(mixture: Audio, title: str = "Una canción") -> Song:
    return song_add(file=ContentFile(encoded(mixture, subtype="PCM_24"), name=f"{title}.flac"))


def files_of(stems: dict[str, Audio], **how: Any) -> dict[str, SimpleUploadedFile]:
    suffix = how.get("format", "FLAC").lower()
    return {
        source: SimpleUploadedFile(f"{source}.{suffix}", encoded(stem, **{"subtype": "PCM_24", **how}))
        for source, stem in stems.items()
    }


def stem_mp4(path: Path, streams: list[Audio]) -> Path:
    """An MP4 file with one AAC stream for each sound, as MUSDB18 has five."""
    with av.open(str(path), "w", format="mp4") as file:
        opened = [file.add_stream("aac", rate=RATE, layout="stereo", bit_rate=256_000) for _ in streams]
        for stream, samples in zip(opened, streams, strict=True):
            for start in range(0, samples.shape[1], 1024):
                frame = av.AudioFrame.from_ndarray(
                    np.ascontiguousarray(samples[:, start : start + 1024]), format="fltp", layout="stereo"
                )
                frame.sample_rate, frame.pts = RATE, start
                file.mux(stream.encode(frame))
            file.mux(stream.encode(None))
    return path


def stem_file(folder: Path, name: str = "Una Banda - Su canción.stem.mp4", seed: int = 5, seconds: float = 4.0) -> Path:
    mixture, stems = music(seed, seconds)
    return stem_mp4(folder / name, [mixture, *(stems[source] for source in SOURCES)])


def hq_folder(folder: Path, name: str = "Una Banda - Su canción", seed: int = 5) -> Path:
    mixture, stems = music(seed)
    track = folder / name
    track.mkdir(parents=True)
    for source, samples in {"mixture": mixture, **stems}.items():
        (track / f"{source}.wav").write_bytes(encoded(samples, format="WAV", subtype="FLOAT"))
    return track
