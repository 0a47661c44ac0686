"""Starts processes, watches them, starts a dead one again, and leaves none behind.

Every child leads a process group of its own, so that a stop reaches what it started itself. Beside the supervisor
waits a small process that ends the groups when the supervisor is killed (see `leftovers`).
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO

from config import leftovers
from config.preflight import CannotStart

ROTATE_BYTES = 5 * 2**20
FIRST_WAIT, LONGEST_WAIT, CALM = 1.0, 30.0, 60.0  # seconds: back-off, and how long a life makes it start afresh
TAIL_LINES = 12

Say = Callable[[str], None]


class Stopped(Exception):
    """Ctrl-C or a request to end: not an error."""


@dataclass
class Program:
    """How to run one process, and how to end it."""

    name: str
    command: Sequence[str]
    stop_signal: signal.Signals = signal.SIGTERM
    patience: float = 3.0  # seconds between the polite request to end and the other one
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def mark(self) -> str:
        """What its command line is known by: the module of `python -m module`, else the program."""
        return self.command[2] if self.command[1:2] == ["-m"] else Path(self.command[0]).name


class Child:
    """A program that should be running."""

    def __init__(self, program: Program, *, logs: Path, run: Path) -> None:
        self.program = program
        self.log = logs / f"{program.name}.log"
        self.pid_file = run / f"{program.name}.pid"
        self.wait = FIRST_WAIT
        self.started_at = 0.0
        self.restart_at: float | None = None
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = started(self.program, stdout=log, stderr=subprocess.STDOUT)
        leftovers.write(self.pid_file.parent, self.program.name, self.process.pid, self.program.mark)
        self.started_at, self.restart_at = time.monotonic(), None

    @property
    def exit_status(self) -> int | None:
        return self.process.poll() if self.process else None

    def ended(self) -> str:
        return described(self.exit_status or 0)

    def plan_restart(self) -> float:
        """Seconds until the next start: longer each time, from the beginning after a calm life."""
        if time.monotonic() - self.started_at > CALM:
            self.wait = FIRST_WAIT
        wait, self.wait = self.wait, min(self.wait * 2, LONGEST_WAIT)
        self.restart_at = time.monotonic() + wait
        return wait

    def clear_group(self) -> None:
        if self.process is not None:
            leftovers.signal_group(self.process.pid, signal.SIGKILL)

    def stop(self) -> None:
        if self.process is not None:
            end_group(self.process, self.program.stop_signal, self.program.patience)
        self.pid_file.unlink(missing_ok=True)

    def tail(self) -> str:
        with contextlib.suppress(OSError):
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-TAIL_LINES:])
        return ""


def described(status: int) -> str:
    if status < 0:
        with contextlib.suppress(ValueError):
            return f"killed by {signal.Signals(-status).name}"
    return f"exit status {status}"


def started(
    program: Program, *, stdout: int | IO[bytes] | None = None, stderr: int | None = None
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603  our own command lines
        list(program.command),
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        env={**os.environ, **program.environment},
        start_new_session=True,
    )


def end_group(process: subprocess.Popen[bytes], number: signal.Signals, patience: float) -> None:
    """Asks the process to end, waits, then ends its whole group, so that no grandchild stays."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience)
    leftovers.signal_group(process.pid, signal.SIGKILL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(patience)


class Supervisor:
    """The children in the order of their start; they are stopped the other way round."""

    def __init__(self, *, logs: Path, run: Path, say: Say) -> None:
        self.logs, self.run, self.say = logs, run, say
        self.children: list[Child] = []
        self.stop_asked = False
        self.guard: subprocess.Popen[bytes] | None = None
        logs.mkdir(parents=True, exist_ok=True)
        run.mkdir(parents=True, exist_ok=True)

    def catch_signals(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop_asked)
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # nohup
            signal.signal(signal.SIGHUP, self._stop_asked)

    def _stop_asked(self, number: int, frame: FrameType | None) -> None:
        self.stop_asked = True

    def guard_against_own_death(self) -> None:
        """Ends what an earlier supervisor has left, and sees to it that this one leaves nothing."""
        leftovers.clear(self.run, self.say)
        self.guard = subprocess.Popen(  # noqa: S603
            [sys.executable, "-I", leftovers.__file__, str(self.run)],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )

    def start(self, program: Program) -> Child:
        child = Child(program, logs=self.logs, run=self.run)
        rotate(child.log)
        child.start()
        self.children.append(child)
        return child

    def pause(self, seconds: float) -> None:
        if self.stop_asked:
            raise Stopped
        time.sleep(seconds)
        if self.stop_asked:
            raise Stopped

    def wait_until(self, ready: Callable[[], bool], *, seconds: float, otherwise: Callable[[], str]) -> None:
        """Waits for the service to be ready. While it starts, a dead child is the end of it, with its last words."""
        deadline = time.monotonic() + seconds
        while not ready():
            self.pause(0.2)
            self._refuse_the_dead()
            if time.monotonic() > deadline:
                raise CannotStart(otherwise())

    def _refuse_the_dead(self) -> None:
        for child in self.children:
            if child.exit_status is not None:
                raise CannotStart(
                    f"{child.program.name} could not start ({child.ended()}). The end of {child.log}:\n{child.tail()}"
                )

    def run_once(self, program: Program, *, capture: bool = False) -> tuple[int, str]:
        """Runs a program to its end while watching the children: its exit status and, captured, its output."""
        process = started(program, stdout=subprocess.PIPE if capture else None)
        pid_file = leftovers.write(self.run, program.name, process.pid, program.mark)
        try:
            while process.poll() is None:
                self.pause(0.1)
                self.look_after()
        except BaseException:
            end_group(process, program.stop_signal, program.patience)
            raise
        finally:
            pid_file.unlink(missing_ok=True)
        output = process.stdout.read().decode() if process.stdout else ""
        return process.returncode, output

    def watch(self) -> None:
        while True:
            self.pause(0.5)
            self.look_after()

    def look_after(self) -> None:
        for child in self.children:
            if child.restart_at is not None:
                if time.monotonic() >= child.restart_at:
                    child.start()
            elif child.exit_status is not None:
                self._let_rise(child)

    def _let_rise(self, child: Child) -> None:
        how, wait = child.ended(), child.plan_restart()
        child.clear_group()
        self.say(f"{child.program.name} has ended ({how}), starting it again in {wait:.0f} s; see {child.log}")

    def stop(self) -> None:
        for child in reversed(self.children):
            child.stop()
        self.children.clear()
        if self.guard and self.guard.stdin:
            self.guard.stdin.close()
            self.guard.wait()


def rotate(log: Path) -> None:
    if log.exists() and log.stat().st_size > ROTATE_BYTES:
        log.replace(log.with_suffix(".log.1"))
