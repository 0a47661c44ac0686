"""`script/server` from outside: what it says when it cannot start, and what it leaves when it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from config import leftovers
from tests.config.running import ROOT, RunningServer, processes_of, until


def try_to_start(**environment: str) -> tuple[int, str]:
    given = {**os.environ, "STEMMOS_DEMO": "0", **environment}
    done = subprocess.run(
        [sys.executable, "-m", "config.server"], cwd=ROOT, env=given, capture_output=True, text=True, timeout=60
    )
    return done.returncode, done.stderr


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    running = RunningServer(tmp_path / "home")
    yield running
    running.process.kill()
    running.process.wait()
    until(lambda: not processes_of(running.home), seconds=60, what="no process is left after the test")


@pytest.mark.parametrize("port", ["http", "0", "70000", "-1", "8000.5"])
def test_a_port_that_is_none_gets_a_sentence(tmp_path: Path, port: str) -> None:
    status, said = try_to_start(STEMMOS_HOME=str(tmp_path), PORT=port)
    assert status == 1
    assert said.strip() == f"PORT must be a number from 1 to 65535, not {port!r}."


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])
def test_a_port_in_use_gets_a_sentence_with_a_free_one(tmp_path: Path, address: str) -> None:
    with socket.socket() as other:
        other.bind((address, 0))
        other.listen()
        port = other.getsockname()[1]
        status, said = try_to_start(STEMMOS_HOME=str(tmp_path), PORT=str(port))
    assert status == 1
    assert f"Port {port} is already in use" in said
    assert "PORT=" in said and "Traceback" not in said
    assert processes_of(tmp_path) == []


def test_a_data_folder_that_cannot_be_written_gets_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    status, said = try_to_start(STEMMOS_HOME=str(tmp_path / "file" / "home"))
    assert status == 1
    assert "cannot be written" in said and "STEMMOS_HOME=" in said and "Traceback" not in said


def test_a_setting_that_cannot_be_used_gets_a_sentence(tmp_path: Path) -> None:
    status, said = try_to_start(STEMMOS_HOME=str(tmp_path), HTTPS="perhaps")
    assert status == 1
    assert said.strip() == "HTTPS must be 1 or 0, not 'perhaps'."


def test_a_database_that_cannot_be_reached_gets_a_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    status, said = try_to_start(STEMMOS_HOME=str(home), DATABASE_URL=f"sqlite:///{tmp_path}/missing/db.sqlite3")
    assert status == 1
    assert "The database cannot be used" in said and "Traceback" not in said
    assert processes_of(home) == []


def test_life_of_a_server(server: RunningServer) -> None:
    """One start, looked at in turn: ready, refused to a second one, healed, ended by Ctrl-C, started again."""
    server.wait_until_ready()
    assert server.get("/health/") == (200, '{"status": "ok"}')
    assert f"Researcher      http://localhost:{server.port}/" in server.output

    status, said = try_to_start(STEMMOS_HOME=str(server.home))
    assert status == 1
    assert f"StemMOS already runs on the data folder {server.home}: http://localhost:{server.port}" in said

    os.kill(server.pid("worker"), signal.SIGKILL)
    until(lambda: "worker has ended (killed by SIGKILL)" in server.output, seconds=5, what="it says what has ended")
    until(lambda: server.get("/health/")[0] == 503, seconds=10, what="health names the missing worker")
    assert json.loads(server.get("/health/")[1])["missing"] == ["worker"]
    until(lambda: server.get("/health/")[0] == 200, seconds=30, what="the worker is back")

    assert server.stop(signal.SIGINT) == 0
    assert processes_of(server.home) == []

    again = RunningServer(server.home, port=server.port)
    again.wait_until_ready()
    assert "Log in as" not in again.output
    assert again.stop(signal.SIGTERM) == 0
    assert processes_of(server.home) == []


def test_a_killed_server_leaves_no_process(server: RunningServer) -> None:
    server.wait_until_ready()
    server.process.kill()
    server.process.wait()
    until(lambda: not processes_of(server.home), seconds=120, what="its processes have ended with it")
    again = RunningServer(server.home, port=server.port)
    again.wait_until_ready()
    assert again.stop() == 0
    assert processes_of(server.home) == []


def test_a_narrow_terminal_hides_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """`ps` cuts its lines where COLUMNS says so, and a program in a deep folder has its name behind that."""
    monkeypatch.setenv("COLUMNS", "80")
    stay = [sys.executable, "-c", f"import time; time.sleep(600)  # {'x' * 200} marked"]
    with subprocess.Popen(stay, start_new_session=True) as process:
        try:
            assert leftovers.is_ours(process.pid, "marked")
        finally:
            process.kill()


def test_what_was_left_all_the_same_is_ended_before_the_next_start(tmp_path: Path) -> None:
    said: list[str] = []
    stay = [sys.executable, "-c", "import time; time.sleep(600)"]
    left = subprocess.Popen(stay, start_new_session=True)
    stranger = subprocess.Popen(stay, start_new_session=True)
    threading.Thread(target=left.wait, daemon=True).start()  # takes leave of it, as init does for orphans
    run = tmp_path / "home" / "run"
    run.mkdir(parents=True)
    leftovers.write(run, "worker", left.pid, "time.sleep")
    leftovers.write(run, "web", stranger.pid, "gunicorn")  # the number is somebody else's now
    leftovers.clear(run, said.append)
    assert left.wait(10) != 0
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()
    assert said == [f"Ending worker (process {left.pid}), left over from an earlier run"]
    assert list(run.iterdir()) == []
