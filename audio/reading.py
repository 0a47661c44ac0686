"""Reading audio: what strangers upload (in a limited child process) and our own FLAC files (directly)."""

from __future__ import annotations

import json
import logging
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import soundfile

from audio.refusal import UnreadableAudio

__all__ = ["SAMPLE_RATE", "Audio", "Decoded", "UnreadableAudio", "read_flac", "read_upload"]

SAMPLE_RATE = 44_100
"""Hz."""

Audio = npt.NDArray[np.float32]
"""float32 `[2, samples]` at 44.1 kHz; full scale is ±1, values beyond it are kept."""

MEMORY_BYTES = 1536 * 2**20
CPU_SECONDS = 120
WALL_SECONDS = 180
ROOT = Path(__file__).resolve().parent.parent

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Decoded:
    """An uploaded file, decoded.

    `samples`: 44.1 kHz stereo. `sample_rate` (Hz), `channels` and `format` (e.g. "FLAC 24 bit") are the file's own.
    `notes` say what was done: "mono_doubled", "mixed_down" (more than two channels), "resampled". `streams` is how many
    audio streams the file holds, of which one was read.
    """

    samples: Audio
    sample_rate: int
    channels: int
    format: str
    notes: list[str]
    streams: int = 1


def read_upload(
    path: Path,
    *,
    max_seconds: float,
    min_seconds: float = 0.0,
    folder: Path | None = None,
    memory_bytes: int = MEMORY_BYTES,
    cpu_seconds: int = CPU_SECONDS,
    stream: int = 0,
    may_be_silent: bool = False,
) -> Decoded:
    """Decode a stranger's file: WAV, FLAC, MP3, OGG (Vorbis, Opus, FLAC), AIFF, or M4A (AAC, ALAC).

    More than two channels are mixed down by ITU-R BS.775, one is put on both sides, and every sample rate is
    converted to 44.1 kHz. A child process with limits on memory, time and output does the work; the decoded audio
    stays in a file (inside `folder`, if given) whose name is gone afterwards, so it needs no memory. An MP4 file may
    hold several audio streams: `stream` is the number of the one to read, from 0. A song is refused where it is silent
    from start to end, a stem is not: `may_be_silent`.

    Raises `UnreadableAudio` with the codes listed there.
    """
    if path.stat().st_size == 0:
        raise UnreadableAudio("empty_file")
    limits = {"max_seconds": max_seconds, "memory_bytes": memory_bytes, "cpu_seconds": cpu_seconds}
    wanted = {"stream": stream, "may_be_silent": may_be_silent}
    with tempfile.TemporaryDirectory(prefix="decode-", dir=folder) as work:
        raw = Path(work) / "audio.raw"
        answer = _run_child(path, raw, {**limits, **wanted})
        if "code" in answer:
            raise UnreadableAudio(answer["code"], **answer["params"])
        if answer["seconds"] < min_seconds:
            raise UnreadableAudio("too_short", seconds=round(answer["seconds"], 1), limit=min_seconds)
        interleaved = np.asarray(np.memmap(raw, dtype=np.float32, mode="c")).reshape(-1, 2)
    known = ("sample_rate", "channels", "format", "notes", "streams")
    return Decoded(interleaved.T, **{name: answer[name] for name in known})


def _run_child(path: Path, raw: Path, limits: dict[str, float]) -> dict[str, Any]:
    command = [sys.executable, "-m", "audio.reading_child", str(path.resolve()), str(raw), json.dumps(limits)]
    try:
        done = subprocess.run(  # noqa: S603
            command, cwd=ROOT, env=_child_environment(), capture_output=True, timeout=WALL_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return {"code": "too_costly", "params": {}}
    if done.returncode == 0:
        answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return answer
    log.warning("decoder ended with %s: %s", done.returncode, done.stderr[-2000:].decode(errors="replace"))
    stopped = done.returncode in (-signal.SIGKILL, -signal.SIGXCPU)
    starved = any(word in done.stderr for word in (b"Memory", b"memory", b"bad_alloc", b"map segment"))
    return {"code": "too_costly" if stopped or starved else "not_audio", "params": {}}


def _child_environment() -> dict[str, str]:
    """Nothing of ours, and one thread for each library: threads reserve address space, which is limited."""
    threads = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
    return {"PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1", **dict.fromkeys(threads, "1")}


def read_flac(file: Path | str | IO[bytes], start: float | None = None, end: float | None = None) -> Audio:
    """Our own FLAC file, or the part of it from `start` to `end` seconds, as float32 `[channels, samples]`.

    The part begins at round(start · 44100) and ends before round(end · 44100), so equal times give equal lengths in
    every file. Raises `ValueError` for a part that does not lie inside the file.
    """
    first = 0 if start is None else round(start * SAMPLE_RATE)
    return read_flac_samples(file, first, None if end is None else round(end * SAMPLE_RATE))


def read_flac_samples(file: Path | str | IO[bytes], first: int, last: int | None) -> Audio:
    """As `read_flac`, from sample `first` to before `last`, or to the end."""
    with soundfile.SoundFile(file) as sound:
        last = sound.frames if last is None else last
        if not 0 <= first < last <= sound.frames:
            raise ValueError(f"samples {first} to {last} do not lie inside a file of {sound.frames}")
        sound.seek(first)
        samples: Audio = sound.read(last - first, dtype="float32", always_2d=True).T
    return np.ascontiguousarray(samples)
