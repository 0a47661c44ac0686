"""What a listener's page does where something is lost without a word: a request, the browser's database, its turn."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.journeys import test_player
from tests.journeys.test_player import (
    CONTAMINATION,
    OFFLINE,
    QUALITY,
    RATINGS,
    UNSAVED,
    Enter,
    answer,
    hear,
    ratings,
    ready,
    saved,
    scale,
    step,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

browser_context_args, study, enter = test_player.browser_context_args, test_player.study, test_player.enter

CLIPS = re.compile(r"\.flac$")
STATE = re.compile(r"/api/v1/listen/[^/]+/$")
NOT_FETCHED = "The clip could not be fetched."

# What the page would wait a minute for, a test waits a second for: its own waits of at least so many ms are shortened.
IMPATIENT = """
  const wait = setTimeout;
  window.setTimeout = (act, ms, ...rest) => wait(act, ms >= 60000 ? 1000 : ms, ...rest);
  const signal = AbortSignal.timeout.bind(AbortSignal);
  AbortSignal.timeout = (ms) => signal(ms >= 15000 ? 1000 : ms);
"""


class Network:
    """Of a phone between two networks: what is asked for gets neither an answer nor an error, until it is back."""

    def __init__(self, page: Page, addresses: re.Pattern[str]) -> None:
        self.is_back = False
        page.route(addresses, self._answer)

    def _answer(self, route: Route) -> None:
        if self.is_back:
            route.continue_()


# ── Requests that stall ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_clip_that_stalls_is_given_up_and_asked_for_anew(enter: Enter, page: Page) -> None:
    page.add_init_script(IMPATIENT)
    network = Network(page, CLIPS)
    enter()
    play = page.locator("#play")
    play.click()
    expect(page.get_by_text(NOT_FETCHED)).to_be_visible()
    expect(play).to_have_attribute("data-state", "ready")
    network.is_back = True
    hear(page)
    expect(page.get_by_text(NOT_FETCHED)).to_be_hidden()


def test_who_stops_a_clip_that_stalls_can_play_it_at_once(enter: Enter, page: Page) -> None:
    network = Network(page, CLIPS)
    enter()
    play = page.locator("#play")
    play.click()
    expect(play).to_have_attribute("data-state", "loading")
    network.is_back = True  # for what is asked for from now on; the page asks ahead again as soon as it has stopped
    play.click()
    expect(play).to_have_attribute("data-state", "ready")
    hear(page)


def test_what_stalled_is_asked_for_anew_when_the_connection_is_back(enter: Enter, page: Page) -> None:
    network = Network(page, CLIPS)
    enter()
    network.is_back = True
    page.evaluate("() => window.dispatchEvent(new Event('online'))")
    expect(page.locator("#play")).to_have_attribute("data-clip", "ready")


def test_a_state_that_stalls_is_said_and_asked_for_anew(enter: Enter, page: Page) -> None:
    page.add_init_script(IMPATIENT)
    enter()
    network = Network(page, STATE)
    page.reload()
    expect(page.get_by_text(OFFLINE)).to_be_visible()
    network.is_back = True
    ready(page)
    expect(page.get_by_text(OFFLINE)).to_be_hidden()


# ── A database that is lost ─────────────────────────────────────────────────────────────────────────────────────────

# Closed connections refuse every transaction, as those do that WebKit has dropped behind a page in the background.
KEEP_DATABASES = """
  window.databases = [];
  const open = IDBFactory.prototype.open;
  IDBFactory.prototype.open = function (...which) {
    if (window.refused) throw new DOMException("refused", "InvalidStateError");
    const opening = open.apply(this, which);
    opening.addEventListener("success", () => window.databases.push(opening.result));
    return opening;
  };
"""
LOSE = "() => window.databases.forEach((database) => database.close())"
LOSE_FOR_GOOD = "() => { window.refused = true; window.databases.forEach((database) => database.close()); }"


@pytest.mark.parametrize("lose", [LOSE, LOSE_FOR_GOOD], ids=["opened again", "never again"])
def test_an_answer_outlives_the_page_after_the_database_was_lost(enter: Enter, page: Page, lose: str) -> None:
    page.add_init_script(KEEP_DATABASES)
    enter()
    hear(page)
    page.wait_for_load_state("networkidle")  # the server knows that it was heard
    page.route(RATINGS, lambda route: route.abort())
    answer(page, CONTAMINATION, 3)
    expect(page.get_by_text(UNSAVED)).to_be_visible()
    page.evaluate(lose)
    answer(page, QUALITY, 4)
    expect(page.get_by_text("Answers not sent yet: 2.")).to_be_visible()
    page.wait_for_timeout(1500)  # it is written down
    page.reload()
    page.wait_for_timeout(300)
    page.unroute(RATINGS)
    ready(page)
    expect(scale(page, QUALITY).get_by_role("radio", name="4 Good")).to_be_checked()
    assert ratings() == {"quality": 4, "contamination": 3}


@pytest.mark.parametrize("lose", [LOSE, LOSE_FOR_GOOD], ids=["opened again", "never again"])
def test_a_page_that_lost_its_database_can_begin_again(enter: Enter, page: Page, lose: str) -> None:
    page.add_init_script(KEEP_DATABASES)
    enter()
    second = page.context.new_page()
    second.goto(page.url)
    second.get_by_role("button", name="Go on here").click()
    expect(page.locator("#elsewhere")).to_be_visible()
    ready(second)
    page.evaluate(lose)
    page.get_by_role("button", name="Go on here").click()
    ready(page)
    expect(page.locator("#play")).to_be_visible()
    second.close()


def test_what_was_kept_beside_a_lost_database_is_not_sent_twice(enter: Enter, page: Page) -> None:
    """Once the database is there again, what it kept before is old."""
    page.add_init_script(KEEP_DATABASES)
    enter()
    hear(page)
    page.wait_for_load_state("networkidle")
    page.route(RATINGS, lambda route: route.abort())
    answer(page, QUALITY, 4)
    expect(page.get_by_text(UNSAVED)).to_be_visible()
    page.evaluate(LOSE_FOR_GOOD)
    answer(page, QUALITY, 2)
    page.unroute(RATINGS)
    saved(page)
    assert ratings() == {"quality": 2}
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if RATINGS.search(request.url) else None)
    page.reload()
    ready(page)
    assert sent == []
    assert ratings() == {"quality": 2}


# ── A turn that is lost ─────────────────────────────────────────────────────────────────────────────────────────────


def test_no_answer_is_dropped_by_a_request_of_an_earlier_turn(enter: Enter, page: Page) -> None:
    enter()
    hear(page)
    page.wait_for_load_state("networkidle")
    held: list[Route] = []
    page.route(RATINGS, lambda route: route.continue_() if held else held.append(route))
    answer(page, QUALITY, 4)
    expect(page.locator("#saving")).to_have_text("Saving…")

    second = page.context.new_page()
    second.goto(page.url)
    second.get_by_role("button", name="Go on here").click()
    ready(second)  # and has sent it
    second.route(RATINGS, lambda route: route.abort())
    answer(second, CONTAMINATION, 2)
    expect(second.get_by_text(UNSAVED)).to_be_visible()

    page.get_by_role("button", name="Go on here").click()
    expect(second.locator("#elsewhere")).to_be_visible()
    page.wait_for_timeout(1500)  # it has taken up what waits
    held[0].continue_()  # and now the earlier turn's request ends
    ready(page)
    expect(step(page, CONTAMINATION, 2)).to_be_checked()
    assert ratings() == {"quality": 4, "contamination": 2}
    second.close()
