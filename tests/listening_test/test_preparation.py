"""Opening a study: its worker may fail, be killed, come late or come twice."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from celery import current_app
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone
from kombu.exceptions import OperationalError
from pytest_django import DjangoCaptureOnCommitCallbacks

from listening_test import selectors
from listening_test.messages import sentences
from listening_test.models import Preparation, Study
from listening_test.services import clips, preparation, studies
from separation.services import sweep as works
from separation.services.leases import Lease, LeaseLost, lease_take
from tests.listening_test.factories import stem_make, study_make

State = Preparation.State

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[str]]]:
    """Tasks that were sent, in order. None of them runs by itself."""
    tasks: list[tuple[str, list[str]]] = []
    monkeypatch.setattr(current_app, "send_task", lambda name, args, **_options: tasks.append((name, args)))
    return tasks


@pytest.fixture
def study(django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks) -> Study:
    """A study that has just been asked to open."""
    study = study_make()
    with django_capture_on_commit_callbacks(execute=True):
        studies.study_open(study=study)
    study.refresh_from_db()
    return study


def files(study: Study) -> list[str]:
    try:
        return default_storage.listdir(f"clips/{study.id}")[1]
    except FileNotFoundError:
        return []


def run(study: Study, capture: DjangoCaptureOnCommitCallbacks) -> None:
    with capture(execute=True):
        preparation.preparation_run(study_id=study.id)
    study.refresh_from_db()


Capture = DjangoCaptureOnCommitCallbacks


def test_opening_sends_one_task_with_the_id_alone(study: Study, sent: list[Any]) -> None:
    assert study.state == Study.State.PREPARING
    assert sent == [("listening_test.tasks.prepare", [str(study.id)])]


def test_the_task_of_that_name_prepares(study: Study, django_capture_on_commit_callbacks: Capture) -> None:
    from listening_test.tasks import prepare

    assert prepare.name == "listening_test.tasks.prepare"
    with django_capture_on_commit_callbacks(execute=True):
        prepare(str(study.id))
    study.refresh_from_db()
    assert study.is_open


def test_the_study_opens_when_its_clips_are_there(study: Study, django_capture_on_commit_callbacks: Capture) -> None:
    run(study, django_capture_on_commit_callbacks)
    assert study.is_open
    assert study.opened_at is not None
    assert (study.preparation.state, study.preparation.progress) == (State.DONE, 1.0)
    assert study.clips.count() == selectors.clips_expected(study) == len(files(study))


def test_a_second_run_changes_nothing(study: Study, django_capture_on_commit_callbacks: Capture) -> None:
    run(study, django_capture_on_commit_callbacks)
    before = set(study.clips.values_list("id", flat=True))
    run(study, django_capture_on_commit_callbacks)
    assert set(study.clips.values_list("id", flat=True)) == before
    assert study.preparation.attempt == 1


def test_a_study_that_another_worker_holds_is_left_alone(
    study: Study, django_capture_on_commit_callbacks: Capture
) -> None:
    hold(study)
    run(study, django_capture_on_commit_callbacks)
    assert study.state == Study.State.PREPARING
    assert not study.clips.exists()


def test_a_refusal_returns_to_the_draft_with_its_sentence(
    study: Study, django_capture_on_commit_callbacks: Capture
) -> None:
    song = study.excerpts.get().song
    job = song.jobs.get(separator="umxhq")
    job.stems.get(source="drums").delete()
    stem_make(song=song, source="drums", job=job, samples=np.zeros((2, song.samples), dtype=np.float32))
    run(study, django_capture_on_commit_callbacks)
    assert study.is_editable
    (said,) = sentences(study.preparation_error)
    assert song.title in said
    assert not study.clips.exists()
    assert files(study) == []


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ValueError("a bug"), "preparation_failed"),
        (OSError(errno.ENOSPC, "no space left on device"), "preparation_disk_full"),
    ],
)
def test_an_error_half_way_returns_to_the_draft_and_leaves_nothing(
    study: Study,
    django_capture_on_commit_callbacks: Capture,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    code: str,
) -> None:
    def fails(**_study: Any) -> None:
        raise error

    monkeypatch.setattr(clips, "calibration_sounds", fails)  # the last step: the rated clips are there by then
    run(study, django_capture_on_commit_callbacks)
    assert study.is_editable
    assert [refusal["code"] for refusal in study.preparation_error["refusals"]] == [code]
    assert sentences(study.preparation_error)
    assert not study.clips.exists()
    assert files(study) == []


def test_opening_again_after_a_failure_forgets_it(
    study: Study, django_capture_on_commit_callbacks: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(clips, "calibration_sounds", lambda **_study: 1 / 0)
        run(study, django_capture_on_commit_callbacks)
    studies.study_open(study=study)
    run(study, django_capture_on_commit_callbacks)
    assert study.is_open
    assert study.preparation_error == {}


def test_stopping_takes_the_study_back_and_the_worker_notices(
    study: Study, django_capture_on_commit_callbacks: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = clips.stimulus

    def stopped_meanwhile(*args: Any, **kwargs: Any) -> Any:
        if Study.objects.get(id=study.id).state == Study.State.PREPARING:
            studies.study_preparation_stop(study=study)
        return make(*args, **kwargs)

    monkeypatch.setattr(clips, "stimulus", stopped_meanwhile)
    run(study, django_capture_on_commit_callbacks)
    assert study.is_editable
    assert study.preparation_error == {}
    assert not study.clips.exists()
    assert files(study) == []


def test_a_study_deleted_meanwhile_leaves_no_files(
    study: Study, django_capture_on_commit_callbacks: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = clips.stimulus

    def deleted_meanwhile(*args: Any, **kwargs: Any) -> Any:
        if Study.objects.filter(id=study.id).exists():
            studies.study_delete(study=study)
        return make(*args, **kwargs)

    monkeypatch.setattr(clips, "stimulus", deleted_meanwhile)
    with django_capture_on_commit_callbacks(execute=True):
        preparation.preparation_run(study_id=study.id)
    assert not Study.objects.exists()
    assert files(study) == []


def test_a_fault_that_may_pass_is_tried_again(
    study: Study, django_capture_on_commit_callbacks: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(clips, "calibration_sounds", away)
        run(study, django_capture_on_commit_callbacks)
    assert (study.state, study.preparation.state) == (Study.State.PREPARING, State.QUEUED)
    rated = set(study.clips.values_list("id", flat=True))
    Preparation.objects.update(not_before=None)
    run(study, django_capture_on_commit_callbacks)
    assert study.is_open
    assert rated < set(study.clips.values_list("id", flat=True))  # what was made is not made again


def away(**_study: Any) -> None:
    raise ConnectionError("the storage does not answer")


def test_the_progress_counts_the_clips(
    study: Study, django_capture_on_commit_callbacks: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    shares: list[float] = []
    honest = Lease.progress

    def watched(self: Lease, share: float) -> None:
        shares.append(share)
        honest(self, share)

    monkeypatch.setattr(Lease, "progress", watched)
    run(study, django_capture_on_commit_callbacks)
    assert shares == sorted(shares)
    assert shares[0] == 0.0 and 0.9 < shares[-1] < 1.0
    assert study.preparation.progress == 1.0


def test_the_clips_made_so_far_are_counted_before_they_are_saved(study: Study) -> None:
    hold(study, progress=0.5)
    assert selectors.clips_made(study) == selectors.clips_expected(study) // 2
    assert not study.clips.exists()


# ── The sweep ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def time_passes(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """The sweep's own clock goes on when the test says so, and this process has not seen any lease yet."""
    moment = [1000.0]
    monkeypatch.setattr(works, "watch", works.Watch())
    monkeypatch.setattr("separation.services.sweep.time.monotonic", lambda: moment[0])

    def go_on(seconds: float) -> None:
        moment[0] += seconds

    return go_on


def hold(study: Study, **fields: Any) -> Preparation:
    """A worker has it."""
    fields = {"attempt": 1, "lease_token": uuid.uuid4(), "lease_until": timezone.now(), **fields}
    Preparation.objects.filter(study=study).update(state=State.RUNNING, **fields)
    return Preparation.objects.get(study=study)


def sweep(capture: Capture) -> None:
    with capture(execute=True):
        preparation.preparations_sweep()


def silence(capture: Capture, time_passes: Callable[[float], None]) -> None:
    """The worker is not heard of for as long as a lease lasts."""
    sweep(capture)
    time_passes(settings.JOB_LEASE_SECONDS)
    sweep(capture)


def test_the_sweep_restarts_what_a_dead_worker_left(
    study: Study, sent: list[Any], django_capture_on_commit_callbacks: Capture, time_passes: Callable[[float], None]
) -> None:
    """The dead worker had saved some clips and written a file that no clip owns."""
    hold(study)
    making = clips.Making(study, clips.Unhindered(), selectors.study_stems(study))
    clips._save(making, clips._excerpt_made(making, study.excerpts.get(), 0))
    kept = set(study.clips.values_list("id", flat=True))
    default_storage.save(f"clips/{study.id}/orphan.flac", ContentFile(b"half a clip"))
    sent.clear()
    silence(django_capture_on_commit_callbacks, time_passes)
    Preparation.objects.update(not_before=timezone.now())
    sweep(django_capture_on_commit_callbacks)
    assert sent == [("listening_test.tasks.prepare", [str(study.id)])]
    run(study, django_capture_on_commit_callbacks)
    assert study.is_open
    assert kept < set(study.clips.values_list("id", flat=True))  # what was made is not made again
    assert "orphan.flac" not in files(study)
    assert len(files(study)) == selectors.clips_expected(study)


def test_the_sweep_leaves_a_living_worker_alone(
    study: Study, sent: list[Any], django_capture_on_commit_callbacks: Capture, time_passes: Callable[[float], None]
) -> None:
    token = uuid.uuid4()
    sent.clear()
    for _time in range(10):
        hold(study, lease_token=token)  # renewed, as its keeper does
        sweep(django_capture_on_commit_callbacks)
        time_passes(settings.JOB_LEASE_SECONDS / 3)
    assert Preparation.objects.get().state == State.RUNNING
    assert sent == []


@pytest.mark.parametrize("jump", [timedelta(days=400), timedelta(days=-400)])
def test_a_clock_that_is_set_kills_no_living_worker(
    study: Study,
    sent: list[Any],
    django_capture_on_commit_callbacks: Capture,
    time_passes: Callable[[float], None],
    monkeypatch: pytest.MonkeyPatch,
    jump: timedelta,
) -> None:
    hold(study)
    sent.clear()
    sweep(django_capture_on_commit_callbacks)
    now = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: now() + jump)
    time_passes(1.0)
    sweep(django_capture_on_commit_callbacks)
    assert Preparation.objects.get().state == State.RUNNING
    assert sent == []


def test_the_sweep_sends_a_lost_message_again_but_not_at_once(
    study: Study, sent: list[Any], django_capture_on_commit_callbacks: Capture
) -> None:
    sent.clear()
    sweep(django_capture_on_commit_callbacks)
    assert sent == []
    Preparation.objects.update(sent_at=timezone.now() - timedelta(minutes=2))
    sweep(django_capture_on_commit_callbacks)
    sweep(django_capture_on_commit_callbacks)
    assert sent == [("listening_test.tasks.prepare", [str(study.id)])]


def test_a_preparation_that_kills_every_worker_is_given_up(
    study: Study, django_capture_on_commit_callbacks: Capture, time_passes: Callable[[float], None]
) -> None:
    hold(study, attempt=3)
    silence(django_capture_on_commit_callbacks, time_passes)
    study.refresh_from_db()
    assert study.is_editable
    (said,) = sentences(study.preparation_error)
    assert "3" in said


def test_a_draft_that_its_worker_could_not_make_of_it_is_made_by_the_sweep(
    study: Study, django_capture_on_commit_callbacks: Capture
) -> None:
    """The worker was killed between its last word about the preparation and the study."""
    Preparation.objects.update(state=State.FAILED, error_code="disk_full")
    sweep(django_capture_on_commit_callbacks)
    study.refresh_from_db()
    assert study.is_editable
    assert [refusal["code"] for refusal in study.preparation_error["refusals"]] == ["preparation_disk_full"]


def test_a_late_worker_that_was_given_up_writes_nothing(
    study: Study, django_capture_on_commit_callbacks: Capture
) -> None:
    late = lease_take(Preparation, study.preparation.pk)
    assert late is not None
    Preparation.objects.update(state=State.QUEUED, lease_token=None, lease_until=None)
    run(study, django_capture_on_commit_callbacks)  # another one takes over and finishes
    opened = study.opened_at
    making = clips.Making(study, preparation._Held(late, 8), selectors.study_stems(study))
    with pytest.raises(LeaseLost):
        clips._save(making, clips._excerpt_made(making, study.excerpts.get(), 0))
    study.refresh_from_db()
    assert (study.is_open, study.opened_at) == (True, opened)
    assert study.clips.count() == selectors.clips_expected(study) == len(files(study))


def test_a_broker_that_is_away_does_not_stop_the_opening(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Capture
) -> None:
    def away(*_args: Any, **_options: Any) -> None:
        raise OperationalError

    monkeypatch.setattr(current_app, "send_task", away)
    study = study_make()
    with django_capture_on_commit_callbacks(execute=True):
        studies.study_open(study=study)
    study.refresh_from_db()
    assert study.state == Study.State.PREPARING  # the sweep will send it


# ── A worker that is really killed ──────────────────────────────────────────────────────────────────────────────────

KILLED = """
import django; django.setup()
from django.conf import settings; settings.MEDIA_ROOT = {media!r}
settings.DATABASES["default"]["NAME"] = {database!r}
from listening_test.services import clips, preparation
save = clips._save_one
def slow(*args):
    save(*args)
    print("saved", flush=True)
    import time; time.sleep(60)
clips._save_one = slow
import uuid; preparation.preparation_run(study_id=uuid.UUID({study!r}))
"""


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_while_it_saves_is_followed_by_a_whole_set(settings: Any) -> None:
    """SIGKILL in the middle of a transaction: its file is there, its row is not."""
    from django.db import connection

    if connection.vendor != "sqlite" or "memory" in str(connection.settings_dict["NAME"]):
        pytest.skip("the database of this run cannot be shared with another process")
    study = studies.study_open(study=study_make())
    code = KILLED.format(
        media=str(settings.MEDIA_ROOT), database=str(connection.settings_dict["NAME"]), study=str(study.id)
    )
    worker = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, env={**os.environ}, text=True, start_new_session=True
    )
    assert worker.stdout is not None
    assert worker.stdout.readline() == "saved\n"
    os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()
    assert len(files(study)) == 1
    assert not study.clips.exists()
    Preparation.objects.update(state=State.QUEUED, lease_token=None, lease_until=None)  # as the sweep does
    preparation.preparation_run(study_id=study.id)
    study.refresh_from_db()
    assert study.is_open
    assert study.clips.count() == selectors.clips_expected(study) == len(files(study))
