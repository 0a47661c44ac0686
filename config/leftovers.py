"""Ends what a supervisor that was killed has left running, on its death or before the next start.

Only the standard library is imported, and the file is run by its path: a second process of it waits beside every
supervisor, so it has to be small.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

PATIENCE = 4.0  # seconds between the polite request to end and the other one


def write(folder: Path, name: str, pid: int, mark: str) -> Path:
    """`<name>.pid` says which process group is called `name`, and what its command lines are known by."""
    path = folder / f"{name}.pid"
    path.write_text(f"{pid} {mark}")
    return path


def clear(folder: Path, say: Callable[[str], None] = lambda line: None) -> None:
    """Worker, web and Redis, in this order, as in an orderly stop."""
    for path in sorted(folder.glob("*.pid"), reverse=True):
        pid, _space, mark = path.read_text().partition(" ")
        if pid.isdecimal() and is_ours(int(pid), mark):
            say(f"Ending {path.stem} (process {pid}), left over from an earlier run")
            end(int(pid))
        path.unlink(missing_ok=True)


def is_ours(group: int, mark: str) -> bool:
    """Whether the group still holds a process of ours. A number is not given away again while its group lives."""
    listed = subprocess.run(
        ["ps", "-A", "-ww", "-o", "pgid=", "-o", "command="],  # noqa: S607  whole lines, whatever COLUMNS says
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    rows = (line.strip().partition(" ") for line in listed.splitlines())
    return any(number == str(group) and mark in command for number, _space, command in rows)


def end(group: int) -> None:
    signal_group(group, signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE
    while signal_group(group, 0) and time.monotonic() < deadline:
        time.sleep(0.1)
    signal_group(group, signal.SIGKILL)


def signal_group(group: int, number: int) -> bool:
    """False where the group is gone."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
        return True
    return False


def wait_for_the_death_of_the_supervisor() -> None:
    """It alone holds the other end of standard input, and lets it go however it ends."""
    sys.stdin.buffer.read()


if __name__ == "__main__":
    wait_for_the_death_of_the_supervisor()
    clear(Path(sys.argv[1]))
