"""Jobs that are cancelled or fail: the row says so, and nothing is left behind."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from audio.reading import Audio
from separation.models import SeparationJob, Stem
from separation.separators.base import BadMixture, Progress, SeparatorError, WeightsMissing
from separation.services import jobs
from separation.services.songs import song_delete
from tests.factories import files_in, job_done_make, job_make
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
    written = jobs._stem_written

    def third_does_not_fit(job: SeparationJob, source: str, samples: Audio) -> Stem:
        if len(stems_on_disk(media)) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        return written(job, source, samples)

    monkeypatch.setattr(jobs, "_stem_written", third_does_not_fit)
    job = job_make()
    jobs.job_run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.error_code) == (State.FAILED, "disk_full")
    assert stems_on_disk(media) == [] and not Stem.objects.exists()


def test_mixture_that_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_separator(monkeypatch)
    job = job_make()
    Path(job.song.mixture.path).unlink()
    jobs.job_run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.error_code, job.attempt) == (State.FAILED, "mixture_missing", 1)


@pytest.mark.parametrize(
    ("error", "code", "params"),
    [
        (ZeroDivisionError("by nothing"), "unexpected", {"error": "ZeroDivisionError"}),
        (MemoryError(), "out_of_memory", {}),
    ],
)
def test_unexpected_errors_are_tried_again_until_attempts_are_used_up(
    monkeypatch: pytest.MonkeyPatch, sent: list[str], error: Exception, code: str, params: dict[str, str]
) -> None:
    fake_separator(monkeypatch, failing(error))
    job = job_make()
    for attempt in (1, 2):
        jobs.job_run(job.pk)
        job.refresh_from_db()
        assert (job.state, job.attempt, len(sent)) == (State.QUEUED, attempt, attempt)
    jobs.job_run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.attempt) == (State.FAILED, 3)
    assert (job.error_code, job.error_params) == (code, params)
    assert len(sent) == 2


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
