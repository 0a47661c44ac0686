"""Songs that come with their true stems: MUSDB18's .stem.mp4 files, and MUSDB18-HQ's folders of WAV files.

MUSDB18 (Rafii, Liutkus, Stöter, Mimilakis and Bittner 2017, doi:10.5281/zenodo.1117372) holds five AAC streams a file:
mixture, drums, bass, other, vocals. MUSDB18-HQ (doi:10.5281/zenodo.3338373) holds the same as five WAV files a folder.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.core.files.base import File
from django.db import transaction

from audio.reading import Audio
from audio.reading_child import SILENCE_PEAK
from separation.models import Song
from separation.services.measurements import measurements_start
from separation.services.references import (
    Brought,
    brought_from,
    named_refusals,
    origins,
    placed_stems,
    references_store,
)
from separation.services.songs import (
    TITLE_LENGTH,
    UploadRefused,
    file_on_disk,
    file_sha256,
    refuse_by_name_and_size,
    shown_name,
    song_stored,
    title_of,
)

STEM_SUFFIX = ".stem.mp4"
STREAMS = ("mixture", "drums", "bass", "other", "vocals")
MIXTURE = STREAMS[0]
SLACK = 2_048
"""Samples by which the streams of one file may differ at the end: two AAC frames of padding."""


@dataclass(frozen=True)
class Track:
    """One track of MUSDB18 on this machine: a `.stem.mp4` file, or a folder of WAV files."""

    path: Path
    subset: str = ""  # "train", "test", or unknown

    @property
    def name(self) -> str:
        return self.path.name.removesuffix(STEM_SUFFIX) if self.is_stem_file else self.path.name

    @property
    def is_stem_file(self) -> bool:
        return self.path.name.lower().endswith(STEM_SUFFIX)

    @property
    def mixture(self) -> Path:
        """The file whose content says whether the track is already here."""
        return self.path if self.is_stem_file else self.path / f"{MIXTURE}.wav"


def is_stem_name(name: str) -> bool:
    return name.lower().endswith(STEM_SUFFIX)


def tracks_in(folder: Path, subset: str | None = None) -> list[Track]:
    """The tracks below a folder: in its `train` and `test`, or directly inside, or the folder itself, by name."""
    if is_track(folder):
        return [Track(folder)]
    subsets = [name for name in ("train", "test") if (folder / name).is_dir() and subset in (None, name)]
    if subsets or subset:
        return [Track(track.path, name) for name in subsets for track in tracks_in(folder / name)]
    return [Track(path) for path in sorted(folder.iterdir()) if is_track(path)] if folder.is_dir() else []


def is_track(path: Path) -> bool:
    return is_stem_name(path.name) if path.is_file() else (path / f"{MIXTURE}.wav").is_file()


def artist_and_title(name: str) -> tuple[str, str]:
    """`Artist - Title`, as MUSDB18 names its tracks; no artist where there is no dash."""
    artist, dash, title = name.partition(" - ")
    whole = (artist, title) if dash and title.strip() else ("", name)
    return whole[0].strip()[:TITLE_LENGTH], whole[1].strip()[:TITLE_LENGTH]


def song_add_stem_file(*, file: File[Any], style: str = "", uploaded_by: Any = None) -> Song:
    """Take in a `.stem.mp4` file with its true stems, or raise `UploadRefused` and leave nothing behind."""
    name = shown_name(file.name or "")
    refuse_by_name_and_size(name, file.size, (".mp4",))
    with file_on_disk(file, name) as path:
        song = _song(name, name[: -len(STEM_SUFFIX)], style, uploaded_by)
        return _stored(song, file, _streams(path, name))


def song_add_track(*, track: Track, style: str = "", uploaded_by: Any = None) -> tuple[Song, bool]:
    """A track of MUSDB18 from this machine's disk, and whether anything was added.

    A track whose content is here already is not added again; one that is here without its true stems gets them. Raises
    `UploadRefused`.
    """
    there = song_of_track(track)
    if there is not None and there.stems.filter(job__isnull=True).exists():
        return there, False
    brought = _streams(track.path, track.path.name) if track.is_stem_file else _folder(track.path)
    if there is not None:
        stems = {source: each for source, each in brought.items() if source != MIXTURE}
        references_store(song=there, brought=stems)
        return there, True
    name = track.path.name if track.is_stem_file else f"{track.name}.wav"
    with track.mixture.open("rb") as file:
        return _stored(_song(name, track.name, style, uploaded_by), File(file, name=name), brought), True


def song_of_track(track: Track) -> Song | None:
    """The song that was made of this very file, if there is one."""
    return Song.objects.filter(original_sha256=file_sha256(track.mixture)).order_by("created_at").first()


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────


def _streams(path: Path, name: str) -> dict[str, Brought]:
    """The five streams, all decoded alike, so that what the encoder put before them is the same in all."""
    first = brought_from(path, name)
    if "stream" not in first.origin:
        raise UploadRefused("not_stem_file", {"streams": 1})
    found = {MIXTURE: first}
    for number, source in enumerate(STREAMS[1:], start=1):
        found[source] = _stream(path, name, number)
    return _cut_to_one_length(found)


def _stream(path: Path, name: str, number: int) -> Brought:
    try:
        return brought_from(path, name, stream=number)
    except UploadRefused as refusal:
        if refusal.code != "no_audio_track":
            raise
        raise UploadRefused("not_stem_file", {"streams": number}) from refusal


def _folder(path: Path) -> dict[str, Brought]:
    files = {source: path / f"{source}.wav" for source in STREAMS}
    missing = [file.name for file in files.values() if not file.is_file()]
    if missing:
        raise UploadRefused("stems_missing", {"names": ", ".join(missing)})
    found = {}
    for source, file in files.items():
        with named_refusals(file.name):
            refuse_by_name_and_size(file.name, file.stat().st_size)
            found[source] = brought_from(file, file.name)
    return _cut_to_one_length(found)


def _cut_to_one_length(found: dict[str, Brought]) -> dict[str, Brought]:
    lengths = {source: each.samples.shape[1] for source, each in found.items()}
    shortest, longest = min(lengths.values()), max(lengths.values())
    if longest - shortest > SLACK:
        shorter, longer = min(lengths, key=lengths.__getitem__), max(lengths, key=lengths.__getitem__)
        rate = settings.SAMPLE_RATE
        lasts = {"seconds": round(shortest / rate, 2), "length": round(longest / rate, 2)}
        raise UploadRefused("stem_lengths_differ", {"shorter": shorter, "longer": longer, **lasts})
    return {source: Brought(each.samples[:, :shortest], each.origin) for source, each in found.items()}


def _refuse_mixture(samples: Audio) -> None:
    """As every song is refused."""
    seconds, least = samples.shape[1] / settings.SAMPLE_RATE, settings.SONG_MIN_SECONDS
    if seconds < least:
        raise UploadRefused("too_short", {"seconds": round(seconds, 1), "limit": least})
    if float(np.max(np.abs(samples))) < SILENCE_PEAK:
        raise UploadRefused("silent")


# ── storing ──────────────────────────────────────────────────────────────────────────────────────────


def _song(name: str, track: str, style: str, uploaded_by: Any) -> Song:
    artist, title = artist_and_title(track)
    return Song(
        title=title or title_of(name),
        artist=artist,
        style=style,
        original_name=name,
        original_channels=2,
        uploaded_by=uploaded_by,
    )


def _stored(song: Song, original: File[Any], brought: dict[str, Brought]) -> Song:
    mixture, stems = brought[MIXTURE], {source: each for source, each in brought.items() if source != MIXTURE}
    _refuse_mixture(mixture.samples)
    song.original_sha256, song.original_format = mixture.origin["sha256"], mixture.origin["format"]
    song.original_sample_rate, song.notes = mixture.origin["sample_rate"], mixture.origin["notes"]
    placed = placed_stems(mixture.samples, stems)
    song_stored(song, original, mixture.samples, placed.stems, origins(placed, stems))
    with transaction.atomic():
        measurements_start(song=song)
    return song
