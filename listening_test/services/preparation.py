"""Making the clips of a study that is being opened: preparing → open, or back to draft with the reason.

The study's row is the truth. A task carries only its id; a worker holds the preparation by a lease on the row, whose
end is also the sign that it is its own: a worker that lost it writes nothing. A sweep sends again what a dead worker
or a lost message left behind.
"""

from __future__ import annotations

import errno
import logging
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from celery import current_app
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from kombu.exceptions import OperationalError

from listening_test.models import Study
from listening_test.services import clips

LEASE = 2 * timedelta(
    seconds=settings.JOB_LEASE_SECONDS
)  # renewed before each clip, which takes about a tenth of a second
RESEND_AFTER = timedelta(seconds=60)  # a message unseen for so long is taken for lost; sending twice harms nothing
TASK = "listening_test.tasks.prepare"

log = logging.getLogger(__name__)


class PreparationLost(Exception):
    """The study was taken back, deleted, or is another worker's by now."""


class Lease:
    """A worker's hold on the preparation of one study."""

    def __init__(self, study_id: UUID, until: datetime) -> None:
        self.study_id, self.until = study_id, until

    def renew(self) -> None:
        """Hold on for longer; raises `PreparationLost` where it is no longer ours."""
        until = timezone.now() + LEASE
        if not self._update(preparation_until=until):
            raise PreparationLost
        self.until = until

    def check(self) -> None:
        """Inside a transaction: make sure that it is still ours, and stays so until the commit."""
        if not self._update(preparation_until=self.until):
            raise PreparationLost

    def end(self, state: Study.State, **fields: Any) -> None:
        """Leave the study in `state`; raises `PreparationLost` where it is no longer ours."""
        if not self._update(state=state, preparation_until=None, **fields):
            raise PreparationLost

    def _update(self, **fields: Any) -> int:
        ours = Study.objects.filter(id=self.study_id, state=Study.State.PREPARING, preparation_until=self.until)
        return ours.update(**fields)


def preparation_send(*, study_id: UUID) -> None:
    """Send the task once the transaction that asks for it is committed."""
    transaction.on_commit(lambda: _send(study_id))


def _send(study_id: UUID) -> None:
    try:
        current_app.send_task(TASK, args=[str(study_id)], retry=False)
    except OperationalError:  # the sweep sends it again as soon as the broker is back
        log.warning("study %s: the broker cannot be reached, its preparation waits", study_id)


def preparation_run(*, study_id: UUID) -> None:
    """Make the study's clips and open it. Harmless where another worker does, or where it is no longer wanted."""
    lease = _take(study_id)
    if lease is None:
        return
    try:
        clips.clips_make(study=Study.objects.get(id=study_id), hold=lease)
        _finish(lease)
    except PreparationLost:
        log.info("study %s: its preparation is no longer ours", study_id)
    except clips.ClipsRefused as refusal:
        _fail(lease, refusal.refusals)
    except Exception as error:
        log.exception("study %s: its clips could not be made", study_id)
        _fail(lease, [_reason(error)])


def _reason(error: Exception) -> clips.Refusal:
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return {"code": "preparation_disk_full", "params": {}}
    return {"code": "preparation_failed", "params": {"error": type(error).__name__}}


def _take(study_id: UUID) -> Lease | None:
    now = timezone.now()
    free = Q(preparation_until__isnull=True) | Q(preparation_until__lt=now)
    taken = Study.objects.filter(free, id=study_id, state=Study.State.PREPARING).update(
        preparation_until=now + LEASE, preparation_attempt=F("preparation_attempt") + 1
    )
    return Lease(study_id, now + LEASE) if taken else None


def _finish(lease: Lease) -> None:
    with transaction.atomic():
        lease.end(Study.State.OPEN, opened_at=timezone.now())
        transaction.on_commit(lambda: clips.clip_files_sweep(study_id=lease.study_id))


def _fail(lease: Lease, refusals: list[clips.Refusal]) -> None:
    """Back to draft, with the reasons and without a single clip."""
    try:
        with transaction.atomic():
            lease.end(Study.State.DRAFT, preparation_error={"refusals": refusals})
            clips.clips_remove(study_id=lease.study_id)
    except PreparationLost:
        log.info("study %s: its preparation is no longer ours", lease.study_id)


# ── The sweep ───────────────────────────────────────────────────────────────────────────────────────────────────────


def preparations_sweep() -> None:
    now = timezone.now()
    preparing = Study.objects.filter(state=Study.State.PREPARING).order_by("created_at", "id")
    for study in preparing.filter(preparation_until__lt=now):
        _restart(study, now)
    waiting = Q(preparation_sent_at__isnull=True) | Q(preparation_sent_at__lt=now - RESEND_AFTER)
    for study in preparing.filter(waiting, preparation_until__isnull=True):
        _resend(study, now)


def _restart(study: Study, now: datetime) -> None:
    """A worker died while it made the clips: another try, unless the clips themselves seem to kill workers."""
    if study.preparation_until and study.preparation_attempt >= settings.JOB_MAX_ATTEMPTS:
        refusal = {"code": "preparation_lost", "params": {"attempts": study.preparation_attempt}}
        _fail(Lease(study.id, study.preparation_until), [refusal])
    else:
        _resend(study, now)


def _resend(study: Study, now: datetime) -> None:
    """Send the task again, unless something has happened to the study in the meantime."""
    same = Study.objects.filter(
        id=study.id,
        state=Study.State.PREPARING,
        preparation_until=study.preparation_until,
        preparation_sent_at=study.preparation_sent_at,
    )
    with transaction.atomic():
        if same.update(preparation_until=None, preparation_sent_at=now):
            preparation_send(study_id=study.id)
