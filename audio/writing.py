"""Writing our own FLAC files: exact integers, and not one byte that says where they come from."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import IO

import numpy as np
import numpy.typing as npt
import soundfile

from audio.reading import SAMPLE_RATE, Audio

BLOCK_FRAMES = 2**18
CHUNK_BYTES = 2**20
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
    gain = fitting_gain(peak_of(samples), bits=bits)
    chunks = flac_chunks(blocks_of(samples), io.BytesIO(), gain=gain, channels=samples.shape[0], bits=bits)
    return b"".join(chunks), gain


def blocks_of(samples: Audio) -> Iterator[Audio]:
    """Pieces of `[channels, n]`, as `flac_chunks` takes them; nothing is copied."""
    return (samples[:, start : start + BLOCK_FRAMES] for start in range(0, samples.shape[1], BLOCK_FRAMES))


def peak_of(samples: Audio) -> float:
    """The highest absolute sample, or NaN where there is one, found without a copy of the whole."""
    return float(np.max([np.max(np.abs(block)) for block in blocks_of(samples)]))


def fitting_gain(peak: float, *, bits: int = 24) -> float:
    """The gain with which a file of this highest absolute sample fits. Raises `ValueError` for NaN and infinity."""
    if not np.isfinite(peak):
        raise ValueError("the samples hold NaN or infinity")
    full_scale = 1.0 - 2.0 ** (1 - bits)
    return 1.0 if peak <= full_scale else full_scale / peak


def flac_chunks(
    blocks: Iterable[Audio], scratch: IO[bytes], *, gain: float, channels: int = 2, bits: int = 24
) -> Iterator[bytes]:
    """The file of `encode_flac`, byte by byte the same, in pieces, for audio that comes in blocks `[channels, n]`.

    `scratch` is an empty file to write to, read from and seek in: memory does not grow with the length of the audio.
    Raises the `OSError` of a `scratch` that cannot be written, e.g. because the disk is full.
    """
    shape = {"samplerate": SAMPLE_RATE, "channels": channels, "format": "FLAC", "subtype": f"PCM_{bits}"}
    careful = _Careful(scratch)
    try:
        with soundfile.SoundFile(careful, "w", **shape) as sound:
            for block in blocks:
                sound.write(_integers(block, gain, bits))
                careful.check()
    except (soundfile.SoundFileError, AssertionError):
        careful.check()  # the reason, where the file has said one
        raise
    careful.check()
    return _without_metadata(scratch)


class _Careful:
    """A file for libsndfile, through whose callbacks no exception passes: it keeps the first one."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.error: OSError | None = None

    def write(self, data: bytes) -> int:
        try:
            return self.file.write(data)
        except OSError as error:
            self.error = self.error or error
            return 0

    def read(self, size: int = -1) -> bytes:
        return self.file.read(size)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        try:
            return self.file.seek(offset, whence)
        except OSError as error:  # a buffered file writes before it seeks
            self.error = self.error or error
            return 0

    def tell(self) -> int:
        return self.file.tell()

    def check(self) -> None:
        if self.error is not None:
            raise self.error


def _integers(block: Audio, gain: float, bits: int) -> npt.NDArray[np.int32]:
    """`[n, channels]` int32 whose upper `bits` are the samples: what libsndfile keeps of int32 input."""
    scaled = np.rint(block.T.astype(np.float64) * (gain * 2 ** (bits - 1)))
    limit = 2 ** (bits - 1)
    return np.ascontiguousarray(np.clip(scaled, -limit, limit - 1).astype(np.int32) << (32 - bits))


def _without_metadata(flac: IO[bytes]) -> Iterator[bytes]:
    """The FLAC file with its STREAMINFO block alone (RFC 9639, section 8)."""
    flac.seek(4)
    info, last = b"", False
    while not last:
        head = flac.read(4)
        last, kind, content = bool(head[0] & 0x80), head[0] & 0x7F, flac.read(int.from_bytes(head[1:], "big"))
        info = content if kind == STREAMINFO else info
    yield b"fLaC" + bytes([0x80 | STREAMINFO]) + len(info).to_bytes(3, "big") + info
    while chunk := flac.read(CHUNK_BYTES):
        yield chunk
