"""The sweep: jobs of dead workers, and jobs whose message was lost, whatever the machine's clock says."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from audio.reading import Audio
from separation.models import SeparationJob, Stem
from separation.separators.base import Progress
from separation.services import jobs, sweep
from separation.services.files import job_files_delete
from separation.services.leases import lease_take
from separation.services.sweep import jobs_sweep
from tests.factories import job_make
from tests.separation.fake import fake_separator
from tests.separation.job_rows import age, job_running_make, stems_on_disk

State = SeparationJob.State
pytestmark = pytest.mark.django_db(transaction=True)

Pass = Callable[[float], None]


@pytest.fixture(autouse=True)
def time_passes(monkeypatch: pytest.MonkeyPatch) -> Pass:
    """The sweep's own clock goes on when the test says so, and this process has not seen any lease yet."""
    moment = [1000.0]
    monkeypatch.setattr(sweep, "watch", sweep.Watch())
    monkeypatch.setattr("separation.services.sweep.time.monotonic", lambda: moment[0])

    def go_on(seconds: float) -> None:
        moment[0] += seconds

    return go_on


@pytest.fixture
def clock_jumps(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """The machine's time of day is set."""
    now = timezone.now

    def jump(by: timedelta) -> None:
        monkeypatch.setattr(timezone, "now", lambda: now() + by)

    return jump


# ── workers that died ────────────────────────────────────────────────────────────────────────────────


def test_sweep_queues_the_job_of_a_dead_worker_again(sent: list[str], time_passes: Pass) -> None:
    job = job_running_make(attempt=1, progress=0.4)
    jobs_sweep()
    time_passes(15)
    jobs_sweep()
    job.refresh_from_db()
    assert (job.state, job.progress, job.lease_token) == (State.QUEUED, 0.4, None), "what was shown stays"
    assert job.not_before is not None and sent == [], "its message goes out when the back-off is over"
    age(job, not_before=timedelta(seconds=0))
    jobs_sweep()
    jobs_sweep()
    assert sent == [str(job.pk)]


def test_sweep_gives_up_after_the_last_attempt(sent: list[str], media: Path, time_passes: Pass) -> None:
    job = job_running_make(attempt=3)
    left = media / "stems" / str(job.pk) / "3"
    left.mkdir(parents=True)
    (left / "vocals.flac").write_bytes(b"half a stem")
    jobs_sweep()
    time_passes(15)
    jobs_sweep()
    job.refresh_from_db()
    assert (job.state, job.error_code) == (State.FAILED, "worker_lost")
    assert sent == [] and stems_on_disk(media) == []


def test_sweep_leaves_a_living_worker_alone(sent: list[str], time_passes: Pass) -> None:
    job = job_running_make(attempt=1)
    for _ in range(10):
        jobs_sweep()
        time_passes(5)
        SeparationJob.objects.filter(pk=job.pk).update(lease_until=timezone.now())  # as its keeper does
    jobs_sweep()
    job.refresh_from_db()
    assert job.state == State.RUNNING and sent == []


def test_sweep_that_was_too_slow_leaves_a_worker_that_came_back_alone(sent: list[str], time_passes: Pass) -> None:
    """Between the sweep's look and its write, the worker has renewed its lease."""
    job = job_running_make(attempt=1)
    seen = SeparationJob.objects.get(pk=job.pk)
    age(job, lease_until=-timedelta(seconds=10))
    sweep._orphan_requeue(seen, lambda work: None)
    job.refresh_from_db()
    assert job.state == State.RUNNING and sent == []


# ── messages that were lost ──────────────────────────────────────────────────────────────────────────


def test_sweep_sends_what_the_queue_has_lost_once_a_minute(sent: list[str]) -> None:
    lost, fresh = job_make(), job_make(separator="htdemucs:demo")
    age(lost, sent_at=timedelta(seconds=61))
    age(fresh, sent_at=timedelta(seconds=30))
    jobs_sweep()
    jobs_sweep()
    assert sent == [str(lost.pk)]


def test_sweep_does_not_flood_the_queue_while_workers_are_busy(sent: list[str]) -> None:
    job_running_make(attempt=1)
    waiting = job_make()
    age(waiting, sent_at=timedelta(minutes=5))
    jobs_sweep()
    assert sent == []
    age(waiting, sent_at=timedelta(minutes=11))
    jobs_sweep()
    assert sent == [str(waiting.pk)]


# ── clocks that jump ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("jump", [timedelta(hours=5), -timedelta(hours=5)])
def test_a_jump_takes_no_job_from_a_living_worker(
    sent: list[str], time_passes: Pass, clock_jumps: Callable[[timedelta], None], jump: timedelta
) -> None:
    job = job_running_make(attempt=1)
    jobs_sweep()
    clock_jumps(jump)
    time_passes(5)
    jobs_sweep()
    job.refresh_from_db()
    assert job.state == State.RUNNING and sent == []
    assert lease_take(SeparationJob, job.pk) is None, "nor does a message that comes twice"


@pytest.mark.parametrize("jump", [timedelta(hours=5), -timedelta(hours=5)])
def test_a_jump_does_not_hide_a_dead_worker(
    sent: list[str], time_passes: Pass, clock_jumps: Callable[[timedelta], None], jump: timedelta
) -> None:
    job = job_running_make(attempt=1)
    jobs_sweep()
    clock_jumps(jump)
    time_passes(15)
    jobs_sweep()
    job.refresh_from_db()
    assert job.state == State.QUEUED


def test_a_jump_back_does_not_make_a_back_off_last_for_hours(
    sent: list[str], clock_jumps: Callable[[timedelta], None]
) -> None:
    job = job_make(attempt=1, not_before=timezone.now() + timedelta(seconds=5))
    clock_jumps(-timedelta(hours=5))
    jobs_sweep()
    jobs_sweep()
    assert sent == [str(job.pk)]
    assert lease_take(SeparationJob, job.pk) is not None


def test_a_jump_back_does_not_hide_a_lost_message(sent: list[str], clock_jumps: Callable[[timedelta], None]) -> None:
    job = job_make()
    clock_jumps(-timedelta(hours=5))
    jobs_sweep()
    assert sent == [str(job.pk)]


def test_two_workers_after_a_wrong_verdict_give_one_set_of_stems(
    monkeypatch: pytest.MonkeyPatch, media: Path, time_passes: Pass
) -> None:
    """Its machine slept: the sweep takes the job from a worker that wakes up afterwards and goes on."""
    job = job_make()

    def slept(mixture: Audio, progress: Progress) -> None:
        jobs_sweep()
        time_passes(15)
        jobs_sweep()
        SeparationJob.objects.update(not_before=None)
        fake_separator(monkeypatch)
        jobs.job_run(job.pk)

    fake_separator(monkeypatch, slept)
    jobs.job_run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.attempt, Stem.objects.count()) == (State.DONE, 2, 4)
    assert stems_on_disk(media) == sorted(str(stem.file.name) for stem in Stem.objects.all())


# ── leases ───────────────────────────────────────────────────────────────────────────────────────────


def test_lease_is_taken_by_one() -> None:
    job = job_make()
    assert lease_take(SeparationJob, job.pk) is not None
    assert lease_take(SeparationJob, job.pk) is None
    age(job, lease_until=timedelta(hours=1))
    assert lease_take(SeparationJob, job.pk) is None, "whatever the time of day says: the sweep alone judges"


def test_no_attempt_beyond_the_last() -> None:
    assert lease_take(SeparationJob, job_make(attempt=3).pk) is None


def test_deleting_files_of_a_job_that_has_none(media: Path) -> None:
    job_files_delete(uuid.uuid4())
