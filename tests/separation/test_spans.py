"""Jobs of parts of a song: which of them are the same, and which job serves them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from audio.reading import read_flac
from separation.messages import sentence
from separation.models import SeparationJob, Song
from separation.services import jobs
from separation.services.jobs import job_start
from separation.services.spans import SpanOutside
from tests.factories import RATE, song_make
from tests.separation.fake import fake_separator

State = SeparationJob.State
pytestmark = pytest.mark.django_db(transaction=True)

KEY = "umx:demo"


@pytest.fixture
def song() -> Song:
    return song_make(seconds=4.0)


def end_as(job: SeparationJob, state: str) -> None:
    SeparationJob.objects.filter(pk=job.pk).update(state=state, error_code="unexpected" if state == "failed" else "")


def test_spans_are_sorted_and_merged(song: Song, sent: list[str]) -> None:
    job = job_start(song=song, separator=KEY, spans=[(90_000, 100_000), (10, 50), (30, 70), (70, 80)])
    assert job.spans == [[10, 80], [90_000, 100_000]]
    assert job.spans_key == "10-80,90000-100000" and sent == [str(job.pk)]


def test_many_spans_have_a_short_key(song: Song) -> None:
    job = job_start(song=song, separator=KEY, spans=[(n * 1000, n * 1000 + 10) for n in range(100)])
    assert len(job.spans) == 100 and len(job.spans_key) == 64


def test_all_of_the_song_is_the_whole_song(song: Song) -> None:
    job = job_start(song=song, separator=KEY, spans=[(0, RATE), (RATE, song.samples)])
    assert (job.spans, job.spans_key) == ([], "")
    assert job_start(song=song, separator=KEY) == job


def test_equal_parts_are_one_job_and_different_ones_are_two(song: Song) -> None:
    job = job_start(song=song, separator=KEY, spans=[(0, 10), (20, 30)])
    assert job_start(song=song, separator=KEY, spans=[(20, 30), (0, 10)]) == job
    assert job_start(song=song, separator=KEY, spans=[(0, 10)]) != job
    assert job_start(song=song, separator="spleeter:demo", spans=[(0, 10), (20, 30)]) != job


def test_a_whole_job_serves_for_every_part(song: Song) -> None:
    whole = job_start(song=song, separator=KEY)
    assert job_start(song=song, separator=KEY, spans=[(0, 10)]) == whole
    end_as(whole, "done")
    assert job_start(song=song, separator=KEY, spans=[(5, 10)]) == whole


def test_a_part_does_not_serve_for_the_whole(song: Song) -> None:
    part = job_start(song=song, separator=KEY, spans=[(0, 10)])
    assert job_start(song=song, separator=KEY) != part


def test_what_is_done_goes_before_what_waits(song: Song) -> None:
    part = job_start(song=song, separator=KEY, spans=[(0, 10)])
    whole = job_start(song=song, separator=KEY)
    assert job_start(song=song, separator=KEY, spans=[(0, 10)]) == part, "just these parts, if both wait"
    end_as(whole, "done")
    assert job_start(song=song, separator=KEY, spans=[(0, 10)]) == whole


def test_a_failed_whole_job_serves_for_nothing_and_stays_beside_the_parts(song: Song) -> None:
    whole = job_start(song=song, separator=KEY)
    end_as(whole, "failed")
    part = job_start(song=song, separator=KEY, spans=[(0, 10)])
    assert set(song.jobs.all()) == {whole, part}


def test_tried_again_it_is_of_the_same_parts(song: Song) -> None:
    old = job_start(song=song, separator=KEY, spans=[(0, 10)])
    end_as(old, "failed")
    new = jobs.job_retry(job=old)
    assert new.pk != old.pk and new.spans == [[0, 10]] and list(song.jobs.all()) == [new]


@pytest.mark.parametrize("span", [(-1, 10), (10, 10), (20, 10), (0, 4 * RATE + 1), (5 * RATE, 6 * RATE)])
def test_parts_outside_the_song_are_refused(song: Song, span: tuple[int, int]) -> None:
    with pytest.raises(SpanOutside) as raised:
        job_start(song=song, separator=KEY, spans=[(0, 10), span])
    assert not song.jobs.exists()
    assert "4 s" in sentence(raised.value.code, raised.value.params)


def test_stems_of_parts_are_cuts_of_the_whole(song: Song, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = fake_separator(monkeypatch)
    job = job_start(song=song, separator=KEY, spans=[(100, 50_000), (60_000, song.samples)])
    jobs.job_run(job.pk)
    vocals = list(job.stems.filter(source="vocals").order_by("start"))
    assert [(stem.start, stem.samples) for stem in vocals] == [(100, 49_900), (60_000, song.samples - 60_000)]
    for stem in vocals:
        cut = 0.4 * fake.heard[0][:, stem.start : stem.start + (stem.samples or 0)]
        assert np.allclose(read_flac(Path(stem.file.path)), cut, atol=1e-6)
