"""Background work: an id comes in, a service is called."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from separation.services import jobs, measurements, orphans, sweep


@shared_task
def separate(job_id: str) -> None:
    jobs.job_run(UUID(job_id))


@shared_task
def measure(measurement_id: str) -> None:
    measurements.measurement_run(UUID(measurement_id))


@shared_task(name="separation.tasks.sweep", expires=5)  # one that waited behind other work has nothing new to say
def sweep_jobs() -> None:
    sweep.jobs_sweep()
    measurements.measurements_sweep()


@shared_task(expires=60)
def sweep_files() -> None:
    orphans.files_sweep()
