"""Measurements as CSV, in the form of `csv_text`. `docs/objective_metrics.md` describes the columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.conf import settings

from separation.csv_text import cell, lines
from separation.measurement_selectors import State, is_whole
from separation.models import Measurement, SourceMeasurement
from separation.selectors import separator_name

METRICS = ("sdr", "isr", "sir", "sar")
COLUMNS = (
    "song",
    "title",
    "artist",
    "demo",
    "system",
    "system_name",
    "weights",
    "source",
    "start",
    "end",
    "whole_song",
    *METRICS,
    "si_sdr",
    "seconds",
    "seconds_measured",
    "notes",
    "job",
    "measurement",
    "museval",
    "measured_at",
)
SECOND_COLUMNS = ("song", "title", "system", "source", "start", "end", "second", "from", "to", *METRICS, "measurement")


def measurements_csv(measurements: Iterable[Measurement]) -> Iterator[bytes]:
    """One line per song, system, span and source."""
    yield lines([COLUMNS])
    for measurement, found in _done(measurements):
        yield _line(_values(measurement, found))


def seconds_csv(measurements: Iterable[Measurement]) -> Iterator[bytes]:
    """One line per song, system, span, source and second. A second that is not defined has empty cells."""
    yield lines([SECOND_COLUMNS])
    for measurement, found in _done(measurements):
        for values in _second_values(measurement, found):
            yield _line(values)


def _done(measurements: Iterable[Measurement]) -> Iterator[tuple[Measurement, SourceMeasurement]]:
    for measurement in measurements:
        if measurement.state == State.DONE:
            yield from ((measurement, found) for found in measurement.sources.all())


def _line(values: Sequence[Any]) -> bytes:
    return lines([[cell(value) for value in values]])


def _values(measurement: Measurement, found: SourceMeasurement) -> Sequence[Any]:
    job, song = measurement.job, measurement.job.song
    sdr = found.frames.get("sdr", [])
    return (
        str(song.pk),
        song.title,
        song.artist,
        song.is_demo or job.weights == "demo",
        job.separator,
        separator_name(job.separator),
        job.weights,
        found.source,
        *_span(measurement),
        is_whole(measurement),
        *(getattr(found, name) for name in METRICS),
        found.si_sdr,
        len(sdr),
        sum(value is not None for value in sdr),
        " ".join(found.notes),
        str(job.pk),
        str(measurement.pk),
        measurement.method.get("packages", {}).get("museval", ""),
        measurement.finished_at,
    )


def _second_values(measurement: Measurement, found: SourceMeasurement) -> Iterator[Sequence[Any]]:
    song, window = measurement.job.song, float(measurement.method.get("window_seconds", 1.0))
    start, end = _span(measurement)
    known = (str(song.pk), song.title, measurement.job.separator, found.source, start, end)
    for number, values in enumerate(zip(*(found.frames.get(name, []) for name in METRICS), strict=True)):
        first, last = round(start + number * window, 6), round(min(start + (number + 1) * window, end), 6)
        yield (*known, number + 1, first, last, *values, str(measurement.pk))


def _span(measurement: Measurement) -> tuple[float, float]:
    """Seconds from the song's start."""
    return (
        round(measurement.start / settings.SAMPLE_RATE, 6),
        round(measurement.end / settings.SAMPLE_RATE, 6),
    )
