"""Songs whose mixture is the sum of known stems, and archives of stems, honest and hostile."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.base import ContentFile

from audio.reading_child import convert
from audio.refusal import UnreadableAudio
from separation.archives import LooseContainer, ZipContainer
from separation.models import Song
from separation.services.imports import Imported, Result, Wish, stems_import
from separation.services.songs import song_add
from tests.factories import Audio, encoded, sound

SHARES = {"vocals": 0.5, "drums": 0.3, "bass": 0.2}
NAME = "Band-Split RNN"


def parts(seed: int = 1, seconds: float = 4.0) -> dict[str, Audio]:
    """What a song of this seed is the sum of."""
    return {
        source: np.float32(share) * sound(seconds, seed=100 * seed + number)
        for number, (source, share) in enumerate(SHARES.items())
    }


def song_of_parts(title: str = "Una canción", *, seed: int = 1, seconds: float = 4.0) -> Song:
    mixture = np.sum(list(parts(seed, seconds).values()), axis=0, dtype=np.float32)
    data = encoded(mixture, format="WAV", subtype="FLOAT")
    return song_add(file=ContentFile(data, name=f"{title}.wav"))


def wav(samples: Audio, *, rate: int = 44_100) -> bytes:
    return encoded(samples, format="WAV", subtype="FLOAT", rate=rate)


def late(samples: Audio, lag: int) -> Audio:
    """It begins so many samples later, and ends later too."""
    return np.concatenate([np.zeros((2, lag), dtype=np.float32), samples], axis=1)


@pytest.fixture
def quick_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    """The decoder in this process: a child of its own for each file is half of the time, and has its own tests."""

    def decoded(path: Path, raw: Path, limits: dict[str, Any]) -> dict[str, Any]:
        try:
            return convert(path, raw, limits["max_seconds"], limits["stream"], limits["may_be_silent"])
        except UnreadableAudio as refusal:
            return {"code": refusal.code, "params": refusal.params}

    monkeypatch.setattr("audio.reading._run_child", decoded)


def archive(files: Mapping[str, bytes], **options: Any) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", **options) as target:
        for name, data in files.items():
            target.writestr(name, data)
    return packed.getvalue()


def stems_of(folder: str, stems: Mapping[str, Audio]) -> dict[str, bytes]:
    return {f"{folder}/{source}.wav": wav(samples) for source, samples in stems.items()}


def imported_from(tmp_path: Path, files: Mapping[str, bytes], **wish: Any) -> Imported:
    """Import from an archive of these files."""
    path = tmp_path / "stems.zip"
    path.write_bytes(archive(files))
    container = ZipContainer(path, scratch=tmp_path)
    try:
        return stems_import(container=container, wish=Wish(**{"system": NAME, **wish}))
    finally:
        container.close()


def only_result(imported: Imported) -> Result:
    (result,) = imported.results
    return result


def loose(tmp_path: Path, files: Mapping[str, bytes]) -> LooseContainer:
    paths = {}
    for number, (name, data) in enumerate(files.items()):
        paths[name] = tmp_path / f"{number}"
        paths[name].write_bytes(data)
    return LooseContainer(paths)
