"""A study as in the paper, with all its listeners at once: do all come through, and is the design what it should be?

    python -m bench.listeners                        SQLite, and PostgreSQL where there is one, as a table
    python -m bench.listeners --listeners 16 --json  one JSON object and nothing else
    python -m bench.listeners --abuse                also: 10,000 answers of one session as fast as they can be sent

10 songs, 4 sources, 3 systems, both scales: 120 clips, which every listener hears and rates. Each listener is a thread
that speaks the HTTP of the listeners' page with no page around it (`bench.visitor`), to gunicorn as it is run in
service, with the project's own settings. Nobody may rate what was not heard, and the server counts the time by its own
clock; so clips last 1 s here, the shortest that a study may have, and each trial takes that long. A session may send
240 requests a minute, which such short clips exceed: who is turned away waits as long as told, as the page does.

What is stored is looked at afterwards: complete sessions, ratings per clip and scale, duplicates, orders.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from statistics import quantiles
from typing import Any

from bench.page import machine, table
from bench.served import ROOT, environment_set, served, study_open
from bench.visitor import Visitor

SONGS, SECONDS = 10, 1.0
FLOOD, FLOOD_THREADS, BYSTANDERS = 10_000, 8, 4

Found = dict[str, Any]


def main() -> None:
    asked = _arguments()
    if asked.child:
        print(json.dumps(_one(asked)))
        return
    found: Found = {"machine": machine(), "sqlite": _in_child(asked, "")}
    if postgres := _postgres():
        with postgres as url:
            found["postgresql"] = _in_child(asked, url)
    print(json.dumps(found) if asked.json else _shown(found))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--listeners", type=int, default=16)
    parser.add_argument("--songs", type=int, default=SONGS)
    parser.add_argument("--abuse", action="store_true", help="then flood the server from one session")
    parser.add_argument("--port", type=int, default=8460)
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--database", default="", help=argparse.SUPPRESS)
    return parser.parse_args()


def _in_child(asked: argparse.Namespace, database: str) -> Found:
    """A process for each database: Django knows one."""
    command = [sys.executable, "-m", "bench.listeners", "--child", "--database", database]
    command += ["--listeners", str(asked.listeners), "--songs", str(asked.songs), "--port", str(asked.port)]
    command += ["--abuse"] if asked.abuse else []
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    answer: Found = json.loads(done.stdout.splitlines()[-1])
    return answer


def _postgres() -> Any:
    from tests.config.postgres import postgres, programs

    folder = programs()
    return postgres(folder) if folder else nullcontext()


def _one(asked: argparse.Namespace) -> Found:
    with tempfile.TemporaryDirectory() as home:
        environment_set(Path(home), database_url=asked.database)
        study = study_open(songs=asked.songs, seconds=SECONDS, practice=False, block_trials=None)
        with served(asked.port) as base:
            found = _listened(base, study.token, asked.listeners)
            found |= _stored(study)
            if asked.abuse:
                found["abuse"] = _flooded(base, study)
    return found


# ── All at once ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _listened(base: str, token: str, listeners: int) -> Found:
    visitors = [Visitor(base, token) for _listener in range(listeners)]
    began = time.monotonic()
    with ThreadPoolExecutor(listeners) as pool:
        codes = list(pool.map(lambda numbered: numbered[1].visit(numbered[0]), enumerate(visitors)))
    seconds = time.monotonic() - began
    timings = [timing for visitor in visitors for timing in visitor.timings]
    return {
        "listeners": listeners,
        "codes": len(set(codes)),
        "seconds": round(seconds, 1),
        "requests": len(timings),
        "requests_per_second": round(len(timings) / seconds, 1),
        "turned_away": sum(visitor.turned_away for visitor in visitors),
        "latency_ms": {door: _percentiles(timings, door) for door in sorted({door for door, _time in timings})},
    }


def _percentiles(timings: Sequence[tuple[str, float]], door: str) -> dict[str, float]:
    values = [1000 * seconds for name, seconds in timings if name == door]
    cuts = quantiles([*values, values[0]], n=20, method="inclusive")
    return {"count": len(values), "p50": round(cuts[9], 1), "p95": round(cuts[18], 1), "max": round(max(values), 1)}


# ── What is stored ──────────────────────────────────────────────────────────────────────────────────────────────────


def _stored(study: Any) -> Found:
    from listening_test.models import Rating, Trial

    sessions = study.sessions.filter(completed_at__isnull=False, step="done")
    trials = Trial.objects.filter(session__in=sessions, finished_at__isnull=False)
    rated = Counter(Rating.objects.filter(trial__in=trials).values_list("trial__clip", "scale"))
    pairs = Counter(Rating.objects.values_list("trial", "scale"))
    orders = {
        tuple(session.trials.order_by("position").values_list("clip", flat=True)) for session in sessions.iterator()
    }
    places = Counter(trials.values_list("clip__system", "position"))
    return {
        "sessions_begun": study.sessions.count(),
        "sessions_complete": sessions.count(),
        "trials_each": sorted({session.trials.count() for session in sessions.iterator()}),
        "ratings": Rating.objects.count(),
        "clips": study.clips.filter(purpose="test").count(),
        "ratings_per_clip_and_scale": [min(rated.values()), max(rated.values())],
        "clips_rated": len({clip for clip, _scale in rated}),
        "duplicates": sum(count - 1 for count in pairs.values()),
        "different_orders": len(orders),
        "system_at_a_place": [
            min(places[key] for key in places),
            max(places[key] for key in places),
        ],
    }


# ── A flood ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _flooded(base: str, study: Any) -> Found:
    """One session sends answers to one trial as fast as it can, while some others go on."""
    bully = Visitor(base, study.token)
    bully.visit(trials=0)
    trial = bully.send("GET", "").json()["trial"]
    bully.send("POST", "trials/0/opened/")
    time.sleep(trial["seconds"])
    bully.send("POST", "trials/0/heard/", {"seconds": trial["seconds"], "plays": 1})
    others = [Visitor(base, study.token) for _bystander in range(BYSTANDERS)]
    with ThreadPoolExecutor(BYSTANDERS) as pool:
        list(pool.map(lambda other: other.visit(trials=0), others))
    over = threading.Event()
    with ThreadPoolExecutor(FLOOD_THREADS + BYSTANDERS) as pool:
        waiting = [pool.submit(_go_on, other, over) for other in others]
        began = time.monotonic()
        sent = [pool.submit(_flood, bully, number) for number in range(FLOOD_THREADS)]
        statuses: Counter[int] = Counter()
        for part in sent:
            statuses.update(part.result())
        seconds = time.monotonic() - began
        over.set()
        served_meanwhile = [seconds for one in waiting for seconds in one.result()]
    return {
        "sent": sum(statuses.values()),
        "seconds": round(seconds, 1),
        "statuses": {str(status): count for status, count in sorted(statuses.items())},
        "sentence": bully.ask("GET", bully.api).json().get("detail", ""),
        "others_latency_ms": _percentiles([("others", seconds) for seconds in served_meanwhile], "others"),
        **_stored_of_the_flood(study, bully),
    }


def _flood(bully: Visitor, number: int) -> Counter[int]:
    mine = Visitor(bully.base, bully.token, cookies=dict(bully.cookies))
    statuses: Counter[int] = Counter()
    for count in range(FLOOD // FLOOD_THREADS):
        body = {"value": 1 + count % 5, "key": f"{number:08x}-0000-4000-8000-{count:012x}", "changes": count}
        answer = mine.ask(
            "PUT", mine.api + "trials/0/ratings/quality/", json.dumps(body).encode(), "application/json", "flood"
        )
        statuses[answer.status] += 1
    return statuses


def _go_on(other: Visitor, over: threading.Event) -> list[float]:
    """A request twice a second, as a listener makes them."""
    times = []
    while not over.wait(0.5):
        began = time.perf_counter()
        other.send("GET", "")
        times.append(time.perf_counter() - began)
    return times


def _stored_of_the_flood(study: Any, bully: Visitor) -> Found:
    session = study.sessions.get(token=bully.cookies[f"listen_{study.token}"])
    rows = [rating for trial in session.trials.all() for rating in trial.ratings.all()]
    return {
        "rows_stored": len(rows),
        "values_on_the_scale": all(1 <= rating.value <= 5 for rating in rows),
        "trials_finished": session.trials.filter(finished_at__isnull=False).count(),
    }


# ── Shown ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _shown(found: Found) -> str:
    databases = [name for name in ("sqlite", "postgresql") if name in found]
    rows = [["", *databases]]
    for key in found["sqlite"]:
        if key not in ("latency_ms", "abuse"):
            rows.append([key.replace("_", " "), *(_plain(found[name][key]) for name in databases)])
    for door in found["sqlite"]["latency_ms"]:
        told = [found[name]["latency_ms"][door] for name in databases]
        rows.append([f"{door}: p50 / p95 ms", *(f"{one['p50']} / {one['p95']}" for one in told)])
    for key in found["sqlite"].get("abuse", {}):
        rows.append([f"flood: {key.replace('_', ' ')}", *(_plain(found[name]["abuse"][key]) for name in databases)])
    return f"{found['machine']}\n\n{table(rows)}"


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}: {part}" for name, part in value.items())
    return "–".join(map(str, value)) if isinstance(value, list) else str(value)


if __name__ == "__main__":
    main()
