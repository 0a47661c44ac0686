"""Separation jobs: the row is the truth, messages only say that there is something to do."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone

from separation.models import SeparationJob, Song, Stem, Work
from separation.separators import registry
from separation.separators.base import Ran, Separator, Span
from separation.separators.weights import UNPINNED
from separation.services.done_jobs import is_current, job_replaced
from separation.services.faults import back_off, fault_of
from separation.services.files import attempt_delete, job_files_delete_after_commit, other_attempts_delete
from separation.services.leases import Lease, LeaseLost, lease_take
from separation.services.reuse import left_to_equal, stems_reused, work_key
from separation.services.sending import job_send, time_limit
from separation.services.spans import spans_checked, spans_key
from separation.services.stem_writing import StemWriter
from separation.services.stored_mixture import StoredMixture

State = SeparationJob.State

LOADED, FIRST_PIECE, SEPARATED = 0.05, 0.08, 0.96  # of the progress; the rest is writing the stems

log = logging.getLogger(__name__)


def job_start(*, song: Song, separator: str, spans: Sequence[Span] = ()) -> SeparationJob:
    """The job that separates `song` or parts of it (`spans`, samples): one done or under way, else a new one.

    A job of the whole song serves for every part. A done one whose files are gone, or which ran with other weights
    than those that lie here now, makes way for a new one. Raises `UnknownSeparator`, `SpanOutside` and `StemsInUse`.
    """
    weights, wanted = registry.spec(separator).weights, spans_checked(song, spans)
    if job := _job_good(song, separator, wanted):  # looks at files, so no transaction waits for it
        return job
    try:
        with transaction.atomic():
            return _job_new(song, separator, weights, wanted)
    except IntegrityError:  # another request was faster
        job = _job_good(song, separator, wanted)
        if job is None:
            raise
        return job


def _job_good(song: Song, separator: str, spans: Sequence[Span]) -> SeparationJob | None:
    """A done one before one that is not, and one of just these parts before one of the whole song."""
    key = spans_key(spans)
    good = song.jobs.filter(
        separator=separator, spans_key__in={key, ""}, state__in=[*SeparationJob.LIVE, State.DONE]
    ).order_by("queued_at", "id")
    current = [job for job in good.prefetch_related("stems") if job.is_live or is_current(job)]
    return min(current, key=lambda job: (job.state != State.DONE, job.spans_key != key), default=None)


def _job_new(song: Song, separator: str, weights: str, spans: Sequence[Span]) -> SeparationJob:
    """A new row, in the place of those that ended: a person sees one job for each separator."""
    for old in song.jobs.filter(separator=separator, spans_key=spans_key(spans)).exclude(state__in=SeparationJob.LIVE):
        job_replaced(old)
    job = SeparationJob.objects.create(
        song=song,
        separator=separator,
        weights=weights,
        spans=[list(span) for span in spans],
        spans_key=spans_key(spans),
    )
    transaction.on_commit(lambda: job_send(job))
    return job


def job_retry(*, job: SeparationJob) -> SeparationJob:
    """Try a failed or cancelled job again; returns the job that now stands for it."""
    return job_start(song=job.song, separator=job.separator, spans=[(start, end) for start, end in job.spans])


def job_again(*, job: SeparationJob) -> SeparationJob:
    """Separate anew what is done: its stems go, and the job that is returned stands for them.

    Raises `StemsInUse`, `UnknownSeparator`, and what is missing of the weights; then the stems stay.
    """
    if problem := registry.available(job.separator):
        raise problem
    if job.state != State.DONE:
        return job_retry(job=job)
    with transaction.atomic():
        return _job_new(job.song, job.separator, registry.spec(job.separator).weights, job.parts() if job.spans else [])


def job_cancel(*, job: SeparationJob) -> bool:
    """Stop a job that waits or works; False where it had already ended. Its worker stops at its next word."""
    with transaction.atomic():
        cancelled = SeparationJob.objects.filter(pk=job.pk, state__in=SeparationJob.LIVE).update(
            state=State.CANCELLED, lease_token=None, lease_until=None, finished_at=timezone.now()
        )
        if cancelled:
            job_files_delete_after_commit(job.pk)
    return bool(cancelled)


# ── in the worker ────────────────────────────────────────────────────────────────────────────────────


def job_run(job_id: UUID) -> None:
    """Work on a job, if there is work to do. However often it is called, there is one set of stems."""
    work_run(SeparationJob, job_id, _attempt)


def work_run(model: type[Work], pk: UUID, attempt: Callable[[Lease], None]) -> None:
    """One attempt at a work of any kind under its lease, if there is work to do; every end of it is written down."""
    lease = lease_take(model, pk)
    if lease is None:
        return
    with lease.kept():
        try:
            attempt(lease)
        except LeaseLost:
            log.info("%s %s was taken away from this worker", model._meta.verbose_name, pk)
        except Exception as error:
            attempt_failed(lease, error)


def _attempt(lease: Lease) -> None:
    """One attempt, which leaves either a finished job or nothing."""
    job: SeparationJob = lease.job()
    lease.limit(time_limit(job), hung=lambda: _attempt_delete(job))
    other_attempts_delete(job.pk, job.attempt)
    try:
        separator = _loaded(job, lease)
        key = work_key(job, separator)
        if not stems_reused(lease, job, key) and not left_to_equal(lease, job, key):
            _separate(job, lease, separator, key)
    except BaseException:  # also when the worker is told to stop
        _attempt_delete(job)
        raise


def _loaded(job: SeparationJob, lease: Lease) -> Separator:
    lease.phase(LOADED)
    separator = registry.get(job.separator)
    lease.progress(LOADED)
    return separator


def _separate(job: SeparationJob, lease: Lease, separator: Separator, key: str) -> None:
    parts = job.parts()
    with StoredMixture(job.song) as mixture, StemWriter(job, separator.spec.sources, parts) as writer:
        lease.phase(SEPARATED, expected=FIRST_PIECE)
        ran = separator.run(
            mixture, parts, writer.write, lambda done: lease.progress(_between(LOADED, SEPARATED, done))
        )
        lease.progress(SEPARATED)
        lease.phase(1.0)
        stems = writer.stems(lambda done: lease.progress(_between(SEPARATED, 1.0, done)))
        _finish(lease, stems, ran, key)


def _between(start: float, end: float, share: float) -> float:
    return start + (end - start) * share


def _finish(lease: Lease, stems: Iterable[Stem], ran: Ran, key: str) -> None:
    unpinned = {"weights": UNPINNED} if ran.weights_origin == UNPINNED else {}
    done = {"progress": 1.0, "ran": ran.as_dict(), "work_key": key, "finished_at": timezone.now(), **unpinned}
    with transaction.atomic():
        lease.release(State.DONE, **done)
        Stem.objects.bulk_create(stems)


def _attempt_delete(job: SeparationJob) -> None:
    """Files that are stems by now stay: a commit may succeed although its answer is lost with the database."""
    try:
        attempt_delete(job.pk, job.attempt)
    except (DatabaseError, OSError):
        log.warning("what attempt %s of job %s has written is left to the sweep", job.attempt, job.pk, exc_info=True)


def attempt_failed(lease: Lease, error: Exception) -> None:
    """The last word about an attempt at any kind of work: tried again, or failed with the reason."""
    try:
        job: SeparationJob = lease.job()
        fault = fault_of(error, attempt=job.attempt)
        log.error("job %s: %s", lease.job_id, fault.code, exc_info=error)
        if fault.permanent or job.attempt >= settings.JOB_MAX_ATTEMPTS:
            why = {"error_code": fault.code, "error_params": fault.params}
            lease.release(State.FAILED, finished_at=timezone.now(), **why)
        else:
            lease.release(State.QUEUED, **try_again(job.attempt))
    except LeaseLost:
        log.info("job %s was taken away while it failed", lease.job_id, exc_info=error)


def try_again(attempt: int) -> dict[str, Any]:
    """The fields of a job that waits for another attempt. The sweep sends its message when the back-off is over."""
    now = timezone.now()
    return {"sent_at": now, "not_before": now + back_off(attempt)}
