"""Background work of the analysis: an id comes in, a service is called."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from analysis import services


@shared_task
def compute(study_id: str) -> None:
    services.results_compute(study_id=UUID(study_id))


@shared_task(expires=30)  # a sweep that waited behind other work has nothing new to say
def sweep() -> None:
    services.results_sweep()
