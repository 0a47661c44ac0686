"""Measurements of separated stems against the song's true ones: a row each, worked on like separation jobs.

They start by themselves: the sweep finds every done separation of a song with true stems that is not measured yet,
however it came to be done, and whenever the true stems came.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from uuid import UUID

from celery import current_app
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerAway

from separation.models import Measurement, SeparationJob, Song, SourceMeasurement, Stem
from separation.objective import method
from separation.services.jobs import work_run
from separation.services.leases import GRACE_SECONDS, Lease
from separation.services.measuring import sources_measured
from separation.services.sweep import works_sweep

TASK = "separation.tasks.measure"
FIRST_WORD = 0.3  # of the progress: after reading, and after the first of the filters

State = Measurement.State

log = logging.getLogger(__name__)


class MeasurementRefused(Exception):
    """What cannot be measured now. `messages.sentence(code)` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def measurement_start(*, job: SeparationJob, start: int | None = None, end: int | None = None) -> Measurement:
    """The measurement of a span (samples; all that the job separated before its first end, if not given).

    One that waits, works or is done is returned as it is; one that failed is tried again. Raises `MeasurementRefused`.
    """
    parts = job.parts()
    first, last = parts[0][0] if start is None else start, parts[0][1] if end is None else end
    _refuse(job, first, last)
    with transaction.atomic():
        _parts_started(job)
        return _started(job, first, last)


def measurements_start(*, song: Song) -> list[Measurement]:
    """Measure every done separation of the song, as far as it is not measured yet."""
    started: list[Measurement] = []
    with transaction.atomic():
        for job in measurable_jobs().filter(song=song):
            started += _parts_started(job)
    return started


def measurable_jobs() -> QuerySet[SeparationJob]:
    """Done separations of songs with true stems."""
    true = Stem.objects.filter(song=OuterRef("song"), job__isnull=True)
    return SeparationJob.objects.filter(Exists(true), state=State.DONE).select_related("song")


def measurements_delete(*, song: Song) -> None:
    """Forget what was measured against true stems that are no longer those."""
    Measurement.objects.filter(job__song=song).delete()


def _refuse(job: SeparationJob, start: int, end: int) -> None:
    if job.state != State.DONE:
        raise MeasurementRefused("not_separated")
    if not Stem.objects.filter(song=job.song, job__isnull=True).exists():
        raise MeasurementRefused("no_references")
    if not any(first <= start < end <= last for first, last in job.parts()):
        raise MeasurementRefused("span_not_separated")


def _parts_started(job: SeparationJob) -> list[Measurement]:
    """All that the job separated, span by span."""
    there = set(job.measurements.values_list("start", "end"))
    return [_started(job, start, end) for start, end in job.parts() if (start, end) not in there]


def _started(job: SeparationJob, start: int, end: int) -> Measurement:
    measurement, is_new = Measurement.objects.get_or_create(job=job, start=start, end=end)
    again = {"state": State.QUEUED, "attempt": 0, "progress": 0.0, "error_code": "", "error_params": {}}
    fresh = {"queued_at": timezone.now(), "sent_at": timezone.now(), "not_before": None, "finished_at": None}
    ended = Measurement.objects.filter(pk=measurement.pk, state__in=[State.FAILED, State.CANCELLED])
    if is_new or ended.update(**again, **fresh):
        measurement.refresh_from_db()
        transaction.on_commit(lambda: measurement_send(measurement))
    return measurement


def measurement_send(measurement: Measurement) -> None:
    """Tell the workers. If the broker is away, the sweep will tell them."""
    longest = round(time_limit(measurement) + 2 * GRACE_SECONDS)
    args = [str(measurement.pk)]
    try:
        current_app.send_task(TASK, args=args, queue=settings.MEASUREMENT_QUEUE, time_limit=longest, retry=False)
    except BrokerAway:
        log.warning("measurement %s waits for the broker", measurement.pk, exc_info=True)


def time_limit(measurement: Measurement) -> float:
    """Seconds that an attempt may take: an allowance for the filters, and so much for each second of audio."""
    seconds = (measurement.end - measurement.start) / settings.SAMPLE_RATE
    return float(settings.MEASURE_TIME_START_SECONDS + settings.MEASURE_TIME_FACTOR * seconds)


# ── in the worker ────────────────────────────────────────────────────────────────────────────────────


def measurement_run(measurement_id: UUID) -> None:
    """Work on a measurement, if there is work to do. However often it is called, there is one set of figures."""
    work_run(Measurement, measurement_id, _attempt)


def _attempt(lease: Lease) -> None:
    measurement: Measurement = lease.job()
    lease.limit(time_limit(measurement))
    lease.phase(1.0, expected=FIRST_WORD)
    rows = sources_measured(measurement, lease.progress)
    _finish(lease, measurement, rows)


def _finish(lease: Lease, measurement: Measurement, rows: Iterable[SourceMeasurement]) -> None:
    now = timezone.now()
    made = {**method(), "date": now.isoformat(timespec="seconds")}
    with transaction.atomic():
        lease.release(State.DONE, progress=1.0, method=made, finished_at=now, error_code="", error_params={})
        SourceMeasurement.objects.filter(measurement=measurement).delete()
        SourceMeasurement.objects.bulk_create(rows)


# ── the sweep ────────────────────────────────────────────────────────────────────────────────────────


def measurements_sweep() -> None:
    """Start what is not measured yet, and find measurements of dead workers and lost messages."""
    for job in measurable_jobs().filter(measurements__isnull=True):
        with transaction.atomic():
            _parts_started(job)
    works_sweep(Measurement, send=measurement_send)
