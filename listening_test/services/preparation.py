"""Making the clips of a study that is being opened: preparing → open, or back to draft with the reason.

The making is a work like separations and measurements (`Preparation`, one row for each study): a worker holds it by a
lease, and only the sweep judges whether a worker is dead. What has failed for good leaves the study a draft again, in a
step of its own that the worker takes at once and the sweep where the worker could not.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from celery import current_app
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from listening_test import selectors
from listening_test.design_selectors import FORM, design_digest
from listening_test.models import Preparation, Study
from listening_test.services import clips
from separation.services.jobs import work_run
from separation.services.leases import Lease, LeaseLost
from separation.services.sweep import works_sweep

TASK = "listening_test.tasks.prepare"
CLIP_SECONDS = 10.0  # of work that a clip may take: fifty times what it does

State = Preparation.State
Refusal = clips.Refusal

log = logging.getLogger(__name__)


def preparation_start(*, study: Study) -> Preparation:
    """Begin it, or begin it anew; its message goes out once the transaction that asks for it is committed."""
    now = timezone.now()
    afresh: dict[str, Any] = {
        "state": State.QUEUED,
        "attempt": 0,
        "progress": 0.0,
        "lease_token": None,
        "lease_until": None,
        "error_code": "",
        "error_params": {},
        "not_before": None,
        "queued_at": now,
        "sent_at": now,
        "started_at": None,
        "finished_at": None,
    }
    preparation, _is_new = Preparation.objects.update_or_create(study=study, defaults=afresh)
    transaction.on_commit(lambda: preparation_send(preparation))
    return preparation


def preparation_cancel(*, study: Study) -> None:
    """Its worker writes nothing any more, and stops at its next word."""
    Preparation.objects.filter(study=study, state__in=Preparation.LIVE).update(
        state=State.CANCELLED, lease_token=None, lease_until=None, finished_at=timezone.now()
    )


def preparation_send(preparation: Preparation) -> None:
    """Tell the workers. If the broker is away, the sweep will tell them."""
    try:
        current_app.send_task(TASK, args=[str(preparation.study_id)], retry=False)
    except OperationalError:
        log.warning("study %s: the broker cannot be reached, its preparation waits", preparation.study_id)


# ── in the worker ────────────────────────────────────────────────────────────────────────────────────


def preparation_run(*, study_id: UUID) -> None:
    """Make the study's clips and open it. Harmless where another worker does, or where it is no longer wanted."""
    for preparation in Preparation.objects.filter(study_id=study_id):
        work_run(Preparation, preparation.pk, _attempt)
        _settle([study_id])


def _attempt(lease: Lease) -> None:
    preparation: Preparation = lease.job()
    study = preparation.study
    expected = selectors.clips_expected(study)
    lease.limit(settings.JOB_TIME_START_SECONDS + CLIP_SECONDS * expected)
    clips.clips_make(study=study, hold=_Held(lease, expected))
    with transaction.atomic():
        lease.release(State.DONE, progress=1.0, finished_at=timezone.now(), error_code="", error_params={})
        frozen = Study.objects.prefetch_related("texts").get(pk=study.pk)
        frozen.design_form = FORM
        opened = {"state": Study.State.OPEN, "opened_at": timezone.now()}
        opened |= {"design_form": FORM, "design_digest": design_digest(frozen)}
        if not Study.objects.filter(pk=study.pk, state=Study.State.PREPARING).update(**opened):
            raise LeaseLost
        transaction.on_commit(lambda: clips.clip_files_sweep(study_id=study.pk))


class _Held:
    """The lease as the clips know it."""

    def __init__(self, lease: Lease, expected: int) -> None:
        self._lease, self._expected = lease, max(1, expected)

    def clips(self, made: float) -> None:
        self._lease.progress(made / self._expected)

    def check(self) -> None:
        self._lease.update(lease_token=self._lease.token)  # a write: it stays ours until the commit


def _settle(study_ids: Iterable[UUID]) -> None:
    """Studies whose preparation has failed are drafts again, with the reasons and without a single clip."""
    for study_id in study_ids:
        with transaction.atomic():
            failed = Preparation.objects.select_for_update().filter(study_id=study_id, state=State.FAILED).first()
            preparing = Study.objects.filter(pk=study_id, state=Study.State.PREPARING)
            if failed and preparing.update(state=Study.State.DRAFT, preparation_error={"refusals": _refusals(failed)}):
                clips.clips_remove(study_id=study_id)


def _refusals(failed: Preparation) -> list[Refusal]:
    """Why, in the codes of `listening_test.messages`."""
    if failed.error_code == clips.ClipsRefused.code:
        return list(failed.error_params["refusals"])
    if failed.error_code == "disk_full":
        return [{"code": "preparation_disk_full", "params": {}}]
    if failed.error_code in ("worker_lost", "out_of_memory"):
        return [{"code": "preparation_lost", "params": {"attempts": failed.attempt}}]
    error = failed.error_params.get("error", failed.error_code)
    return [{"code": "preparation_failed", "params": {"error": error}}]


# ── the sweep ────────────────────────────────────────────────────────────────────────────────────────


def preparations_sweep() -> None:
    """Find the preparations of dead workers and those whose message was lost."""
    works_sweep(Preparation, send=preparation_send)
    failed = Preparation.objects.filter(state=State.FAILED, study__state=Study.State.PREPARING)
    _settle(list(failed.values_list("study_id", flat=True)))
