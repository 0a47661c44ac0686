"""Files that no row knows go, and no others."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_django import Settings

from separation.services import orphans
from separation.services.orphans import files_sweep
from tests.factories import files_in, job_done_make
from tests.separation.job_rows import job_running_make

pytestmark = pytest.mark.django_db(transaction=True)

Pass = Callable[[float], None]


@pytest.fixture(autouse=True)
def time_passes(monkeypatch: pytest.MonkeyPatch) -> Pass:
    """For the clock that never jumps; the files' own times are set by `file`."""
    moment = [1000.0]
    monkeypatch.setattr("separation.services.orphans.time.monotonic", lambda: moment[0])
    monkeypatch.setattr(orphans, "_seen", {})

    def go_on(seconds: float) -> None:
        moment[0] += seconds

    return go_on


def file(path: Path, *, hours: float) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"half a song")
    then = time.time() - hours * 3600
    os.utime(path, (then, then))
    return path


def swept(time_passes: Pass) -> None:
    files_sweep()
    time_passes(600)
    files_sweep()


def test_what_belongs_to_something_stays(media: Path, time_passes: Pass) -> None:
    job_done_make()
    for path in media.rglob("*"):
        os.utime(path, (0, 0))
    before = files_in(media)
    swept(time_passes)
    assert files_in(media) == before != []


def test_what_a_killed_upload_has_stored_goes_with_its_folder(media: Path, time_passes: Pass) -> None:
    left = file(media / "songs" / str(uuid.uuid4()) / "original.wav", hours=2)
    swept(time_passes)
    assert not left.exists() and not left.parent.exists()


def test_what_a_killed_job_has_written_goes(media: Path, time_passes: Pass) -> None:
    left = file(media / "stems" / str(uuid.uuid4()) / "1" / "vocals.flac", hours=2)
    swept(time_passes)
    assert not left.exists() and not left.parent.parent.exists()


@pytest.mark.parametrize("name", ["tmpabc.upload.wav", "upload-x.wav", "decode-x/audio.raw"])
def test_half_finished_things_go(media: Path, time_passes: Pass, settings: Settings, name: str) -> None:
    run = Path(settings.FILE_UPLOAD_TEMP_DIR or "")
    left, kept = file(run / name, hours=2), file(run / "redis.pid", hours=2)
    os.utime(left.parent if left.parent != run else left, (0, 0))
    swept(time_passes)
    assert not left.exists() and kept.exists()


def test_what_is_new_stays(media: Path, time_passes: Pass) -> None:
    """Its row may be about to be written."""
    new = file(media / "songs" / str(uuid.uuid4()) / "original.wav", hours=0.9)
    swept(time_passes)
    assert new.exists()


def test_one_look_is_not_enough(media: Path, time_passes: Pass) -> None:
    """A clock that jumps ahead makes everything old: it was new when this process looked for the first time."""
    seems_old = file(media / "songs" / str(uuid.uuid4()) / "original.wav", hours=2)
    files_sweep()
    time_passes(30)
    files_sweep()
    assert seems_old.exists()


def test_a_running_job_is_left_alone(media: Path, time_passes: Pass) -> None:
    job = job_running_make(attempt=1)
    writing = file(media / "stems" / str(job.pk) / "1" / "vocals.flac", hours=2)
    swept(time_passes)
    assert writing.exists()


def test_clips_are_the_listening_tests_own(media: Path, time_passes: Pass) -> None:
    clip = file(media / "clips" / "a.flac", hours=20)
    swept(time_passes)
    assert clip.exists()
