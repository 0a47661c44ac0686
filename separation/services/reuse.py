"""No work twice: equal audio, system, weights and settings give equal stems, so the first job's files serve all."""

from __future__ import annotations

import hashlib
import json

from django.db import transaction
from django.utils import timezone

from separation.models import SeparationJob, Stem
from separation.separators.base import Separator
from separation.services.leases import Lease
from separation.services.stored_mixture import mixture_sha256

State = SeparationJob.State
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
                lease.release(State.DONE, progress=1.0, ran=ran, work_key=key, finished_at=timezone.now())
                Stem.objects.bulk_create(_same(stem, job) for stem in stems)
                return True
    return False


def _same(stem: Stem, job: SeparationJob) -> Stem:
    return Stem(song=job.song, job=job, **{name: getattr(stem, name) for name in SAME})
