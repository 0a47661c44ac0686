"""A study's excerpts are separated without their songs, by the researcher's one button."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse

from audio.reading import read_flac
from listening_test import selectors
from listening_test.models import Clip, Study
from listening_test.services import studies
from listening_test.services.clips import clips_make
from listening_test.services.studies import Span, StudyContent
from separation.models import SeparationJob, Song
from separation.separators import registry
from separation.services.jobs import job_run, job_start
from separation.services.songs import song_add_synthetic

SYSTEMS = ["spleeter:demo", "htdemucs:demo"]
SOURCES = ["vocals", "bass"]


@pytest.fixture
def song(transactional_db: Any) -> Song:
    """Committed: a job's keeper looks at its row from a thread, with a connection of its own."""
    return song_add_synthetic(seed=31, seconds=14.0)


@pytest.fixture
def study(song: Song) -> Study:
    spans = [Span(song, 1.0, 3.5), Span(song, 8.25, 11.0)]
    return studies.study_add(content=StudyContent(name="Parts", sources=SOURCES, systems=SYSTEMS, spans=spans), seed=3)


def separate(client: Client, study: Study) -> list[SeparationJob]:
    client.post(reverse("study_separate", args=[study.id]))
    jobs = list(SeparationJob.objects.order_by("separator"))
    for job in jobs:
        job_run(job.pk)
    return list(SeparationJob.objects.order_by("separator"))


def test_the_page_offers_to_separate_just_the_excerpts(researcher_client: Client, study: Study) -> None:
    page = researcher_client.get(reverse("study", args=[study.id])).content.decode()
    assert reverse("study_separate", args=[study.id]) in page


def test_one_job_for_each_system_holds_all_excerpts_of_the_song(researcher_client: Client, study: Study) -> None:
    jobs = separate(researcher_client, study)
    assert [job.separator for job in jobs] == sorted(SYSTEMS)
    assert all(job.state == SeparationJob.State.DONE for job in jobs)
    assert all(job.spans == [[44_100, 154_350], [363_825, 485_100]] for job in jobs)
    assert selectors.stems_missing(study) == []
    assert jobs[1].ran["way"] == "blocks"


def test_asking_again_starts_nothing(researcher_client: Client, study: Study) -> None:
    first = separate(researcher_client, study)
    assert [job.pk for job in separate(researcher_client, study)] == [job.pk for job in first]


def test_clips_of_excerpts_are_those_of_the_whole_song(researcher_client: Client, study: Study, song: Song) -> None:
    """Sample for sample, but for the rounding to 24 bits, which may fall the other way: one step of the 16 bit clip."""
    separate(researcher_client, study)
    clips_make(study=study)
    in_parts = {_place(clip): _samples(clip) for clip in _rated(study)}
    for system in SYSTEMS:
        SeparationJob.objects.filter(separator=system).delete()
        job_run(job_start(song=song, separator=system).pk)
    whole = studies.study_duplicate(study=study)
    Study.objects.filter(pk=whole.pk).update(seed=study.seed)
    whole.refresh_from_db()
    clips_make(study=whole)
    of_whole = {_place(clip): _samples(clip) for clip in _rated(whole)}
    assert in_parts.keys() == of_whole.keys()
    assert len(in_parts) == 2 * len(SYSTEMS) * len(SOURCES)
    assert max(np.abs(in_parts[place] - of_whole[place]).max() for place in in_parts) < 1e-4


def test_a_song_that_is_separated_whole_is_not_separated_again(
    researcher_client: Client, study: Study, song: Song
) -> None:
    job_run(job_start(song=song, separator=SYSTEMS[0]).pk)
    jobs = separate(researcher_client, study)
    assert [(job.separator, job.is_whole) for job in jobs] == [("htdemucs:demo", False), ("spleeter:demo", True)]


def test_separators_without_weights_are_not_offered(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = registry.available("htdemucs")
    monkeypatch.setattr(registry, "available", lambda key: missing)
    assert not any(gap.can_be_separated for gap in selectors.stems_missing(study))
    assert studies.excerpts_separate(study=study) == []


def _rated(study: Study) -> list[Clip]:
    return list(study.clips.filter(purpose=Clip.Purpose.TEST).select_related("excerpt"))


def _place(clip: Clip) -> tuple[float, str, str]:
    assert clip.excerpt is not None
    return clip.excerpt.start, clip.source, clip.system


def _samples(clip: Clip) -> Any:
    with clip.file.open("rb") as file:
        return read_flac(file)
