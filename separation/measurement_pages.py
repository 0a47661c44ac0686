"""What a song's page shows of its true stems and of what was measured against them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from separation import messages
from separation.measurement_selectors import State, done_jobs, is_whole, measurements_of
from separation.measurement_words import METRICS, NOTES
from separation.models import Measurement, SeparationJob, Song, SourceMeasurement, Stem
from separation.selectors import separator_name
from separation.services.measuring import whole_song_refusal
from separation.services.references import ADDS_UP_DB, in_use

UNDEFINED = "–"
SHAKY = ("isr", "sir", "sar")  # what the filters of BSS Eval decide


@dataclass
class Table:
    """All that was measured over one span, and the notes under it."""

    span: str
    start: int
    is_whole: bool
    systems: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def number_of(self, note: str) -> int:
        """Of the footnote, from 1."""
        if note not in self.notes:
            self.notes.append(note)
        return self.notes.index(note) + 1


def measurement_context(song: Song, references: list[Stem]) -> dict[str, Any]:
    measurements = list(measurements_of(song=str(song.pk)))
    return {
        "tables": _tables(measurements),
        "metrics": METRICS,
        "measurable": [{"job": job, "name": separator_name(job.separator)} for job in done_jobs(song)],
        "follow_measurements": bool(references) and _moves(song, measurements),
        "method": next((each.method for each in reversed(measurements) if each.state == State.DONE), None),
        "references_note": _references_note(references),
        "too_long_note": too_long_note(song) if references else "",
        "references_locked": bool(references) and in_use(song),
        "song_seconds": round(song.seconds, 2),
    }


def _moves(song: Song, measurements: list[Measurement]) -> bool:
    """Whether something will be there soon that is not there yet."""
    measured = {measurement.job_id for measurement in measurements}
    waiting = any(
        job.is_live or (job.state == SeparationJob.State.DONE and job.pk not in measured) for job in song.jobs.all()
    )
    return waiting or any(measurement.is_live for measurement in measurements)


def _tables(measurements: list[Measurement]) -> list[Table]:
    """The whole song first, then parts by their place in it."""
    tables: dict[tuple[int, int], Table] = {}
    for measurement in measurements:
        key = (measurement.start, measurement.end)
        table = tables.setdefault(key, Table(_span(measurement), measurement.start, is_whole(measurement)))
        table.systems.append(_system(measurement, table))
    return sorted(tables.values(), key=lambda table: (not table.is_whole, table.start))


def _span(measurement: Measurement) -> str:
    if is_whole(measurement):
        return _("Whole song")
    seconds = (number_format(round(at / settings.SAMPLE_RATE, 2)) for at in (measurement.start, measurement.end))
    return _("From %(start)s s to %(end)s s") % dict(zip(("start", "end"), seconds, strict=True))


def _system(measurement: Measurement, table: Table) -> dict[str, Any]:
    failed = measurement.state == State.FAILED
    return {
        "measurement": measurement,
        "name": separator_name(measurement.job.separator),
        "rows": [_row(found, table) for found in measurement.sources.all()],
        "percent": round(100 * measurement.progress),
        "why": messages.measurement_sentence(measurement.error_code, measurement.error_params) if failed else "",
    }


def _row(found: SourceMeasurement, table: Table) -> dict[str, Any]:
    return {
        "source": found.get_source_display(),
        "figures": [_figure(found, metric.key) for metric in METRICS],
        "notes": [table.number_of(str(NOTES[note])) for note in found.notes if note in NOTES],
    }


def _figure(found: SourceMeasurement, name: str) -> dict[str, Any]:
    """To one decimal. What hangs on rounding errors looks different."""
    value = getattr(found, name)
    text = UNDEFINED if value is None else number_format(round(value, 1) + 0.0, 1)
    return {"text": text, "is_shaky": value is not None and name in SHAKY and "filters_wild" in found.notes}


def too_long_note(song: Song) -> str:
    """Said as soon as the true stems are there, and not only when a measurement of the whole song is refused."""
    refusal = whole_song_refusal(song)
    return messages.sentence("whole_song_too_long", refusal.params) if refusal else ""


def _references_note(references: list[Stem]) -> str:
    """Whether the true stems add up to the mixture, where they came as files."""
    residuals = [stem.origin["residual_db"] for stem in references if "residual_db" in stem.origin]
    if not residuals:
        return ""
    level = number_format(round(residuals[0], 1), 1)
    if residuals[0] <= ADDS_UP_DB:
        return _("Together they are the mixture: what is left over lies %(level)s dB below it.") % {
            "level": level.lstrip("-−")
        }
    return _(
        "Together they are not quite the mixture: what is left over lies at %(level)s dB of it. A source is missing, "
        "or the mixture was mastered afterwards; SDR, ISR, SIR and SAR then count that against every system."
    ) % {"level": level}
