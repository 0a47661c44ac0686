"""Children are started again with more patience each time, and a stop leaves no grandchild."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.preflight import CannotStart
from config.supervisor import LONGEST_WAIT, ROTATE_BYTES, Child, Program, Stopped, Supervisor
from tests.config.running import until

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def supervisor(tmp_path: Path, said: list[str]) -> Iterator[Supervisor]:
    made = Supervisor(logs=tmp_path / "logs", run=tmp_path / "run", say=said.append)
    yield made
    made.stop()


def runs(pid: int) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout.strip()
    return bool(state) and not state.startswith("Z")


def test_a_dead_child_is_started_again(supervisor: Supervisor, said: list[str]) -> None:
    child = supervisor.start(Program("worker", SLEEP))
    assert child.process
    first = child.process.pid
    child.process.kill()

    def is_back() -> bool:
        supervisor.look_after()
        return bool(child.process and child.process.pid != first and child.exit_status is None)

    until(is_back, seconds=10, what="the child runs again")
    assert said == [f"worker has ended (killed by SIGKILL), starting it again in 1 s; see {child.log}"]
    assert (supervisor.run / "worker.pid").read_text().split()[0] == str(child.process.pid)


def test_each_restart_waits_longer_until_a_calm_life(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    child = Child(Program("web", SLEEP), logs=tmp_path, run=tmp_path)
    child.started_at = time.monotonic()
    waits = [child.plan_restart() for _death in range(7)]
    assert waits == [1, 2, 4, 8, 16, LONGEST_WAIT, LONGEST_WAIT]
    child.started_at = time.monotonic() - 3600
    assert child.plan_restart() == 1


def test_a_child_that_dies_at_the_start_is_the_end_of_it_with_its_last_words(supervisor: Supervisor) -> None:
    supervisor.start(Program("web", [sys.executable, "-c", "print('no such module'); raise SystemExit(3)"]))
    with pytest.raises(CannotStart, match=r"web could not start \(exit status 3\)[\s\S]*no such module"):
        supervisor.wait_until(lambda: False, seconds=10, otherwise=lambda: "never")


def test_what_is_not_ready_in_time_gets_the_given_sentence(supervisor: Supervisor) -> None:
    with pytest.raises(CannotStart, match="still missing"):
        supervisor.wait_until(lambda: False, seconds=0.3, otherwise=lambda: "still missing")


def test_a_stop_ends_grandchildren_that_do_not_listen(supervisor: Supervisor, tmp_path: Path) -> None:
    stubborn = "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); {}; time.sleep(600)"
    child = stubborn.format("print(os.getpid(), flush=True)")
    parent = stubborn.format(f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {child!r}])")
    started = supervisor.start(Program("web", [sys.executable, "-c", parent], patience=0.5))
    until(lambda: started.log.read_text().strip().isdigit(), seconds=10, what="the grandchild runs")
    grandchild = int(started.log.read_text())
    assert runs(grandchild)
    supervisor.stop()
    until(lambda: not runs(grandchild), seconds=5, what="the grandchild has ended")
    assert not (supervisor.run / "web.pid").exists()


def test_a_request_to_stop_ends_what_runs_once(supervisor: Supervisor) -> None:
    supervisor.stop_asked = True
    with pytest.raises(Stopped):
        supervisor.run_once(Program("prepare", SLEEP))


def test_output_and_status_of_what_runs_once(supervisor: Supervisor) -> None:
    program = Program("prepare", [sys.executable, "-c", "import sys; print('{}'); sys.exit(4)"])
    assert supervisor.run_once(program, capture=True) == (4, "{}\n")


def test_a_large_log_is_set_aside_at_the_start(supervisor: Supervisor) -> None:
    log = supervisor.logs / "web.log"
    with log.open("wb") as file:
        os.truncate(file.fileno(), ROTATE_BYTES + 1)
    supervisor.start(Program("web", SLEEP))
    assert log.stat().st_size == 0
    assert (supervisor.logs / "web.log.1").stat().st_size == ROTATE_BYTES + 1
