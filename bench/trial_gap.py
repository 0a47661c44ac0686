"""From "next" to the next playable clip, in real browsers on the real page behind the real web server.

    python -m bench.trial_gap --browser chromium|firefox [--json] [--delay-ms 100] [--port 8430]
    python -m bench.trial_gap --write      # both browsers, with and without delay, into docs/performance.md

Clips are 10 s of noise, which packs worst: more to fetch, to open and to decode than music. The listener hears 1.8 s of
each (the study asks for 1 s), answers both questions and presses "next", which is faster than people are. (A trial is
five requests, one after the other, and the server insists on its second of hearing: at 100 ms a request more than this
does not fit in less time.) The time is the browser's own: from the event of the click to the moment when the next clip
is decoded and its button is there. `--delay-ms` holds every request back for so long, as a phone far away does.

Chromium is the system's, and so is Firefox (`bench.marionette`), which rounds its times to a millisecond and plays only
where there is a sound device. On a machine without one, a PulseAudio that plays into nothing does, in real time:

    pulseaudio -n --exit-idle-time=-1 -L module-null-sink -L "module-native-protocol-unix socket=/tmp/sound"
    PULSE_SERVER=unix:/tmp/sound python -m bench.trial_gap --browser firefox
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from playwright.sync_api import Page, sync_playwright

from bench import served
from bench.marionette import firefox, firefox_program
from bench.page import table, tables_write
from tests.journeys.bad_network import BadNetwork
from tests.needs import chromium

if TYPE_CHECKING:
    from listening_test.models import Study

BROWSERS = ("chromium", "firefox")
SECONDS, MINIMUM_SECONDS, MORE_SECONDS = 10.0, 1.0, 0.8
SONGS = 4  # with 4 sources and 3 systems: 48 clips, 47 gaps
EDGES_MS = (0, 5, 10, 20, 30, 50, 100, 200, 500, float("inf"))
TARGET_MS = 50.0

RECORD = """
window.gaps = [];
addEventListener("click", (event) => { if (event.target.closest("#next")) window.pressed = event.timeStamp; }, true);
new PerformanceObserver((list) => {
  for (const mark of list.getEntriesByName("playable")) {
    if (window.pressed) window.gaps.push(mark.startTime - window.pressed);
    window.pressed = 0;
  }
}).observe({ entryTypes: ["mark"] });
"""


class Seat(Protocol):
    """What this bench does with a browser."""

    version: str

    def go(self, address: str) -> None: ...
    def cookie(self, name: str, value: str) -> None: ...
    def run(self, script: str) -> Any: ...
    def click(self, selector: str) -> None: ...
    def until(self, condition: str) -> None: ...


class Chromium:
    def __init__(self, page: Page, version: str) -> None:
        self.page, self.version = page, version

    def go(self, address: str) -> None:
        self.page.goto(address)

    def cookie(self, name: str, value: str) -> None:
        self.page.context.add_cookies([{"name": name, "value": value, "url": self.page.url}])

    def run(self, script: str) -> Any:
        return self.page.evaluate(f"() => {{ {script} }}")

    def click(self, selector: str) -> None:
        self.page.click(selector)

    def until(self, condition: str) -> None:
        self.page.wait_for_function(f"() => Boolean({condition})", polling=20)


@dataclass(frozen=True)
class Gaps:
    """Measured in one browser; milliseconds."""

    browser: str
    version: str
    delay_ms: float
    gaps: tuple[float, ...]

    def at(self, percent: float) -> float:
        return float(np.percentile(self.gaps, percent))

    @property
    def histogram(self) -> dict[str, int]:
        counts, _edges = np.histogram(self.gaps, bins=np.array(EDGES_MS))
        return {_bin(low, high): int(count) for (low, high), count in zip(pairwise(EDGES_MS), counts, strict=True)}

    def as_dict(self) -> dict[str, Any]:
        return {
            "browser": self.browser,
            "version": self.version,
            "delay_ms": self.delay_ms,
            "trials": len(self.gaps),
            "median_ms": round(self.at(50), 2),
            "p95_ms": round(self.at(95), 2),
            "max_ms": round(self.at(100), 2),
            "within_50_ms": sum(gap <= TARGET_MS for gap in self.gaps),
            "histogram_ms": self.histogram,
        }


def _bin(low: float, high: float) -> str:
    return f"{low:g}–{high:g}" if np.isfinite(high) else f"over {low:g}"


# ── Measuring ───────────────────────────────────────────────────────────────────────────────────────────────────────


def measured(seat: Seat, *, address: str, cookie: tuple[str, str], trials: int) -> list[float]:
    """One listener's whole session: a gap in milliseconds for every "next" but the last."""
    seat.go(address)
    seat.cookie(*cookie)
    seat.go(address)
    seat.run(RECORD)
    for number in range(1, trials):
        _rate(seat, number)
    seat.until(f"document.querySelector('#number').textContent === '{trials}'")
    seat.until(f"window.gaps.length === {trials - 1}")
    return [float(gap) for gap in seat.run("return window.gaps;")]


def _rate(seat: Seat, number: int) -> None:
    seat.until("!document.querySelector('#trial').hasAttribute('aria-busy')")
    seat.until(f"document.querySelector('#number').textContent === '{number}'")
    seat.click("#play")
    seat.until("!document.querySelector('fieldset.scale').disabled")
    time.sleep(MORE_SECONDS)
    for scale in ("quality", "contamination"):
        seat.click(f"label.step:has(input[name={scale}][value='{1 + number % 5}'])")
    seat.click("#next")


@contextmanager
def seated(name: str) -> Iterator[Seat]:
    if name == "firefox":
        with firefox() as fox:
            yield fox
        return
    with sync_playwright() as playwright:
        arguments = ["--mute-audio", "--no-sandbox", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=chromium(), args=arguments)
        page = browser.new_page(locale="en-GB", viewport={"width": 390, "height": 844})
        yield Chromium(page, browser.version)
        browser.close()


def run(browser: str, delay_ms: float, *, study: Study, port: int) -> Gaps:
    from listening_test.listener_access import cookie_name
    from tests.journeys.long_study import session_begin

    session = session_begin(study)
    cookie, trials = (cookie_name(study), session.token), session.trials.count()
    with ExitStack() as stack:
        base = stack.enter_context(served.served(port))
        if delay_ms:
            network = BadNetwork(port, faults={}, seed=0, delay=delay_ms / 1000)
            stack.callback(network.close)
            base = network.base_url
        seat = stack.enter_context(seated(browser))
        gaps = measured(seat, address=f"{base}/s/{study.token}/", cookie=cookie, trials=trials)
        return Gaps(browser, seat.version, delay_ms, tuple(gaps))


# ── Telling ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def tables(results: list[Gaps]) -> str:
    rows = [["browser", "every request delayed by", "trials", "median", "95 %", "longest", "within 50 ms"]]
    for result in results:
        told = result.as_dict()
        share = f"{told['within_50_ms']} of {told['trials']}"
        times = [f"{told[name]:.1f} ms" for name in ("median_ms", "p95_ms", "max_ms")]
        rows.append([_name(result), f"{result.delay_ms:g} ms", str(told["trials"]), *times, share])
    bins = [["gap in ms", *(f"{_name(result)}, +{result.delay_ms:g} ms" for result in results)]]
    for name in results[0].histogram:
        bins.append([name, *(_bar(result.histogram[name]) for result in results)])
    return f"{table(rows)}\n\n{table(bins)}"


def _name(result: Gaps) -> str:
    return f"{result.browser.capitalize()} {result.version.split('.')[0]}"


def _bar(count: int) -> str:
    return f"{'█' * -(-count // 4)} {count}" if count else "0"


def _check_there(browsers: set[str]) -> None:
    """Before anything is measured: a browser that is missing would lose what the others have shown."""
    programs = {"chromium": chromium, "firefox": firefox_program}
    missing = [name for name in sorted(browsers) if programs[name]() is None]
    if missing:
        raise SystemExit(f"There is no {' and no '.join(map(str.capitalize, missing))} on this machine; install it.")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--browser", choices=BROWSERS, default="chromium")
    arguments.add_argument("--delay-ms", type=float, default=0.0)
    arguments.add_argument("--json", action="store_true")
    arguments.add_argument("--write", action="store_true", help="both browsers, into docs/performance.md")
    arguments.add_argument("--songs", type=int, default=SONGS, help="12 clips each")
    arguments.add_argument("--port", type=int, default=8430)
    given = arguments.parse_args()
    everything = [(name, delay) for name in BROWSERS for delay in (0.0, 100.0)]
    todo = everything if given.write else [(given.browser, given.delay_ms)]
    _check_there({name for name, _delay in todo})
    with tempfile.TemporaryDirectory() as home:
        served.environment_set(Path(home))
        study = served.study_open(
            songs=given.songs, seconds=SECONDS, minimum_seconds=MINIMUM_SECONDS, block_trials=None
        )
        results = [run(browser, delay, study=study, port=given.port) for browser, delay in todo]
    if given.write:
        tables_write("trial_gap", tables(results))
    if given.json:
        print(json.dumps([result.as_dict() for result in results] if given.write else results[0].as_dict()))
    else:
        print(tables(results))


if __name__ == "__main__":
    main()
