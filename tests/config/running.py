"""The real service, started the way `script/server` starts it, for tests that look at it from outside."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PASSWORD = "known-to-the-tests"
UNWANTED = ("DATABASE_URL", "REDIS_URL", "HOST", "ALLOWED_HOSTS", "HTTPS", "DEBUG", "DJANGO_SETTINGS_MODULE")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(ready: Callable[[], bool], *, seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        time.sleep(0.1)


@dataclass
class RunningServer:
    """One `python -m config.server` on a data folder and a port of its own, without the demo study."""

    home: Path
    port: int = field(default_factory=free_port)
    environment: Mapping[str, str] = field(default_factory=dict)
    username: str = "researcher"
    password: str = PASSWORD

    def __post_init__(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        self.output_file = self.home / "supervisor.txt"
        self.said_before = self.output_file.stat().st_size if self.output_file.exists() else 0
        given = {name: value for name, value in os.environ.items() if name not in UNWANTED}
        given |= {"STEMMOS_HOME": str(self.home), "PORT": str(self.port), "STEMMOS_DEMO": "0"}
        given |= {"RESEARCHER_PASSWORD": self.password, "WEB_WORKERS": "1", **self.environment}
        with self.output_file.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "config.server"],
                cwd=ROOT,
                env=given,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def base_url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def output(self) -> str:
        """What this start has said."""
        return self.output_file.read_bytes()[self.said_before :].decode()

    def get(self, path: str) -> tuple[int, str]:
        """Status and body; 0 where nobody answers."""
        try:
            with urllib.request.urlopen(self.base_url + path, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def wait_until_ready(self, seconds: float = 120) -> None:
        def ready_or_dead() -> bool:
            return "StemMOS is ready" in self.output or self.process.poll() is not None

        until(ready_or_dead, seconds=seconds, what=f"ready; it said:\n{self.output}")
        assert self.process.poll() is None, self.report()

    def wait_for_exit(self, seconds: float = 30) -> int:
        return self.process.wait(seconds)

    def pid(self, name: str) -> int:
        """Of the child that is now called `name`: redis, worker or web."""
        return int((self.home / "run" / f"{name}.pid").read_text().split()[0])

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.wait_for_exit()

    def report(self) -> str:
        """What it said and the end of every log, for a test that failed."""
        parts = [f"── server\n{self.output}"]
        for log in sorted((self.home / "logs").glob("*.log")):
            parts.append(f"── {log.name}\n" + "\n".join(log.read_text(errors="replace").splitlines()[-40:]))
        return "\n".join(parts)


def processes_of(home: Path) -> list[str]:
    """Command lines of every process that was started for `home`, the children of children included."""
    listed = subprocess.run(["ps", "axeww", "-o", "pid=,command="], capture_output=True, text=True, check=True).stdout
    mine = re.compile(re.escape(f"STEMMOS_HOME={home}") + r"(\s|$)")
    return [line for line in listed.splitlines() if mine.search(line) or f"unixsocket:{home}" in line]
