"""The whole way of a fourth system whose stems were made elsewhere: beside the three, up to the results."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from django.test import Client

from analysis import dataset, exports
from analysis.report_make import report_make
from listening_test.models import Clip, Study
from listening_test.selectors import studies_using, systems_by_song, systems_offered
from listening_test.services.preparation import preparation_run
from listening_test.services.simulated import listeners_simulate
from listening_test.services.studies import Span, StudyContent, study_add, study_open
from listening_test.systems import system_name, system_order
from separation.models import SeparationJob, Song
from separation.services.imported_systems import imported_stems_delete
from separation.services.jobs import job_run, job_start
from separation.services.songs import UploadRefused, song_add_synthetic
from tests.factories import Audio
from tests.separation.fake import fake_separator
from tests.separation.import_files import NAME, imported_from, late, stems_of

DEMOS = ["umx:demo", "spleeter:demo", "htdemucs:demo"]
KEY = "import:band-split-rnn"
SOURCES = ["vocals", "drums"]


@pytest.fixture
def song(db: None, monkeypatch: pytest.MonkeyPatch) -> Song:
    """Separated by the three demo separators, whose part a quick one plays here."""
    fake_separator(monkeypatch)
    song = song_add_synthetic(seed=3, title="Tango", seconds=6.0)
    for key in DEMOS:
        job_run(job_start(song=song, separator=key).pk)
    assert SeparationJob.objects.filter(state="done").count() == 3
    return song


def elsewhere(song: Song) -> dict[str, Audio]:
    """What the fourth model gives: good stems, late by its padding."""
    from audio.synthesis import synthetic_song

    made = synthetic_song(3, 6.0)
    rng = np.random.default_rng(1)
    return {
        source: late(stem + rng.normal(0, 0.002, stem.shape).astype(np.float32), 1024)
        for source, stem in made.stems.items()
    }


def study_of_four() -> Study:
    song = Song.objects.get()
    content = StudyContent(name="Cuatro", sources=SOURCES, systems=[*DEMOS, KEY], spans=[Span(song, 1.0, 3.0)])
    study = study_add(content=content, seed=5)
    study_open(study=study)
    preparation_run(study_id=study.pk)
    study.refresh_from_db()
    return study


def test_the_fourth_system_goes_through_study_clips_and_results(
    song: Song, tmp_path: Path, researcher_client: Client
) -> None:
    assert imported_from(tmp_path, stems_of("Tango", elsewhere(song))).is_good
    assert system_order([KEY, "reference", *reversed(DEMOS)])[:4] == [*DEMOS, KEY]
    assert KEY in systems_offered(systems_by_song())
    assert NAME in researcher_client.get("/studies/new/").content.decode()

    study = study_of_four()
    assert study.state == Study.State.OPEN, study.preparation_error
    clips = study.clips.filter(purpose=Clip.Purpose.TEST)
    assert sorted(clips.values_list("system", "source")) == sorted((s, x) for s in study.systems for x in SOURCES)
    assert len(set(clips.values_list("samples", flat=True))) == 1

    listeners_simulate(study=study, count=4)
    table = dataset.ratings(study)
    assert set(table[table["system"] == KEY]["weights"]) == {"imported"}
    report = report_make(table, sources=study.sources, systems=study.systems)
    assert list(report.systems) == [*DEMOS, KEY]
    assert report.weights_of(KEY) == "imported"
    best = max(report.select("quality", "system"), key=lambda row: row.mos)
    assert (best.system, system_name(best.system)) == (KEY, NAME)  # its stems are nearly the true ones

    page = researcher_client.get(f"/studies/{study.pk}/results/").content.decode()
    assert NAME in page
    assert KEY not in page.replace(f'"{KEY}"', "")  # the key is for programs
    rows = list(csv.DictReader(io.StringIO(exports.mos_csv(report).decode("utf-8-sig"))))
    assert {row["system"] for row in rows if row["system"]} >= {*DEMOS, KEY}


def test_a_study_keeps_the_stems_that_it_uses(song: Song, tmp_path: Path) -> None:
    imported_from(tmp_path, stems_of("Tango", elsewhere(song)))
    study_of_four()
    assert studies_using(KEY, [song.pk]) == ["Cuatro"]
    assert studies_using(KEY, []) == []
    job = SeparationJob.objects.get(separator=KEY)
    with pytest.raises(UploadRefused) as refusal:
        imported_stems_delete(job=job)
    assert refusal.value.params == {"studies": "Cuatro"}
    result = imported_from(tmp_path, stems_of("Tango", elsewhere(song)), replace=True).results[0]
    assert result.code == "import_in_use"
    assert job.stems.count() == 4
