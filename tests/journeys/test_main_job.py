"""The main job, end to end, through the doors that people use: a song goes in, listeners rate, MOS come out.

A real browser, the real web server, the real Redis, the real Celery worker and the three real systems with the demo
weights. What is found in the CSV and on the results page must be exactly what the two listeners answered.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import cycle, product
from pathlib import Path

import pytest
import soundfile
from playwright.sync_api import Browser, Page, expect

from audio.synthesis import synthetic_song
from separation.separators import registry
from tests.config.running import ROOT, RunningServer
from tests.journeys.listener_pages import visit

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

REAL_SONG = ROOT.parent / "shared" / "audio" / "audio_example.mp3"
SYSTEMS = ("umx:demo", "spleeter:demo", "htdemucs:demo")
SOURCES = ("vocals", "drums")
START, END = "3", "5.5"
SEPARATION_MS = 240_000
SCALES = ("quality", "contamination")


@dataclass
class Heard:
    """What one listener answered, in order, as (quality, contamination)."""

    language: str
    code: str = ""
    answers: list[tuple[int, int]] = field(default_factory=list)


@pytest.fixture(scope="module")
def song_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Real music where it is there, else a song of the project's own."""
    if REAL_SONG.is_file():
        return REAL_SONG
    path = tmp_path_factory.mktemp("song") / "song.flac"
    soundfile.write(path, synthetic_song(7).mixture.T, 44_100)
    return path


@pytest.fixture
def researcher(browser: Browser, server: RunningServer) -> Iterator[Page]:
    context = browser.new_context(base_url=server.base_url, locale="en-GB", accept_downloads=True)
    page = context.new_page()
    page.goto("/accounts/login/")
    in_english(page)
    page.fill("[name=username]", server.username)
    page.fill("[name=password]", server.password)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/studies/")
    yield page
    context.close()


def in_english(page: Page) -> None:
    switch = page.get_by_role("button", name="English")
    if switch.count():
        switch.click()


def test_from_a_song_to_mean_opinion_scores(
    browser: Browser, server: RunningServer, researcher: Page, song_file: Path
) -> None:
    title = upload_and_separate(researcher, song_file)
    link = study_open(researcher, title)
    spanish = take_part(browser, server, link, Heard("es"), values=cycle([(5, 4), (2, 3), (4, 1)]))
    english = take_part(browser, server, link, Heard("en"), values=cycle([(3, 5), (1, 2), (5, 4)]))
    assert spanish.code != english.code
    researcher.get_by_role("link", name="Results").click()
    rows = downloaded(researcher, re.compile(r"^Ratings \(CSV\)"))
    assert_exactly_theirs(rows, [spanish, english])
    assert_means_on_page(researcher, rows)


# ── the researcher ───────────────────────────────────────────────────────────────────────────────────


def upload_and_separate(page: Page, song_file: Path) -> str:
    page.goto("/songs/")
    page.get_by_role("link", name="Upload songs").first.click()
    page.set_input_files("input[type=file]", song_file)
    for system in SYSTEMS:
        page.check(f"[name=separators][value='{system}']")
    page.get_by_role("button", name="Upload", exact=True).click()
    page.wait_for_url(re.compile("/songs/[0-9a-f-]{36}/"), timeout=60_000)  # one song: straight to its page
    title = page.get_by_role("heading", level=1).inner_text()
    expect(page.locator("article.job[data-state=done]")).to_have_count(len(SYSTEMS), timeout=SEPARATION_MS)
    expect(page.locator("article.job audio")).to_have_count(4 * len(SYSTEMS))  # the stems appear by themselves
    expect(page.get_by_text("demo weights").first).to_be_visible()
    return title


def study_open(page: Page, song: str) -> str:
    page.goto("/studies/new/")
    page.fill("[name=name]", "Journey")
    row = page.locator("#excerpts fieldset").first
    row.locator("select").select_option(label=song)
    row.locator("input[name$=start]").fill(START)
    row.locator("input[name$=end]").fill(END)
    for system in SYSTEMS:
        page.check(f"[name=systems][value='{system}']")
    for source in ("vocals", "drums", "bass", "other"):
        page.set_checked(f"[name=sources][value='{source}']", source in SOURCES)
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Open the study").click()
    expect(page.locator("#link")).to_be_visible(timeout=120_000)
    return page.input_value("#link")


def downloaded(page: Page, name: re.Pattern[str]) -> list[dict[str, str]]:
    with page.expect_download() as waiting:
        page.get_by_role("link", name=name).first.click()
    return list(csv.DictReader(io.StringIO(Path(waiting.value.path()).read_text(encoding="utf-8-sig"))))


# ── a listener ───────────────────────────────────────────────────────────────────────────────────────


def take_part(
    browser: Browser, server: RunningServer, link: str, heard: Heard, values: Iterator[tuple[int, int]]
) -> Heard:
    """One listener on a phone, from the link to the completion code."""
    context = browser.new_context(base_url=server.base_url, viewport={"width": 360, "height": 740}, has_touch=True)
    page = context.new_page()
    page.goto(f"{link}?lang={heard.language}")
    assert page.locator("html").get_attribute("lang") == heard.language
    heard.code = visit(page, trials=lambda page, _look: rate_all(page, heard, values))
    assert re.fullmatch(r"[A-Z2-9]{8}", heard.code)
    context.close()
    return heard


def rate_all(page: Page, heard: Heard, values: Iterator[tuple[int, int]]) -> None:
    next_button = page.locator("#next")
    total = int(page.locator("#progress").get_attribute("max") or 0)
    assert total == len(SOURCES) * len(SYSTEMS)
    for number, answer in zip(range(total), values, strict=False):
        expect(page.locator("#progress")).to_have_js_property("value", number)
        expect(page.locator("fieldset.scale").first).to_be_disabled()
        page.locator("button.play").click()
        expect(page.locator("fieldset.scale").first).to_be_enabled(timeout=30_000)
        rate(page, answer)
        if number == 2:
            reload_returns_here(page, number, answer)
        next_button.click()
        heard.answers.append(answer)
    page.wait_for_selector("main form textarea")


def rate(page: Page, answer: tuple[int, int]) -> None:
    for scale, value in zip(SCALES, answer, strict=True):
        page.locator(f"input[name={scale}][value='{value}']").check(force=True)
    expect(page.locator("#next")).to_be_enabled()


def reload_returns_here(page: Page, number: int, answer: tuple[int, int]) -> None:
    page.reload()
    expect(page.locator("#progress")).to_have_js_property("value", number)
    for scale, value in zip(SCALES, answer, strict=True):
        expect(page.locator(f"input[name={scale}][value='{value}']")).to_be_checked()
    expect(page.locator("#next")).to_be_enabled()


# ── what came out ────────────────────────────────────────────────────────────────────────────────────


def assert_exactly_theirs(rows: list[dict[str, str]], listeners: list[Heard]) -> None:
    """Every answer once, at its place, with its value; nothing else."""
    assert len(rows) == sum(len(SCALES) * len(heard.answers) for heard in listeners)
    assert {row["system"] for row in rows} == set(SYSTEMS)
    assert {row["weights"] for row in rows} == {"demo"}
    for heard in listeners:
        found = {
            (int(row["position"]), row["scale"]): int(row["score"]) for row in rows if row["language"] == heard.language
        }
        given = {
            (place, scale): value
            for place, answer in enumerate(heard.answers)
            for scale, value in zip(SCALES, answer, strict=True)
        }
        assert found == given


def assert_means_on_page(page: Page, rows: list[dict[str, str]]) -> None:
    """The table by system holds just the means of these values, as anybody can compute them."""
    shown = means_by_system(page)
    given = {(scale, registry.spec(system).name) for scale in ("Quality", "Contamination") for system in SYSTEMS}
    assert shown.keys() == given
    for scale, system in product(SCALES, SYSTEMS):
        values = [int(row["score"]) for row in rows if row["system"] == system and row["scale"] == scale]
        mean = sum(values) / len(values)
        assert shown[scale.capitalize(), registry.spec(system).name] == pytest.approx(mean, abs=1e-9)


def means_by_system(page: Page) -> dict[tuple[str, str], float]:
    """(scale, system) → MOS, as the page gives them, unrounded."""
    shown = {}
    for part in page.locator("#table-system tbody").all():
        scale = part.locator("tr.part th").inner_text()
        for line in part.locator("tr:not(.part)").all():
            value = line.locator("data").get_attribute("value") or "nan"
            shown[scale, line.locator("th").first.inner_text()] = float(value)
    return shown
