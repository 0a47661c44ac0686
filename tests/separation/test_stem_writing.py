"""What the separators' pieces become, and what the song's file is read as."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from audio.reading import Audio, read_flac
from audio.writing import encode_flac
from separation.models import SeparationJob, Song
from separation.separators.base import SeparatorError
from separation.services.stem_writing import BadStems, StemWriter
from separation.services.stored_mixture import MixtureDamaged, MixtureMissing, StoredMixture, mixture_sha256
from tests.factories import RATE, files_in, job_make, song_make, sound

pytestmark = pytest.mark.django_db(transaction=True)
SOURCES = ("vocals", "other")


@pytest.fixture
def job() -> SeparationJob:
    return job_make(attempt=1)


@pytest.fixture
def writer(job: SeparationJob) -> Iterator[StemWriter]:
    with StemWriter(job, SOURCES, [(0, job.song.samples)]) as made:
        yield made


def pieces(samples: Audio, lengths: list[int]) -> Iterator[tuple[int, dict[str, Audio]]]:
    at = 0
    for length in lengths:
        yield at, {"vocals": samples[:, at : at + length], "other": -2 * samples[:, at : at + length]}
        at += length


# ── writing ──────────────────────────────────────────────────────────────────────────────────────────


def test_pieces_become_the_files_that_the_whole_would_be(job: SeparationJob, writer: StemWriter) -> None:
    samples = sound(3.0, level=0.6)
    for start, piece in pieces(samples, [1, 50_000, 3 * RATE - 50_001]):
        writer.write(start, piece)
    told: list[float] = []
    stems = {stem.source: stem for stem in writer.stems(told.append)}
    for source, whole in (("vocals", samples), ("other", -2 * samples)):
        data, gain = encode_flac(whole)
        assert Path(stems[source].file.path).read_bytes() == data
        assert stems[source].gain == gain < 1.0
        assert stems[source].samples is None and stems[source].start == 0
    assert told == sorted(told) and told[-1] == 1.0


def test_stems_of_parts_have_places_and_lengths() -> None:
    song = song_make(seconds=6.0)
    spans = [(0, RATE), (3 * RATE, 5 * RATE)]
    job = job_make(song=song, attempt=2, spans=[list(span) for span in spans], spans_key="a key")
    samples = sound(6.0)
    with StemWriter(job, SOURCES, spans) as writer:
        for start, end in spans:
            for at in range(start, end, RATE // 2):
                part = samples[:, at : at + RATE // 2]
                writer.write(at, {"vocals": part, "other": part})
        stems = writer.stems()
    assert [(stem.source, stem.start, stem.samples) for stem in stems] == [
        ("vocals", 0, RATE),
        ("other", 0, RATE),
        ("vocals", 3 * RATE, 2 * RATE),
        ("other", 3 * RATE, 2 * RATE),
    ]
    for stem in stems:
        assert str(stem.file.name).startswith(f"stems/{job.pk}/2/{stem.source}-")
        end = stem.start + (stem.samples or 0)
        assert np.allclose(read_flac(Path(stem.file.path)), samples[:, stem.start : end], atol=1e-6)


def faulty(kind: str) -> list[tuple[int, dict[str, Audio]]]:
    first, second = list(pieces(sound(3.0), [RATE, 2 * RATE]))
    broken = second[1]["vocals"].copy()
    broken[0, 7] = np.nan
    return {
        "a gap": [first, (RATE + 1, second[1])],
        "an overlap": [first, (RATE - 1, second[1])],
        "a source too few": [(0, {"vocals": first[1]["vocals"]})],
        "lengths that differ": [(0, {**first[1], "other": first[1]["other"][:, 1:]})],
        "float64": [(0, {name: piece.astype(np.float64) for name, piece in first[1].items()})],  # type: ignore[dict-item]
        "mono": [(0, {name: piece[:1] for name, piece in first[1].items()})],
        "too much": [first, second, (3 * RATE, second[1])],
        "beyond the end": [(0, first[1]), (RATE, {name: np.tile(piece, 2) for name, piece in second[1].items()})],
        "NaN": [first, (RATE, {**second[1], "vocals": broken})],
        "too little": [first],
    }[kind]


@pytest.mark.parametrize(
    "kind",
    ["a gap", "an overlap", "a source too few", "lengths that differ", "float64", "mono"]
    + ["too much", "beyond the end", "NaN", "too little"],
)
def test_what_is_no_set_of_stems_is_refused(writer: StemWriter, kind: str, media: Path) -> None:
    def all_of_it() -> None:
        for start, piece in faulty(kind):
            writer.write(start, piece)
        writer.stems()

    with pytest.raises(BadStems) as raised:
        all_of_it()
    assert raised.value.permanent
    assert [name for name in files_in(media) if name.startswith("stems/")] == []


def test_cancelled_while_the_files_are_written(writer: StemWriter) -> None:
    class Cancelled(Exception):
        pass

    def cancel(done: float) -> None:
        raise Cancelled

    for start, piece in pieces(sound(3.0), [3 * RATE]):
        writer.write(start, piece)
    with pytest.raises(Cancelled):
        writer.stems(cancel)


def test_scratch_files_have_no_names(writer: StemWriter, media: Path) -> None:
    """So nothing of them stays, whatever kills the process."""
    for start, piece in pieces(sound(3.0), [RATE]):
        writer.write(start, piece)
    assert files_in(media.parent / "run") == []
    open_files = len(os.listdir("/dev/fd"))
    writer.close()
    assert len(os.listdir("/dev/fd")) == open_files - len(SOURCES)


def test_memory_is_flat_in_the_length_of_the_song() -> None:
    piece = sound(5.0)

    def peak_of(minutes: int) -> int:
        song = song_make()
        song.samples = minutes * 60 * RATE
        job = job_make(song=song, attempt=1)
        tracemalloc.start()
        with StemWriter(job, ("vocals",), [(0, song.samples)]) as writer:
            for start in range(0, song.samples, piece.shape[1]):
                writer.write(start, {"vocals": piece})
            writer.stems()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    assert peak_of(8) < peak_of(1) + 2**21


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def song() -> Song:
    return song_make(seconds=3.0, mixture_gain=0.5)


def test_mixture_is_read_in_any_pieces(song: Song) -> None:
    whole = read_flac(Path(song.mixture.path)) / np.float32(0.5)
    rng = np.random.default_rng(4)
    with StoredMixture(song) as mixture:
        assert mixture.samples == 3 * RATE
        assert np.array_equal(mixture.read(0, 3 * RATE), whole)
        for _ in range(40):
            start, end = sorted(rng.choice(3 * RATE + 1, size=2, replace=False))
            assert np.array_equal(mixture.read(int(start), int(end)), whole[:, start:end])


def test_what_was_read_is_the_callers_own(song: Song) -> None:
    with StoredMixture(song) as mixture:
        first = mixture.read(0, 1000)
        kept = first.copy()
        first[:] = 0.0
        assert np.array_equal(mixture.read(0, 1000), kept)
        assert np.array_equal(mixture.read(500, 1500)[:, :500], kept[:, 500:])


@pytest.mark.parametrize(("start", "end"), [(-1, 5), (5, 5), (0, 3 * RATE + 1)])
def test_outside_the_song(song: Song, start: int, end: int) -> None:
    with StoredMixture(song) as mixture, pytest.raises(ValueError, match="do not lie inside"):
        mixture.read(start, end)


def test_mixture_that_is_gone_or_damaged(song: Song) -> None:
    path = Path(song.mixture.path)
    data = path.read_bytes()
    for content in (data[: len(data) // 2], b"fLaC", b"something else"):
        path.write_bytes(content)
        with pytest.raises(MixtureDamaged) as raised, StoredMixture(song) as mixture:
            mixture.read(0, mixture.samples)
        assert raised.value.permanent
    path.unlink()
    for use in (StoredMixture, mixture_sha256):
        with pytest.raises(MixtureMissing):
            use(song)
    assert issubclass(MixtureDamaged, SeparatorError)


def test_hash_of_an_old_song_is_computed_once(song: Song) -> None:
    assert song.mixture_sha256 == ""
    found = mixture_sha256(song)
    Path(song.mixture.path).unlink()
    assert mixture_sha256(Song.objects.get(pk=song.pk)) == found and len(found) == 64
