"""No work twice, and files that belong to several jobs."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from audio.reading import read_flac
from separation.models import SeparationJob, Song, Stem
from separation.services import jobs
from separation.services.songs import song_add_synthetic, song_delete
from tests.factories import SOURCES, files_in, job_make, song_make
from tests.separation.fake import FakeSeparator, fake_separator
from tests.separation.job_rows import stems_on_disk

State = SeparationJob.State
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeSeparator:
    separator = fake_separator(monkeypatch)
    separator.heard = []
    return separator


def separated(song: Song, **fields: Any) -> SeparationJob:
    job = job_make(song=song, **fields)
    jobs.job_run(job.pk)
    job.refresh_from_db()
    assert job.state == State.DONE, job.error_code
    return job


def part(start: int, end: int) -> dict[str, Any]:
    return {"spans": [[start, end]], "spans_key": f"{start}-{end}"}


def test_equal_audio_is_separated_once(fake: FakeSeparator, media: Path) -> None:
    first, second = separated(song_make(seed=1)), separated(song_make(seed=1, title="The same once more"))
    assert len(fake.heard) == 1
    assert second.work_key == first.work_key != ""
    assert second.ran == {**first.ran, "reused_from": str(first.pk)}
    assert len(stems_on_disk(media)) == 4 and Stem.objects.count() == 8
    for stem in second.stems.all():
        original = first.stems.get(source=stem.source)
        assert stem.song == second.song
        assert (stem.file.name, stem.sha256, stem.gain) == (original.file.name, original.sha256, original.gain)


@pytest.mark.parametrize("what", ["audio", "level", "weights", "separator says nothing"])
def test_work_that_differs_is_done(fake: FakeSeparator, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    first = separated(song_make(seed=1))
    if what == "weights":
        monkeypatch.setattr(fake, "weights", "cd" * 32)
    if what == "separator says nothing":
        monkeypatch.setattr(fake, "identity", dict)
    second = song_make(seed=2 if what == "audio" else 1, mixture_gain=0.5 if what == "level" else 1.0)
    assert separated(second).work_key != first.work_key
    assert len(fake.heard) == 2


def test_parts_are_reused_as_parts(fake: FakeSeparator) -> None:
    separated(song_make(seed=1), **part(0, 44_100))
    assert len(fake.heard) == 1
    same = separated(song_make(seed=1), **part(0, 44_100))
    assert len(fake.heard) == 1 and {stem.samples for stem in same.stems.all()} == {44_100}
    separated(song_make(seed=1), **part(0, 44_101))
    assert len(fake.heard) == 2


def test_a_stem_that_is_gone_is_made_again(fake: FakeSeparator) -> None:
    first = separated(song_make(seed=1))
    Path(first.stems.get(source="bass").file.path).unlink()
    second = separated(song_make(seed=1))
    assert len(fake.heard) == 2
    assert all(Path(stem.file.path).is_file() for stem in second.stems.all())


def test_a_job_that_is_not_done_gives_nothing(fake: FakeSeparator) -> None:
    first = separated(song_make(seed=1))
    SeparationJob.objects.filter(pk=first.pk).update(state=State.CANCELLED)
    separated(song_make(seed=1))
    assert len(fake.heard) == 2


def test_an_equal_job_that_is_under_way_is_waited_for(fake: FakeSeparator, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = (job_make(song=song_make(seed=1, title=title)) for title in ("One", "The same once more"))
    separate, waited = fake.run, []

    def meanwhile(*args: Any, **kwargs: Any) -> Any:
        if not waited:
            waited.append(jobs.job_run(second.pk))  # another worker takes the other one
            second.refresh_from_db()
            assert (second.state, second.attempt, second.lease_token) == (State.QUEUED, 0, None)
            assert second.not_before is not None and second.error_code == ""
        return separate(*args, **kwargs)

    monkeypatch.setattr(fake, "run", meanwhile)
    jobs.job_run(first.pk)
    SeparationJob.objects.filter(pk=second.pk).update(not_before=None)
    jobs.job_run(second.pk)
    second.refresh_from_db()
    assert waited and len(fake.heard) == 1
    assert second.ran["reused_from"] == str(first.pk)


def test_the_earlier_of_two_equal_jobs_goes_on(fake: FakeSeparator) -> None:
    first = job_make(song=song_make(seed=1))
    later = separated(song_make(seed=1, title="The same once more"))
    later.stems.all().delete()
    soon = timezone.now() + timedelta(minutes=1)
    held = {"lease_token": uuid4(), "lease_until": soon}
    SeparationJob.objects.filter(pk=later.pk).update(state=State.RUNNING, started_at=soon, **held)
    jobs.job_run(first.pk)
    first.refresh_from_db()
    assert first.state == State.DONE and len(fake.heard) == 2


@pytest.mark.parametrize("deleted_first", [0, 1])
def test_a_shared_file_goes_with_the_last_song(fake: FakeSeparator, media: Path, deleted_first: int) -> None:
    both = [separated(song_make(seed=1)), separated(song_make(seed=1))]
    gone, left = both[deleted_first], both[1 - deleted_first]
    song_delete(song=gone.song)
    assert len(stems_on_disk(media)) == 4
    assert sorted(left.stems.values_list("source", flat=True)) == sorted(SOURCES)
    for stem in left.stems.all():
        assert read_flac(Path(stem.file.path)).shape == (2, left.song.samples)
    song_delete(song=left.song)
    assert files_in(media) == []
    assert [path for path in media.rglob("*") if len(path.relative_to(media).parts) > 1] == [], "nor an empty folder"


def test_a_shared_file_outlives_the_job_that_made_it(fake: FakeSeparator, media: Path) -> None:
    """Tried again after a cancellation, the first job's row goes; the other job's stems stay."""
    first, second = separated(song_make(seed=1)), separated(song_make(seed=1))
    SeparationJob.objects.filter(pk=first.pk).update(state=State.FAILED, error_code="unexpected")
    first.stems.all().delete()
    jobs.job_retry(job=first)
    assert not SeparationJob.objects.filter(pk=first.pk).exists()
    assert all(Path(stem.file.path).is_file() for stem in second.stems.all())


def test_songs_know_the_hash_of_what_is_heard() -> None:
    same, other = [song_add_synthetic(seed=5, seconds=4.0) for _ in range(2)], song_add_synthetic(seed=6, seconds=4.0)
    assert same[0].mixture_sha256 == same[1].mixture_sha256 != other.mixture_sha256
    assert len(other.mixture_sha256) == 64
