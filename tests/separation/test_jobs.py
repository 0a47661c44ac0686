"""A separation job: the row is the truth, whatever happens to workers, messages and disks."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from typing import Any

import numpy as np
import pytest
from celery import current_app
from django.db import connection
from django.utils import timezone
from kombu.exceptions import OperationalError
from pytest_django import Settings

from audio.reading import Audio, read_flac
from separation import selectors
from separation.models import SeparationJob, Stem
from separation.separators.base import Progress
from separation.separators.registry import UnknownSeparator
from separation.services import jobs
from tests.factories import job_make, song_make
from tests.separation.fake import fake_separator
from tests.separation.job_rows import job_running_make, stems_on_disk, thought_dead

State = SeparationJob.State
pytestmark = pytest.mark.django_db(transaction=True)


# ── starting ─────────────────────────────────────────────────────────────────────────────────────────


def test_start_queues_one_job_and_sends_its_id(sent: list[str]) -> None:
    song = song_make()
    job = jobs.job_start(song=song, separator="umx:demo")
    assert (job.state, job.weights, job.attempt) == (State.QUEUED, "demo", 0)
    assert sent == [str(job.pk)]


@pytest.mark.parametrize("state", ["queued", "running", "done"])
def test_start_gives_the_job_that_is_already_there(sent: list[str], state: str) -> None:
    now = timezone.now()
    there = job_make(state=state, lease_token=uuid.uuid4(), lease_until=now)
    assert jobs.job_start(song=there.song, separator="umx:demo") == there
    assert sent == [] and SeparationJob.objects.count() == 1


def test_start_takes_the_place_of_a_failed_job(sent: list[str]) -> None:
    old = job_make(state=State.FAILED, error_code="unexpected")
    new = jobs.job_retry(job=old)
    assert new.pk != old.pk and new.state == State.QUEUED
    assert list(SeparationJob.objects.all()) == [new] and sent == [str(new.pk)]


def test_start_of_a_separator_that_does_not_exist(sent: list[str]) -> None:
    with pytest.raises(UnknownSeparator):
        jobs.job_start(song=song_make(), separator="magic")
    assert not SeparationJob.objects.exists()


def test_start_while_the_broker_is_away_leaves_a_queued_job(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*args: Any, **options: Any) -> None:
        raise OperationalError("no socket")

    monkeypatch.setattr(current_app, "send_task", away)
    assert jobs.job_start(song=song_make(), separator="umx:demo").state == State.QUEUED


# ── running ──────────────────────────────────────────────────────────────────────────────────────────


def test_run_makes_a_stem_for_every_source(monkeypatch: pytest.MonkeyPatch, media: Path) -> None:
    fake = fake_separator(monkeypatch)
    job = job_make()
    jobs.job_run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.progress, job.attempt, job.error_code) == (State.DONE, 1.0, 1, "")
    assert job.lease_token is None and job.finished_at is not None
    assert job.ran["weights_sha256"] == {"vocals.pth": "ab" * 32}
    assert [stem.source for stem in job.stems.all()] == ["bass", "drums", "other", "vocals"]
    assert stems_on_disk(media) == [f"stems/{job.pk}/1/{name}.flac" for name in ("bass", "drums", "other", "vocals")]
    vocals = selectors.stem_for(song=job.song, source="vocals", system="umx:demo")
    assert vocals is not None
    assert np.allclose(read_flac(Path(vocals.file.path)) / vocals.gain, 0.4 * fake.heard[0], atol=1e-6)


def test_separator_gets_the_song_at_its_own_level(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mixture that was scaled to fit into its file is scaled back."""
    fake = fake_separator(monkeypatch)
    song = song_make(mixture_gain=0.5)
    jobs.job_run(job_make(song=song).pk)
    assert np.allclose(fake.heard[0], 2 * read_flac(Path(song.mixture.path)))


def test_stems_beyond_full_scale_are_scaled_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = fake_separator(monkeypatch)
    song = song_make(mixture_gain=0.05)
    jobs.job_run(job_make(song=song).pk)
    stem = Stem.objects.get(source="vocals")
    assert stem.gain < 1.0
    assert np.allclose(read_flac(Path(stem.file.path)) / stem.gain, 0.4 * fake.heard[0], atol=1e-5)


def test_run_twice_gives_one_set_of_stems(monkeypatch: pytest.MonkeyPatch, media: Path) -> None:
    fake = fake_separator(monkeypatch)
    job = job_make()
    jobs.job_run(job.pk)
    jobs.job_run(job.pk)
    assert len(fake.heard) == 1
    assert Stem.objects.count() == 4 and len(stems_on_disk(media)) == 4


def test_two_workers_with_one_message_each(monkeypatch: pytest.MonkeyPatch, media: Path) -> None:
    working, go_on = Event(), Event()

    def wait(mixture: Audio, progress: Progress) -> None:
        working.set()
        go_on.wait(10)

    fake = fake_separator(monkeypatch, wait)
    job = job_make()
    first = Thread(target=in_own_connection, args=[lambda: jobs.job_run(job.pk)])
    first.start()
    assert working.wait(10)
    jobs.job_run(job.pk)  # the second one finds the work taken
    go_on.set()
    first.join()
    job.refresh_from_db()
    assert (job.state, job.attempt, len(fake.heard)) == (State.DONE, 1, 1)
    assert Stem.objects.count() == 4 and len(stems_on_disk(media)) == 4


def in_own_connection(work: Callable[[], None]) -> None:
    try:
        work()
    finally:
        connection.close()


def test_run_of_a_job_that_is_gone() -> None:
    jobs.job_run(uuid.uuid4())


def test_progress_is_seen_while_it_works_and_never_falls(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[float] = []
    job = job_make()

    def work(mixture: Audio, progress: Progress) -> None:
        monkeypatch.setattr("separation.services.leases.PROGRESS_SECONDS", 0.0)
        for share in (0.2, 0.1, 0.8):
            progress(share)
            seen.append(SeparationJob.objects.get(pk=job.pk).progress)

    fake_separator(monkeypatch, work)
    jobs.job_run(job.pk)
    assert seen == pytest.approx([0.05 + 0.91 * share for share in (0.2, 0.2, 0.8)])


def test_progress_does_not_fall_with_another_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[float] = []
    job = job_make()

    def shown() -> float:
        return SeparationJob.objects.get(pk=job.pk).progress

    def work(mixture: Audio, progress: Progress) -> None:
        monkeypatch.setattr("separation.services.leases.PROGRESS_SECONDS", 0.0)
        for share in (0.2, 0.8) if not seen else (0.1, 0.9):
            progress(share)
            seen.append(shown())
        if len(seen) == 2:
            raise OSError("the disk was away for a moment")

    fake_separator(monkeypatch, work)
    jobs.job_run(job.pk)
    assert SeparationJob.objects.get(pk=job.pk).state == State.QUEUED and shown() == seen[1]
    SeparationJob.objects.filter(pk=job.pk).update(not_before=None)
    jobs.job_run(job.pk)
    assert seen == pytest.approx([0.05 + 0.91 * share for share in (0.2, 0.8, 0.8, 0.9)]) and shown() == 1.0


def test_progress_is_written_about_twice_a_second(
    monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Any
) -> None:
    def work(mixture: Audio, progress: Progress) -> None:
        with django_assert_max_num_queries(1):
            for step in range(1000):
                progress(step / 1000)

    fake_separator(monkeypatch, work)
    job = job_make()
    jobs.job_run(job.pk)
    job.refresh_from_db()
    assert job.state == State.DONE, job.error_params


# ── the lease ────────────────────────────────────────────────────────────────────────────────────────


def test_lease_is_renewed_while_the_work_lasts(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    settings.JOB_LEASE_SECONDS = 0.6
    job = job_make()
    ends = []

    def work(mixture: Audio, progress: Progress) -> None:
        for _ in range(3):
            ends.append(SeparationJob.objects.get(pk=job.pk).lease_until)
            time.sleep(0.5)

    fake_separator(monkeypatch, work)
    jobs.job_run(job.pk)
    job.refresh_from_db()
    assert job.state == State.DONE, "1.5 s of work under a lease of 0.6 s"
    assert ends[0] < ends[1] < ends[2]


def test_worker_that_lost_its_lease_writes_nothing(monkeypatch: pytest.MonkeyPatch, media: Path) -> None:
    """It was silent for too long; another worker took the job meanwhile and has finished it."""
    job = job_make()

    def sleep_through(mixture: Audio, progress: Progress) -> None:
        thought_dead(job)
        second = fake_separator(monkeypatch)
        second.behaviour = lambda mixture, progress: None  # type: ignore[method-assign]
        jobs.job_run(job.pk)

    fake_separator(monkeypatch, sleep_through)
    jobs.job_run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.attempt) == (State.DONE, 2)
    assert Stem.objects.count() == 4
    assert stems_on_disk(media) == [f"stems/{job.pk}/2/{name}.flac" for name in ("bass", "drums", "other", "vocals")]
    for stem in Stem.objects.all():
        assert stem.file.storage.exists(stem.file.name)


def test_what_a_killed_attempt_left_is_removed(monkeypatch: pytest.MonkeyPatch, media: Path) -> None:
    fake_separator(monkeypatch)
    job = job_running_make(attempt=1)
    left = media / "stems" / str(job.pk) / "1"
    left.mkdir(parents=True)
    (left / "vocals.flac").write_bytes(b"half a stem")
    thought_dead(job)
    jobs.job_run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.attempt) == (State.DONE, 2)
    assert not left.exists() and len(stems_on_disk(media)) == 4
