"""The service's own processes on a home of their own: started, killed, and started again by its own supervisor."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from config import processes
from config.supervisor import FIRST_WAIT, Child, Program, Supervisor

TIMES = {
    "JOB_LEASE_SECONDS": 3,
    "JOB_RETRY_SECONDS": 1,
    "JOB_RESEND_SECONDS": 2,
    "SWEEP_SECONDS": 1,
    "ORPHAN_SECONDS": 10,
}
"""As in service, only sooner: a run takes seconds, not minutes."""


def environment_set(home: Path) -> None:
    """Before Django is loaded, here and in every process of the house."""
    for name in ("DATABASE_URL", "REDIS_URL", "STEMMOS_QUEUES", "DEBUG", "HTTPS", "ALLOWED_HOSTS"):
        os.environ.pop(name, None)
    os.environ.update({name: str(value) for name, value in TIMES.items()})
    os.environ["OMP_NUM_THREADS"] = "1"  # several threads of several processes would wait for one another
    os.environ.update({"STEMMOS_HOME": str(home), "SECRET_KEY": secrets.token_hex(), "LOG_LEVEL": "INFO"})


class House:
    """Redis, the worker, the light worker and the web server."""

    def __init__(self, home: Path, port: int) -> None:
        self.home, self.port = home, port
        self.supervisor = Supervisor(logs=home / "logs", run=home / "run", say=lambda line: None)
        self.extra: dict[str, str] = {}  # environment of the programs

    def programs(self) -> list[Program]:
        from django.conf import settings

        redis, socket = self.home / "redis", settings.REDIS_SOCKET
        for folder in (redis, socket.parent):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        socket.unlink(missing_ok=True)
        binary = processes.redis_binary() or sys.exit("there is no redis-server here")
        web = processes.web_command(host="127.0.0.1", port=self.port, workers=1)
        return [
            Program("redis", processes.redis_command(folder=redis, socket=socket, binary=binary)),
            Program("worker", processes.worker_command(), signal.SIGQUIT, 4.0, self.extra),
            Program("light", processes.light_command(), signal.SIGQUIT, 4.0, self.extra),
            Program("web", web, patience=4.0, environment=self.extra),
        ]

    def start(self) -> None:
        for program in self.programs():
            self.supervisor.start(program)
        self.until(self.is_up, 120, "the service is up")

    def start_one_more(self, name: str) -> Child:
        command = [word.replace("worker@", f"{name}@") for word in processes.worker_command()]
        return self.supervisor.start(Program(name, command, signal.SIGQUIT, 4.0, self.extra))

    def stop(self) -> None:
        self.supervisor.stop()

    def is_up(self) -> bool:
        from config.probe import missing_parts

        return all(child.exit_status is None for child in self.supervisor.children) and not missing_parts(
            "127.0.0.1", self.port
        )

    def until(self, ready: Callable[[], bool], seconds: float, what: str) -> bool:
        """Whether it is so within the time; meanwhile what has died is started again, as in service."""
        deadline = time.monotonic() + seconds
        while not ready():
            if time.monotonic() > deadline:
                print(f"  not within {seconds:g} s: {what}", flush=True)
                return False
            self.look_after(0.1)
        return True

    def look_after(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while True:
            self.supervisor.look_after()
            if time.monotonic() >= deadline:
                return
            time.sleep(min(0.05, seconds))

    # ── killing ──────────────────────────────────────────────────────────────────────────────────────

    def kill(self, what: str) -> None:
        """SIGKILL of a program, of the "child" of the worker that does the work, or of all processes of the web server,
        since gunicorn's children would finish what they do."""
        for child in self.supervisor.children:
            child.wait = FIRST_WAIT  # deaths of other runs do not count
        if what == "child":
            for pid in children_of(self.pid("worker")):
                os.kill(pid, signal.SIGKILL)
        elif what == "web":
            os.killpg(self.pid(what), signal.SIGKILL)
        else:
            os.kill(self.pid(what), signal.SIGKILL)

    def pid(self, name: str) -> int:
        child = next(child for child in self.supervisor.children if child.program.name == name)
        if child.process is None:
            raise RuntimeError(f"{name} was never started")
        return child.process.pid


def children_of(parent: int) -> list[int]:
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    pairs = [line.split() for line in listed.splitlines()]
    return [int(pid) for pid, ppid in pairs if int(ppid) == parent]


def clock_library(folder: Path) -> Path | None:
    """The library that sets the time of day for one process, made here; None where there is no C compiler."""
    compiler = shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        return None
    library = folder / "clock.so"
    source = Path(__file__).with_name("clock.c")
    command = [compiler, "-shared", "-fPIC", "-O2", "-o", str(library), str(source), "-ldl"]
    return library if subprocess.run(command, check=False).returncode == 0 else None
