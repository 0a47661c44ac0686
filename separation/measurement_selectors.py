"""Reading measurements."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Case, IntegerField, Prefetch, QuerySet, Value, When

from separation.models import Measurement, SeparationJob, Song, Source, SourceMeasurement

State = Measurement.State


def measurements_of(*, song: str | None = None, system: str | None = None) -> QuerySet[Measurement]:
    """By song, system and span, with their sources in the order in which sources are always shown."""
    found = (
        Measurement.objects.select_related("job__song")
        .prefetch_related(Prefetch("sources", queryset=_sources_in_order()))
        .order_by("job__song__created_at", "job__song", "job__queued_at", "job", "start", "end")
    )
    if song is not None:
        found = found.filter(job__song__in=_ids(song))
    return found if system is None else found.filter(job__separator=system)


def _sources_in_order() -> QuerySet[SourceMeasurement]:
    whens: list[Any] = [When(source=source, then=Value(place)) for place, source in enumerate(Source.values)]
    return SourceMeasurement.objects.order_by(
        Case(*whens, default=Value(len(whens)), output_field=IntegerField()), "pk"
    )


def _ids(text: str) -> list[UUID]:
    try:
        return [UUID(text)]
    except ValueError:
        return []


def done_jobs(song: Song) -> QuerySet[SeparationJob]:
    return song.jobs.filter(state=SeparationJob.State.DONE).order_by("queued_at", "id")


def is_whole(measurement: Measurement) -> bool:
    return measurement.start == 0 and measurement.end == measurement.job.song.samples


def any_measured() -> bool:
    return Measurement.objects.filter(state=State.DONE).exists()
