"""No work twice: equal audio, system, weights and settings give equal stems, so the first job's files serve all."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from separation.models import SeparationJob, Stem
from separation.separators.base import Separator
from separation.services.leases import Lease
from separation.services.stored_mixture import mixture_sha256

State = SeparationJob.State
WAIT = timedelta(seconds=5)  # for an equal job that is under way; a dead one's row is freed by the sweep
SAME = ("source", "start", "samples", "file", "gain", "sha256")


def work_key(job: SeparationJob, separator: Separator) -> str:
    """sha256 of all that decides the stems; empty where the separator does not say what it is."""
    identity = separator.identity()
    if not identity:
        return ""
    heard = {"mixture": mixture_sha256(job.song), "gain": job.song.mixture_gain, "spans": job.spans}
    return hashlib.sha256(json.dumps({**heard, "identity": identity}, sort_keys=True).encode()).hexdigest()


def stems_reused(lease: Lease, job: SeparationJob, key: str) -> bool:
    """Finish the job with the stems of an equal one, if there is such a one and all its files are there.

    Their rows are locked meanwhile, so that nobody deletes the files between the look and the commit. Raises
    `LeaseLost`.
    """
    if not key:
        return False
    with transaction.atomic():
        for other in SeparationJob.objects.filter(work_key=key, state=State.DONE).exclude(pk=job.pk).order_by("pk"):
            stems = list(other.stems.select_for_update().order_by("source", "start"))
            if stems and all(stem.file.storage.exists(str(stem.file.name)) for stem in stems):
                ran = {**other.ran, "reused_from": str(other.pk)}
                now = timezone.now()
                lease.release(State.DONE, progress=1.0, weights=other.weights, ran=ran, work_key=key, finished_at=now)
                Stem.objects.bulk_create(_same(stem, job) for stem in stems)
                return True
    return False


def left_to_equal(lease: Lease, job: SeparationJob, key: str) -> bool:
    """Put the job back where an equal one is under way: it will find that one's stems. Raises `LeaseLost`.

    Each writes down what it is about to do before it looks, and only the later one of two gives way, so that they
    never wait for one another. The attempt does not count, since nothing was tried.
    """
    if not key:
        return False
    lease.update(work_key=key)
    earlier = Q(started_at__lt=job.started_at) | Q(started_at=job.started_at, pk__lt=job.pk)
    if not SeparationJob.objects.filter(earlier, work_key=key, state=State.RUNNING).exclude(pk=job.pk).exists():
        return False
    now = timezone.now()
    lease.release(State.QUEUED, attempt=F("attempt") - 1, sent_at=now, not_before=now + WAIT)
    return True


def _same(stem: Stem, job: SeparationJob) -> Stem:
    return Stem(song=job.song, job=job, **{name: getattr(stem, name) for name in SAME})
