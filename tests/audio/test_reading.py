from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from audio import mpeg
from audio.reading import Decoded, UnreadableAudio, read_flac, read_upload
from tests.audio import files
from tests.factories import RATE, encoded, sound


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Decoded]:
    """Reads bytes as an upload, and makes sure that nothing is left in the working folder."""

    def reader(data: bytes, *, max_seconds: float = 1200, min_seconds: float = 3, **limits: int) -> Decoded:
        path, folder = tmp_path / "upload", tmp_path / "work"
        path.write_bytes(data)
        folder.mkdir(exist_ok=True)
        try:
            return read_upload(path, max_seconds=max_seconds, min_seconds=min_seconds, folder=folder, **limits)
        finally:
            assert list(folder.iterdir()) == []

    return reader


def refusal(read: Callable[..., Decoded], data: bytes, **limits: float) -> UnreadableAudio:
    with pytest.raises(UnreadableAudio) as caught:
        read(data, **limits)
    return caught.value


# ── what is taken ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("format", "subtype", "shown"),
    [
        ("WAV", "PCM_16", "WAV 16 bit"),
        ("WAV", "FLOAT", "WAV 32 bit float"),
        ("FLAC", "PCM_24", "FLAC 24 bit"),
        ("AIFF", "PCM_24", "AIFF 24 bit"),
        ("RF64", "PCM_24", "WAV 24 bit"),
    ],
)
def test_lossless_files_come_in_unchanged(read: Callable[..., Decoded], format: str, subtype: str, shown: str) -> None:
    original = sound(3.5)
    decoded = read(encoded(original, format=format, subtype=subtype))
    assert (decoded.format, decoded.sample_rate, decoded.channels, decoded.notes) == (shown, RATE, 2, [])
    assert decoded.samples.dtype == np.float32
    step = 2.0**-15 if subtype == "PCM_16" else 2.0**-23
    assert np.max(np.abs(decoded.samples - original)) <= step


@pytest.mark.parametrize("container", ["ogg", "opus", "mp3", "aac", "alac"])
def test_packed_files_come_in_at_full_length(read: Callable[..., Decoded], container: str) -> None:
    made = {
        "ogg": lambda: encoded(sound(6.0), format="OGG", subtype="VORBIS"),
        "opus": lambda: encoded(sound(6.0, rate=48_000), format="OGG", subtype="OPUS", rate=48_000),
        "mp3": files.mp3,
        "aac": files.m4a,
        "alac": lambda: files.m4a(codec="alac"),
    }[container]()
    decoded = read(made)
    assert decoded.samples.shape[1] == pytest.approx(6.0 * RATE, abs=0.06 * RATE)  # MP3 frames and encoder padding
    assert 0.05 < np.sqrt(np.mean(decoded.samples**2)) < 0.15


def test_variable_rate_mp3_without_xing_header_is_read_to_its_end(read: Callable[..., Decoded]) -> None:
    """libsndfile would guess the length from the quiet start and drop the rest."""
    quiet_then_loud = np.concatenate([0.002 * sound(8.0), sound(8.0)], axis=1)
    data = files.encoded_av(
        quiet_then_loud, codec="libmp3lame", container="mp3", layout="stereo", write_xing="0", id3v2_version="0"
    )
    assert b"Xing" not in data[:400] and b"Info" not in data[:400]
    assert read(data).samples.shape[1] == pytest.approx(16.0 * RATE, abs=0.1 * RATE)


def test_flac_written_to_a_pipe_is_read_although_its_length_is_unknown(read: Callable[..., Decoded]) -> None:
    """Its header reads as 9.2e18 frames in libsndfile; what counts is what is there."""
    data = files.flac_claiming(0)
    assert soundfile.info(io.BytesIO(data)).frames == 2**63 - 1
    assert read(data).samples.shape == (2, 4 * RATE)


def test_real_mp3_decodes_to_its_length(read: Callable[..., Decoded]) -> None:
    if not files.SHARED_MP3.exists():
        pytest.skip("../shared/audio/audio_example.mp3 is not here")
    decoded = read(files.SHARED_MP3.read_bytes())
    assert decoded.samples.shape[1] / RATE == pytest.approx(10.88, abs=0.06)


# ── what is converted ────────────────────────────────────────────────────────────────────────────────


def test_mono_is_put_on_both_sides_at_its_level(read: Callable[..., Decoded]) -> None:
    original = sound(3.5, channels=1)
    decoded = read(encoded(original, subtype="PCM_24"))
    assert decoded.notes == ["mono_doubled"] and decoded.channels == 1
    assert np.allclose(decoded.samples[0], original[0], atol=1e-6)
    assert np.array_equal(decoded.samples[0], decoded.samples[1])


@pytest.mark.parametrize("rate", [8_000, 96_000])
def test_other_sample_rates_keep_pitch_level_and_length(read: Callable[..., Decoded], rate: int) -> None:
    decoded = read(encoded(files.tones(["FL", "FR"], rate), rate=rate, subtype="PCM_24"))
    assert decoded.notes == ["resampled"] and decoded.sample_rate == rate
    assert decoded.samples.shape[1] == pytest.approx(3.5 * RATE, abs=1)
    assert files.amplitude(decoded.samples[0], files.TONES["FL"]) == pytest.approx(0.1, rel=1e-3)
    assert files.amplitude(decoded.samples[1], files.TONES["FR"]) == pytest.approx(0.1, rel=1e-3)


@pytest.mark.parametrize("container", ["wav", "flac", "opus", "aac"])
def test_surround_is_mixed_down_by_bs775(read: Callable[..., Decoded], container: str) -> None:
    """Gains of Rec. ITU-R BS.775-4, annex 4, table 2: front 1, centre and surround 0.7071, LFE 0."""
    places = ["FL", "FR", "FC", "LFE", "BL", "BR"]
    rate = 48_000
    codecs = {"wav": "pcm_s24le", "flac": "flac", "opus": "libopus", "aac": "aac"}
    names = {"wav": "wav", "flac": "flac", "opus": "ogg", "aac": "ipod"}
    data = files.encoded_av(
        files.tones(places, rate), codec=codecs[container], container=names[container], layout="5.1", rate=rate
    )
    decoded = read(data)
    assert decoded.notes == ["mixed_down", "resampled"] and decoded.channels == 6
    left, right = decoded.samples
    tolerance = 0.15 if container in ("opus", "aac") else 0.002
    expected = {"FL": (1, 0), "FR": (0, 1), "FC": (0.7071, 0.7071), "LFE": (0, 0), "BL": (0.7071, 0), "BR": (0, 0.7071)}
    for place, gains in expected.items():
        found = [files.amplitude(side, files.TONES[place]) / 0.1 for side in (left, right)]
        assert found == pytest.approx(gains, abs=tolerance), place


def test_peaks_beyond_full_scale_are_kept(read: Callable[..., Decoded]) -> None:
    decoded = read(encoded(sound(3.5, level=1.0), format="WAV", subtype="FLOAT"))
    assert np.max(np.abs(decoded.samples)) > 3.0


# ── what is refused ──────────────────────────────────────────────────────────────────────────────────


def test_empty_file(read: Callable[..., Decoded]) -> None:
    assert refusal(read, b"").code == "empty_file"


@pytest.mark.parametrize("data", [b"hola, esto es texto\n" * 500, b"RIFF\x24\x00\x00\x00WAVEfmt ", bytes(5000)])
def test_no_sound_at_all(read: Callable[..., Decoded], data: bytes) -> None:
    assert refusal(read, data).code in ("not_audio", "truncated")


def test_playlist_does_not_open_other_files(read: Callable[..., Decoded], tmp_path: Path) -> None:
    """FFmpeg would follow it, if it were left to guess what it is given."""
    other = tmp_path / "secret.mp3"
    other.write_bytes(files.mp3())
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\n{other}\n#EXT-X-ENDLIST\n".encode()
    assert refusal(read, playlist).code == "not_audio"


def halves(data: bytes) -> bytes:
    return data[: len(data) // 2]


def first_frames(mp3: bytes, count: int) -> bytes:
    """An MP3 that ends exactly where a frame ends."""
    at = mpeg.after_tags(mp3)
    for _ in range(count):
        frame = mpeg.frame_at(mp3, at)
        assert frame is not None
        at += frame.size
    return mp3[:at]


def without_last_page(ogg: bytes) -> bytes:
    return ogg[: ogg.rfind(b"OggS")]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(lambda: halves(files.mp3()), id="mp3 with Xing header"),
        pytest.param(lambda: first_frames(files.mp3(), 100), id="mp3 with Xing header, whole frames"),
        pytest.param(lambda: halves(files.mp3(write_xing="0", id3v2_version="0")), id="mp3 without"),
        pytest.param(lambda: files.mp3()[:-300], id="mp3 that lacks its last bytes"),
        pytest.param(lambda: halves(encoded(sound(6.0), format="WAV")), id="wav"),
        pytest.param(lambda: halves(encoded(sound(6.0), format="AIFF")), id="aiff"),
        pytest.param(lambda: halves(encoded(sound(6.0), format="RF64")), id="rf64"),
        pytest.param(lambda: halves(encoded(sound(6.0))), id="flac"),
        pytest.param(lambda: halves(encoded(sound(6.0), format="OGG", subtype="VORBIS")), id="ogg vorbis"),
        pytest.param(
            lambda: without_last_page(encoded(sound(6.0), format="OGG", subtype="VORBIS")), id="ogg, whole pages"
        ),
        pytest.param(lambda: halves(files.m4a()), id="m4a"),
    ],
)
def test_cut_off_files_are_refused(read: Callable[..., Decoded], data: Callable[[], bytes]) -> None:
    assert refusal(read, data()).code == "truncated"


def test_real_mp3_cut_in_half_is_refused(read: Callable[..., Decoded]) -> None:
    if not files.SHARED_MP3.exists():
        pytest.skip("../shared/audio/audio_example.mp3 is not here")
    assert refusal(read, halves(files.SHARED_MP3.read_bytes())).code == "truncated"


def test_small_flac_that_unpacks_to_gigabytes_is_refused_at_once(read: Callable[..., Decoded]) -> None:
    data = files.flac_bomb()
    assert len(data) < 2_000_000
    error = refusal(read, data)
    assert error.code == "unpacks_too_large"
    whole_mb = 800 * RATE * 8 * 4 / 1e6  # as the header says: what is stopped while it unpacks tells of less
    assert error.params["unpacked_mb"] == pytest.approx(whole_mb, rel=0.01)


def test_bomb_that_hides_its_length_is_stopped_while_it_unpacks(read: Callable[..., Decoded]) -> None:
    data = bytearray(files.flac_bomb())
    data[21] &= 0xF0
    data[22:26] = bytes(4)  # total samples: unknown
    assert refusal(read, bytes(data)).code == "unpacks_too_large"


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(lambda: files.flac_claiming(2**36 - 1), id="flac, 6.9e10 frames"),
        pytest.param(lambda: files.rf64_claiming(2**63 - 1), id="rf64, 9.2e18 bytes"),
    ],
)
def test_absurd_lengths_in_the_header_are_refused(read: Callable[..., Decoded], data: Callable[[], bytes]) -> None:
    assert refusal(read, data()).code == "header_implausible"


def test_too_long_and_too_short(read: Callable[..., Decoded]) -> None:
    long = refusal(read, encoded(sound(6.0)), max_seconds=5)
    assert (long.code, long.params) == ("too_long", {"seconds": 6, "limit": 5})
    short = refusal(read, encoded(sound(1.0)))
    assert (short.code, short.params) == ("too_short", {"seconds": 1.0, "limit": 3})


@pytest.mark.parametrize("level", [0.0, 1e-5])
def test_silence(read: Callable[..., Decoded], level: float) -> None:
    assert refusal(read, encoded(sound(4.0, level=level), subtype="PCM_24")).code == "silent"


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e30])
def test_samples_that_are_no_sound(read: Callable[..., Decoded], bad: float) -> None:
    samples = sound(4.0)
    samples[0, 1000] = bad
    assert refusal(read, encoded(samples, format="WAV", subtype="FLOAT")).code == "bad_samples"


def test_channels_and_rates_that_no_song_has(read: Callable[..., Decoded]) -> None:
    many = encoded(sound(3.5, channels=12, rate=8_000), format="WAV", rate=8_000)
    assert refusal(read, many).code == "channels_unsupported"
    slow = encoded(sound(3.5, rate=1_000), format="WAV", rate=1_000)
    assert refusal(read, slow).code == "sample_rate_unsupported"


def test_video_without_sound(read: Callable[..., Decoded]) -> None:
    import av

    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as output:
        stream = output.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 32
        stream.pix_fmt = "yuv420p"
        frame = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), dtype=np.uint8), format="rgb24")
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    assert refusal(read, file.getvalue()).code == "no_audio_track"


def test_child_without_memory_is_too_costly(read: Callable[..., Decoded]) -> None:
    assert refusal(read, encoded(sound(4.0)), memory_bytes=100 * 2**20).code == "too_costly"


def test_child_without_time_is_too_costly(read: Callable[..., Decoded]) -> None:
    assert refusal(read, files.flac_bomb(seconds=590, channels=2), cpu_seconds=0).code == "too_costly"


# ── our own files ────────────────────────────────────────────────────────────────────────────────────


def test_part_of_our_own_flac_is_the_same_as_the_cut_whole() -> None:
    data = encoded(sound(4.0), subtype="PCM_24")
    whole = read_flac(io.BytesIO(data))
    part = read_flac(io.BytesIO(data), 1.1, 2.7)
    assert part.shape == (2, round(2.7 * RATE) - round(1.1 * RATE))
    assert np.array_equal(part, whole[:, round(1.1 * RATE) : round(2.7 * RATE)])


@pytest.mark.parametrize(("start", "end"), [(-1.0, 2.0), (2.0, 2.0), (3.0, 4.5)])
def test_part_outside_of_the_file(start: float, end: float) -> None:
    with pytest.raises(ValueError, match="do not lie inside"):
        read_flac(io.BytesIO(encoded(sound(4.0))), start, end)
