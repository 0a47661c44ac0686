"""Background work: an id comes in, a service is called."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from separation.services import jobs


@shared_task
def separate(job_id: str) -> None:
    jobs.job_run(UUID(job_id))


@shared_task(expires=5)  # a sweep that waited behind a long separation has nothing new to say
def sweep() -> None:
    jobs.jobs_sweep()
