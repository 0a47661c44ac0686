"""The right to work on a job: taken by one conditional update, renewed while the work lasts, lost in silence.

Every write of a worker asks for its own lease token, so a worker that was thought dead, or whose job was cancelled or
deleted, changes nothing any more.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Event, Thread
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from separation.models import SeparationJob

PROGRESS_SECONDS = 0.5  # between two writes

log = logging.getLogger(__name__)


class LeaseLost(Exception):
    """The job is no longer ours: cancelled, deleted, or taken by another worker."""


def lease_take(job_id: uuid.UUID) -> Lease | None:
    """The lease of a job that waits, or whose worker has died; None where there is nothing to do."""
    now, token = timezone.now(), uuid.uuid4()
    waiting = Q(state=SeparationJob.State.QUEUED)
    orphaned = Q(state=SeparationJob.State.RUNNING, lease_until__lt=now)
    taken = SeparationJob.objects.filter(waiting | orphaned, pk=job_id, attempt__lt=settings.JOB_MAX_ATTEMPTS).update(
        state=SeparationJob.State.RUNNING,
        lease_token=token,
        lease_until=_lease_end(),
        attempt=F("attempt") + 1,
        progress=0.0,
        started_at=now,
    )
    return Lease(job_id, token) if taken else None


def _lease_end() -> Any:
    return timezone.now() + timedelta(seconds=settings.JOB_LEASE_SECONDS)


class Lease:
    """A worker's hold on one job."""

    def __init__(self, job_id: uuid.UUID, token: uuid.UUID) -> None:
        self.job_id = job_id
        self.token = token
        self._share = 0.0
        self._written_at = float("-inf")
        self._lost = Event()
        self._stop = Event()

    def job(self) -> SeparationJob:
        """The row, as it is now. Raises `LeaseLost`."""
        job = self._rows().select_related("song").first()
        if job is None:
            raise LeaseLost
        return job

    def update(self, **fields: Any) -> None:
        """Write to the row, if it is still ours; raises `LeaseLost` otherwise."""
        if not self._rows().update(**fields):
            self._lost.set()
            raise LeaseLost

    def release(self, state: str, **fields: Any) -> None:
        """Write the last word about this attempt. Raises `LeaseLost`."""
        self.update(state=state, lease_token=None, lease_until=None, **fields)

    def progress(self, share: float) -> None:
        """Say how much is done (0–1, never backwards). Raises `LeaseLost`, which ends the separation."""
        if self._lost.is_set():
            raise LeaseLost
        self._share = max(self._share, min(share, 1.0))
        if time.monotonic() - self._written_at < PROGRESS_SECONDS:
            return
        self._written_at = time.monotonic()
        try:
            self.update(progress=self._share)
        except DatabaseError:
            log.warning("progress of job %s was not written", self.job_id, exc_info=True)

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Renew the lease from a thread of its own while the block runs."""
        keeper = Thread(target=self._renew_until_stopped, name=f"lease-{self.job_id}", daemon=True)
        keeper.start()
        try:
            yield
        finally:
            self._stop.set()
            keeper.join()

    def _renew_until_stopped(self) -> None:
        try:
            while not self._stop.wait(settings.JOB_LEASE_SECONDS / 3) and not self._lost.is_set():
                self._renew()
        finally:
            connection.close()  # a thread has its own connection, which nobody else would close

    def _renew(self) -> None:
        try:
            self.update(lease_until=_lease_end())
        except LeaseLost:
            pass  # noted; the next call of `progress` stops the work
        except DatabaseError:
            log.warning("lease of job %s was not renewed", self.job_id, exc_info=True)
            connection.close()

    def _rows(self) -> QuerySet[SeparationJob]:
        return SeparationJob.objects.filter(pk=self.job_id, lease_token=self.token, state=SeparationJob.State.RUNNING)
