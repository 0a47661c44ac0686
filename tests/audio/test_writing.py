from __future__ import annotations

import errno
import io
import tempfile
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile

from audio.reading import read_flac
from audio.writing import BLOCK_FRAMES, encode_flac, flac_chunks, peak_of
from tests.factories import RATE, sound


@pytest.mark.parametrize("bits", [16, 24])
def test_what_is_written_is_read_back_to_half_a_step(bits: int) -> None:
    samples = sound(1.0)
    data, gain = encode_flac(samples, bits=bits)
    info = soundfile.info(io.BytesIO(data))
    assert (info.samplerate, info.channels, info.frames, info.subtype) == (RATE, 2, RATE, f"PCM_{bits}")
    assert gain == 1.0
    assert np.max(np.abs(read_flac(io.BytesIO(data)) - samples)) <= 2.0**-bits


def test_peaks_beyond_full_scale_are_scaled_not_clipped() -> None:
    samples = 3.0 * sound(1.0, level=0.5)
    data, gain = encode_flac(samples)
    assert gain == pytest.approx(1.0 / np.max(np.abs(samples)), rel=1e-6)
    assert np.max(np.abs(read_flac(io.BytesIO(data)) / gain - samples)) < 1e-6


def test_full_scale_itself_fits() -> None:
    samples = np.array([[-1.0, 0.5, 1.0 - 2.0**-23]], dtype=np.float32)
    data, gain = encode_flac(samples)
    assert np.allclose(read_flac(io.BytesIO(data)), samples * gain, atol=2.0**-23)


def test_no_metadata_but_the_stream_information() -> None:
    data, _gain = encode_flac(sound(1.0))
    assert data[:4] == b"fLaC"
    assert data[4] == 0x80  # the first block is STREAMINFO and the last one
    assert int.from_bytes(data[5:8], "big") == 34
    assert data[42] == 0xFF and data[43] & 0xFC == 0xF8  # directly followed by a frame
    for word in (b"libFLAC", b"reference", b"vorbis", b"ENCODER", b"TITLE"):
        assert word not in data


def test_same_samples_give_same_bytes() -> None:
    assert encode_flac(sound(1.0, seed=3)) == encode_flac(sound(1.0, seed=3))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_no_sound(bad: float) -> None:
    samples = sound(0.1)
    samples[1, 5] = bad
    with pytest.raises(ValueError, match="NaN or infinity"):
        encode_flac(samples)


def test_shapes_and_bits_that_are_not_meant() -> None:
    for samples, bits in ((sound(0.1)[0], 24), (np.zeros((2, 0), dtype=np.float32), 24), (sound(0.1), 8)):
        with pytest.raises(ValueError, match="16 or 24 bit"):
            encode_flac(samples, bits=bits)


# ── piece by piece ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("bits", [16, 24])
@pytest.mark.parametrize("length", [1, 4_096, 100_003])
def test_pieces_give_the_same_bytes_as_the_whole(length: int, bits: int) -> None:
    samples = 3.0 * sound(7.0, level=0.5)
    whole, gain = encode_flac(samples, bits=bits)
    length = max(length, samples.shape[1] // 2000)
    pieces = (samples[:, start : start + length] for start in range(0, samples.shape[1], length))
    with tempfile.TemporaryFile() as scratch:
        assert b"".join(flac_chunks(pieces, scratch, gain=gain, bits=bits)) == whole


def test_memory_does_not_grow_with_the_length() -> None:
    block = sound(5.0)

    def peak_of(minutes: int) -> int:
        tracemalloc.start()
        with tempfile.TemporaryFile() as scratch:
            for _chunk in flac_chunks((block for _ in range(minutes * 12)), scratch, gain=1.0):
                pass
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    assert peak_of(10) < peak_of(1) + 2**20


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full")
def test_full_disk_is_told_as_what_it_is() -> None:
    with Path("/dev/full").open("r+b", buffering=0) as full, pytest.raises(OSError, match="No space left") as raised:
        flac_chunks([sound(5.0)], full, gain=1.0)
    assert raised.value.errno == errno.ENOSPC


def test_the_peak_of_long_audio_is_found_without_a_copy_of_it() -> None:
    samples = np.zeros((2, 8 * BLOCK_FRAMES + 5), dtype=np.float32)
    samples[1, -1] = -0.75
    tracemalloc.start()
    peak = peak_of(samples)
    _now, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak == 0.75
    assert most < samples.nbytes / 4
    samples[0, 3] = np.nan
    assert np.isnan(peak_of(samples))
