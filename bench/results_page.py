"""The results page of a large study: how fast it is there, and how long new ratings take to get into it.

    python -m bench.results_page                     a study with 1,000,000 ratings, as a table (a few minutes)
    python -m bench.results_page --json              one JSON object and nothing else
    python -m bench.results_page --write             put the table into docs/performance.md
    python -m bench.results_page --ratings 100000    a smaller study

A study as in the paper (10 songs, 4 sources, 3 systems), 24 clips per listener on two scales, behind the project's own
web server, on SQLite. `page_ms`: median time of the whole page over HTTP, once computed; `page_first_ms`: the first
time in a new web process; `page_during_ms`: the slowest while new ratings are being computed; `state_ms`: of what the
page asks every few seconds; `compute_seconds`, `compute_peak_mb`: of the background work, in a process of its
own; `behind_seconds`: from a listener's last rating until the page shows it.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.page import machine, table, tables_write
from bench.served import ROOT, environment_set, served

if TYPE_CHECKING:
    from listening_test.models import Study

RATINGS = 1_000_000
ASKED = 20  # times that a page is asked for
MEANS = {"umxhq": 2, "spleeter:4stems": 3, "htdemucs": 4}

Found = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ratings", type=int, default=RATINGS)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--compute", help=argparse.SUPPRESS)  # the study's id: the work of the background, in a child
    asked = parser.parse_args()
    if asked.compute:
        print(json.dumps(computed_here(asked.compute)))
        return
    found = measured(asked.ratings)
    if asked.json:
        print(json.dumps(found))
        return
    text = tables(found)
    print(text)
    if asked.write:
        tables_write("results page", text)


def measured(ratings: int) -> Found:
    with tempfile.TemporaryDirectory(prefix="stemmos-results-") as home:
        environment_set(Path(home))
        study = study_filled(ratings)
        first = computed(study)
        with served(free_port()) as base:
            return {
                "machine": machine(),
                "ratings": ratings,
                "listeners": study.sessions.filter(completed_at__isnull=False).count(),
                "compute_seconds": first["seconds"],
                "compute_peak_mb": first["peak_mb"],
                **pages_asked(base, study),
            }


# ── A study with many ratings ───────────────────────────────────────────────────────────────────────────────────────

VALUES = """
    UPDATE listening_test_rating SET value = max(1, min(5, abs(random()) % 3 - 1 + (
        SELECT CASE system {cases} END FROM listening_test_trial
        JOIN listening_test_clip ON listening_test_clip.id = clip_id
        WHERE listening_test_trial.id = trial_id)))
"""


def study_filled(ratings: int) -> Study:
    """Systems a point apart, and listeners who waver by one."""
    from django.db import connection
    from django.utils import timezone

    from bench.planner_database import CLIPS_PER_LISTENER, SONGS, SOURCES, SYSTEMS, fill
    from listening_test.models import Trial
    from tests.analysis.factories import study_make

    titles = [f"Song {number + 1}" for number in range(SONGS)]
    study = study_make(titles=titles, sources=SOURCES, systems=SYSTEMS, trials_per_listener=CLIPS_PER_LISTENER)
    fill(study, sessions=-(-ratings // (2 * CLIPS_PER_LISTENER)))
    cases = " ".join(f"WHEN '{system}' THEN {mean}" for system, mean in MEANS.items())
    with connection.cursor() as cursor:
        cursor.execute(VALUES.format(cases=cases))
    earlier = timezone.now() - timedelta(minutes=5)
    Trial.objects.update(opened_at=earlier, heard_at=earlier)  # nobody answered too fast
    counts = {"rating_count": 2 * CLIPS_PER_LISTENER, "rating_changes": 3 * CLIPS_PER_LISTENER}
    study.sessions.filter(completed_at__isnull=False).update(**counts)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return study


# ── The background ──────────────────────────────────────────────────────────────────────────────────────────────────


def computed(study: Study) -> Found:
    with computing(study) as work:
        answer: Found = json.loads(work.communicate()[0].splitlines()[-1])
    return answer


def computing(study: Study) -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "ignore", "-m", "bench.results_page", "--compute", str(study.id)]
    return subprocess.Popen(command, cwd=ROOT, env=dict(os.environ), stdout=subprocess.PIPE, text=True)


def computed_here(study_id: str) -> Found:
    import django

    django.setup()
    from analysis import tasks

    begun = time.perf_counter()
    tasks.compute(study_id)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": time.perf_counter() - begun, "peak_mb": peak}


# ── The page ────────────────────────────────────────────────────────────────────────────────────────────────────────


def pages_asked(base: str, study: Study) -> Found:
    headers = {"Cookie": f"sessionid={researcher_session()}", "Accept-Language": "en"}
    page, state = f"{base}/studies/{study.id}/results/", f"{base}/api/v1/studies/{study.id}/results/state/"
    first, body = timed(page, headers)
    if "Which system sounds best" not in body:
        raise SystemExit("the page does not show the results")
    pages = [timed(page, headers)[0] for _time in range(ASKED)]
    states = [timed(state, headers)[0] for _time in range(ASKED)]
    return {
        "page_first_ms": first,
        "page_ms": statistics.median(pages),
        "page_max_ms": max(pages),
        "page_kb": len(body.encode()) / 1000,
        "state_ms": statistics.median(states),
        **new_ratings(study, page, state, headers),
    }


def new_ratings(study: Study, page: str, state: str, headers: dict[str, str]) -> Found:
    """One more listener; the page is asked for again and again while the report is computed anew."""
    from tests.analysis.factories import rate_all, session_make

    begun = time.perf_counter()
    clips = list(study.clips.all()[:24])
    rate_all(session_make(study, slot=None), lambda *_of: 4, clips=clips)
    wanted = json.loads(timed(state, headers)[1])
    if "new ratings are being added" not in wanted["news"]:
        raise SystemExit("the page does not tell of the new ratings")
    during = []
    with computing(study) as work:
        while work.poll() is None:
            during.append(timed(page, headers)[0])
            time.sleep(0.05)
    shown = json.loads(timed(state, headers)[1])
    if shown["shown"] != wanted["version"]:
        raise SystemExit(f"the new ratings did not get into the page: {shown} {wanted}")
    return {"page_during_ms": max(during), "behind_seconds": time.perf_counter() - begun}


def researcher_session() -> str:
    from django.contrib.auth.models import User
    from django.test import Client

    client = Client()
    researcher = User.objects.create_user("bench", is_staff=True)
    client.force_login(researcher, backend="django.contrib.auth.backends.ModelBackend")
    return client.cookies["sessionid"].value


def timed(address: str, headers: dict[str, str]) -> tuple[float, str]:
    """Milliseconds to the last byte, and what came."""
    begun = time.perf_counter()
    with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=120) as answer:
        body = answer.read().decode()
    return 1000 * (time.perf_counter() - begun), body


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def tables(found: Found) -> str:
    rows = [
        [f"{found['ratings']:,} ratings of {found['listeners']:,} listeners", "measured", "wanted"],
        ["the page, once computed, median", f"{found['page_ms']:.0f} ms", "≤ 300 ms"],
        ["the same, the first time in a new web process", f"{found['page_first_ms']:.0f} ms", ""],
        ["the same, slowest while new ratings are being computed", f"{found['page_during_ms']:.0f} ms", ""],
        ["its question whether there is anything new, median", f"{found['state_ms']:.0f} ms", ""],
        ["size of the page", f"{found['page_kb']:.0f} kB", ""],
        ["computing in the background, two languages", f"{found['compute_seconds']:.0f} s", ""],
        ["memory of that at most", f"{found['compute_peak_mb']:,.0f} MB", ""],
        ["from a rating until the page shows it", f"{found['behind_seconds']:.0f} s", ""],
    ]
    return f"**Machine:** {found['machine']}.\n\n" + table(rows)


if __name__ == "__main__":
    main()
