"""Importing stems in a real browser: an archive whose folders fit no song, and one that fits at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from separation.models import ImportedSystem, Stem
from tests.separation.import_files import NAME, archive, parts, song_of_parts, stems_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]
PATIENCE = 60_000  # ms; a loaded machine


@pytest.fixture
def page(signed_in: Page) -> Page:
    return signed_in


def test_stems_are_imported_and_what_is_open_is_chosen(page: Page, tmp_path: Path) -> None:
    song_of_parts("First")
    second = song_of_parts("Second", seed=2)
    path = tmp_path / "stems.zip"
    path.write_bytes(archive({**stems_of("First", parts()), **stems_of("take 5", parts(2))}))

    page.goto("/songs/import/")
    page.fill("[name=system]", NAME)
    page.set_input_files("#id_stems", path)
    page.click("#import .actions button.primary")
    expect(page.locator('#results tr[data-state="imported"]')).to_have_count(1, timeout=PATIENCE)
    open_row = page.locator('#results tr[data-state="choice"]')
    expect(open_row).to_contain_text("No song here is called “take 5”")
    expect(page.locator("#systems-list h3")).to_have_text(NAME)

    open_row.locator("select").select_option(str(second.pk))
    page.click("#import .actions button.primary")
    expect(page.locator("#results tr")).to_have_count(2, timeout=PATIENCE)  # the heading and what was open
    expect(page.locator('#results tr[data-state="imported"] a')).to_have_text("Second", timeout=PATIENCE)
    assert Stem.objects.count() == 6
    assert ImportedSystem.objects.count() == 1


def test_a_folder_is_sent_song_by_song(page: Page, tmp_path: Path) -> None:
    song_of_parts("First")
    song_of_parts("Second", seed=2)
    for name, data in {**stems_of("First", parts()), **stems_of("Second", parts(2))}.items():
        target = tmp_path / "stems" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)

    page.goto("/songs/import/")
    page.fill("[name=system]", NAME)
    page.set_input_files("#folder", tmp_path / "stems")
    expect(page.locator("#chosen .name")).to_have_text(["First", "Second"])
    page.click("#import .actions button.primary")
    expect(page.locator('#results tr[data-state="imported"]')).to_have_count(2, timeout=PATIENCE)
    assert Stem.objects.count() == 6


def test_what_is_wrong_is_said_on_the_page(page: Page) -> None:
    song_of_parts("First")
    page.goto("/songs/import/")
    page.click("#import .actions button.primary")
    expect(page.locator("#results .notice.bad")).to_contain_text("No file was chosen", timeout=PATIENCE)
