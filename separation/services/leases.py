"""The right to work on a job: taken by one conditional update, renewed while the work lasts, lost in silence.

Every write of a worker asks for its own lease token, so a worker that was thought dead, or whose job was cancelled or
deleted, changes nothing any more. Nobody but the sweep judges whether a worker is dead, and it does so by a clock that
does not jump (see `sweep`); a lease is never taken from another worker here.
"""

from __future__ import annotations

import logging
import os
import signal
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import Event, RLock, Thread
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Greatest
from django.utils import timezone

from separation.models import Work
from separation.separators.base import SeparatorError
from separation.services.pace import Pace

PROGRESS_SECONDS = 0.5  # between two writes
CREEP_SECONDS = 1.0  # without a word from the work, the keeper moves the progress a little
GRACE_SECONDS = 15.0  # for a work that has passed its time limit to notice it by itself

log = logging.getLogger(__name__)


class LeaseLost(Exception):
    """The job is no longer ours: cancelled, deleted, or taken by another worker."""


class TimeLimitPassed(SeparatorError):
    """The work took longer than audio of its length may. params: `limit` (seconds)."""

    code = "time_limit"


def lease_take(model: type[Work], pk: uuid.UUID) -> Lease | None:
    """The lease of a work that waits and whose back-off is over; None where there is nothing to do."""
    now, token = timezone.now(), uuid.uuid4()
    rows = model._default_manager.filter(due(now), pk=pk, attempt__lt=settings.JOB_MAX_ATTEMPTS)
    taken = rows.update(
        state=Work.State.RUNNING,
        lease_token=token,
        lease_until=_lease_end(),
        not_before=None,
        attempt=F("attempt") + 1,
        started_at=now,
    )
    return Lease(model, pk, token) if taken else None


def due(now: datetime) -> Q:
    """Works that wait, and whose back-off is over. One that lies too far ahead was made before the clock was set."""
    farthest = now + timedelta(seconds=2 * settings.JOB_RETRY_MAX_SECONDS)
    over = Q(not_before__isnull=True) | Q(not_before__lte=now) | Q(not_before__gt=farthest)
    return Q(over, state=Work.State.QUEUED)


def _lease_end() -> datetime:
    return timezone.now() + timedelta(seconds=settings.JOB_LEASE_SECONDS)


class Lease:
    """A worker's hold on one piece of work."""

    def __init__(self, model: type[Work], pk: uuid.UUID, token: uuid.UUID) -> None:
        self.model = model
        self.job_id = pk
        self.token = token
        self._pace = Pace()
        self._written_at = float("-inf")
        self._deadline = float("inf")
        self._limit = 0.0
        self._hung: Callable[[], None] = lambda: None
        self._lost = Event()
        self._stop = Event()
        self._writing = RLock()  # the keeper and the work write the progress, which never falls

    def job(self) -> Any:
        """The row, as it is now. Raises `LeaseLost`."""
        job = self._rows().first()
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

    def limit(self, seconds: float, hung: Callable[[], None] = lambda: None) -> None:
        """From now on, so long may it take: then `progress` raises. A work that says no word ends with its process,
        after `hung` has cleared away."""
        self._limit, self._deadline, self._hung = seconds, time.monotonic() + seconds, hung

    def phase(self, end: float, expected: float | None = None) -> None:
        """What comes now lasts until the progress is `end`; until its first word, expected there or at `expected`, the
        progress creeps."""
        with self._writing:
            self._pace.phase(end, expected)

    def progress(self, share: float) -> None:
        """Say how much is done (0–1, never backwards). Raises `LeaseLost`, which ends the separation."""
        self.check()
        with self._writing:
            self._pace.reached(share)
            if time.monotonic() - self._written_at >= PROGRESS_SECONDS:
                self._write_progress()

    def check(self) -> None:
        """Raises `LeaseLost` or `TimeLimitPassed` where the work has to end."""
        if self._lost.is_set():
            raise LeaseLost
        if time.monotonic() > self._deadline:
            raise TimeLimitPassed(f"not done within {self._limit:.0f} s", limit=str(self._limit))

    def _write_progress(self) -> None:
        self._written_at = time.monotonic()
        try:
            self._update_progress()
        except DatabaseError:
            log.warning("progress of job %s was not written", self.job_id, exc_info=True)

    def _update_progress(self) -> None:
        """What a person sees never falls: an attempt that begins anew is seen once it is farther than those before."""
        self.update(progress=Greatest(F("progress"), self._pace.share))

    # ── the keeper: a thread of its own ──────────────────────────────────────────────────────────────

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Renew the lease, let the progress creep and watch the time limit while the block runs."""
        keeper = Thread(target=self._keep, name=f"lease-{self.job_id}", daemon=True)
        keeper.start()
        try:
            yield
        finally:
            self._stop.set()
            keeper.join()

    def _keep(self) -> None:
        every = settings.JOB_LEASE_SECONDS / 3
        renewed_at = time.monotonic()
        try:
            while not self._stop.wait(min(CREEP_SECONDS, every)) and not self._lost.is_set():
                self._end_if_overdue()
                if time.monotonic() - renewed_at >= every - 0.01:
                    renewed_at = time.monotonic()
                    self._carefully(self._renew)
                self._carefully(self._creep)
        finally:
            connection.close()  # a thread has its own connection, which nobody else would close

    def _carefully(self, write: Callable[[], None]) -> None:
        try:
            write()
        except LeaseLost:
            pass  # noted; the next call of `progress` stops the work
        except DatabaseError:
            log.warning("lease of job %s was not renewed", self.job_id, exc_info=True)
            connection.close()

    def _renew(self) -> None:
        self.update(lease_until=_lease_end())

    def _creep(self) -> None:
        with self._writing:
            if time.monotonic() - self._written_at >= CREEP_SECONDS and self._pace.creep():
                self._written_at = time.monotonic()
                self._update_progress()

    def _end_if_overdue(self) -> None:
        """The work says no word and so cannot be told to stop: its row says why, and its process ends."""
        if time.monotonic() < self._deadline + GRACE_SECONDS:
            return
        log.error("job %s hangs; this process ends itself", self.job_id)
        fields = {"error_code": TimeLimitPassed.code, "error_params": {"limit": str(self._limit)}}
        self._carefully(lambda: self.release(Work.State.FAILED, finished_at=timezone.now(), **fields))
        self._carefully(self._hung)
        end_process()

    def _rows(self) -> QuerySet[Any]:
        return self.model._default_manager.filter(pk=self.job_id, lease_token=self.token, state=Work.State.RUNNING)


def end_process() -> None:
    """Nothing gentler ends a thread that hangs in foreign code. The pool starts another process at once."""
    os.kill(os.getpid(), signal.SIGKILL)
