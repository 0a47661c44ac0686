"""`script/server`: the whole service on one machine, from the first check to the last process ended.

Redis, the workers and the web server are started in this order, watched, and stopped in the other. Everything it says
is plain text, so that it reads the same on a terminal and in a log file.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config import environment, preflight, probe, processes, worker
from config.broker import redis_ready
from config.preflight import CannotStart
from config.supervisor import Program, Stopped, Supervisor

START_PATIENCE = 120.0  # seconds; a slow disk reads gigabytes of packages at the first start
ROOT = Path(__file__).resolve().parent.parent


def say(line: str = "") -> None:
    with contextlib.suppress(OSError, ValueError):  # the terminal is gone: the service goes on, or ends in order
        print(line, flush=True)


@dataclass(frozen=True)
class Place:
    """Where this server keeps its data and where it is found."""

    home: Path
    host: str
    port: int

    @property
    def local(self) -> str:
        return f"http://localhost:{self.port}"


def wanted_place() -> Place:
    place = Place(wanted_home(), environment.text("HOST", "0.0.0.0"), wanted_port())  # noqa: S104
    preflight.check_home(place.home)
    preflight.check_space(place.home)
    return place


def wanted_home() -> Path:
    return Path(environment.text("STEMMOS_HOME", str(ROOT / "var"))).expanduser().resolve()


def wanted_port() -> int:
    return preflight.port_wanted(environment.text("PORT", "8000"))


def checked_settings() -> Any:
    """The settings, once the data folder is known to be writable: reading them makes the secret key there."""
    from django.conf import settings

    try:
        _home = settings.HOME
    except environment.BadSetting as error:
        raise CannotStart(str(error)) from error
    return settings


class Server:
    """One start of the service."""

    def __init__(self, place: Place, settings: Any) -> None:
        self.place, self.settings = place, settings
        self.supervisor = Supervisor(logs=place.home / "logs", run=place.home / "run", say=say)

    def serve(self) -> None:
        began = time.monotonic()
        self.supervisor.catch_signals()
        self.supervisor.guard_against_own_death()
        try:
            self.start_redis()
            prepared = self.prepare()
            self.start_worker_and_web()
            prepared |= self.make_demo(prepared)
            self.show_addresses(prepared, time.monotonic() - began)
            self.supervisor.watch()
        finally:
            if self.supervisor.children:
                say("Stopping …")
            self.supervisor.stop()

    def start_redis(self) -> None:
        if environment.text("REDIS_URL"):
            say("Redis: the one of REDIS_URL")
            return
        binary = processes.redis_binary()
        if binary is None:
            raise CannotStart(
                "There is no redis-server. Install it (Debian and Ubuntu: sudo apt install redis-server; "
                "macOS: brew install redis), or give the address of one in REDIS_URL."
            )
        say("Starting Redis")
        self.supervisor.start(self.redis_program(binary))
        self.supervisor.wait_until(redis_ready, seconds=20, otherwise=lambda: "Redis does not answer; see redis.log.")

    def redis_program(self, binary: str) -> Program:
        folder, redis_socket = self.place.home / "redis", self.settings.REDIS_SOCKET
        for needed in (folder, redis_socket.parent):
            needed.mkdir(mode=0o700, parents=True, exist_ok=True)
        redis_socket.unlink(missing_ok=True)
        return Program("redis", processes.redis_command(folder=folder, socket=redis_socket, binary=binary))

    def prepare(self) -> dict[str, Any]:
        status, output = self.supervisor.run_once(self.management("prepare", "--json"), capture=True)
        if status:
            raise CannotStart("The database could not be made ready; the lines above say why.")
        found: dict[str, Any] = json.loads(output)
        return found

    def management(self, *command: str) -> Program:
        unbuffered = {"PYTHONUNBUFFERED": "1"}  # progress is told when it is made, into a file or pipe too
        return Program(command[0], [sys.executable, str(ROOT / "manage.py"), *command], environment=unbuffered)

    def start_worker_and_web(self) -> None:
        say("Starting the workers and the web server")
        self.supervisor.start(celery_program("worker", worker.wanted_command()))
        self.supervisor.start(celery_program("light", processes.light_command()))
        self.supervisor.start(Program("web", self.web_command(), patience=4.0))
        missing = Missing(self.place)
        self.supervisor.wait_until(missing.none, seconds=START_PATIENCE, otherwise=missing.sentence)

    def web_command(self) -> list[str]:
        return processes.web_command(
            host=self.place.host,
            port=self.place.port,
            workers=environment.whole("WEB_WORKERS", processes.WEB_WORKERS),
            threads=environment.whole("WEB_THREADS", processes.WEB_THREADS),
        )

    def make_demo(self, prepared: dict[str, Any]) -> dict[str, Any]:
        """The demo study, where no study exists or its making was interrupted. Without it the service runs as well."""
        if not prepared["demo_due"] or not environment.flag("STEMMOS_DEMO", True):
            return {}
        say(f"Making the demo study; meanwhile the pages are at {self.place.local}")
        status, _output = self.supervisor.run_once(self.management("make_demo", "--wait"))
        if status:
            say("The demo study could not be made; the lines above say why. Everything else works.")
        return {"demo": self.prepare()["demo"]}

    def show_addresses(self, prepared: dict[str, Any], seconds: float) -> None:
        for line in addresses(self.place, prepared, seconds):
            say(line)


class Missing:
    """What the health page still misses while the service starts."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.parts: list[str] = []

    def none(self) -> bool:
        self.parts = probe.missing_parts(self.place.host, self.place.port)
        return not self.parts

    def sentence(self) -> str:
        logs = self.place.home / "logs"
        return f"Still missing after {START_PATIENCE:.0f} s: {', '.join(self.parts)}. See the log files in {logs}."


def celery_program(name: str, command: list[str]) -> Program:
    """On SIGQUIT a worker gives its task back and ends at once; the job's row brings it back at the next start."""
    return Program(name, command, signal.SIGQUIT, patience=4.0, environment=worker_environment())


def worker_environment() -> dict[str, str]:
    """macOS ends forked children that meet its own frameworks, unless told not to."""
    return {"OBJC_DISABLE_INITIALIZE_FORK_SAFETY": "YES"} if sys.platform == "darwin" else {}


def addresses(place: Place, prepared: dict[str, Any], seconds: float) -> list[str]:
    lines = ["", f"StemMOS is ready after {seconds:.0f} s.", "", f"  Researcher      {place.local}/"]
    lines += login_lines(prepared["password"])
    for key, title in (("listen", "Demo study"), ("results", "Demo results")):
        if key in prepared["demo"]:
            lines.append(f"  {title:<15} {place.local}{prepared['demo'][key]}")
    if network := network_address(place.host):
        lines.append(f"  On the network  http://{network}:{place.port}/   (phones on the same network)")
    return [*lines, f"  Data and logs   {place.home}", "", "Ctrl-C stops it."]


def login_lines(password: str | None) -> list[str]:
    if password is None:
        return ["  Forgotten?      .venv/bin/python manage.py changepassword researcher"]
    if environment.text("RESEARCHER_PASSWORD"):
        return ["  Log in as       researcher, with the password given in RESEARCHER_PASSWORD"]
    return ["  Log in as       researcher", f"  Password        {password}   (shown only this once)"]


def network_address(host: str) -> str | None:
    """This machine's address on its network, where the server listens on it. Nothing is sent to find it."""
    if host not in {"0.0.0.0", "::"}:  # noqa: S104
        return None
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probing:
        probing.connect(("192.0.2.1", 9))  # a documentation address: only the route is looked up
        address = str(probing.getsockname()[0])
        return None if address.startswith("127.") else address
    return None


def main() -> int:
    try:
        place = wanted_place()
        with preflight.lock(place.home, place.local):
            preflight.check_port(place.host, place.port)
            os.environ["STEMMOS_HOME"] = str(place.home)
            Server(place, checked_settings()).serve()
    except (CannotStart, environment.BadSetting) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except (Stopped, KeyboardInterrupt):
        say("Stopped.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
