"""Writing our own FLAC files: exact integers, and not one byte that says where they come from."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
import soundfile

from audio.reading import SAMPLE_RATE, Audio

BLOCK_FRAMES = 2**18
STREAMINFO = 0


def encode_flac(samples: Audio, *, bits: int = 24) -> tuple[bytes, float]:
    """FLAC of `samples` (`[channels, n]`, 44.1 kHz) at 16 or 24 bits, and the gain that made it fit.

    The gain is 1.0 unless a sample lies beyond full scale; then everything is scaled so that the highest peak is full
    scale, and dividing by the gain gives the original back. Samples are rounded to the nearest integer, no dither.
    The file holds audio and its STREAMINFO block only: no vendor, comments, pictures, padding or seek table.

    Raises `ValueError` for empty input, NaN, infinity, or another number of bits.
    """
    if bits not in (16, 24) or samples.ndim != 2 or samples.size == 0:
        raise ValueError(f"FLAC here is 16 or 24 bit [channels, samples], not {bits} bit of shape {samples.shape}")
    peak = float(np.max(np.abs(samples)))
    if not np.isfinite(peak):
        raise ValueError("the samples hold NaN or infinity")
    full_scale = 1.0 - 2.0 ** (1 - bits)
    gain = 1.0 if peak <= full_scale else full_scale / peak
    return without_metadata(_encoded(samples, gain, bits)), gain


def _encoded(samples: Audio, gain: float, bits: int) -> bytes:
    file = io.BytesIO()
    shape = {"samplerate": SAMPLE_RATE, "channels": samples.shape[0], "format": "FLAC", "subtype": f"PCM_{bits}"}
    with soundfile.SoundFile(file, "w", **shape) as sound:
        for start in range(0, samples.shape[1], BLOCK_FRAMES):
            sound.write(_integers(samples[:, start : start + BLOCK_FRAMES], gain, bits))
    return file.getvalue()


def _integers(block: Audio, gain: float, bits: int) -> npt.NDArray[np.int32]:
    """`[n, channels]` int32 whose upper `bits` are the samples: what libsndfile keeps of int32 input."""
    scaled = np.rint(block.T.astype(np.float64) * (gain * 2 ** (bits - 1)))
    limit = 2 ** (bits - 1)
    return np.ascontiguousarray(np.clip(scaled, -limit, limit - 1).astype(np.int32) << (32 - bits))


def without_metadata(flac: bytes) -> bytes:
    """The FLAC file with its STREAMINFO block alone (RFC 9639, section 8)."""
    blocks, at, last = {}, 4, False
    while not last:
        last, kind = bool(flac[at] & 0x80), flac[at] & 0x7F
        length = int.from_bytes(flac[at + 1 : at + 4], "big")
        blocks[kind] = flac[at + 4 : at + 4 + length]
        at += 4 + length
    info = blocks[STREAMINFO]
    return b"fLaC" + bytes([0x80 | STREAMINFO]) + len(info).to_bytes(3, "big") + info + flac[at:]
