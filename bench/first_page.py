"""What a listener's pages weigh without their sound, and when the first one can be used on a slow phone.

    python -m bench.first_page             a table
    python -m bench.first_page --json      one JSON object and nothing else
    python -m bench.first_page --weights   the weights alone, which are the same at every run

gunicorn and the static files are those of service (`config/processes.py`, `manage.py prepare`). Each page is opened in
a browser that has seen nothing before, and what Chromium counts as received over the network is added up, headers
included, for all but sounds. The slow phone is Chromium's own: processor 4 times slower, 1.6 Mbit/s down, 0.75 up,
150 ms to the server and back. The page can be used when its button has been painted and every script has run; what
is given is the median and the slowest of the runs, from the tap on the link on.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from bench.page import machine, table
from bench.served import environment_set, served, study_open

MOST_BYTES, MOST_MS = 60_000, 1_000
SLOWER, DOWN_BITS, UP_BITS, ROUND_TRIP_MS = 4, 1_600_000, 750_000, 150
RUNS = 7
SOUND = ("/clip/", "/sound/")
STEPS = ("equipment", "questionnaire", "instructions", "calibration", "practice", "trials", "closing", "done")

Found = dict[str, Any]

USABLE = """() => {
  const [page] = performance.getEntriesByType('navigation');
  const paints = performance.getEntriesByName('first-contentful-paint');
  return Math.max(page.domContentLoadedEventEnd, ...paints.map((paint) => paint.startTime));
}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    parser.add_argument("--weights", action="store_true", help="leave out the times")
    parser.add_argument("--port", type=int, default=8461)
    asked = parser.parse_args()
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright's loop runs in this thread
    with tempfile.TemporaryDirectory() as home:
        environment_set(Path(home))
        found = _measured(asked)
    print(json.dumps(found) if asked.json else _shown(found))


def _measured(asked: argparse.Namespace) -> Found:
    from playwright.sync_api import sync_playwright

    from tests.needs import chromium

    study = study_open(songs=2, seconds=2.0, practice=True, show_mixture=True, loop_allowed=True, equipment=_checks())
    options = ["--mute-audio", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with served(asked.port) as base, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=options)
        pages = {name: _weighed(browser, base, path, cookie) for name, path, cookie in _addresses(study)}
        found: Found = {"machine": machine(), "pages": pages, "heaviest": max(page["bytes"] for page in pages.values())}
        if not asked.weights:
            found["usable_ms"] = _timed(browser, f"{base}/s/{study.token}/")
        browser.close()
    return found


def _checks() -> dict[str, str]:
    from listening_test.equipment import DEFAULT

    return dict(DEFAULT)


def _addresses(study: Any) -> list[tuple[str, str, dict[str, str]]]:
    """(name, path, cookie) of every page."""
    from django.utils import timezone

    from listening_test.listener_access import cookie_name
    from tests.listening_test.visits import session_at

    page = f"/s/{study.token}/"
    addresses: list[tuple[str, str, dict[str, str]]] = [("consent", page, {})]
    for step in STEPS:
        session = session_at(study, "closing" if step == "done" else step)
        if step == "done":
            session.step, session.completed_at = step, timezone.now()
            session.save()
        addresses.append((step, page, {cookie_name(study): session.token}))
    return [*addresses, ("my code", f"{page}code/", addresses[-1][2]), ("my data", "/me/", {})]


def _weighed(browser: Any, base: str, path: str, cookies: dict[str, str]) -> Found:
    """Bytes on the wire of a first visit, by kind; sounds apart."""
    context = browser.new_context(viewport={"width": 360, "height": 740}, locale="es")
    context.add_cookies([{"name": name, "value": value, "url": base} for name, value in cookies.items()])
    page = context.new_page()
    devtools = context.new_cdp_session(page)
    devtools.send("Network.enable")
    kinds: dict[str, str] = {}
    weights: dict[str, int] = {}
    devtools.on("Network.responseReceived", lambda event: kinds.update({event["requestId"]: _kind(event)}))
    devtools.on(
        "Network.loadingFinished", lambda event: weights.update({event["requestId"]: int(event["encodedDataLength"])})
    )
    page.goto(base + path)
    page.wait_for_load_state("networkidle")
    context.close()
    by_kind: dict[str, int] = {}
    for request, size in weights.items():
        by_kind[kinds.get(request, "Other")] = by_kind.get(kinds.get(request, "Other"), 0) + size
    sound = by_kind.pop("Sound", 0)
    return {"bytes": sum(by_kind.values()), "requests": len(weights), **by_kind, "sound": sound}


def _kind(event: dict[str, Any]) -> str:
    address = event["response"]["url"]
    return "Sound" if any(place in address for place in SOUND) else str(event["type"])


def _timed(browser: Any, address: str) -> Found:
    times = []
    for _run in range(RUNS):
        context = browser.new_context(viewport={"width": 360, "height": 740}, locale="es")
        page = context.new_page()
        devtools = context.new_cdp_session(page)
        devtools.send("Network.enable")
        devtools.send(
            "Network.emulateNetworkConditions",
            {
                "offline": False,
                "latency": ROUND_TRIP_MS,
                "downloadThroughput": DOWN_BITS / 8,
                "uploadThroughput": UP_BITS / 8,
            },
        )
        devtools.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
        page.goto(address)
        page.locator("main form button.primary").wait_for(state="visible")
        times.append(float(page.evaluate(USABLE)))
        context.close()
    return {"median": round(median(times)), "slowest": round(max(times)), "runs": RUNS}


def _shown(found: Found) -> str:
    rows = [["page", "bytes", "requests", "page itself", "styles", "scripts"]]
    for name, page in found["pages"].items():
        parts = [str(page.get(kind, 0)) for kind in ("Document", "Stylesheet", "Script")]
        rows.append([name, str(page["bytes"]), str(page["requests"]), *parts])
    lines = [found["machine"], "", table(rows), "", f"heaviest: {found['heaviest']} bytes (at most {MOST_BYTES})"]
    if times := found.get("usable_ms"):
        lines.append(f"first page usable after {times['median']} ms, slowest {times['slowest']} ms (at most {MOST_MS})")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
