"""Files that are said to be stems of a song, decoded, checked against the song, and put in their place in time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings

from audio.alignment import DRIFT, Lag, find_lag
from audio.reading import SAMPLE_RATE, Audio, UnreadableAudio, read_upload
from audio.reading_child import SILENCE_PEAK
from separation.models import Song
from separation.services.scratch import scratch_array
from separation.services.songs import UploadRefused, file_sha256, room_needed
from separation.services.stored_mixture import MixtureDamaged, MixtureMissing, StoredMixture

MAX_LAG = SAMPLE_RATE // 2
"""The most by which stems may begin late or early: no model and no encoder pads more than half a second."""

SEARCHED = 10 * SAMPLE_RATE
"""Lags up to here are found, so that the sentence can name them."""

LENGTH_TOLERANCE = SAMPLE_RATE
"""The most by which stems may end before or after the song: models pad to whole windows of up to a second."""

FAINT = 1e-4
"""Power against the mixture's (-40 dB) below which a stem by itself need not be found again in the song."""

FULL_SCALE = 0.9999
CLIPPED_RUN = 3
"""Equal samples at full scale, one after another: no waveform has that by itself."""

LEVEL_DB = 12.0
COMPLETE = 0.7
"""Correlation from which stems are taken for all of the song, so that their level can be compared with it."""

BLOCK = 2**18


@dataclass
class Decoded:
    """One file. `samples` are `[2, n]` at 44.1 kHz in a file without a name, so that they cost no memory."""

    source: str
    name: str
    samples: Audio
    origin: dict[str, Any]
    peak: float
    power: float  # mean square
    clipped: int  # samples in runs at full scale
    lag: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def is_silent(self) -> bool:
        return self.peak < SILENCE_PEAK


@dataclass(frozen=True)
class Placed:
    """The stems of one song, ready to be stored: `stems[…].lag` says where each begins."""

    stems: list[Decoded]
    lag: Lag  # of their sum against the mixture


def blocks(length: int) -> Iterator[slice]:
    return (slice(start, min(length, start + BLOCK)) for start in range(0, length, BLOCK))


# ── decoding ─────────────────────────────────────────────────────────────────────────────────────────


def stem_decoded(path: Path, name: str, source: str, *, song: Song, convert: bool) -> Decoded:
    """Raises `UploadRefused` with the file's name."""
    try:
        return _decoded(path, name, source, song, convert)
    except UploadRefused as refusal:
        raise UploadRefused(refusal.code, {**refusal.params, "file": name}) from refusal


def _decoded(path: Path, name: str, source: str, song: Song, convert: bool) -> Decoded:
    longest = song.seconds + (MAX_LAG + LENGTH_TOLERANCE) / SAMPLE_RATE
    try:
        with room_needed():
            read = read_upload(path, folder=_folder(), max_seconds=longest, may_be_silent=True)
            samples = scratch_array(read.samples.shape)
            samples[:] = read.samples
    except UnreadableAudio as refusal:
        raise _refusal(refusal, song) from refusal
    if read.sample_rate != SAMPLE_RATE and not convert:
        raise UploadRefused("import_sample_rate", {"sample_rate": read.sample_rate})
    origin = {
        "name": name,
        "sha256": file_sha256(path),
        "format": read.format,
        "sample_rate": read.sample_rate,
        "channels": read.channels,
    }
    return Decoded(source, name, samples, origin, *_measured(samples), notes=list(read.notes))


def _folder() -> Path | None:
    return Path(settings.FILE_UPLOAD_TEMP_DIR) if settings.FILE_UPLOAD_TEMP_DIR else None


def _refusal(error: UnreadableAudio, song: Song) -> UploadRefused:
    if error.code == "too_long":
        return UploadRefused("import_longer", {"seconds": error.params["seconds"], "length": song.seconds})
    return UploadRefused(error.code, error.params)


def _measured(samples: Audio) -> tuple[float, float, int]:
    """(peak, power, samples in runs at full scale)"""
    peak, total, clipped = 0.0, 0.0, 0
    for part in blocks(samples.shape[1]):
        block = samples[:, part]
        peak = max(peak, float(np.max(np.abs(block))))
        total += float(np.sum(np.square(block, dtype=np.float64)))
        clipped += _clipped(block)
    return peak, total / samples.size, clipped


def _clipped(block: Audio) -> int:
    """How many samples stand in runs at full scale. A run over the border of two blocks may be missed."""
    flat = (np.abs(block[:, 1:]) >= FULL_SCALE) & (block[:, 1:] == block[:, :-1])
    runs = flat[:, 1:] & flat[:, :-1]
    return int(np.sum(runs)) + (CLIPPED_RUN - 1) * int(np.sum(runs[:, 1:] & ~runs[:, :-1]))


# ── in the song ──────────────────────────────────────────────────────────────────────────────────────


def stems_placed(song: Song, stems: list[Decoded]) -> Placed:
    """Find where the stems lie in the song. Raises `UploadRefused`."""
    heard = [stem for stem in stems if not stem.is_silent]
    for stem in stems:
        _refuse_length(song, stem, slack=MAX_LAG)
    if not heard:
        raise UploadRefused("import_all_silent")
    with room_needed():
        mixture = _mixture(song)
        lag = _common_lag(mixture, heard)
    loudness = _measured(mixture)[1]
    for stem in stems:
        stem.lag = lag.samples if stem.is_silent else _own_lag(mixture, stem, lag, loudness)
        _refuse_length(song, stem)
        stem.origin.update(_origin(song, stem, lag))
    return Placed(stems, lag)


def _mixture(song: Song) -> Audio:
    try:
        with StoredMixture(song) as stored:
            mixture = scratch_array((2, song.samples))
            for part in blocks(song.samples):
                mixture[:, part] = stored.read(part.start, part.stop)
    except (MixtureMissing, MixtureDamaged) as error:
        raise UploadRefused(error.code) from error
    return mixture


def _common_lag(mixture: Audio, stems: list[Decoded]) -> Lag:
    """Of the stems' sum, which tells most; where they do not begin together, of the one that is clearest by itself."""
    lag = find_lag(mixture, _summed(stems), max_lag=SEARCHED, expected=0)
    if not lag.is_sure:
        alone = [find_lag(mixture, stem.samples, max_lag=SEARCHED, expected=0) for stem in stems]
        sure = [each for each in alone if each.is_sure]
        if not sure:
            raise UploadRefused("import_drifts" if lag.drifts else "import_unlike")
        lag = max(sure, key=lambda each: each.correlation)
    if abs(lag.samples) > MAX_LAG:
        raise _lag_refused(lag.samples)
    return lag


def _summed(stems: list[Decoded]) -> Audio:
    if len(stems) == 1:
        return stems[0].samples
    total = scratch_array((2, max(stem.samples.shape[1] for stem in stems)))
    for stem in stems:
        for part in blocks(stem.samples.shape[1]):
            total[:, part] += stem.samples[:, part]
    return total


def _own_lag(mixture: Audio, stem: Decoded, common: Lag, loudness: float) -> int:
    """The common lag, where the stem is at home there; its own one, where that is clear. Raises `UploadRefused`."""
    own = find_lag(mixture, stem.samples, max_lag=MAX_LAG + DRIFT, expected=common.samples)
    stem.origin["correlation"] = round(own.correlation, 4)
    if own.inverted and (own.is_sure or abs(own.samples - common.samples) <= DRIFT):
        stem.notes.append("inverted")
    if abs(own.samples - common.samples) <= DRIFT:
        return common.samples
    if own.is_sure and abs(own.samples) <= MAX_LAG:
        stem.notes.append("own_lag")
        return own.samples
    if stem.power < FAINT * loudness:
        stem.notes.append("faint")
        return common.samples
    raise UploadRefused("import_stem_unlike", {"file": stem.name})


def _refuse_length(song: Song, stem: Decoded, *, slack: int = 0) -> None:
    over = stem.samples.shape[1] - stem.lag - song.samples
    if abs(over) > LENGTH_TOLERANCE + slack:
        lengths = {"seconds": stem.samples.shape[1] / SAMPLE_RATE, "length": song.seconds}
        raise UploadRefused("import_longer" if over > 0 else "import_shorter", {**lengths, "file": stem.name})


def _lag_refused(lag: int) -> UploadRefused:
    seconds = {"seconds": round(abs(lag) / SAMPLE_RATE, 2), "limit": MAX_LAG / SAMPLE_RATE}
    return UploadRefused("import_lag_late" if lag > 0 else "import_lag_early", seconds)


def _origin(song: Song, stem: Decoded, lag: Lag) -> dict[str, Any]:
    """What is kept of how the file became the stem; `over`: samples that its end was cut by, negative where filled."""
    gain = round(lag.gain, 4)
    notes = list(dict.fromkeys([*stem.notes, *_notes(stem, lag)]))
    over = stem.samples.shape[1] - stem.lag - song.samples
    kept = {"lag": stem.lag, "over": over, "set_correlation": round(lag.correlation, 4), "set_gain": gain}
    return {**kept, "clipped": stem.clipped, "notes": notes + (["cut" if over > 0 else "padded"] if over else [])}


def _notes(stem: Decoded, lag: Lag) -> Iterator[str]:
    if stem.is_silent:
        yield "stem_silent"
    if stem.clipped:
        yield "clipped"
    if stem.lag:
        yield "moved_earlier" if stem.lag > 0 else "moved_later"
    if not stem.is_silent and lag.correlation >= COMPLETE and abs(20 * np.log10(max(lag.gain, 1e-9))) > LEVEL_DB:
        yield "level_differs"


def placed_blocks(stem: Decoded, length: int) -> Iterator[Audio]:
    """The stem in its place in a song of `length` samples, in pieces, with silence where it has nothing."""
    for part in blocks(length):
        piece = np.zeros((2, part.stop - part.start), dtype=np.float32)
        first, end = part.start + stem.lag, min(part.stop + stem.lag, stem.samples.shape[1])
        skip = max(0, -first)
        if end > first + skip:
            piece[:, skip : end - first] = stem.samples[:, first + skip : end]
        yield piece
