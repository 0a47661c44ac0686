"""Sound files of every kind, good and bad, made on the spot."""

from __future__ import annotations

import functools
import io
import struct
from pathlib import Path

import av
import numpy as np
import soundfile

from tests.factories import RATE, Audio, encoded, sound

SHARED_MP3 = Path(__file__).resolve().parents[3] / "shared" / "audio" / "audio_example.mp3"

TONES = {"FL": 300, "FR": 500, "FC": 800, "LFE": 60, "BL": 1200, "BR": 2000}  # Hz, one for each loudspeaker of 5.1


def tones(places: list[str], rate: int, seconds: float = 3.5) -> Audio:
    """One sine for each loudspeaker `[places, samples]`, amplitude 0.1."""
    t = np.arange(round(seconds * rate)) / rate
    return np.stack([0.1 * np.sin(2 * np.pi * TONES[place] * t) for place in places]).astype(np.float32)


def amplitude(channel: Audio, hertz: float, rate: int = RATE) -> float:
    """Amplitude of one sine in the middle second of a channel."""
    start = (len(channel) - rate) // 2
    wave = np.exp(-2j * np.pi * hertz * np.arange(rate) / rate)
    return float(2 * np.abs(np.mean(channel[start : start + rate] * wave)))


def encoded_av(samples: Audio, *, codec: str, container: str, layout: str, rate: int = RATE, **options: str) -> bytes:
    """A file that FFmpeg writes."""
    file = io.BytesIO()
    with av.open(file, "w", format=container, options=options) as output:
        stream = output.add_stream(codec, rate=rate)
        stream.layout = layout
        frames = av.AudioResampler(
            format=stream.format.name, layout=layout, rate=rate, frame_size=stream.codec_context.frame_size or 1024
        )
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout=layout)
        frame.sample_rate = rate
        for part in [*frames.resample(frame), *frames.resample(None)]:
            output.mux(stream.encode(part))
        output.mux(stream.encode(None))
    return file.getvalue()


def mp3(seconds: float = 6.0, **options: str) -> bytes:
    """Stereo music-like noise; `write_xing="0"` leaves out the header that counts the frames."""
    return encoded_av(sound(seconds), codec="libmp3lame", container="mp3", layout="stereo", **options)


def m4a(seconds: float = 6.0, codec: str = "aac") -> bytes:
    return encoded_av(sound(seconds), codec=codec, container="ipod", layout="stereo")


def flac_claiming(frames: int, seconds: float = 4.0) -> bytes:
    """A FLAC whose header claims `frames` (36 bits at most; 0 means unknown), whatever it holds."""
    data = bytearray(encoded(sound(seconds), subtype="PCM_16"))
    at = 4 + 4 + 10  # "fLaC", block header, then sizes; the low 36 bits of the next eight bytes count the frames
    (word,) = struct.unpack(">Q", data[at : at + 8])
    data[at : at + 8] = struct.pack(">Q", word >> 36 << 36 | frames)
    return bytes(data)


@functools.cache
def flac_bomb(seconds: int = 800, channels: int = 8, rate: int = 44_100) -> bytes:
    """Digital silence in many channels, in a few kilobytes: it unpacks to more than a gigabyte."""
    file = io.BytesIO()
    second = np.zeros((rate, channels), dtype=np.int16)
    with soundfile.SoundFile(file, "w", rate, channels, "PCM_16", format="FLAC") as output:
        for _ in range(seconds):
            output.write(second)
    return file.getvalue()


def rf64_claiming(claimed: int) -> bytes:
    """A WAV with 64-bit sizes (RF64) that claims `claimed` bytes of samples and holds four seconds."""
    data = sound(4.0).T.astype("<f4").tobytes()
    form = struct.pack("<HHIIHH", 3, 2, RATE, RATE * 8, 8, 32)
    sizes = struct.pack("<QQQI", claimed + 100, claimed, claimed // 8, 0)
    return b"".join(
        [
            b"RF64\xff\xff\xff\xffWAVE",
            b"ds64" + struct.pack("<I", len(sizes)) + sizes,
            b"fmt " + struct.pack("<I", len(form)) + form,
            b"data\xff\xff\xff\xff" + data,
        ]
    )
