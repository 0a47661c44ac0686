"""The practice by keyboard: what it teaches is what holds in the trials."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from listening_test.listener_access import cookie_name
from listening_test.models import ListeningSession, PracticeAnswer
from tests.listening_test.test_practice import study_practising
from tests.listening_test.visits import session_at

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_practice_is_played_answered_and_left_with_the_keyboard(
    live_server: LiveServer, context: BrowserContext, page: Page
) -> None:
    study = study_practising()
    session = session_at(study, ListeningSession.Step.PRACTICE)
    cookie = {"name": cookie_name(study), "value": session.token, "url": live_server.url}
    context.add_cookies([cookie])  # type: ignore[list-item]
    page.goto(f"{live_server.url}/s/{study.token}/")
    page.wait_for_load_state("networkidle")
    groups = page.locator("fieldset.scale")
    page.keyboard.press("3")  # no group has the focus, nor was anything heard
    page.keyboard.press("Enter")
    page.keyboard.press("Space")
    expect(groups.first).to_be_enabled(timeout=15_000)
    page.keyboard.press("3")
    expect(page.locator("input:checked")).to_have_count(0)
    for number, digit in enumerate("25"):
        while not groups.nth(number).locator("input:focus").count():
            page.keyboard.press("Tab")
        page.keyboard.press(digit)
    expect(page.locator("#continue")).to_be_enabled()
    page.keyboard.press("Enter")
    expect(page.locator(".told")).to_be_visible()
    first, second = ("quality", "contamination") if session.quality_first else ("contamination", "quality")
    assert dict(PracticeAnswer.objects.values_list("scale", "value")) == {first: 2, second: 5}
    expect(page.locator("#answers")).to_have_count(0)
    page.wait_for_load_state("networkidle")
    page.keyboard.press("Enter")  # on to the next one
    expect(page.locator("#answers")).to_be_visible()
