"""The sweep: jobs of dead workers, and jobs whose message was lost."""

from __future__ import annotations

import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from separation.models import SeparationJob
from separation.services import jobs
from separation.services.files import job_files_delete
from separation.services.leases import lease_take
from tests.factories import job_make
from tests.separation.job_rows import age, job_running_make, stems_on_disk

State = SeparationJob.State
pytestmark = pytest.mark.django_db(transaction=True)


def test_sweep_queues_the_job_of_a_dead_worker_again(sent: list[str]) -> None:
    job = job_running_make(attempt=1, progress=0.4)
    age(job, lease_until=timedelta(seconds=1))
    jobs.jobs_sweep()
    job.refresh_from_db()
    assert (job.state, job.progress, job.lease_token) == (State.QUEUED, 0.0, None)
    assert sent == [str(job.pk)]


def test_sweep_gives_up_after_the_last_attempt(sent: list[str], media: Path) -> None:
    job = job_running_make(attempt=3)
    left = media / "stems" / str(job.pk) / "3"
    left.mkdir(parents=True)
    (left / "vocals.flac").write_bytes(b"half a stem")
    age(job, lease_until=timedelta(seconds=1))
    jobs.jobs_sweep()
    job.refresh_from_db()
    assert (job.state, job.error_code) == (State.FAILED, "worker_lost")
    assert sent == [] and stems_on_disk(media) == []


def test_sweep_leaves_a_living_worker_alone(sent: list[str]) -> None:
    job = job_running_make(attempt=1)
    age(job, lease_until=-timedelta(seconds=10))
    jobs.jobs_sweep()
    job.refresh_from_db()
    assert job.state == State.RUNNING and sent == []


def test_sweep_that_was_too_slow_leaves_a_worker_that_came_back_alone(sent: list[str]) -> None:
    """Between the sweep's look and its write, the worker has renewed its lease."""
    job = job_running_make(attempt=1)
    age(job, lease_until=-timedelta(seconds=10))
    jobs._orphan_requeue(job, timezone.now())
    job.refresh_from_db()
    assert job.state == State.RUNNING and sent == []


def test_sweep_sends_what_the_queue_has_lost_once_a_minute(sent: list[str]) -> None:
    lost, fresh = job_make(), job_make(separator="htdemucs:demo")
    age(lost, sent_at=timedelta(seconds=61))
    age(fresh, sent_at=timedelta(seconds=30))
    jobs.jobs_sweep()
    jobs.jobs_sweep()
    assert sent == [str(lost.pk)]


def test_sweep_does_not_flood_the_queue_while_workers_are_busy(sent: list[str]) -> None:
    working, waiting = job_running_make(attempt=1), job_make()
    age(working, lease_until=-timedelta(seconds=10))
    age(waiting, sent_at=timedelta(minutes=5))
    jobs.jobs_sweep()
    assert sent == []
    age(waiting, sent_at=timedelta(minutes=11))
    jobs.jobs_sweep()
    assert sent == [str(waiting.pk)]


def test_lease_is_taken_by_one(media: Path) -> None:
    job = job_make()
    assert lease_take(job.pk) is not None
    assert lease_take(job.pk) is None
    age(job, lease_until=timedelta(seconds=1))
    assert lease_take(job.pk) is not None
    job.refresh_from_db()
    assert job.attempt == 2


def test_no_attempt_beyond_the_last(media: Path) -> None:
    job = job_running_make(attempt=3)
    age(job, lease_until=timedelta(seconds=1))
    assert lease_take(job.pk) is None


def test_deleting_files_of_a_job_that_has_none(media: Path) -> None:
    job_files_delete(uuid.uuid4())
