"""From the samples of an excerpt to the file of a clip. Pure: no Django.

The order is: fade, level (by a gain that the study's rule of loudness gives), dither to 16 bit, encode as FLAC. What a
listener's browser gets of the file, and why, is in `sealing`.

Why 16 bit: a clip at -23 LUFS with triangular dither has its noise 70 dB below the music, which nobody hears at a
level at which the music is bearable, while 24 bit would double what a phone has to download. The dither (Lipshitz,
Wannamaker and Vanderkooy 1992, "Quantization and dither: a theoretical survey", J. Audio Eng. Soc. 40(5), section 5:
triangular, two least significant bits wide) keeps the rounding from being distortion in quiet passages, and is the
same for all systems.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from audio.excerpts import fade
from audio.levels import CLIP, Level, gains_db, level_of
from audio.writing import encode_flac

Audio = npt.NDArray[np.float32]
"""float32 `[channels, samples]` at 44.1 kHz."""

BITS = 16
STEPS = 2 ** (BITS - 1)  # to full scale
FADE_SECONDS = 0.005
TARGET_LUFS = -23.0
CEILING_DBTP = -1.0
DITHER_ROOM_DB = 0.01  # what the dither may add to a peak

FLAC_MARK = b"fLaC"
LAST_BLOCK = 0x80
PADDING_BLOCK = 1
BLOCK_HEADER = 4  # bytes


@dataclass(frozen=True)
class Stimulus:
    """A finished clip: the file and what was measured on the way."""

    data: bytes
    samples: int
    gain_db: float
    loudness_lufs: float
    true_peak_dbtp: float


def clip_level(samples: Audio) -> Level:
    """The level of an excerpt as it is heard, with its fades. Raises `audio.loudness.TooQuiet` for near-silence."""
    return level_of(fade(samples, FADE_SECONDS))


def clip_gains(rule: str, levels: list[Level], mixture: Level | None = None) -> list[float]:
    """The gain in dB of each clip of one excerpt, by a rule of `audio.levels`; `mixture`: the excerpt of the song."""
    return gains_db(rule, levels, mixture, target_lufs=TARGET_LUFS, ceiling_dbtp=CEILING_DBTP - DITHER_ROOM_DB)


def stimulus(
    samples: Audio, *, seed: Iterable[int], gain_db: float | None = None, level: Level | None = None
) -> Stimulus:
    """The clip of an excerpt's samples, `[channels, samples]`; `seed` (integers of 0 or more) decides its dither.

    Without a gain it is brought to the target by itself; `level`, where it is known, is not measured again. Raises
    `audio.loudness.TooQuiet` for near-silence.
    """
    faded = fade(samples, FADE_SECONDS)
    level = level or level_of(faded)
    gain = clip_gains(CLIP, [level])[0] if gain_db is None else gain_db
    louder = np.asarray(faded * 10.0 ** (gain / 20.0), dtype=np.float32)
    data, _gain = encode_flac(dithered(louder, np.random.default_rng(list(seed))), bits=BITS)
    after = level.after(gain)
    return Stimulus(data, samples.shape[1], gain, after.loudness_lufs, after.true_peak_dbtp)


def dithered(samples: Audio, rng: np.random.Generator) -> Audio:
    """`samples` on the steps of 16 bit, after triangular dither two steps wide; float32 of the same shape."""
    noise = rng.random(samples.shape) - rng.random(samples.shape)
    return np.asarray(np.rint(samples.astype(np.float64) * STEPS + noise) / STEPS, dtype=np.float32)


def common_size(files: Iterable[bytes]) -> int:
    """The size in bytes that all of `files` can be padded to."""
    return max(len(data) for data in files) + BLOCK_HEADER


def padded(data: bytes, size: int) -> bytes:
    """The FLAC file `data` made `size` bytes long by a PADDING block of zeros (RFC 9639, section 8.3).

    `size` is at least `len(data) + 4`, as `common_size` gives it. Raises `ValueError` otherwise, or for no FLAC file.
    """
    room = size - len(data) - BLOCK_HEADER
    if room < 0:
        raise ValueError(f"{len(data)} bytes cannot be padded to {size}")
    start, end = _last_block(data)
    header = bytes([LAST_BLOCK | PADDING_BLOCK]) + room.to_bytes(3, "big")
    return data[:start] + bytes([data[start] & ~LAST_BLOCK]) + data[start + 1 : end] + header + bytes(room) + data[end:]


def _last_block(data: bytes) -> tuple[int, int]:
    """Start and end of the last metadata block (RFC 9639, section 8.1)."""
    if not data.startswith(FLAC_MARK):
        raise ValueError("not a FLAC file")
    start = len(FLAC_MARK)
    while True:
        end = start + BLOCK_HEADER + int.from_bytes(data[start + 1 : start + BLOCK_HEADER], "big")
        if data[start] & LAST_BLOCK:
            return start, end
        start = end
