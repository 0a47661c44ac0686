"""Measurements as they are shown: the song's page, the API, the CSV files, the administration."""

from __future__ import annotations

import csv
import io
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from separation.measurement_exports import COLUMNS, SECOND_COLUMNS
from separation.models import Measurement, Song
from separation.services.measurements import (
    measurement_start,
)
from tests.factories import RATE, job_done_make, song_make
from tests.separation.measured import TWO, measured, quick, song_with_stems

pytestmark = pytest.mark.django_db
State = Measurement.State


# ── shown ────────────────────────────────────────────────────────────────────────────────────────────


def test_the_page_shows_figures_dashes_and_reasons(english: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)
    measurement = measured(job_done_make(song=song_with_stems(), sources=[*TWO, "piano"]))
    page = english.get(f"/songs/{measurement.job.song_id}/").content.decode()
    section = page[page.index('id="measurements"') : page.index('id="more"')]
    assert section.count('<td class="number">2.1</td>') == 2 and '<td class="number">–</td>' in section
    assert "Seconds in which one of the stems is silent are not in the medians." in section
    assert "The song has no true stem of this source." in section
    assert "they do not tell what sounds best" in section and "data-follow" not in section
    assert '<td class="number">-0.0</td>' not in section


def test_the_page_speaks_spanish_with_commas(researcher_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)
    page = researcher_client.get(f"/songs/{measured().job.song_id}/").content.decode()
    assert '<td class="number">2,1</td>' in page


def test_the_page_follows_what_is_being_measured(english: Client) -> None:
    song = song_with_stems()
    assert "data-follow" not in english.get(f"/songs/{song.pk}/").content.decode()
    job = job_done_make(song=song, sources=TWO)
    assert "data-follow" in english.get(f"/songs/{song.pk}/").content.decode()
    measurement_start(job=job)
    page = english.get(f"/songs/{song.pk}/").content.decode()
    assert "data-follow" in page and 'data-state="queued"' in page


def test_the_page_says_why_it_failed_and_tries_again(english: Client, settings: Any) -> None:
    settings.MEASURE_MEMORY_GB = 0
    measurement = measured()
    page = english.get(f"/songs/{measurement.job.song_id}/").content.decode()
    assert "MEASURE_MEMORY_GB" in page
    again = {"job": str(measurement.job_id), "start": measurement.start, "end": measurement.end}
    english.post(f"/songs/{measurement.job.song_id}/measure/", again)
    measurement.refresh_from_db()
    assert measurement.state == State.QUEUED


def test_a_song_that_is_too_long_to_be_measured_as_a_whole_says_so_when_its_true_stems_are_there(
    english: Client, settings: Any
) -> None:
    song, plain = song_with_stems(), song_make(title="Without true stems")
    assert "too long to be measured" not in english.get(f"/songs/{song.pk}/").content.decode()
    settings.MEASURE_MEMORY_GB = 0
    assert "too long to be measured" in english.get(f"/songs/{song.pk}/").content.decode()
    assert "too long to be measured" not in english.get(f"/songs/{plain.pk}/").content.decode()


def test_a_part_is_asked_for_in_seconds(english: Client) -> None:
    job = job_done_make(song=song_with_stems(), sources=TWO)
    address = f"/songs/{job.song_id}/measure/"
    english.post(address, {"job": str(job.pk), "from_seconds": "0.5", "to_seconds": "2"})
    assert job.measurements.filter(start=RATE // 2, end=2 * RATE).exists()
    page = english.get(f"/songs/{job.song_id}/").content.decode()
    assert "From 0.5 s to 2.0 s" in page
    page = english.post(address, {"job": str(job.pk), "from_seconds": "2", "to_seconds": "9"}, follow=True)
    assert "does not lie inside what the system has separated" in page.content.decode()
    page = english.post(address, {"job": str(job.pk), "from_seconds": "-1"}, follow=True).content.decode()
    assert "Nothing was measured" in page and job.measurements.count() == 2


def test_a_song_without_true_stems_shows_nothing_of_it(english: Client) -> None:
    page = english.get(f"/songs/{job_done_make().song_id}/").content.decode()
    assert "Measured against the true stems" not in page and "Add the true stems" in page


# ── API ──────────────────────────────────────────────────────────────────────────────────────────────


def test_the_api_lists_and_filters(english: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)
    measurement = measured()
    found = english.get("/api/v1/measurements/").json()["results"]
    assert [each["id"] for each in found] == [str(measurement.pk)]
    assert found[0]["whole_song"] and found[0]["end_seconds"] == 3.0
    assert found[0]["sources"][0] | {"notes": 0, "note_sentences": 0} == {
        "source": "vocals", "source_name": "Vocals", "sdr": 2.125, "isr": 2.0, "sir": None, "sar": -0.04,
        "si_sdr": 1.0, "notes": 0, "note_sentences": 0,
    }  # fmt: skip
    song = measurement.job.song_id
    for query, count in ((f"song={song}", 1), ("song=nonsense", 0), ("system=umx:demo", 1), ("system=htdemucs", 0)):
        assert english.get(f"/api/v1/measurements/?{query}").json()["count"] == count, query


def test_the_api_gives_every_second(english: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)
    found = english.get(f"/api/v1/measurements/{measured().pk}/").json()
    assert found["sources"][0]["frames"]["sdr"] == [1.25, None, 3.0] and found["method"]["packages"]["museval"]


def test_the_api_starts_measurements(english: Client) -> None:
    job = job_done_make(song=song_with_stems(), sources=TWO)
    wanted = {"job": str(job.pk), "start": 0, "end": RATE}
    answer = english.post("/api/v1/measurements/", wanted, content_type="application/json")
    assert answer.status_code == 202 and answer.json()["end"] == RATE
    outside = english.post("/api/v1/measurements/", {**wanted, "end": 9 * RATE}, content_type="application/json")
    assert outside.status_code == 409 and "does not lie inside" in outside.json()["sentence"]
    assert english.post("/api/v1/measurements/", {}, content_type="application/json").status_code == 400


def test_the_api_says_why_it_failed(english: Client, settings: Any) -> None:
    settings.MEASURE_MEMORY_GB = 0
    error = english.get(f"/api/v1/measurements/{measured().pk}/").json()["error"]
    assert error["code"] == "measurement_too_long" and "GB of memory" in error["sentence"]


def test_the_schema_describes_them(english: Client) -> None:
    schema = english.get("/api/schema/", headers={"Accept": "application/json"}).json()
    for address in ("/api/v1/measurements/", "/api/v1/measurements/{id}/", "/api/v1/songs/{id}/references/"):
        assert address in schema["paths"], address
    assert "frames" in schema["components"]["schemas"]["SourceFrames"]["properties"]


# ── CSV ──────────────────────────────────────────────────────────────────────────────────────────────


def rows(client: Client, address: str) -> list[dict[str, str]]:
    response = client.get(address)
    assert response["Content-Type"] == "text/csv; charset=utf-8" and "attachment" in response["Content-Disposition"]
    return list(csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode())))


def test_the_csv_has_one_line_for_each_source(english: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)
    measurement = measured()
    Song.objects.update(title='=HYPERLINK("http://example.org")')
    found = rows(english, "/songs/measurements.csv")
    assert [line["source"] for line in found] == ["vocals", "drums"]
    line = found[0]
    assert line["title"].startswith("'=") and line["system"] == "umx:demo" and line["demo"] == "true"
    assert (line["sdr"], line["sir"], line["sar"], line["seconds"], line["seconds_measured"]) == (
        "2.125", "", "-0.04", "3", "2",
    )  # fmt: skip
    assert line["whole_song"] == "true" and (line["start"], line["end"]) == ("0.0", "3.0")
    assert line["notes"] == "windows_left_out" and line["measurement"] == str(measurement.pk)
    assert rows(english, f"/songs/measurements.csv?song={uuid.uuid4()}") == []


def test_the_csv_second_by_second(english: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)
    measured()
    found = rows(english, "/songs/measurements-per-second.csv")
    assert len(found) == 6
    assert [(line["second"], line["from"], line["to"], line["sdr"]) for line in found[:3]] == [
        ("1", "0.0", "1.0", "1.25"), ("2", "1.0", "2.0", ""), ("3", "2.0", "3.0", "3.0"),
    ]  # fmt: skip


def test_every_column_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs/objective_metrics.md").read_text()
    assert [name for name in (*COLUMNS, *SECOND_COLUMNS) if f"`{name}`" not in page] == []


def test_downloads_are_offered_where_there_is_something(english: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)
    song_make()
    assert "measurements.csv" not in english.get("/songs/").content.decode()
    measured()
    assert "measurements.csv" in english.get("/songs/").content.decode()


# ── who may ──────────────────────────────────────────────────────────────────────────────────────────


def test_strangers_are_kept_out(client: Client) -> None:
    for address in ("/songs/measurements.csv", "/songs/measurements-per-second.csv"):
        assert client.get(address).status_code == 302
    assert client.post(f"/songs/{uuid.uuid4()}/measure/").status_code == 302
    assert client.get("/api/v1/measurements/").status_code == 403


def test_the_administration_looks_and_does_not_touch(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)
    measurement = measured()
    admin = User.objects.create_superuser("root", password="a long password")
    client.force_login(admin, backend="django.contrib.auth.backends.ModelBackend")
    page = client.get(f"/admin/separation/measurement/{measurement.pk}/change/").content.decode()
    assert "2.125" in page and 'name="_save"' not in page
    assert client.get("/admin/separation/measurement/").status_code == 200
