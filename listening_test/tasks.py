"""Background work of the listening test: an id comes in, a service is called."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from listening_test.services import demo, preparation, rights, slots


@shared_task
def prepare(study_id: str) -> None:
    preparation.preparation_run(study_id=UUID(study_id))


@shared_task(expires=5)  # a sweep that waited behind other work has nothing new to say
def sweep() -> None:
    preparation.preparations_sweep()
    slots.slots_sweep()
    demo.demo_advance()


@shared_task
def sweep_retention() -> None:
    rights.retention_sweep()
