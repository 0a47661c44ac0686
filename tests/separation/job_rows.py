"""Jobs in the middle of things, for tests of what happens to them then."""

from __future__ import annotations

import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.utils import timezone

from separation.models import SeparationJob
from tests.factories import files_in, job_make


def job_running_make(**fields: Any) -> SeparationJob:
    """A worker has it, with a lease that ends now."""
    state = SeparationJob.State.RUNNING
    return job_make(state=state, lease_token=uuid.uuid4(), lease_until=timezone.now(), **fields)


def age(job: SeparationJob, **fields: timedelta) -> None:
    """Move moments of the job into the past."""
    now = timezone.now()
    SeparationJob.objects.filter(pk=job.pk).update(**{name: now - by for name, by in fields.items()})


def stems_on_disk(media: Path) -> list[str]:
    return [name for name in files_in(media) if name.startswith("stems/")]


def thought_dead(job: SeparationJob) -> None:
    """The sweep has not heard of its worker for long, and has queued it again; the back-off is over."""
    SeparationJob.objects.filter(pk=job.pk).update(state="queued", lease_token=None, lease_until=None)
