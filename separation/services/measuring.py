"""The stems of one measurement, read into files that need no memory, and measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import IO

import numpy as np
import soundfile
from django.conf import settings

from separation.bsseval import memory_needed
from separation.models import Measurement, Song, SourceMeasurement, Stem
from separation.objective import Audio, SourceFigures, measure
from separation.separators.base import SeparatorError
from separation.services.comparisons import Comparison, comparisons, unmatched
from separation.services.scratch import scratch_array

BLOCK_FRAMES = 2**18
READING_SHARE = 0.05  # of the progress


class MeasurementError(SeparatorError):
    """What keeps a measurement from being made; trying again does not help."""


class ReferencesGone(MeasurementError):
    """The song has no true stem of any of the system's sources."""

    code = "no_references"


class StemDamaged(MeasurementError):
    """A stem's file is gone, or is not what was stored. params: `source`."""

    code = "stem_damaged"


class TooMuchMemory(MeasurementError):
    """BSS Eval v4 needs the whole span at once. params: `needed_gb`, `limit_gb`."""

    code = "measurement_too_long"


@dataclass(frozen=True)
class _Share:
    """The progress of one of several comparisons."""

    progress: Callable[[float], None]
    number: int
    of: int

    def __call__(self, done: float) -> None:
        self.progress((self.number + done) / self.of)


def sources_measured(measurement: Measurement, progress: Callable[[float], None]) -> list[SourceMeasurement]:
    """The rows, not yet saved. Raises `MeasurementError`, and whatever `progress` raises."""
    estimates = _covering(measurement)
    references = {stem.source: stem for stem in Stem.objects.filter(song=measurement.job.song, job__isnull=True)}
    planned = list(comparisons(references, estimates))
    if not planned:
        raise ReferencesGone("no true stem of what the system separates")
    found: dict[str, SourceFigures] = {}
    for number, comparison in enumerate(planned):
        share = _Share(progress, number, len(planned))
        found |= _compared(measurement, comparison, references, estimates, share)
    found |= {source: SourceFigures(notes=["no_reference"]) for source in unmatched(references, estimates)}
    return [_row(measurement, source, figures) for source, figures in found.items()]


def _covering(measurement: Measurement) -> dict[str, Stem]:
    """The job's stems that hold the span."""
    stems = measurement.job.stems.filter(start__lte=measurement.start).order_by("start")
    return {stem.source: stem for stem in stems if _end(stem) >= measurement.end}


def _end(stem: Stem) -> int:
    return stem.start + (stem.song.samples if stem.samples is None else stem.samples)


def _compared(
    measurement: Measurement,
    comparison: Comparison,
    references: dict[str, Stem],
    estimates: dict[str, Stem],
    progress: Callable[[float], None],
) -> dict[str, SourceFigures]:
    _refuse_memory(len(comparison.references), measurement.end - measurement.start)
    true = {
        name: _read(measurement, [references[source] for source in sources])
        for name, sources in comparison.references.items()
    }
    separated = {source: _read(measurement, [estimates[source]]) for source in comparison.estimates}
    progress(READING_SHARE)
    found = measure(true, separated, progress=lambda done: progress(READING_SHARE + (1 - READING_SHARE) * done))
    return {
        source: replace(figures, notes=[*comparison.notes.get(source, []), *figures.notes])
        for source, figures in found.items()
    }


def whole_song_refusal(song: Song) -> TooMuchMemory | None:
    """Why a separation into the sources of the song's true stems cannot be measured as a whole; None where it can."""
    sources = set(song.stems.filter(job__isnull=True).values_list("source", flat=True))
    try:
        for comparison in comparisons(sources, sources):
            _refuse_memory(len(comparison.references), song.samples)
    except TooMuchMemory as refusal:
        return refusal
    return None


def _refuse_memory(sources: int, samples: int) -> None:
    needed = memory_needed(sources, samples) / 2**30
    if needed > settings.MEASURE_MEMORY_GB:
        raise TooMuchMemory(
            f"{needed:.1f} GB for {samples} samples",
            needed_gb=f"{needed:.1f}",
            limit_gb=f"{settings.MEASURE_MEMORY_GB:.1f}",
        )


def _read(measurement: Measurement, stems: list[Stem]) -> Audio:
    """The sum of the stems over the span, `[2, samples]`, in a file without a name: gone with the array."""
    shape = (2, measurement.end - measurement.start)
    samples = scratch_array(shape)
    for stem in stems:
        _add(samples, stem, measurement.start - stem.start)
    return samples


def _add(samples: Audio, stem: Stem, first: int) -> None:
    try:
        with stem.file.storage.open(str(stem.file.name), "rb") as file:
            _add_decoded(samples, file, first, stem.gain)
    except (FileNotFoundError, ValueError, soundfile.SoundFileError) as error:
        raise StemDamaged(f"{stem.file.name}: {error}", source=stem.source) from error


def _add_decoded(samples: Audio, file: IO[bytes], first: int, gain: float) -> None:
    with soundfile.SoundFile(file) as sound:
        if sound.channels != 2 or sound.frames < first + samples.shape[1]:
            raise ValueError(f"{sound.channels} channels of {sound.frames} samples")
        sound.seek(first)
        for start in range(0, samples.shape[1], BLOCK_FRAMES):
            part = samples[:, start : start + BLOCK_FRAMES]
            part += sound.read(part.shape[1], dtype="float32", always_2d=True).T / np.float32(gain)


def _row(measurement: Measurement, source: str, figures: SourceFigures) -> SourceMeasurement:
    return SourceMeasurement(
        measurement=measurement,
        source=source,
        sdr=figures.sdr,
        isr=figures.isr,
        sir=figures.sir,
        sar=figures.sar,
        si_sdr=figures.si_sdr,
        frames=figures.frames,
        notes=figures.notes,
    )
