"""Kills parts of the running service at random moments and says what was found afterwards.

    python -m bench.survival                       30 runs and the single scenarios; prints the table
    python -m bench.survival --runs 30 --json FILE also writes all of it as JSON
    python -m bench.survival --write               and puts the table into docs/survival.md

Real Redis, Celery workers and gunicorn, the demo weights, songs of eight seconds, a home of its own that is deleted
afterwards. Everything is drawn from --seed. Exit status 1 where anything was found that should not be.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.survival.house import House, environment_set


def main() -> int:
    asked = arguments()
    home = Path(tempfile.mkdtemp(prefix="stemmos-survival-"))
    environment_set(home)
    prepare()
    house = House(home, asked.port)
    try:
        house.start()
        result = survived(house, asked)
    finally:
        house.stop()
        if not asked.keep:
            shutil.rmtree(home, ignore_errors=True)
    return told(result, asked)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Kill parts of the service and look at what is left of its work.")
    parser.add_argument("--runs", type=int, default=30, help="runs with one part killed at a random moment")
    parser.add_argument("--scenarios", default="all", help="names with commas, all, or none")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--port", type=int, default=8300)
    parser.add_argument("--json", type=Path, help="a file for all that was found")
    parser.add_argument("--write", action="store_true", help="put the table into docs/survival.md")
    parser.add_argument("--keep", action="store_true", help="keep the home, with its logs")
    return parser.parse_args()


def prepare() -> None:
    import os

    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from django.core.management import call_command

    call_command("prepare", "--json", stdout=sys.stderr)


def survived(house: House, asked: argparse.Namespace) -> dict[str, Any]:
    from bench.survival.runs import KINDS, Workload
    from bench.survival.scenarios import Scenarios

    began, work, chance = time.monotonic(), Workload(house), random.Random(asked.seed)
    undisturbed = work.learn()
    say("undisturbed", undisturbed.as_json())
    kinds = [KINDS[number % len(KINDS)] for number in range(asked.runs)]
    chance.shuffle(kinds)
    runs, singles = [], []
    for number, kind in enumerate(kinds, 1):
        runs.append(work.run(kind, chance).as_json())
        say(f"{number}/{asked.runs} {kind}", runs[-1])
    for name, scenario in Scenarios(house, work).all().items():
        if asked.scenarios == "all" or name in asked.scenarios.split(","):
            singles.append(scenario().as_json())
            say(name, singles[-1])
    seconds = round(time.monotonic() - began)
    return {
        "seed": asked.seed,
        "seconds": seconds,
        "undisturbed": undisturbed.as_json(),
        "runs": runs,
        "scenarios": singles,
    }


def say(what: str, found: dict[str, Any]) -> None:
    detail = found.get("outcome") or f"{found.get('after')} s in, quiet after {found.get('seconds', 0):.1f} s"
    faults = found["faults"] or "nothing wrong"
    print(f"{what}: {found.get('skipped') or detail}; {faults} {found.get('upload', '')}", flush=True)


def told(result: dict[str, Any], asked: argparse.Namespace) -> int:
    from bench.survival.table import page_written, tables

    if asked.json:
        asked.json.write_text(json.dumps(result, indent=1) + "\n")
    print("\n" + tables(result))
    if asked.write:
        page_written(tables(result))
    return int(any(each["faults"] for each in [*result["runs"], *result["scenarios"]]))


if __name__ == "__main__":
    sys.exit(main())
