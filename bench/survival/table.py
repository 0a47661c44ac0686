"""The tables of docs/survival.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parents[2] / "docs" / "survival.md"
MARKS = ("<!-- tables: begin -->", "<!-- tables: end -->")
NAMES = {
    "worker": "the worker",
    "child": "one pool child",
    "redis": "Redis",
    "web": "the web server, during an upload or after its answer",
    "light": "the light worker",
}
COUNTS = ("jobs", "done", "again", "cancelled", "unended", "missing", "doubled", "damaged", "different", "fileless")
HEAD = (
    "| killed (SIGKILL) | times | jobs | done | of them at a later attempt | failed, with a reason | "
    "not ended | stems missing | doubled | half written | not as undisturbed | rows without file | "
    "files without row: at once | after the sweep | longest until quiet |"
)


def tables(result: dict[str, Any]) -> str:
    return f"{killed_table(result['runs'])}\n\n{scenario_table(result['scenarios'])}\n\n{notes(result)}"


def killed_table(runs: list[dict[str, Any]]) -> str:
    rows = [HEAD, "|" + "---|" * (HEAD.count("|") - 1)]
    for kind, name in NAMES.items():
        rows.append(_row(name, [run for run in runs if run["killed"] == kind]))
    return "\n".join([*rows, _row("**all**", runs)])


def _row(name: str, runs: list[dict[str, Any]]) -> str:
    sums = {count: sum(run["found"][count] for run in runs) for count in COUNTS}
    failed = sum(sum(run["found"]["failed"].values()) for run in runs)
    orphans = sum(len(run["found"]["orphans"]) for run in runs)
    cells = [name, len(runs), sums["jobs"], sums["done"], sums["again"], failed, sums["unended"], sums["missing"]]
    cells += [sums["doubled"], sums["damaged"], sums["different"], sums["fileless"], sum(run["left"] for run in runs)]
    cells += [orphans, f"{max((run['seconds'] for run in runs), default=0):.0f} s"]
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def scenario_table(scenarios: list[dict[str, Any]]) -> str:
    rows = ["| once | what happened | found wrong afterwards |", "|---|---|---|"]
    for each in scenarios:
        wrong = "; ".join(f"{name}: {value}" for name, value in each["faults"].items()) or "nothing"
        rows.append(f"| {each['name']} | {each['skipped'] or each['outcome']} | {'–' if each['skipped'] else wrong} |")
    return "\n".join(rows)


def notes(result: dict[str, Any]) -> str:
    everything = [result["undisturbed"], *result["runs"]]
    difference = max((run["found"]["difference"] for run in everything), default=0.0)
    gap = result["undisturbed"]["progress_gap"]
    fell = sum(run["progress_fell"] for run in everything)
    return (
        f"Seed {result['seed']}, {result['seconds']} s in all. Largest difference of a stem from the undisturbed "
        f"separation: {difference:.1e} of full scale. Progress stood still for {gap:.1f} s at most in the undisturbed "
        f"run, and fell {fell} times in all."
    )


def page_written(text: str) -> None:
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(MARKS[0])
    after = rest.split(MARKS[1])[1]
    PAGE.write_text(f"{before}{MARKS[0]}\n{text}\n{MARKS[1]}{after}", encoding="utf-8")
