"""Opening a file of a known kind and giving its sound block by block. Runs in the limited child process only.

libsndfile reads WAV, AIFF, OGG and FLAC. PyAV reads M4A, which libsndfile cannot; MP3, because libsndfile guesses the
length of a variable-rate MP3 without a Xing header from its first frames and silently drops what comes after that; and
FLAC that was written to a pipe (length unknown), whose last block libsndfile loses. FFmpeg is told which demuxer to
use: left to guess, it would take a playlist for audio and open what that points to.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from audio import channels, containers, mpeg
from audio.refusal import UnreadableAudio

BLOCK_FRAMES = 65_536
UNKNOWN_FRAMES = 2**63 - 1  # libsndfile's SF_COUNT_MAX
IMPLAUSIBLE_SECONDS = 10 * 24 * 3600
DEMUXERS = {"M4A": "mov", "MP3": "mp3", "FLAC": "flac"}
WORDS = {
    "PCM_S8": "8 bit",
    "PCM_U8": "8 bit",
    "PCM_16": "16 bit",
    "PCM_24": "24 bit",
    "PCM_32": "32 bit",
    "FLOAT": "32 bit float",
    "DOUBLE": "64 bit float",
    "VORBIS": "Vorbis",
    "OPUS": "Opus",
}

Block = npt.NDArray[np.float32]
"""float32 `[frames, channels]`; full scale is ±1."""


@dataclass(frozen=True)
class Source:
    """An opened file. `claimed`: frames that its header promises, None where it promises nothing to be held to."""

    format: str
    sample_rate: int
    places: tuple[str, ...]  # loudspeaker of each channel, see channels.STEREO_GAINS
    channels: int
    claimed: int | None
    blocks: Iterator[Block]
    streams: int = 1  # audio streams in the file, one of which this is


def open_source(path: Path, stream: int = 0) -> Source:
    """Open an uploaded file by what it holds, at its audio stream of this number. Raises `UnreadableAudio`."""
    container = containers.kind(path)
    if container is None:
        raise UnreadableAudio("not_audio")
    found = containers.evidence(path, container)
    if found.implausible:
        raise UnreadableAudio("header_implausible")
    if found.cut_off:
        raise UnreadableAudio("truncated")
    if container == "MP3":
        _refuse_cut_mp3(path)
    if container in ("M4A", "MP3"):
        return _open_av(path, container, stream)
    if stream:
        raise UnreadableAudio("no_audio_track")
    return _open_soundfile(path, container)


def _refuse_cut_mp3(path: Path) -> None:
    walk = mpeg.walk(path.read_bytes())
    if walk is None:
        raise UnreadableAudio("not_audio")
    if not walk.is_whole:
        raise UnreadableAudio("truncated", seconds=round(walk.samples / walk.sample_rate, 1))


def _open_soundfile(path: Path, container: str) -> Source:
    import soundfile

    try:
        file = soundfile.SoundFile(path)
    except soundfile.LibsndfileError as error:
        raise UnreadableAudio("not_audio") from error
    if container == "FLAC" and file.frames == UNKNOWN_FRAMES:
        file.close()
        return _open_av(path, container)
    return Source(
        format=f"{container} {WORDS.get(file.subtype, file.subtype)}",
        sample_rate=file.samplerate,
        places=channels.positions(file.channels, container),
        channels=file.channels,
        claimed=file.frames,
        blocks=_soundfile_blocks(file),
    )


def _soundfile_blocks(file: Any) -> Iterator[Block]:
    import soundfile

    frames, count = file.frames, 0
    try:
        while len(block := file.read(BLOCK_FRAMES, dtype="float32", always_2d=True)):
            count += len(block)
            yield block
    except soundfile.LibsndfileError as error:
        raise UnreadableAudio("truncated", seconds=round(count / file.samplerate, 1)) from error
    if count < frames:
        raise UnreadableAudio("truncated", seconds=round(count / file.samplerate, 1))


def _open_av(path: Path, container: str, number: int = 0) -> Source:
    import av

    try:
        file = av.open(str(path), format=DEMUXERS[container], options={"enable_drefs": "0"})
    except (av.FFmpegError, ValueError) as error:
        raise UnreadableAudio("not_audio") from error
    if number >= len(file.streams.audio):
        raise UnreadableAudio("no_audio_track")
    stream = file.streams.audio[number]
    stream.codec_context.thread_count = 1
    length = (stream.duration or 0) * (stream.time_base or 0)  # s
    claimed = round(length * stream.rate) if container == "M4A" and length else None  # of an MP3 it is a guess
    return Source(
        format=f"M4A {stream.codec_context.name.upper()}" if container == "M4A" else container,
        sample_rate=stream.rate,
        places=tuple(place.name for place in stream.layout.channels),
        channels=stream.channels,
        claimed=claimed,
        blocks=_av_blocks(file, stream, claimed),
        streams=len(file.streams.audio),
    )


def _av_blocks(file: Any, stream: Any, claimed: int | None) -> Iterator[Block]:
    """Decoded frames; an M4A is cut at the length it states, because its last packet is padded."""
    import av

    to_float = av.AudioResampler(format="flt")  # interleaved: PyAV 18.1 crashes on frames of eight planes
    count = bad = 0
    for packet in file.demux(stream):
        try:
            frames = packet.decode()
        except av.FFmpegError:
            bad += 1
            continue
        for frame in frames:
            for part in to_float.resample(frame):
                block: Block = part.to_ndarray().reshape(-1, stream.channels).astype(np.float32, copy=False)
                block = block[: None if claimed is None else max(0, claimed - count)]
                count += len(block)
                yield block
    if _fell_short(count, bad, claimed, stream.rate):
        raise UnreadableAudio("truncated", seconds=round(count / stream.rate, 1))


def _fell_short(count: int, bad: int, claimed: int | None, rate: int) -> bool:
    """More than half a second is missing, or more than a few packets were unreadable.

    One or two bad packets are common in sound files: an MP3 cut out of another one starts with them.
    """
    return bad > 3 or (claimed is not None and count < claimed - rate / 2)
