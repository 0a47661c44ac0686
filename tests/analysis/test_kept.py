"""Large studies: the page shows what was computed last, at once, and new ratings are computed in the background."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from analysis import dataset, kept, selectors, services, tasks
from listening_test.models import ListeningSession, Study

from .factories import panel_make, rate_all, session_make, study_make

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every study with a rating is large."""
    for module in (selectors, services):
        monkeypatch.setattr(module, "AT_ONCE", 1)


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Messages that were sent to the worker."""
    sent: list[str] = []
    monkeypatch.setattr(current_app, "send_task", lambda name, args, **_options: sent.append(f"{name} {args[0]}"))
    return sent


@pytest.fixture(autouse=True)
def nothing_in_memory() -> Iterator[None]:
    yield
    selectors._report.cache_clear()
    selectors._loaded.cache_clear()


def page_of(client: Client, study: Study) -> str:
    return client.get(reverse("results", args=[study.id])).content.decode()


def state_of(client: Client, study: Study) -> dict[str, Any]:
    found: dict[str, Any] = client.get(reverse("api_results_state", args=[study.id])).json()
    return found


def message(study: Study) -> str:
    return f"analysis.tasks.compute {study.id}"


def test_a_study_that_was_never_computed_says_so_and_is_asked_for_once(english: Client, asked: list[str]) -> None:
    study = panel_make(study_make(titles=["One"]), listeners=3)
    page = page_of(english, study)
    assert "The results are being computed" in page and "This study has 36 ratings." in page
    assert 'data-version=""' in page and "<progress" in page and "<table" not in page
    page_of(english, study)
    assert state_of(english, study)["shown"] == ""
    assert asked == [message(study)]


def test_what_was_computed_is_shown_without_computing(english: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    study = panel_make(study_make(titles=["One"]), listeners=3)
    tasks.compute(str(study.id))
    monkeypatch.setattr(selectors, "report_computed", None)
    page = page_of(english, study)
    state = state_of(english, study)
    assert "Which system sounds best" in page and 'id="news" role="status" hidden' in page
    assert state["shown"] == state["version"] and state["news"] == ""
    assert f'data-version="{state["version"]}"' in page


def test_each_language_has_its_page(researcher_client: Client) -> None:
    study = panel_make(study_make(titles=["One"]), listeners=3)
    tasks.compute(str(study.id))
    pages = [
        researcher_client.get(
            reverse("results", args=[study.id]), headers={"accept-language": language}
        ).content.decode()
        for language in ("es", "en")
    ]
    assert "Which system sounds best" in pages[1] and "Which system sounds best" not in pages[0]


def test_new_ratings_are_announced_and_computed_behind_the_page(english: Client, asked: list[str]) -> None:
    study = panel_make(study_make(titles=["One"]), listeners=3)
    tasks.compute(str(study.id))
    before = state_of(english, study)
    rested(study)
    rate_all(session_make(study), lambda *_of: 4)
    page, state = page_of(english, study), state_of(english, study)
    assert "36 ratings from 3 sessions" in page and "12 new ratings are being added." in page
    assert state["news"] == "12 new ratings are being added." and state["shown"] == before["version"]
    assert asked == [message(study)]
    tasks.compute(str(study.id))
    assert "48 ratings from 4 sessions" in page_of(english, study)
    assert state_of(english, study)["shown"] == state_of(english, study)["version"]


def rested(study: Study, seconds: float = 3600.0) -> None:
    """As if the last computation had been so long ago."""
    for language in ("es", "en"):
        page = kept.page_read(study.id, language)
        assert page
        kept.page_write(study.id, language, kept.Page(**{**vars(page), "at": page.at - seconds}))


def test_computing_takes_no_more_than_half_of_the_time(english: Client, asked: list[str]) -> None:
    study = panel_make(study_make(titles=["One"]), listeners=3)
    tasks.compute(str(study.id))
    for language in ("es", "en"):
        page = kept.page_read(study.id, language)
        assert page
        kept.page_write(study.id, language, kept.Page(**{**vars(page), "seconds": 3600.0}))
    rate_all(session_make(study), lambda *_of: 4)
    assert not selectors.shown(study).is_due
    page_of(english, study)
    assert asked == []


def test_nothing_is_computed_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    study = panel_make(study_make(titles=["One"]), listeners=2)
    assert services.results_compute(study_id=study.id)
    assert not services.results_compute(study_id=study.id)


def test_one_computation_at_a_time(asked: list[str]) -> None:
    study = panel_make(study_make(titles=["One"]), listeners=2)
    with kept.computing(study.id) as is_ours:
        assert is_ours and kept.is_computing(study.id)
        assert not services.results_compute(study_id=study.id)
        assert not services.results_ask(study=study) and asked == []
    assert not kept.is_computing(study.id)
    assert services.results_compute(study_id=study.id)


def test_a_killed_computation_blocks_nobody(media: Path) -> None:
    study = panel_make(study_make(titles=["One"]), listeners=2)
    holder = multiprocessing.get_context("fork").Process(target=hold, args=(study,))
    holder.start()
    until(lambda: kept.is_computing(study.id))
    os.kill(holder.pid or 0, signal.SIGKILL)
    holder.join()
    assert services.results_compute(study_id=study.id)


def hold(study: Study) -> None:
    with kept.computing(study.id):
        time.sleep(60)


def until(ready: Any) -> None:
    deadline = time.monotonic() + 20
    while not ready():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_study_that_is_gone_is_no_error() -> None:
    assert not services.results_compute(study_id=uuid.uuid4())


# ── Files ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_report_comes_back_as_it_was() -> None:
    study = panel_make(study_make(), listeners=6)
    tasks.compute(str(study.id))
    found, fresh = kept.report_read(study.id), selectors.report_computed(study.id, dataset.state(study).version)
    assert found == fresh and found
    assert found.analysed and fresh.analysed
    assert (found.analysed.ratings.scores == fresh.analysed.ratings.scores).all()


@pytest.mark.parametrize("name", ["report", "page.en"])
def test_what_somebody_else_wrote_is_not_read(settings: Settings, english: Client, name: str) -> None:
    study = panel_make(study_make(titles=["One"]), listeners=2)
    tasks.compute(str(study.id))
    path = Path(settings.RESULTS_ROOT) / str(study.id) / name
    content = bytearray(path.read_bytes())
    content[-20] ^= 1
    path.write_bytes(content)
    read = kept.report_read(study.id) if name == "report" else kept.page_read(study.id, "en")
    assert read is None
    path.write_bytes(b"")
    assert (kept.report_read(study.id) if name == "report" else kept.page_read(study.id, "en")) is None


def test_what_other_code_computed_is_computed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    study = panel_make(study_make(titles=["One"]), listeners=2)
    tasks.compute(str(study.id))
    monkeypatch.setattr(kept, "code_digest", lambda: "of the next release")
    assert kept.page_read(study.id, "en") is None and selectors.shown(study).is_due


def test_a_write_that_fails_leaves_the_last_report(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    study = panel_make(study_make(titles=["One"]), listeners=2)
    tasks.compute(str(study.id))
    folder = Path(settings.RESULTS_ROOT) / str(study.id)
    before = {path.name for path in folder.iterdir()}
    monkeypatch.setattr(os, "replace", full_disk)
    page = kept.page_read(study.id, "en")
    assert page
    with pytest.raises(OSError, match="No space"):
        kept.page_write(study.id, "en", page)
    assert kept.page_read(study.id, "en") == page
    assert {path.name for path in folder.iterdir()} == before


def full_disk(*_names: object) -> None:
    raise OSError("No space left on device")


def test_figures_and_files_are_those_of_the_report_that_is_shown(english: Client) -> None:
    study = panel_make(study_make(titles=["One"]), listeners=3)
    chart = reverse("results_chart", args=[study.id, "quality", "svg"])
    table = reverse("results_file", args=[study.id, "mos.csv"])
    assert english.get(chart).status_code == english.get(table).status_code == 404
    assert english.get(reverse("api_results", args=[study.id])).status_code == 202
    tasks.compute(str(study.id))
    before = b"".join(english.get(table).streaming_content)  # type: ignore[attr-defined]
    rate_all(session_make(study), lambda *_of: 4)
    assert english.get(chart).status_code == 200
    assert b"".join(english.get(table).streaming_content) == before  # type: ignore[attr-defined]
    assert english.get(reverse("api_results", args=[study.id])).json()["counts"]["counted"] == 36


# ── The sweep ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_sweep_asks_for_what_is_due_and_forgets_what_is_gone(settings: Settings, asked: list[str]) -> None:
    study, empty = panel_make(study_make(titles=["One"]), listeners=2), study_make(titles=["Two"])
    gone = Path(settings.RESULTS_ROOT) / "of-a-study-that-was-deleted"
    gone.mkdir(parents=True)
    tasks.sweep()
    assert asked == [message(study)] and not gone.exists()
    tasks.compute(str(study.id))
    tasks.sweep()
    assert asked == [message(study)], "it is up to date"
    ListeningSession.objects.filter(study=study).delete()
    tasks.sweep()
    assert kept.page_read(study.id, "es") is None, "nothing is left of listeners who were erased"
    assert dataset.state(empty).ratings == 0
