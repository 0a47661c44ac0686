"""How many listeners and songs, in a browser: the study's page brings its forecast, the form asks by its address."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from playwright.sync_api import Page, expect

from tests.analysis.factories import panel_make, study_make

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_studys_page_brings_its_forecast(signed_in: Page) -> None:
    songs = [f"Song {number}" for number in range(6)]
    study = panel_make(study_make(titles=songs, sources=["vocals"], quota=20), listeners=6)
    signed_in.goto(reverse("study", args=[study.id]))
    forecast = signed_in.locator("#forecast")
    expect(forecast).to_contain_text(re.compile(r"Quality: now ±\d\.\d\d \(6 listeners, 6 songs\)\. With 20 listeners"))
    forecast.get_by_role("link").click()
    expect(signed_in.get_by_label("Listeners", exact=True)).to_have_value("20")


def test_a_plan_is_asked_for_by_its_address(signed_in: Page) -> None:
    signed_in.goto(reverse("planning"))
    signed_in.get_by_label("Songs", exact=True).fill("40")
    signed_in.get_by_role("button", name="Work it out").click()
    expect(signed_in).to_have_url(re.compile("songs=40"))
    expect(signed_in.locator("#answers")).to_contain_text("With 24 listeners and 40 songs")


@pytest.mark.parametrize("width", [360, 1440])
def test_plans_are_for_everybody(signed_in: Page, width: int) -> None:
    study = panel_make(study_make(titles=[f"Song {number}" for number in range(6)], sources=["vocals"]), listeners=6)
    signed_in.set_viewport_size({"width": width, "height": 800})
    own = reverse("study_planning", args=[study.id])
    for address in (reverse("planning"), f"{reverse('planning')}?songs=2", own, reverse("study", args=[study.id])):
        signed_in.goto(address)
        found = Axe().run(signed_in)
        assert found.violations_count == 0, found.generate_report()
        assert not signed_in.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
