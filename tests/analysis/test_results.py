"""The results page, its files, its figures and its API, as a researcher meets them."""

from __future__ import annotations

import csv
import io
import json
import re
import uuid
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from analysis.selectors import study_report
from listening_test.models import Rating, Study

from .factories import panel_make, rate_all, session_make, study_make

pytestmark = pytest.mark.django_db

PAGES = (
    "results",
    "ratings.csv",
    "mos.csv",
    "differences.csv",
    "api_results",
    "api_results_state",
)


def text(response: HttpResponse) -> str:
    return b"".join(response).decode() if response.streaming else response.content.decode()  # type: ignore[call-overload]


def lines(response: HttpResponse) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text(response), newline="")))


def address(name: str, study: Study) -> str:
    """Of a page, or of a file by its name."""
    return reverse("results_file", args=[study.id, name]) if "." in name else reverse(name, args=[study.id])


# ── Who may see it ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", PAGES)
def test_nobody_else_may_see_results(client: Client, name: str) -> None:
    study = panel_make(study_make(titles=["One"]), listeners=2)
    stranger = client.get(address(name, study))
    assert stranger.status_code in (302, 403)
    client.force_login(User.objects.create_user("listener"), backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(address(name, study)).status_code == 403
    assert client.get(reverse("results_chart", args=[study.id, "quality", "svg"])).status_code == 403


@pytest.mark.parametrize("name", PAGES)
def test_a_study_that_is_not_there(researcher_client: Client, name: str) -> None:
    assert researcher_client.get(address(name, Study(id=uuid.uuid4()))).status_code == 404


# ── The page ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_page_shows_the_mos_and_the_interval_of_every_system(english: Client) -> None:
    study = panel_make(study_make(), listeners=6)
    page = text(english.get(address("results", study)))
    for line in study_report(study).select("quality", "system"):
        assert line.these_clips
        assert f'<data value="{line.mos}">{line.mos:.2f}</data>' in page
        assert f"{line.these_clips.low:.2f} to {line.these_clips.high:.2f}" in page
    assert "On these clips HTDemucs sounds best, ahead of every other system." in page
    assert "How was this computed?" in page and "ITU-T P.800" in page
    assert study_report(study).digest in page


def test_in_spanish_numbers_have_a_comma(researcher_client: Client) -> None:
    study = panel_make(study_make(), listeners=6)
    response = researcher_client.get(address("results", study), headers={"accept-language": "es"})
    line = study_report(study).select("quality", "system")[0]
    written = f"{line.mos:.2f}".replace(".", ",")
    assert response.headers["Content-Language"] == "es"
    assert f'<data value="{line.mos}">{written}</data>' in text(response)


def test_an_empty_study_teaches(english: Client) -> None:
    study = study_make(titles=["One"])
    page = text(english.get(address("results", study)))
    assert "No ratings yet" in page and "Get the link for listeners" in page
    assert "<table" not in page and "<picture" not in page


def test_ratings_that_may_still_change_are_announced(english: Client) -> None:
    study = study_make(titles=["One"])
    rate_all(session_make(study, done=False), lambda *_of: 3, finished=False)
    assert "The first ratings are being given" in text(english.get(address("results", study)))


def test_simulated_and_demo_are_said_loudly(english: Client) -> None:
    study = panel_make(study_make(is_demo=True), listeners=5, simulated=True)
    page = text(english.get(address("results", study)))
    assert page.count("Simulated listeners") >= 3  # at the top and on both cards
    assert "no person gave these ratings" in page
    assert page.count(">Demo<") >= 3
    real = text(english.get(address("results", panel_make(study_make(), listeners=5))))
    assert "no person gave" not in real and "badge warn" not in real


def test_names_are_shown_as_text(english: Client) -> None:
    study = panel_make(study_make(titles=["<script>alert(1)</script>"], name="<b>bold</b>"), listeners=2)
    page = text(english.get(address("results", study)))
    assert "<script>alert" not in page and "<b>bold" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_nothing_inline_that_the_policy_forbids(english: Client) -> None:
    page = text(english.get(address("results", panel_make(study_make(), listeners=3))))
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", page)


def test_every_part_that_is_renewed_can_be_found_again(english: Client) -> None:
    """The script replaces parts by their id and keeps open what was open."""
    page = text(english.get(address("results", panel_make(study_make(), listeners=6))))
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    live = re.findall(r'<\w+[^>]* id="([^"]+)"[^>]* data-live', page)
    assert len(live) == page.count("data-live")
    parts = ["about", "verdicts", "where", "pairs", "listeners", "trust", "pictures", "groups", "metrics", "tables"]
    assert live == [*parts, "files"]
    assert page.count("<details") == len(re.findall(r'<details[^>]* id="', page))


def test_a_picture_has_a_sentence_and_fits_before_it_has_loaded(english: Client) -> None:
    page = text(english.get(address("results", panel_make(study_make(), listeners=6))))
    pictures = re.findall(r"<img src=\"[^\"]*results/quality\.svg[^>]*>", page)
    assert len(pictures) == 1
    assert re.search(r'width="\d+" height="\d+" alt="Mean Quality of each system[^"]*HTDemucs: \d\.\d\d', pictures[0])


def test_a_page_costs_few_queries_however_many_ratings(
    researcher_client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    small = panel_make(study_make(titles=["One"]), listeners=2)
    large = panel_make(study_make(titles=["One", "Two", "Three", "Four"]), listeners=12)
    for study in (small, large):
        with django_assert_max_num_queries(30):
            researcher_client.get(address("results", study))
        with django_assert_max_num_queries(8):  # computed once
            researcher_client.get(address("results", study))


def test_new_ratings_change_the_state_and_the_page(english: Client) -> None:
    study = panel_make(study_make(titles=["One"]), listeners=2)
    before = english.get(address("api_results_state", study)).json()
    page = text(english.get(address("results", study)))
    assert f'data-version="{before["version"]}"' in page
    rate_all(session_make(study), lambda *_of: 5)
    after = english.get(address("api_results_state", study)).json()
    assert after["version"] != before["version"]
    assert after["ratings"] == before["ratings"] + 12 and after["sessions"] == 3
    assert f'data-version="{after["version"]}"' in text(english.get(address("results", study)))


# ── Files ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_ratings_file_is_what_was_stored(researcher_client: Client) -> None:
    study = panel_make(study_make(titles=["=1+1", "Dos"], name="Otoño, 2026"), listeners=3)
    response = researcher_client.get(address("ratings.csv", study))
    found = lines(response)
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert 'filename="otono-2026-ratings.csv"' in response["Content-Disposition"]
    stored = Rating.objects.values_list("trial__session__listener_id", "trial__clip_id", "scale", "value")
    assert sorted((line["listener"], line["clip"], line["scale"], line["score"]) for line in found) == sorted(
        (str(listener), str(clip), scale, str(value)) for listener, clip, scale, value in stored
    )
    assert {line["song"] for line in found} == {"'=1+1", "Dos"}
    assert {(line["simulated"], line["demo"]) for line in found} == {("false", "false")}


def test_the_mos_file_is_the_page(researcher_client: Client) -> None:
    study = panel_make(study_make(), listeners=4)
    found = lines(researcher_client.get(address("mos.csv", study)))
    page = text(researcher_client.get(address("results", study)))
    assert len(found) == len(study_report(study).rows)
    assert all(f'value="{line["mos"]}"' in page for line in found)


def test_file_names_say_demo_and_simulated(researcher_client: Client) -> None:
    study = panel_make(study_make(name="Demo results", is_demo=True), listeners=2, simulated=True)
    response = researcher_client.get(address("differences.csv", study))
    assert 'filename="demo-results-demo-simulated-differences.csv"' in response["Content-Disposition"]
    assert {line["simulated"] for line in lines(response)} == {"true"}


def test_files_of_an_empty_study_are_headers(researcher_client: Client) -> None:
    study = study_make(titles=["One"])
    for name in ("ratings.csv", "mos.csv", "differences.csv"):
        assert lines(researcher_client.get(address(name, study))) == []


# ── Figures ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_figure_is_kept_by_the_browser_only_for_the_data_it_shows(researcher_client: Client) -> None:
    study = panel_make(study_make(titles=["One"]), listeners=3)
    chart = reverse("results_chart", args=[study.id, "quality", "svg"])
    current = researcher_client.get(f"{chart}?v={study_report(study).version}&theme=dark&width=narrow&lang=en")
    assert current.status_code == 200
    assert current["Content-Type"] == "image/svg+xml"
    assert "immutable" in current["Cache-Control"] and "private" in current["Cache-Control"]
    assert "immutable" not in researcher_client.get(f"{chart}?v=old").get("Cache-Control", "")


def test_a_figure_is_drawn_in_the_language_of_its_address(researcher_client: Client) -> None:
    study = panel_make(study_make(titles=["One"]), listeners=3)
    chart = reverse("results_chart", args=[study.id, "quality", "svg"])
    spanish, english = (researcher_client.get(f"{chart}?lang={language}").content for language in ("es", "en"))
    assert spanish != english


def test_a_figure_to_take_along_has_a_name(researcher_client: Client) -> None:
    study = panel_make(study_make(titles=["One"], name="Tango"), listeners=3)
    response = researcher_client.get(
        reverse("results_chart", args=[study.id, "quality-sources", "pdf"]) + "?download=1"
    )
    assert response["Content-Type"] == "application/pdf"
    assert 'attachment; filename="tango-quality-sources.pdf"' in response["Content-Disposition"]


@pytest.mark.parametrize(
    "tail", ["nothing.svg", "quality.gif", "quality.svg?theme=pink", "quality.svg?width=9", "quality.svg?lang=xx"]
)
def test_a_figure_that_is_not_there(researcher_client: Client, tail: str) -> None:
    study = panel_make(study_make(titles=["One"]), listeners=2)
    assert researcher_client.get(address("results", study) + tail).status_code == 404


def test_an_empty_study_has_no_figure(researcher_client: Client) -> None:
    study = study_make(titles=["One"])
    assert researcher_client.get(reverse("results_chart", args=[study.id, "quality", "svg"])).status_code == 404


# ── API and command ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_report_as_json(english: Client) -> None:
    study = panel_make(study_make(), listeners=6)
    found = english.get(address("api_results", study)).json()
    report = study_report(study)
    assert found["study"] == str(study.id)
    assert [line["mos"] for line in found["rows"]] == [line.mos for line in report.rows]
    assert found["rows"][0]["these_clips"]["df"] == 5.0
    assert found["rows"][0]["any_song_reason"] == "fewer_than_5_songs"
    assert found["pairs"][0]["these_clips"]["p_holm"] == report.pairs[0].these_clips.p_holm
    assert found["counts"]["counted"] == Rating.objects.count()
    assert found["verdicts"][0]["best"] == "htdemucs"
    assert found["verdicts"][0]["sentence"].startswith("On these clips HTDemucs sounds best")
    assert found["digest"] == report.digest


def test_an_empty_report_as_json(researcher_client: Client) -> None:
    found = researcher_client.get(address("api_results", study_make(titles=["One"]))).json()
    assert found["rows"] == [] and found["verdicts"][0]["kind"] == "nothing" and found["verdicts"][0]["best"] == ""


def test_a_study_is_written_to_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = panel_make(study_make(titles=["One"]), listeners=3)
    call_command("export_study", study.token, "--out", str(tmp_path / "new"))
    names = {path.name for path in (tmp_path / "new").iterdir()}
    assert {"ratings.csv", "mos.csv", "differences.csv", "report.json", "quality.svg", "quality-sources.pdf"} <= names
    report = json.loads((tmp_path / "new/report.json").read_text())
    assert report["counts"]["stored"] == 36
    assert "36" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["nothing", "9ccce82e-f879-4a4d-b4de-2a0fb94d29d9"])
def test_a_study_that_cannot_be_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(CommandError, match="No study"):
        call_command("export_study", name, "--out", str(tmp_path))
