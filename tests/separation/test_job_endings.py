"""Jobs that are cancelled or fail: the row says so, and nothing is left behind."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from celery import current_app
from django.core.files.storage import FileSystemStorage
from django.db import InterfaceError
from django.utils import timezone
from pytest_django import Settings

from audio.reading import Audio
from separation.messages import sentence
from separation.models import SeparationJob, Stem
from separation.separators.base import BadMixture, Progress, SeparatorError, WeightsMissing
from separation.services import jobs, leases, stem_writing
from separation.services.faults import back_off
from separation.services.leases import GRACE_SECONDS
from separation.services.sending import time_limit
from separation.services.songs import song_delete
from tests.factories import files_in, job_done_make, job_make, song_make
from tests.separation.fake import fake_separator
from tests.separation.job_rows import stems_on_disk

State = SeparationJob.State
pytestmark = pytest.mark.django_db(transaction=True)


# ── cancelling ───────────────────────────────────────────────────────────────────────────────────────


def test_cancelled_while_it_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = fake_separator(monkeypatch)
    job = job_make()
    assert jobs.job_cancel(job=job)
    jobs.job_run(job.pk)
    job.refresh_from_db()
    assert job.state == State.CANCELLED and not hasattr(fake, "heard")


def test_cancelled_while_it_works_stops_at_the_next_word(monkeypatch: pytest.MonkeyPatch, media: Path) -> None:
    monkeypatch.setattr("separation.services.leases.PROGRESS_SECONDS", 0.0)
    job = job_make()
    reached = []

    def work(mixture: Audio, progress: Progress) -> None:
        jobs.job_cancel(job=job)
        progress(0.5)
        reached.append("the end")

    fake_separator(monkeypatch, work)
    jobs.job_run(job.pk)
    job.refresh_from_db()
    assert job.state == State.CANCELLED and reached == []
    assert stems_on_disk(media) == [] and not Stem.objects.exists()
    assert not (media / "stems" / str(job.pk)).exists()


def test_cancelled_at_the_last_moment(monkeypatch: pytest.MonkeyPatch, media: Path) -> None:
    """Between the last word about progress and the finish, when the stems are already written."""
    job = job_make()
    fake_separator(monkeypatch)
    finish = jobs._finish

    def cancel_then_finish(*args: Any) -> None:
        assert len(stems_on_disk(media)) == 4
        jobs.job_cancel(job=job)
        finish(*args)

    monkeypatch.setattr(jobs, "_finish", cancel_then_finish)
    jobs.job_run(job.pk)
    job.refresh_from_db()
    assert job.state == State.CANCELLED
    assert stems_on_disk(media) == [] and not Stem.objects.exists()


def test_what_has_ended_cannot_be_cancelled() -> None:
    job = job_done_make()
    assert not jobs.job_cancel(job=job)
    job.refresh_from_db()
    assert job.state == State.DONE and job.stems.count() == 4


def test_song_deleted_while_it_is_separated(monkeypatch: pytest.MonkeyPatch, media: Path) -> None:
    job = job_make()
    fake_separator(monkeypatch, lambda mixture, progress: song_delete(song=job.song))
    jobs.job_run(job.pk)
    assert not SeparationJob.objects.exists() and not Stem.objects.exists()
    assert files_in(media) == []


# ── failing ──────────────────────────────────────────────────────────────────────────────────────────


def failing(error: BaseException) -> Callable[[Audio, Progress], None]:
    def behaviour(mixture: Audio, progress: Progress) -> None:
        raise error

    return behaviour


def test_missing_weights_fail_at_once_and_say_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, media: Path, sent: list[str]
) -> None:
    params = {"file": "vocals.pth", "folder": "/weights", "how": "curl …"}
    fake_separator(monkeypatch, failing(WeightsMissing("vocals.pth is not in /weights", **params)))
    job = job_make()
    jobs.job_run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.error_code, job.error_params) == (State.FAILED, "weights_missing", params)
    assert job.finished_at is not None and sent == [] and stems_on_disk(media) == []


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (BadMixture("NaN"), "bad_mixture"),
        (SeparatorError("it would not"), "separation_failed"),
        (OSError(errno.ENOSPC, "No space left on device"), "disk_full"),
    ],
)
def test_errors_that_trying_again_cannot_mend(monkeypatch: pytest.MonkeyPatch, error: Exception, code: str) -> None:
    fake_separator(monkeypatch, failing(error))
    job = job_make()
    jobs.job_run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.error_code, job.attempt) == (State.FAILED, code, 1)


def test_disk_that_fills_up_between_two_stems(monkeypatch: pytest.MonkeyPatch, media: Path) -> None:
    fake_separator(monkeypatch)
    save = FileSystemStorage._save  # type: ignore[attr-defined]

    def third_does_not_fit(storage: FileSystemStorage, name: str, content: Any) -> str:
        if name.startswith("stems/") and len(stems_on_disk(media)) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        return str(save(storage, name, content))

    job = job_make()
    monkeypatch.setattr("separation.services.stem_writing.THREADS", 1)
    monkeypatch.setattr(FileSystemStorage, "_save", third_does_not_fit)
    jobs.job_run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.error_code) == (State.FAILED, "disk_full")
    assert stems_on_disk(media) == [] and not Stem.objects.exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full")
def test_disk_that_is_full_before_the_first_stem_is_finished(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The scratch files of the pieces lie on /dev/full, whose every write says that there is no space."""
    fake_separator(monkeypatch)
    job = job_make()
    monkeypatch.setattr(stem_writing, "scratch_file", lambda: os.fdopen(os.open("/dev/full", os.O_RDWR), "r+b", 0))
    jobs.job_run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.error_code, job.attempt) == (State.FAILED, "disk_full", 1)


def test_mixture_that_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_separator(monkeypatch)
    job = job_make()
    Path(job.song.mixture.path).unlink()
    jobs.job_run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.error_code, job.attempt) == (State.FAILED, "mixture_missing", 1)


@pytest.mark.parametrize(
    "error", [RuntimeError("perhaps later"), OSError(errno.EIO, "I/O error"), InterfaceError("away")]
)
def test_transient_errors_are_tried_again_until_attempts_are_used_up(
    monkeypatch: pytest.MonkeyPatch, sent: list[str], error: Exception
) -> None:
    fake_separator(monkeypatch, failing(error))
    job = job_make()
    for attempt in (1, 2):
        jobs.job_run(job.pk)
        job.refresh_from_db()
        assert (job.state, job.attempt) == (State.QUEUED, attempt)
        back_off_ends(job)
    jobs.job_run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.attempt) == (State.FAILED, 3)
    assert (job.error_code, job.error_params) == ("unexpected", {"error": type(error).__name__})


@pytest.mark.parametrize("error", [ZeroDivisionError("by nothing"), ValueError("NaN"), KeyError("vocals")])
def test_faults_of_the_code_are_not_repeated(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    fake_separator(monkeypatch, failing(error))
    job = job_make()
    jobs.job_run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.attempt, job.error_code) == (State.FAILED, 1, "unexpected")


def test_memory_may_run_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_separator(monkeypatch, failing(MemoryError()))
    job = job_make()
    jobs.job_run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.error_code) == (State.QUEUED, ""), "no error is shown while it is tried again"
    back_off_ends(job)
    jobs.job_run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.attempt, job.error_code) == (State.FAILED, 2, "out_of_memory")


def test_a_job_that_succeeds_at_last_tells_of_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_separator(monkeypatch, failing(MemoryError()))
    job = job_make()
    jobs.job_run(job.pk)
    back_off_ends(job)
    fake_separator(monkeypatch)
    jobs.job_run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.error_code, job.not_before) == (State.DONE, "", None)


def test_nobody_takes_a_job_before_its_back_off_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = fake_separator(monkeypatch, failing(MemoryError()))
    job = job_make()
    jobs.job_run(job.pk)
    jobs.job_run(job.pk)
    assert len(fake.heard) == 1


def test_back_off_grows_and_is_never_the_same(settings: Settings) -> None:
    settings.JOB_RETRY_SECONDS, settings.JOB_RETRY_MAX_SECONDS = 4, 30
    for attempt, longest in ((1, 4), (2, 8), (3, 16), (9, 30)):
        waits = {back_off(attempt).total_seconds() for _ in range(50)}
        assert longest / 2 <= min(waits) <= max(waits) <= longest
        assert len(waits) > 25, "what failed together is not tried again together"


def back_off_ends(job: SeparationJob) -> None:
    SeparationJob.objects.filter(pk=job.pk).update(not_before=timezone.now())


# ── time limits ──────────────────────────────────────────────────────────────────────────────────────


def test_time_limit_grows_with_the_song(settings: Settings) -> None:
    settings.JOB_TIME_START_SECONDS, settings.JOB_TIME_FACTORS = 100, {"openunmix": 10, "demucs": 60, "other": 60}
    short, long = song_make(seconds=3), song_make(seconds=6)
    assert time_limit(job_make(song=short)) == 130 and time_limit(job_make(song=long)) == 160
    assert time_limit(job_make(song=long, separator="htdemucs:demo")) == 460
    assert time_limit(job_make(song=long, separator="a package that is gone")) == 460


def test_message_carries_a_limit_beyond_the_jobs_own_and_goes_to_the_familys_queue(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(current_app, "send_task", lambda name, args, **options: sent.append(options))
    song = song_make()
    made = [jobs.job_start(song=song, separator=key) for key in ("umx:demo", "spleeter:demo", "htdemucs:demo")]
    queues = ["separation.openunmix", "separation.spleeter", "separation.demucs"]
    assert [options["queue"] for options in sent] == queues
    for job, options in zip(made, sent, strict=True):
        assert time_limit(job) + GRACE_SECONDS < options["time_limit"] < time_limit(job) + 3 * GRACE_SECONDS


def test_a_separation_past_its_limit_ends_at_its_next_word(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, media: Path
) -> None:
    settings.JOB_TIME_START_SECONDS, settings.JOB_TIME_FACTORS = 0, {"other": 0.1}  # 0.3 s for this song

    steps: list[int] = []

    def slow(mixture: Audio, progress: Progress) -> None:
        for step in range(50):
            time.sleep(0.05)
            steps.append(step)
            progress(step / 50)

    fake_separator(monkeypatch, slow)
    job = job_make()
    jobs.job_run(job.pk)
    job.refresh_from_db()
    assert 1 <= len(steps) <= 7  # however busy the machine is: a step takes 0.05 s at least
    assert (job.state, job.error_code, job.attempt) == (State.FAILED, "time_limit", 1)
    assert "0.3 s" in sentence(job.error_code, job.error_params) or "0,3 s" in sentence(
        job.error_code, job.error_params
    )
    assert stems_on_disk(media) == []


def test_a_separation_that_hangs_without_a_word_ends_with_its_process(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.JOB_TIME_START_SECONDS, settings.JOB_TIME_FACTORS, settings.JOB_LEASE_SECONDS = 0, {"other": 0.1}, 0.6
    monkeypatch.setattr(leases, "GRACE_SECONDS", 0.3)
    ended = Event()
    monkeypatch.setattr(leases, "end_process", ended.set)  # in service: SIGKILL
    fake_separator(monkeypatch, lambda mixture, progress: ended.wait(10) and None)
    job = job_make()
    jobs.job_run(job.pk)
    assert ended.is_set()
    job.refresh_from_db()
    assert (job.state, job.error_code) == (State.FAILED, "time_limit")
    assert not Stem.objects.exists()


def test_error_of_a_worker_that_lost_its_lease_is_not_the_jobs_error(monkeypatch: pytest.MonkeyPatch) -> None:
    job = job_make()

    def cancelled_then_broken(mixture: Audio, progress: Progress) -> None:
        jobs.job_cancel(job=job)
        raise RuntimeError("whatever")

    fake_separator(monkeypatch, cancelled_then_broken)
    jobs.job_run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.error_code) == (State.CANCELLED, "")


def test_worker_told_to_stop_leaves_no_files(monkeypatch: pytest.MonkeyPatch, media: Path) -> None:
    fake_separator(monkeypatch)

    def told_to_stop(*args: Any) -> None:
        assert len(stems_on_disk(media)) == 4
        raise SystemExit

    monkeypatch.setattr(jobs, "_finish", told_to_stop)
    with pytest.raises(SystemExit):
        jobs.job_run(job_make().pk)
    assert stems_on_disk(media) == []
