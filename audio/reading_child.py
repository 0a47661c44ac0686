"""The process in which a stranger's file is decoded: `python -m audio.reading_child FILE OUTPUT LIMITS`.

LIMITS is JSON: `max_seconds`, `memory_bytes`, `cpu_seconds`, and what is wanted: `stream` (which audio stream) and
`may_be_silent`. OUTPUT receives raw float32 stereo frames at 44.1 kHz, interleaved. One JSON line on
standard output says what was found, or why not. The limits are set before a decoder is imported, and nothing of the
parent's environment is here: a decoder that a hostile file takes over finds no secrets and soon no memory, time or
disk.
"""

from __future__ import annotations

import contextlib
import errno
import json
import resource
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from audio.refusal import UnreadableAudio

if TYPE_CHECKING:
    from audio.decoders import Block, Source

SAMPLE_RATE = 44_100
SILENCE_PEAK = 1e-3  # -60 dBFS
ABSURD_PEAK = 1e3  # +60 dBFS
MIN_RATE, MAX_RATE = 4_000, 384_000  # Hz
UNPACKED_BYTES = 2**30
UNPACKED_RATIO = 200
"""A file that becomes a gigabyte and 200 times its size holds no music: music packs to a third, 32 kbit/s to 1/88."""


def main(arguments: list[str]) -> None:
    source, output, limits = Path(arguments[0]), Path(arguments[1]), json.loads(arguments[2])
    limit_process(limits)
    try:
        answer = convert(source, output, limits["max_seconds"], limits["stream"], limits["may_be_silent"])
    except UnreadableAudio as refusal:
        answer = {"code": refusal.code, "params": refusal.params}
    except MemoryError:
        answer = {"code": "too_costly", "params": {}}
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        answer = {"code": "disk_full", "params": {}}
    print(json.dumps(answer))


def limit_process(limits: dict[str, Any]) -> None:
    output_bytes = int((limits["max_seconds"] + 60) * SAMPLE_RATE * 8)
    for name, value in (
        ("RLIMIT_AS", limits["memory_bytes"]),
        ("RLIMIT_CPU", limits["cpu_seconds"]),
        ("RLIMIT_FSIZE", output_bytes),
        ("RLIMIT_CORE", 0),
        ("RLIMIT_NOFILE", 64),
    ):
        with contextlib.suppress(ValueError, OSError):  # macOS knows some of them by name only
            resource.setrlimit(getattr(resource, name), (value, value))


def convert(
    path: Path, output: Path, max_seconds: float, stream: int = 0, may_be_silent: bool = False
) -> dict[str, Any]:
    """Decode to 44.1 kHz stereo and say what the file was. Raises `UnreadableAudio`."""
    from audio.decoders import open_source

    source = open_source(path, stream)
    matrix = _accepted_matrix(source)
    packed = path.stat().st_size
    if source.claimed is not None:
        refuse_length(source.claimed, source, packed, max_seconds)
    with output.open("wb") as file:
        frames, peak = _write_all(source, matrix, file, packed, max_seconds)
    if frames == 0:
        raise UnreadableAudio("no_audio_track")
    if peak < SILENCE_PEAK and not may_be_silent:
        raise UnreadableAudio("silent")
    return {
        "sample_rate": source.sample_rate,
        "channels": source.channels,
        "format": source.format,
        "seconds": frames / source.sample_rate,
        "notes": _notes(source),
        "streams": source.streams,
    }


def _accepted_matrix(source: Source) -> Any:
    from audio.channels import stereo_matrix

    if not MIN_RATE <= source.sample_rate <= MAX_RATE:
        raise UnreadableAudio("sample_rate_unsupported", sample_rate=source.sample_rate)
    matrix = stereo_matrix(source.places)
    if matrix is None:
        raise UnreadableAudio("channels_unsupported", channels=source.channels)
    return matrix


def refuse_length(frames: int, source: Source, packed: int, max_seconds: float) -> None:
    """Refuse what the header claims, or what has come out so far, if no song is like that."""
    from audio.decoders import IMPLAUSIBLE_SECONDS

    seconds, unpacked = frames / source.sample_rate, frames * source.channels * 4
    if seconds > IMPLAUSIBLE_SECONDS:
        raise UnreadableAudio("header_implausible")
    if unpacked > max(UNPACKED_BYTES, UNPACKED_RATIO * packed):
        raise UnreadableAudio("unpacks_too_large", packed_mb=round(packed / 1e6, 1), unpacked_mb=round(unpacked / 1e6))
    if seconds > max_seconds:
        raise UnreadableAudio("too_long", seconds=round(seconds), limit=max_seconds)


def _write_all(source: Source, matrix: Any, output: BinaryIO, packed: int, max_seconds: float) -> tuple[int, float]:
    """(frames read, highest peak) after writing every block, mixed down and resampled."""
    convert_rate = _rate_converter(source.sample_rate)
    frames, peak = 0, 0.0
    for block, last in _with_last(source.blocks):
        frames += len(block)
        refuse_length(frames, source, packed, max_seconds)
        stereo = convert_rate(block @ matrix, last)
        peak = max(peak, _checked_peak(block))
        output.write(stereo.tobytes())
    return frames, peak


def _with_last(blocks: Iterator[Block]) -> Iterator[tuple[Block, bool]]:
    """Every block, and whether it is the last one."""
    waiting = next(blocks, None)
    while waiting is not None:
        following = next(blocks, None)
        yield waiting, following is None
        waiting = following


def _checked_peak(block: Block) -> float:
    import numpy as np

    peak = float(np.max(np.abs(block), initial=0.0))
    if not peak <= ABSURD_PEAK:  # also true for NaN
        raise UnreadableAudio("bad_samples")
    return peak


def _rate_converter(rate: int) -> Any:
    if rate == SAMPLE_RATE:
        return lambda block, last: block
    import soxr

    stream = soxr.ResampleStream(rate, SAMPLE_RATE, 2, dtype="float32", quality="VHQ")
    return stream.resample_chunk


def _notes(source: Source) -> list[str]:
    notes = ["mono_doubled"] if source.channels == 1 else []
    notes += ["mixed_down"] if source.channels > 2 else []
    return notes + (["resampled"] if source.sample_rate != SAMPLE_RATE else [])


if __name__ == "__main__":
    main(sys.argv[1:])
