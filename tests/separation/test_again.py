"""What is done can be separated once more: its files are gone, the weights are others, or a person wants it."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from listening_test.models import Clip
from separation.models import SeparationJob
from separation.separators import registry
from separation.services import jobs
from tests.factories import files_in, job_done_make, job_make, song_make
from tests.listening_test.factories import clip_make, study_make
from tests.separation.fake import FakeSeparator, fake_separator

State = SeparationJob.State
pytestmark = pytest.mark.django_db(transaction=True)


def separated_now(**fields: Any) -> SeparationJob:
    """With the weights that lie here."""
    job = job_done_make(**fields)
    job.ran["weights_sha256"] = registry.weights_sha256(job.separator)
    job.save()
    return job


def used_make(job: SeparationJob) -> Clip:
    study = study_make(systems=[job.separator])
    return clip_make(study=study, purpose=Clip.Purpose.CALIBRATION, stem=job.stems.all()[0])


def again(client: Client, job: SeparationJob) -> str:
    answer = client.post(f"/jobs/{job.pk}/again/", follow=True)
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


def test_done_job_is_separated_again_from_the_page(english: Client, sent: list[str], media: Path) -> None:
    job = separated_now()
    page = html.unescape(english.get(f"/songs/{job.song_id}/").content.decode())
    assert f"/jobs/{job.pk}/again/" in page and "Separate again" in page and "This cannot be undone" in page
    again(english, job)
    new = SeparationJob.objects.get()
    assert new.pk != job.pk and new.state == State.QUEUED and new.separator == job.separator
    assert not [name for name in files_in(media) if name.startswith("stems/")]


def test_page_offers_only_what_it_would_do(english: Client) -> None:
    job = separated_now()
    clip = used_make(job)
    page = html.unescape(english.get(f"/songs/{job.song_id}/").content.decode())
    assert f"/jobs/{job.pk}/again/" not in page
    assert f"Clips were made from these stems: {clip.study.name}." in page


def test_parts_are_separated_again_as_these_parts(english: Client) -> None:
    job = separated_now()
    SeparationJob.objects.filter(pk=job.pk).update(spans=[[0, 44_100]], spans_key="0-44100")
    again(english, job)
    assert SeparationJob.objects.get().spans == [[0, 44_100]]


def test_stems_in_a_studys_clips_stay(english: Client, media: Path) -> None:
    job = separated_now()
    clip, before = used_make(job), files_in(media)
    assert clip.study.name in again(english, job)
    assert SeparationJob.objects.get(pk=job.pk).stems.count() == 4 and files_in(media) == before


def test_stems_stay_where_nothing_could_take_their_place(english: Client) -> None:
    job = job_done_make(separator="umxhq")
    assert "weights of this separator are not on the server" in again(english, job)
    assert SeparationJob.objects.get(pk=job.pk).stems.count() == 4


def test_job_whose_files_are_there_and_whose_weights_are_the_same_is_taken_as_it_is(sent: list[str]) -> None:
    job = separated_now()
    assert jobs.job_start(song=job.song, separator=job.separator) == job
    assert jobs.job_start(song=job.song, separator=job.separator, spans=[(0, 44_100)]) == job


def test_job_whose_files_are_gone_makes_way(english: Client, sent: list[str]) -> None:
    job = separated_now()
    Path(job.stems.all()[1].file.path).unlink()
    assert 'value="umx:demo"' in english.get(f"/songs/{job.song_id}/").content.decode()
    new = jobs.job_start(song=job.song, separator=job.separator)
    assert (new.pk == job.pk, new.state, SeparationJob.objects.count()) == (False, State.QUEUED, 1)


def test_stems_of_other_weights_are_not_given_for_new_ones(sent: list[str]) -> None:
    job = job_done_make()
    assert job.ran["weights_sha256"] != registry.weights_sha256(job.separator)
    part = jobs.job_start(song=job.song, separator=job.separator, spans=[(0, 44_100)])
    assert part.state == State.QUEUED and SeparationJob.objects.filter(pk=job.pk).exists()
    whole = jobs.job_start(song=job.song, separator=job.separator)
    assert whole.state == State.QUEUED and not SeparationJob.objects.filter(pk=job.pk).exists()


def test_start_says_which_study_plays_the_old_stems(english: Client) -> None:
    job = job_done_make()
    clip = used_make(job)
    answer = english.post(f"/songs/{job.song_id}/separate/", {"separators": [job.separator]}, follow=True)
    assert clip.study.name in html.unescape(answer.content.decode())
    assert SeparationJob.objects.get(pk=job.pk).state == State.DONE


# ── what the weights were ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("origin", "weights"), [("here", "demo"), ("unpinned", "unpinned")])
def test_job_says_where_hashes_were_not_compared(
    english: Client, monkeypatch: pytest.MonkeyPatch, origin: str, weights: str
) -> None:
    fake: FakeSeparator = fake_separator(monkeypatch)
    monkeypatch.setattr(fake, "origin", origin)
    job, same = job_make(song=song_make()), job_make(song=song_make(title="The same once more"))
    for each in (job, same):
        jobs.job_run(each.pk)
        each.refresh_from_db()
        assert (each.state, each.weights) == (State.DONE, weights)
    assert same.ran["reused_from"] == str(job.pk)
    page = html.unescape(english.get(f"/songs/{job.song_id}/").content.decode())
    assert ("hashes were not compared, so" in page) == (weights == "unpinned")


def test_job_of_another_package_is_not_called_published(english: Client) -> None:
    job = job_done_make()
    SeparationJob.objects.filter(pk=job.pk).update(weights="package")
    page = html.unescape(english.get(f"/songs/{job.song_id}/").content.decode())
    assert "those of the package that brings the system" in page and "<dd>published</dd>" not in page
