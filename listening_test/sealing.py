"""What a listener's browser receives of a sound: bytes that tell nothing until the page opens them. Pure: no Django.

A lossless file betrays its sound before it is heard. A FLAC's size tells how much treble a system leaves out; padded to
one size, the place where the padding ends and the sizes of the frames inside still tell; and where all frames have one
size (verbatim FLAC, WAV), how far the bytes can be packed tells the same. `python -m bench.blindness` measures all of
them: from such bytes alone, which clips share a system can be said far better than by chance.

So the file is covered by a keystream and filled up to a size that depends on the length of the sound alone, the same
for all clips of a study: nothing of size, bytes or order is left to tell, and no repeat looks like its first. That is
a cover and no secret: the page holds what opens it. Whoever opens it has the samples, as whoever listens has, and what
can be known from the samples cannot be hidden from a person who is to hear them. Encryption would not change that, and
the browser's own is not there on plain HTTP. Nothing is lost: the same FLAC, and so the same samples, come out.

Layout, in little-endian words of 32 bits: two words of key; then, covered, the length of the file in bytes, the file,
and zeros up to the size. `static/listening_test/listener/unsealed.js` opens it. The keystream is the finaliser of
MurmurHash3 (Appleby, public domain) over a counter, twice, with a word of the key each time: it can be computed at
hundreds of megabytes a second in JavaScript and in numpy alike.
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

KEY_BYTES, LENGTH_BYTES = 8, 4
WORD = 4
STEP = np.uint32(0x9E3779B1)
FIRST_FACTOR, SECOND_FACTOR = np.uint32(0x85EBCA6B), np.uint32(0xC2B2AE35)

Words = npt.NDArray[np.uint32]


def sealed_size(length: int) -> int:
    """The least size in bytes of a sealed file of `length` bytes: whole words."""
    return KEY_BYTES + -(-(LENGTH_BYTES + length) // WORD) * WORD


def sealed(data: bytes, *, name: str, size: int = 0) -> bytes:
    """`data` as the browser gets it under this `name`, `size` bytes long (more where it does not fit, or is no word).

    The key follows from the name, so a file asked for twice is the same, and under another name nothing of it is.
    """
    key = hashlib.sha256(name.encode()).digest()[:KEY_BYTES]
    inner = np.zeros((max(sealed_size(len(data)), sealed_size(size - KEY_BYTES - LENGTH_BYTES)) - KEY_BYTES), np.uint8)
    inner[:LENGTH_BYTES] = np.frombuffer(len(data).to_bytes(LENGTH_BYTES, "little"), np.uint8)
    inner[LENGTH_BYTES : LENGTH_BYTES + len(data)] = np.frombuffer(data, np.uint8)
    return key + (inner.view("<u4") ^ _keystream(key, inner.size // WORD)).tobytes()


def unsealed(data: bytes) -> bytes:
    """The file inside, as the page finds it. Raises `ValueError` for what `sealed` did not give."""
    if len(data) < KEY_BYTES + LENGTH_BYTES or len(data) % WORD:
        raise ValueError("not a sealed file")
    words = np.frombuffer(data, "<u4", offset=KEY_BYTES)
    inner = (words ^ _keystream(data[:KEY_BYTES], words.size)).tobytes()
    length = int.from_bytes(inner[:LENGTH_BYTES], "little")
    if length > len(inner) - LENGTH_BYTES:
        raise ValueError("not a sealed file")
    return inner[LENGTH_BYTES : LENGTH_BYTES + length]


def _keystream(key: bytes, count: int) -> Words:
    first, second = np.frombuffer(key, "<u4")
    return _mixed(_mixed(np.arange(count, dtype=np.uint32) * STEP + first) ^ second)


def _mixed(words: Words) -> Words:
    """MurmurHash3's fmix32 of each word."""
    words = (words ^ (words >> np.uint32(16))) * FIRST_FACTOR
    words = (words ^ (words >> np.uint32(13))) * SECOND_FACTOR
    return words ^ (words >> np.uint32(16))
