"""Separation jobs: the row is the truth, messages only say that there is something to do."""

from __future__ import annotations

import errno
import hashlib
import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
from celery import current_app
from django.conf import settings
from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerAway

from audio.reading import read_flac
from audio.writing import encode_flac
from separation.models import SeparationJob, Song, Stem
from separation.separators import registry
from separation.separators.base import Audio, Separation, SeparatorError
from separation.services.files import attempt_delete, job_files_delete, other_attempts_delete
from separation.services.leases import Lease, LeaseLost, lease_take

State = SeparationJob.State

TASK = "separation.tasks.separate"
SEPARATING_SHARE = 0.95  # of the progress; the rest is writing the stems
RESEND_IDLE = timedelta(seconds=60)
RESEND_BUSY = timedelta(minutes=10)

log = logging.getLogger(__name__)


class MixtureMissing(SeparatorError):
    """The song's own file has been removed behind our back."""

    code = "mixture_missing"


def job_start(*, song: Song, separator: str) -> SeparationJob:
    """The job that separates `song`: the one that waits, works or is done, else a new one.

    Raises `UnknownSeparator`.
    """
    weights = registry.spec(separator).weights
    try:
        with transaction.atomic():
            return _job_good(song, separator) or _job_new(song, separator, weights)
    except IntegrityError:  # another request was faster
        job = _job_good(song, separator)
        if job is None:
            raise
        return job


def _job_good(song: Song, separator: str) -> SeparationJob | None:
    return song.jobs.filter(separator=separator, state__in=[*SeparationJob.LIVE, State.DONE]).first()


def _job_new(song: Song, separator: str, weights: str) -> SeparationJob:
    """A new row, in the place of failed and cancelled ones: a person sees one job for each separator."""
    for old in song.jobs.filter(separator=separator):
        _files_delete_after_commit(old.pk)
        old.delete()
    job = SeparationJob.objects.create(song=song, separator=separator, weights=weights)
    transaction.on_commit(lambda: _send(job.pk))
    return job


def job_retry(*, job: SeparationJob) -> SeparationJob:
    """Try a failed or cancelled job again; returns the job that now stands for it."""
    return job_start(song=job.song, separator=job.separator)


def job_cancel(*, job: SeparationJob) -> bool:
    """Stop a job that waits or works; False where it had already ended. Its worker stops at its next word."""
    with transaction.atomic():
        cancelled = SeparationJob.objects.filter(pk=job.pk, state__in=SeparationJob.LIVE).update(
            state=State.CANCELLED, lease_token=None, lease_until=None, finished_at=timezone.now()
        )
        if cancelled:
            _files_delete_after_commit(job.pk)
    return bool(cancelled)


def _files_delete_after_commit(job_id: UUID) -> None:
    transaction.on_commit(lambda: job_files_delete(job_id))


def _send(job_id: UUID) -> None:
    """Tell the workers. If the broker is away, the sweep will tell them."""
    try:
        current_app.send_task(TASK, args=[str(job_id)], retry=False)
    except BrokerAway:
        log.warning("job %s waits for the broker", job_id, exc_info=True)


# ── in the worker ────────────────────────────────────────────────────────────────────────────────────


def job_run(job_id: UUID) -> None:
    """Work on a job, if there is work to do. However often it is called, there is one set of stems."""
    lease = lease_take(job_id)
    if lease is None:
        return
    with lease.kept():
        try:
            _attempt(lease)
        except LeaseLost:
            log.info("job %s was taken away from this worker", job_id)
        except Exception as error:
            _attempt_failed(lease, error)


def _attempt(lease: Lease) -> None:
    """One attempt, which leaves either a finished job or nothing."""
    job = lease.job()
    other_attempts_delete(job.pk, job.attempt)
    try:
        separation = _separated(job, lease)
        stems = [_stem_written(job, source, samples) for source, samples in separation.stems.items()]
        _finish(lease, stems, separation.ran.as_dict())
    except BaseException:  # also when the worker is told to stop
        attempt_delete(job.pk, job.attempt)
        raise


def _separated(job: SeparationJob, lease: Lease) -> Separation:
    mixture = _mixture(job.song)
    separation = registry.get(job.separator).separate(mixture, lambda done: lease.progress(SEPARATING_SHARE * done))
    lease.progress(SEPARATING_SHARE)
    return separation


def _mixture(song: Song) -> Audio:
    """The song as it was uploaded, peaks beyond full scale included."""
    try:
        with song.mixture.storage.open(str(song.mixture.name), "rb") as file:
            return read_flac(file) / np.float32(song.mixture_gain)
    except FileNotFoundError as error:
        raise MixtureMissing(f"{song.mixture.name} is gone") from error


def _stem_written(job: SeparationJob, source: str, samples: Audio) -> Stem:
    """The stem's file, in the folder of this attempt, and its row, not yet saved."""
    data, gain = encode_flac(samples)
    stem = Stem(song=job.song, job=job, source=source, gain=gain, sha256=hashlib.sha256(data).hexdigest())
    stem.file.save(f"{source}.flac", ContentFile(data), save=False)
    return stem


def _finish(lease: Lease, stems: Iterable[Stem], ran: dict[str, Any]) -> None:
    with transaction.atomic():
        lease.release(State.DONE, progress=1.0, ran=ran, finished_at=timezone.now())
        Stem.objects.bulk_create(stems)


def _attempt_failed(lease: Lease, error: Exception) -> None:
    code, params = _reason(error)
    permanent = code == "disk_full" or (isinstance(error, SeparatorError) and error.permanent)
    log.error("job %s: %s", lease.job_id, code, exc_info=error)
    try:
        if permanent or lease.job().attempt >= settings.JOB_MAX_ATTEMPTS:
            lease.release(State.FAILED, error_code=code, error_params=params, finished_at=timezone.now())
        else:
            lease.release(State.QUEUED, progress=0.0, sent_at=timezone.now())
            _send(lease.job_id)
    except LeaseLost:
        log.info("job %s was taken away while it failed", lease.job_id)


def _reason(error: Exception) -> tuple[str, dict[str, str]]:
    """The code and the parameters of the sentence that a person will read."""
    if isinstance(error, SeparatorError):
        return error.code, error.params
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":  # torch has its own
        return "out_of_memory", {}
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "disk_full", {}
    return "unexpected", {"error": type(error).__name__}


# ── the sweep ────────────────────────────────────────────────────────────────────────────────────────


def jobs_sweep() -> None:
    """Find the jobs of dead workers and the jobs whose message was lost."""
    now = timezone.now()
    for job in SeparationJob.objects.filter(state=State.RUNNING, lease_until__lt=now):
        _orphan_requeue(job, now)
    busy = SeparationJob.objects.filter(state=State.RUNNING).exists()
    late = now - (RESEND_BUSY if busy else RESEND_IDLE)
    for job in SeparationJob.objects.filter(state=State.QUEUED, sent_at__lt=late):
        SeparationJob.objects.filter(pk=job.pk).update(sent_at=now)
        _send(job.pk)


def _orphan_requeue(job: SeparationJob, now: datetime) -> None:
    """Queue the job again, or give up; unless its worker came back or another one was faster."""
    still_lost = SeparationJob.objects.filter(
        pk=job.pk, state=State.RUNNING, lease_token=job.lease_token, lease_until__lt=now
    )
    free = {"lease_token": None, "lease_until": None}
    if job.attempt < settings.JOB_MAX_ATTEMPTS:
        if still_lost.update(state=State.QUEUED, progress=0.0, sent_at=now, **free):
            log.warning("the worker of job %s died in attempt %s; it is queued again", job.pk, job.attempt)
            _send(job.pk)
    elif still_lost.update(state=State.FAILED, error_code="worker_lost", finished_at=now, **free):
        log.error("the worker of job %s died in attempt %s, the last one", job.pk, job.attempt)
        job_files_delete(job.pk)
