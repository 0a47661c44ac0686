"""What nobody else can do: works of dead workers, lost messages, files that no row knows.

Whether a worker is dead is judged by a clock that never jumps: a lease that this process has seen unchanged for as long
as a lease lasts. What the times in the row say is not asked, since the machine's clock may have been set in between.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from separation.models import SeparationJob, Work
from separation.services.files import job_files_delete
from separation.services.jobs import try_again
from separation.services.leases import due
from separation.services.sending import job_send

BUSY = 10  # times as long may a message be unseen while workers are at work

AnyWork = TypeVar("AnyWork", bound=Work)
Lease = tuple[type[Work], UUID, UUID | None, datetime | None]

log = logging.getLogger(__name__)


class Watch:
    """When this process has first seen a lease as it is now. A lease that is renewed is another one."""

    def __init__(self) -> None:
        self._seen: dict[Lease, float] = {}

    def silent(self, works: QuerySet[Any], model: type[Work]) -> list[Any]:
        """Those of the running works whose workers have not been heard of for the length of a lease."""
        now = time.monotonic()
        present = {(model, work.pk, work.lease_token, work.lease_until): work for work in works}
        others = {lease: at for lease, at in self._seen.items() if lease[0] is not model}
        self._seen = {**others, **{lease: self._seen.get(lease, now) for lease in present}}
        return [work for lease, work in present.items() if now - self._seen[lease] >= settings.JOB_LEASE_SECONDS]


watch = Watch()


def jobs_sweep() -> None:
    """Find the jobs of dead workers and the jobs whose message was lost."""
    works_sweep(SeparationJob, send=job_send, given_up=lambda job: job_files_delete(job.pk))


def works_sweep(
    model: type[AnyWork], *, send: Callable[[AnyWork], None], given_up: Callable[[AnyWork], None] = lambda work: None
) -> None:
    """The same for every kind of work: `send` sends its message, `given_up` clears away after the last attempt."""
    works: QuerySet[Any] = model._default_manager.all()
    for work in watch.silent(works.filter(state=Work.State.RUNNING), model):
        _orphan_requeue(work, given_up)
    for work in _unsent(works):
        if _sent_now(work):
            send(work)


def _orphan_requeue(work: Any, given_up: Callable[[Any], None]) -> None:
    """Queue the work again, or give up; unless its worker came back or another one was faster."""
    still_lost = type(work)._default_manager.filter(
        pk=work.pk, state=Work.State.RUNNING, lease_token=work.lease_token, lease_until=work.lease_until
    )
    free: dict[str, Any] = {"lease_token": None, "lease_until": None}
    if work.attempt < settings.JOB_MAX_ATTEMPTS:
        if still_lost.update(state=Work.State.QUEUED, **try_again(work.attempt), **free):
            log.warning("the worker of %s died in attempt %s; it is queued again", work.pk, work.attempt)
    elif still_lost.update(state=Work.State.FAILED, error_code="worker_lost", finished_at=timezone.now(), **free):
        log.error("the worker of %s died in attempt %s, the last one", work.pk, work.attempt)
        given_up(work)


def _unsent(works: QuerySet[Any]) -> list[Any]:
    """Works whose back-off has ended since their last message, and those whose message seems to be lost.

    While workers are busy a message may just wait its turn. One from the future was sent before the clock was set.
    """
    now = timezone.now()
    patience = timedelta(seconds=settings.JOB_RESEND_SECONDS)
    busy = works.filter(state=Work.State.RUNNING).exists()
    back = Q(not_before__isnull=False)
    lost = Q(sent_at__lt=now - (BUSY * patience if busy else patience)) | Q(sent_at__gt=now + patience)
    return list(works.filter(due(now)).filter(back | lost))


def _sent_now(work: Any) -> bool:
    """Note that the message goes out now; False where another sweep has noted it first."""
    same = type(work)._default_manager.filter(pk=work.pk, state=Work.State.QUEUED, sent_at=work.sent_at)
    return bool(same.update(sent_at=timezone.now(), not_before=None))
