"""Tables of measurements in `docs/performance.md`, between marks, and what a reader must know of the machine."""

from __future__ import annotations

import os
import platform
import re
from importlib.metadata import version
from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent / "docs" / "performance.md"


def machine() -> str:
    """Processor, cores, memory, system and package versions, in one line."""
    cpu = Path("/proc/cpuinfo")
    models = re.findall(r"model name\s*:\s*(.+)", cpu.read_text()) if cpu.is_file() else [platform.processor()]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    packages = ", ".join(f"{name} {version(name)}" for name in ("torch", "tensorflow-cpu", "demucs", "openunmix"))
    return (
        f"{os.cpu_count()} cores of {models[0] if models else 'an unnamed processor'}, {memory:.0f} GB of memory, "
        f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, {packages}"
    )


def table(rows: list[list[str]]) -> str:
    """Markdown; the first row is the head, and all but the first column are numbers."""
    head, *body = rows
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, rule, *body])


def tables_write(name: str, text: str) -> None:
    """Replace what stands between the marks of `name` in the page."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    between = re.compile(re.escape(begin) + ".*" + re.escape(end), re.DOTALL)
    page = PAGE.read_text(encoding="utf-8")
    if not between.search(page):
        raise ValueError(f"{PAGE} has no place for {name}: {begin} … {end}")
    PAGE.write_text(between.sub(lambda _: f"{begin}\n{text}\n{end}", page), encoding="utf-8")
