"""Nothing is lost: two hundred ratings in a real browser, through everything that networks, tabs and servers do.

Requests are dropped, answered with 500, answered into the void, halved and delayed; the network goes away, pages are
reloaded, tabs doubled, the browser closed, the server stopped and its web process killed. At the end the database holds
two hundred ratings, none twice, each with the value that the listener saw last.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, BrowserType, Page, expect
from playwright.sync_api import Error as BrowserError

from tests.config.running import RunningServer
from tests.journeys.bad_network import DROPPED, ERROR, HALF, LOST, SLOW, BadNetwork

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

FAULTS = {DROPPED: 0.05, ERROR: 0.05, LOST: 0.06, HALF: 0.03, SLOW: 0.05}
SCALES = ("quality", "contamination")
SEED = 20
PATIENCE_MS = 60_000

Happenings = dict[int, tuple[str, Callable[[], None]]]


@dataclass
class House:
    """The service, which may be stopped and started again, and the study in it."""

    home: Path
    server: RunningServer
    study: dict[str, Any] = field(default_factory=dict)

    def start_again(self) -> None:
        self.server.stop()
        self.server = RunningServer(self.home, port=self.server.port, environment=self.server.environment)

    def kill_web(self) -> None:
        os.kill(self.server.pid("web"), signal.SIGKILL)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with sqlite3.connect(self.home / "db.sqlite3") as database:
            return database.execute(query).fetchall()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    home = tmp_path / "home"
    house = House(home, RunningServer(home, environment={"LISTENER_RATE": "100000/min"}))
    try:
        house.server.wait_until_ready()
        filled = subprocess.run(
            [sys.executable, "-m", "tests.journeys.long_study"],
            env={**os.environ, "STEMMOS_HOME": str(home)},
            capture_output=True,
            text=True,
            check=True,
        )
        house.study = json.loads(filled.stdout.splitlines()[-1])
        yield house
    finally:
        house.server.stop()


@pytest.fixture
def network(house: House) -> Iterator[BadNetwork]:
    network = BadNetwork(house.server.port, faults=FAULTS, seed=SEED)
    yield network
    network.close()


class Listener:
    """Somebody who rates, in a browser that keeps its data in a folder, and remembers what they answered."""

    def __init__(
        self, browser: BrowserType, launch: dict[str, Any], folder: Path, network: BadNetwork, study: dict[str, Any]
    ) -> None:
        self.browser, self.launch, self.folder, self.network, self.study = browser, launch, folder, network, study
        self.address = f"{network.base_url}/s/{study['study']}/"
        self.random = random.Random(SEED)
        self.answers: dict[tuple[int, str], int] = {}
        self.did: Counter[str] = Counter()
        self.context, self.page = self._open(folder)
        tomorrow = time.time() + 86_400  # it outlives the browser
        self.context.add_cookies(
            [{"name": study["cookie"], "value": study["value"], "url": network.base_url, "expires": tomorrow}]
        )
        self.page.goto(self.address)

    # ── the browser ──

    def _open(self, folder: Path) -> tuple[BrowserContext, Page]:
        context = self.browser.launch_persistent_context(folder, **self.launch, locale="en-GB")
        context.set_default_timeout(PATIENCE_MS)
        return context, context.pages[0]

    def close_and_come_back(self) -> None:
        self.context.close()
        self.context, self.page = self._open(self.folder)
        self.page.goto(self.address)
        self.did["browser closed"] += 1

    def another_browser(self) -> None:
        """With nothing but the personal code. The first one keeps what it could not send."""
        self.context.close()
        self.context, self.page = self._open(self.folder.with_name("another"))
        self.page.goto(f"{self.network.base_url}/me/")
        self.page.fill("[name=code]", self.study["code"])
        self.page.locator("main form button.primary").click()
        self.page.get_by_role("button", name="Go on with the test").click()
        self.did["another browser, by the personal code"] += 1

    def reload(self) -> None:
        self.page.reload()
        self.did["reload"] += 1

    def second_tab(self) -> None:
        """It is told to wait; in every other case it takes over, and the first one is closed."""
        second = self.context.new_page()
        second.goto(self.address)
        expect(second.locator("#elsewhere")).to_be_visible()
        self.did["second tab"] += 1
        if self.did["second tab"] % 2:
            return second.close()
        second.locator("#here").click()
        expect(self.page.locator("#elsewhere")).to_be_visible()
        self.page.close()
        self.page = second
        self.did["second tab took over"] += 1
        return None

    # ── the trial ──

    def place(self) -> int | None:
        """The clip that the page is at, 0 first; None where there is none any more."""
        self.page.wait_for_selector("#trial:not([aria-busy]), main form textarea")
        if not self.page.locator("#trial").count():
            return None
        return int(self.page.locator("#number").inner_text()) - 1

    def hear(self) -> None:
        """Pressing play again where the page says so: it could not fetch the clip, or the sound was interrupted."""
        deadline = time.monotonic() + PATIENCE_MS / 1000
        while self.page.locator("fieldset.scale").first.is_disabled():
            assert time.monotonic() < deadline, self.page.locator("#rating").inner_text()
            self.page.locator("#play[data-state=ready]").click()
            self.page.wait_for_selector("fieldset.scale:enabled, #trouble:not([hidden])")
            if self.page.locator("#trouble").is_visible():
                self.did["pressed play again"] += 1
                self.page.wait_for_timeout(500)

    def rate(self, place: int, scale: str) -> None:
        value = self.random.randint(1, 5)
        if not self.page.locator(f"input[name={scale}][value='{value}']").is_checked():
            self.page.locator(f"input[name={scale}][value='{value}']").check(force=True)
        self.answers[place, scale] = value

    def rate_all(self, place: int) -> None:
        for scale in SCALES:
            self.rate(place, scale)
        if self.random.random() < 0.2:
            self.rate(place, self.random.choice(SCALES))
            self.did["change of mind"] += 1

    def waits(self) -> bool:
        """For the connection, after "next"."""
        told = self.page.evaluate("() => document.querySelector('#next-help')?.textContent ?? ''")
        return "as soon as the connection" in told

    def go_on(self) -> None:
        expect(self.page.locator("#next")).to_be_enabled(timeout=PATIENCE_MS)
        self.page.locator("#next").click()


def test_two_hundred_ratings_are_stored_once_each(
    house: House,
    network: BadNetwork,
    browser_type: BrowserType,
    browser_type_launch_args: dict[str, Any],
    tmp_path: Path,
) -> None:
    began = time.monotonic()
    listener = Listener(browser_type, browser_type_launch_args, tmp_path / "profile", network, house.study)
    try:
        rate_everything(listener, happenings(house, network, listener))
        expect(listener.page.get_by_role("heading", name="That was the last clip")).to_be_visible()
    except (AssertionError, BrowserError):
        print(listener.page.locator("main").inner_text(), dict(listener.did), dict(network.met), sep="\n")
        raise
    finally:
        listener.context.close()
    stored = house.rows(
        "SELECT t.position, r.scale, r.value, r.key FROM listening_test_rating r JOIN listening_test_trial t"
        " ON t.id = r.trial_id"
    )
    print(figures(network, listener, len(stored), time.monotonic() - began))
    assert len(stored) == 200
    assert len({key for *_rest, key in stored}) == 200
    assert {(place, scale): value for place, scale, value, _key in stored} == listener.answers
    assert all(network.met[fault] for fault in (*FAULTS, "offline", "server away"))


def rate_everything(listener: Listener, happens: Happenings) -> None:
    """Each happening comes once, at its place and moment: before hearing, between the ratings, or after "next"."""
    while (place := listener.place()) is not None:
        if happen(happens, place, "before"):
            continue  # with whatever the page now shows
        listener.hear()
        listener.rate(place, SCALES[0])
        if happen(happens, place, "between"):
            continue
        listener.rate_all(place)
        listener.go_on()
        happen(happens, place, "after")
        wait_for_place_after(listener, place)


def happen(happens: Happenings, place: int, moment: str) -> bool:
    if happens.get(place, ("", None))[0] != moment:
        return False
    happens.pop(place)[1]()
    return True


def wait_for_place_after(listener: Listener, place: int) -> None:
    """The next clip, or the page after the last one; the same one where the page ended before "next" was heard of, or
    where the answers wait in another browser."""
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while time.monotonic() < deadline:
        with suppress(BrowserError):  # the page is on its way to another one
            if listener.place() != place or not listener.waits():
                return
        listener.page.wait_for_timeout(50)
    raise AssertionError(f"still at clip {place + 1}: {listener.page.locator('#saving').inner_text()}")


def happenings(house: House, network: BadNetwork, listener: Listener) -> Happenings:
    def offline(seconds: float) -> Callable[[], None]:
        """For a while, during which the listener goes on as far as the clips are there."""

        def go_away() -> None:
            network.offline = True
            listener.did["offline"] += 1
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                listener.page.wait_for_timeout(50)
            network.offline = False

        return go_away

    def offline_while_rating() -> None:
        """This clip, and the next one if it is there already; no further."""
        listener.page.wait_for_selector("#play[data-clip=ready]")
        network.offline = True
        listener.did["offline while rating"] += 1
        place, waits = listener.place() or 0, False
        while listener.page.locator("#play[data-clip=ready]").count() and not waits:
            listener.hear()
            listener.rate_all(place)
            listener.did["clips rated without a network"] += 1
            listener.go_on()
            listener.page.wait_for_timeout(300)
            waits = listener.place() == place
            place += not waits
        expect(listener.page.locator("#saving")).to_contain_text("Answers not sent yet")
        listener.did["told how many are not sent"] += 1
        network.offline = False
        if waits:
            wait_for_place_after(listener, place)

    def server_restart() -> None:
        house.start_again()
        house.server.wait_until_ready()
        listener.did["server restarted"] += 1

    def web_killed() -> None:
        house.kill_web()
        listener.did["web process killed"] += 1

    def both(first: Callable[[], None], second: Callable[[], None]) -> Callable[[], None]:
        def one_after_the_other() -> None:
            first()
            second()

        return one_after_the_other

    return {
        6: ("between", listener.reload),
        10: ("after", offline(1.5)),
        15: ("after", listener.reload),
        20: ("before", listener.second_tab),
        26: ("between", listener.close_and_come_back),
        31: ("before", offline_while_rating),
        37: ("after", server_restart),
        44: ("after", listener.close_and_come_back),
        47: ("after", listener.another_browser),
        50: ("between", listener.second_tab),
        57: ("before", web_killed),
        63: ("between", both(offline(1.0), listener.reload)),
        70: ("before", offline_while_rating),
        77: ("after", both(offline(0.6), listener.close_and_come_back)),
        84: ("between", web_killed),
        90: ("before", listener.reload),
        96: ("after", listener.second_tab),
    }


def figures(network: BadNetwork, listener: Listener, stored: int, seconds: float) -> str:
    lines = [f"{stored} ratings stored for {len(listener.answers)} given, in {seconds:.0f} s", "network:"]
    lines += [f"  {network.requests:4d} requests to the API"]
    lines += [f"  {count:4d} {name}" for name, count in sorted(network.met.items())]
    lines += ["listener:", *(f"  {count:4d} {name}" for name, count in sorted(listener.did.items()))]
    return "\n".join(lines)
