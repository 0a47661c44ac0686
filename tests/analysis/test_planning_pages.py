"""How many listeners and songs: pages that answer before a study, for it, and while it runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import translation

from analysis.planning import STOPPING_COVERAGE, Wish, answer, live, observed
from analysis.statistics.crossed import any_song_interval
from analysis.statistics.planning import DEFAULT_MOS, Plan, listeners_for_width, precision, songs_for_width

from .factories import panel_make, study_make
from .tables import crossed, report

SONGS = [f"Song {number}" for number in range(6)]


def text(response: HttpResponse) -> str:
    return re.sub(r"\s+", " ", response.content.decode())


# ── Before a study ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db
def test_a_plan_has_an_address_and_an_answer(english: Client) -> None:
    page = text(english.get(reverse("planning"), {"listeners": 30, "songs": 20, "systems": 4, "half_width": "0.4"}))
    found = precision(Plan(30, 20), DEFAULT_MOS)
    assert f"each system’s mean is known to about ±{found.half_width:.2f}" in page
    needed, songs = listeners_for_width(20, DEFAULT_MOS, 0.4), songs_for_width(30, DEFAULT_MOS, 0.4)
    assert f"For ±0.40: {needed} listeners with these 20 songs, or {songs} songs with these 30 listeners." in page
    assert "Each listener hears 80 clips" in page
    assert 'name="listeners" value="30"' in page and "ratings of a published study" in page


@pytest.mark.django_db
def test_without_an_address_of_its_own_the_first_plan_is_answered(english: Client) -> None:
    page = text(english.get(reverse("planning")))
    assert f"about ±{answer(Wish()).mean.half_width:.2f}" in page


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"songs": 4}, "At least five songs"),
        ({"listeners": 2}, "At least five listeners"),
        ({"systems": 1}, "At least two systems"),
        ({"half_width": "-1"}, "At least 0.02."),
        ({"songs": "many"}, "This takes a whole number."),
        ({"half_width": "nan"}, "This takes a number."),
        ({"difference": ""}, "This takes a number."),
        ({"listeners": "9" * 40}, "At most 100000."),
        ({"clips": "0"}, "At least 1."),
    ],
)
def test_what_cannot_be_answered_gets_a_sentence(english: Client, asked: dict[str, object], says: str) -> None:
    response = english.get(reverse("planning"), asked)
    page = text(response)
    assert response.status_code == 200 and 'role="alert"' in page and says in page
    assert "is known to about" not in page


@pytest.mark.django_db
def test_what_no_number_can_reach_is_said(english: Client) -> None:
    page = text(english.get(reverse("planning"), {"songs": 5, "listeners": 5, "half_width": "0.05"}))
    assert "neither more listeners alone nor more songs alone are enough" in page


@pytest.mark.django_db
def test_in_spanish(researcher_client: Client) -> None:
    page = text(researcher_client.get(reverse("planning")))
    assert "¿Cuántos oyentes y canciones?" in page
    assert re.search(r"±0,\d\d", page)


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["planning", "study_planning", "study_forecast"])
def test_only_researchers_see_plans(client: Client, name: str) -> None:
    arguments = [] if name == "planning" else [study_make(titles=["One"]).id]
    assert client.get(reverse(name, args=arguments)).status_code == 302
    client.force_login(User.objects.create_user("somebody"), backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(reverse(name, args=arguments)).status_code == 403


# ── While a study runs ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db
def test_a_study_is_planned_as_it_is(english: Client) -> None:
    study = study_make(titles=SONGS, trials_per_listener=12, quota=40, sources=["vocals", "drums"])
    page = text(english.get(reverse("study_planning", args=[study.id])))
    assert "With 40 listeners and 6 songs" in page and "Each listener hears 12 clips" in page
    assert "Nobody has rated yet" in page and "too few ratings to plan with yet" in page


@pytest.mark.django_db
def test_a_running_study_is_forecast_from_its_own_ratings(english: Client) -> None:
    study = panel_make(study_make(titles=SONGS, sources=["vocals"], quota=30), listeners=8)
    for name in ("study_planning", "study_forecast"):
        page = text(english.get(reverse(name, args=[study.id])))
        assert re.search(r"Quality: now ±\d\.\d\d \(8 listeners, 6 songs\)\. With 30 listeners about ±\d\.\d\d\.", page)
        assert re.search(r"Contamination: now ±", page)
    assert "Worked out with this study’s own ratings." in text(english.get(reverse("study_planning", args=[study.id])))


@pytest.mark.django_db
def test_few_ratings_are_no_forecast_and_say_what_it_takes(english: Client) -> None:
    study = panel_make(study_make(titles=["One", "Two"]), listeners=3)
    page = text(english.get(reverse("study_forecast", args=[study.id])))
    assert "3 listeners have rated clips of 2 songs so far" in page and "at least 5 listeners and 5 songs" in page


@pytest.mark.django_db
def test_the_studys_page_points_to_its_forecast(english: Client) -> None:
    study = panel_make(study_make(titles=SONGS), listeners=2)
    page = text(english.get(reverse("study", args=[study.id])))
    assert f'data-fragment="{reverse("study_forecast", args=[study.id])}"' in page
    assert f'href="{reverse("study_planning", args=[study.id])}"' in page


def test_now_is_the_interval_of_the_results_page() -> None:
    """Of the system that is known worst; every listener rated every song."""
    table = crossed(listeners=9, songs=8, sources=("vocals",))
    [one] = [told for told in live(report(table).analysed, 30, 0.2) if told.scale == "quality"]  # type: ignore[arg-type]
    own = table[table["scale"] == "quality"]
    widths = []
    for _system, part in own.groupby("system"):
        codes = [part[name].astype("category").cat.codes.to_numpy() for name in ("listener", "song")]
        found = any_song_interval(part["score"].to_numpy(float), *codes)
        widths.append((found.high - found.low) / 2)
    assert one.forecast.now.half_width == pytest.approx(max(widths), abs=1e-9)
    assert one.forecast.at_end.half_width < one.forecast.now.half_width
    assert not one.forecast.reached


def test_several_excerpts_of_a_song_leave_less_to_chance() -> None:
    """Two sources of the same songs: each is planned for by itself, so the residual is that of one."""
    both = report(crossed(listeners=9, songs=8))
    for one in observed(both.analysed):  # type: ignore[arg-type]
        assert one.mean is not None and one.mean.ratings == 72
        assert one.difference is not None and one.difference.ratings == 72


def test_the_figure_on_stopping_is_the_measured_one() -> None:
    lines = Path(settings.BASE_DIR, "docs", "performance.md").read_text(encoding="utf-8").splitlines()
    [at] = [number for number, line in enumerate(lines) if line.startswith("| stopping at")]
    names, values = ([cell.strip() for cell in lines[number].split("|")] for number in (at - 2, at))
    assert float(values[names.index("any song")]) == pytest.approx(STOPPING_COVERAGE, abs=0.0015)


def test_sentences_are_in_the_readers_language() -> None:
    from analysis.planning_words import gives

    with translation.override("en"):
        english = gives(answer(Wish()))
    with translation.override("es"):
        assert gives(answer(Wish())) != english
