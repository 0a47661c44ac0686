"""What the planner of `listening_test/design` keeps: a simulation of seeded studies of many sizes, and its speed.

    python -m bench.planner                     both parts, as tables (about six minutes on two cores)
    python -m bench.planner --json              one JSON object and nothing else
    python -m bench.planner --write             put the tables into docs/performance.md
    python -m bench.planner --part simulation   or database
    python -m bench.planner --studies 200       fewer than 1,000 studies
    python -m bench.planner --ratings 100000    a smaller database than 1,000,000 ratings

`max_imbalance`: largest difference between the numbers of ratings of two clips of a study, after any number of sessions
finished in order. `max_imbalance_dropouts`: the same where 30 % stop, and where the place is given up while the next
listener is at it and goes to the one after. `adjacent_same_excerpt`: clips of one excerpt back to back in sessions that
could avoid it. `plan_ms_at_1m`: median time of `session_start`, with all its trials stored, the slower database.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from bench.page import machine, table, tables_write
from listening_test.design import (
    Candidate,
    Design,
    PlannedTrial,
    groups_per_session,
    plan,
    same_excerpt_neighbours,
    slot_groups,
)

ROOT = Path(__file__).resolve().parent.parent
STUDIES = 1000
RATINGS = 1_000_000
LARGEST_SESSION = 80  # clips: longer ones are no listening test, and plan alike
SESSIONS = 24  # whose order is looked at in each study
DROPPED = 0.3
LATE = 5  # listeners who come before a drop-out is noticed, in the slower of two cases

Found = dict[str, Any]
Group = tuple[str, str]


def main() -> None:
    asked = _arguments()
    parts = [asked.part] if asked.part else ["simulation", "database"]
    found: Found = {"machine": machine()}
    if "simulation" in parts:
        found |= simulation(asked.studies)
    if "database" in parts:
        found |= databases(asked.ratings)
    if asked.write:
        tables_write("planner", tables(found))
    print(json.dumps(found) if asked.json else tables(found))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/performance.md")
    parser.add_argument("--part", choices=["simulation", "database"], help="only this part")
    parser.add_argument("--studies", type=int, default=STUDIES, help="studies that are simulated (1,000)")
    parser.add_argument("--ratings", type=int, default=RATINGS, help="ratings in the database (1,000,000)")
    return parser.parse_args()


# ── Studies ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Simulated:
    """A made-up study. `is_even`: every excerpt and source has every system."""

    design: Design
    seed: int
    is_even: bool

    @property
    def groups(self) -> list[Group]:
        return [group[0].group for group in self.design.groups()]

    @property
    def size(self) -> int:
        """Groups per session."""
        return groups_per_session(self.design.groups(), self.design.clips_per_listener)

    @property
    def passes(self) -> int:
        """Sessions in which every clip has come round three times."""
        return 3 * math.ceil(len(self.groups) / self.size) + 3


def clips_of(excerpts: int, sources: int, systems: int) -> list[Candidate]:
    return [
        Candidate(f"{excerpt:03}", f"source {source}", f"system {system}", f"{excerpt}/{source}/{system}")
        for excerpt in range(excerpts)
        for source in range(sources)
        for system in range(systems)
    ]


def simulated_study(number: int) -> Simulated:
    """1–20 excerpts, 1–4 sources, 2–8 systems and controls, with all that a study can ask for. A tenth lacks one
    system, as a hidden reference, in some excerpts."""
    rng = random.Random(f"planner {number}")
    excerpts, sources, systems = rng.randint(1, 20), rng.randint(1, 4), rng.randint(2, 8)
    clips = clips_of(excerpts, sources, systems)
    is_even = rng.random() >= 0.1
    if not is_even:
        without = {f"{excerpt:03}" for excerpt in range(excerpts) if rng.random() < 0.5}
        clips = [clip for clip in clips if clip.system != "system 0" or clip.excerpt not in without]
    most = min(len(clips), LARGEST_SESSION)
    unlimited = len(clips) <= LARGEST_SESSION and rng.random() < 0.25
    design = Design(
        clips,
        None if unlimited else rng.randint(min(2 * systems, most), most),
        repeats=rng.choice([0, 0, 1, 2, 4]),
        traps=rng.choice([0, 0, 1, 2, 3]),
        apart=rng.random() < 0.3,
    )
    return Simulated(design, rng.randrange(2**53), is_even)


# ── Simulation ──────────────────────────────────────────────────────────────────────────────────────────────────────


def simulation(count: int) -> Found:
    begun, studies = time.monotonic(), [simulated_study(number) for number in range(count)]
    orders = [order_found(study) for study in studies]
    numbers = [numbers_found(study) for study in studies]
    found: Found = {"studies": count, "seconds": round(time.monotonic() - begun, 1)}
    found["sessions"] = sum(each["sessions"] for each in orders)
    for name in ("adjacent_same_excerpt", "adjacent_same_group", "adjacent_unavoidable"):
        found[name] = sum(each[name] for each in orders)
    for name in ("max_position_imbalance", "max_position_imbalance_two_excerpts", "plan_ms_largest"):
        found[name] = max(each[name] for each in orders)
    found["repeat_distance_least"] = min(each["repeat_distance_least"] for each in orders)
    found["plan_ms_median"] = statistics.median(each["plan_ms_median"] for each in orders)
    for name in ("max_imbalance", "max_imbalance_dropouts", "max_imbalance_dropouts_late", "max_imbalance_settled"):
        found[name] = max(each[name] for each in numbers)
    lags = [each["sessions_until_connected"] - each["earliest"] for each in numbers if each["earliest"]]
    found["sessions_until_connected_beyond_earliest"] = max(lags)
    found["studies_connected"], found["studies_that_can_be"] = sum(lag == 0 for lag in lags), len(lags)
    found["sessions_until_connected"] = max(each["sessions_until_connected"] for each in numbers if each["earliest"])
    return found


def order_found(study: Simulated) -> Found:
    """What holds of the order of the first sessions."""
    sessions, times = [], []
    for slot in range(SESSIONS):
        begun = time.perf_counter()
        sessions.append(plan(study.design, seed=study.seed, slot=slot))
        times.append(1000 * (time.perf_counter() - begun))
    parts = [part for trials in sessions for part in _by_scale(trials)]
    unavoidable = sum(map(_unavoidable, parts))
    several = [trials for trials in sessions if len({trial.clip.excerpt for trial in trials}) > 1]
    positions = position_imbalance(study, sessions) if study.is_even else 0
    has_two = study.size < 3 or len({excerpt for excerpt, _source in study.groups}) == 2
    return {
        "sessions": len(sessions),
        "adjacent_same_excerpt": sum(map(same_excerpt_neighbours, several)) - unavoidable,
        "adjacent_same_group": sum(_group_neighbours(trials) for trials in sessions if study.size > 1),
        "adjacent_unavoidable": unavoidable,
        "max_position_imbalance": 0 if has_two else positions,
        "max_position_imbalance_two_excerpts": positions if has_two else 0,
        "repeat_distance_least": min((_repeat_distance(part) for part in parts if len(part) >= 12), default=1.0),
        "plan_ms_median": statistics.median(times),
        "plan_ms_largest": max(times),
    }


def _by_scale(trials: Sequence[PlannedTrial]) -> list[list[PlannedTrial]]:
    scales = dict.fromkeys(trial.scale for trial in trials)
    return [[trial for trial in trials if trial.scale == scale] for scale in scales]


def _unavoidable(trials: Sequence[PlannedTrial]) -> int:
    """Neighbours that no order could keep apart, where there are several excerpts."""
    excerpts = Counter(trial.clip.excerpt for trial in trials)
    largest = max(excerpts.values())
    return max(0, 2 * largest - 1 - len(trials)) if len(excerpts) > 1 else 0


def _group_neighbours(trials: Sequence[PlannedTrial]) -> int:
    return sum(one.clip.group == other.clip.group for one, other in pairwise(trials))


def _repeat_distance(trials: Sequence[PlannedTrial]) -> float:
    """Of the clip that comes back soonest, as a share of the trials."""
    first = {trial.key: place for place, trial in enumerate(trials) if not trial.repeat and trial.instructed is None}
    distances = [place - first[trial.key] for place, trial in enumerate(trials) if trial.repeat]
    return min(distances, default=len(trials)) / len(trials)


def position_imbalance(study: Simulated, sessions: Iterable[Sequence[PlannedTrial]]) -> int:
    """Largest difference, at any place after any number of sessions, between how often two systems stood there."""
    systems = sorted({clip.system for clip in study.design.clips})
    times: dict[tuple[str, int], Counter[str]] = {}
    worst = 0
    for trials in sessions:
        for part in _by_scale(trials):
            rated = [trial for trial in part if not trial.repeat and trial.instructed is None]
            for place, trial in enumerate(rated):
                here = times.setdefault((trial.scale, place), Counter())
                here[trial.clip.system] += 1
                worst = max(worst, max(here.values()) - min(here[system] for system in systems))
    return worst


# ── How often each clip, and what hangs together ────────────────────────────────────────────────────────────────────


def numbers_found(study: Simulated) -> Found:
    """All clips of a group are heard by the same listeners, so groups are counted."""
    in_order = [_groups(study, slot) for slot in range(study.passes)]
    return {
        "max_imbalance": max(imbalances(study.groups, in_order)),
        "max_imbalance_dropouts": max(imbalances(study.groups, _finished(study, noticed_after=1))),
        "max_imbalance_dropouts_late": max(imbalances(study.groups, _finished(study, noticed_after=LATE))),
        "max_imbalance_settled": settled_imbalance(study),
        "sessions_until_connected": sessions_until_connected(in_order, len(study.groups)),
        "earliest": earliest(len(study.groups), study.size),
    }


def _groups(study: Simulated, slot: int) -> set[Group]:
    return {group[0].group for group in slot_groups(study.design, seed=study.seed, slot=slot)}


def imbalances(groups: Iterable[Group], sessions: Iterable[Iterable[Group]]) -> Iterator[int]:
    """After each of the sessions, the difference between most and fewest."""
    times = dict.fromkeys(groups, 0)
    yield 0
    for session in sessions:
        for group in session:
            times[group] += 1
        yield max(times.values()) - min(times.values())


def _arrivals(study: Simulated, noticed_after: int) -> Iterator[tuple[int, bool]]:
    """The slot of each listener who comes, and whether they finish. The lowest place that was given up goes first."""
    rng = random.Random(f"drop-outs {study.seed} {noticed_after}")
    new, free, silent = 0, set[int](), list[tuple[int, int]]()
    for arrival in range(2 * study.passes):
        free |= {slot for noticed, slot in silent if noticed <= arrival}
        silent = [(noticed, slot) for noticed, slot in silent if noticed > arrival]
        slot = min(free, default=new)
        new += slot == new
        free.discard(slot)
        finishes = rng.random() >= DROPPED
        if not finishes:
            silent.append((arrival + 1 + noticed_after, slot))
        yield slot, finishes


def _finished(study: Simulated, noticed_after: int) -> Iterator[set[Group]]:
    return (_groups(study, slot) for slot, finishes in _arrivals(study, noticed_after) if finishes)


def settled_imbalance(study: Simulated) -> int:
    """At the end, when the places that were still silent have been given up, taken and finished as well."""
    through = {slot for slot, _finishes in _arrivals(study, LATE)}
    return list(imbalances(study.groups, (_groups(study, slot) for slot in sorted(through))))[-1]


def linked(sessions: Iterable[set[Group]]) -> list[set[Group]]:
    """The parts of the graph of listeners and clips, as the groups in them."""
    parts: list[set[Group]] = []
    for session in sessions:
        touched = [part for part in parts if part & session]
        parts = [part for part in parts if not part & session] + [session.union(*touched)]
    return parts


def sessions_until_connected(sessions: Sequence[set[Group]], groups: int) -> int:
    """How many it takes until everything hangs together; one more than there are where it never does."""
    parts: list[set[Group]] = []
    for number, session in enumerate(sessions, start=1):
        parts = linked([*parts, session])
        if len(parts) == 1 and len(parts[0]) == groups:
            return number
    return len(sessions) + 1


def earliest(groups: int, size: int) -> int:
    """After so many sessions of `size` groups all can hang together, where nothing is given again before everything was
    given once; 0 where that cannot be.

    Until then sessions have nothing in common; then each can link as many parts as it has groups. The one that the
    first pass cannot fill begins with what is new.
    """
    if size == groups or size < 2:
        return int(size == groups)
    if 2 * size > groups:
        return 2
    sessions, new = divmod(groups, size)
    parts = sessions
    if new:
        sessions, parts = sessions + 1, max(1, parts + 1 - (size - new))
    return sessions + -(-(parts - 1) // (size - 1))


# ── Speed ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def databases(ratings: int) -> Found:
    """Each in a process of its own, since Django knows one database from its start."""
    from tests.config.postgres import postgres, programs

    found: Found = {"ratings": ratings, "sqlite": _database("", ratings)}
    if folder := programs():
        with postgres(folder) as url:
            found["postgresql"] = _database(url, ratings)
    found["plan_ms_at_1m"] = max(found[name]["plan_ms"] for name in ("sqlite", "postgresql") if name in found)
    return found


def _database(url: str, ratings: int) -> Found:
    command = [sys.executable, "-W", "ignore", "-m", "bench.planner_database", "--ratings", str(ratings)]
    with tempfile.TemporaryDirectory(prefix="stemmos-planner-") as home:
        environment = {**os.environ, "BENCH_HOME": home, "BENCH_DATABASE_URL": url}
        done = subprocess.run(command, check=True, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    answer: Found = json.loads(done.stdout.splitlines()[-1])
    return answer


# ── Tables ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def tables(found: Found) -> str:
    said = [f"**Machine:** {found['machine']}."]
    if "studies" in found:
        said.append(_simulation_table(found))
    if "sqlite" in found:
        said.append(_database_table(found))
    return "\n\n".join(said)


def _simulation_table(found: Found) -> str:
    connected = f"{found['studies_connected']:,} of {found['studies_that_can_be']:,}"
    rows = [
        [f"{found['studies']:,} seeded studies, {found['sessions']:,} sessions", "found", "wanted"],
        ["ratings of two clips differ by at most, after any number of sessions", str(found["max_imbalance"]), "1"],
        [
            "the same with 30 % drop-outs, refilled by the second listener after",
            str(found["max_imbalance_dropouts"]),
            "2",
        ],
        [
            f"the same where {LATE} listeners come before a drop-out is noticed",
            str(found["max_imbalance_dropouts_late"]),
            "",
        ],
        ["and when the places given up last are through as well", str(found["max_imbalance_settled"]), "1"],
        ["all listeners and clips linked as early as equal numbers allow", connected, "all"],
        [
            "clips of one excerpt back to back, where it can be avoided",
            str(found["adjacent_same_excerpt"]),
            "0",
        ],
        ["clips of one excerpt and source back to back", str(found["adjacent_same_group"]), "0"],
        [
            "two systems at one place differ by at most, after any number of sessions",
            str(found["max_position_imbalance"]),
            "1",
        ],
        [
            "the same in sessions of two excerpts, with attention checks or repeats between them",
            str(found["max_position_imbalance_two_excerpts"]),
            "",
        ],
        ["a repeat comes back after at least, of the session", f"{found['repeat_distance_least']:.0%}", ""],
        ["one plan, median", f"{found['plan_ms_median']:.1f} ms", ""],
    ]
    return table(rows)


def _database_table(found: Found) -> str:
    head = [
        "`session_start`, ms",
        "a new place",
        "a given-up place",
        "95 % within",
        "of it on the processor",
        "without ratings",
    ]
    rows = [head]
    for name, words in (("sqlite", "SQLite"), ("postgresql", "PostgreSQL")):
        if name in found:
            here = found[name]
            words = f"{words}, {here['ratings']:,} ratings, {here['sessions']:,} sessions"
            cells = [here["new_ms"], here["given_up_ms"], here["p95_ms"], here["processor_ms"], here["empty_ms"]]
            rows.append([words, *(f"{cell:.1f}" for cell in cells)])
    return table(rows)


if __name__ == "__main__":
    main()
