"""GET /health/: 200 once the database, Redis and the workers answer, else 503 with the names of what does not."""

from __future__ import annotations

import threading
import time

import redis
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from kombu.exceptions import KombuError

from config.broker import redis_ready
from config.celery import app

WORKERS = ("worker", "light")  # what separates, and what does everything else: one of each, on whatever machine
WORKER_PATIENCE = 0.7  # seconds; a worker answers while its children compute
WORKER_REMEMBERED = 2.0  # seconds; whoever asks more often gets the last answer


@never_cache
@require_safe
def health(request: HttpRequest) -> JsonResponse:
    missing = missing_parts()
    if missing:
        return JsonResponse({"status": "unavailable", "missing": missing}, status=503)
    return JsonResponse({"status": "ok"})


def missing_parts() -> list[str]:
    missing = [] if database_ready() else ["database"]
    if not redis_ready():
        return [*missing, "redis", *WORKERS]  # without Redis no worker can be asked
    return [*missing, *WorkersAnswer.missing()]


class Migrated:
    """Whether the tables are those of this code. Once they are, they stay so while the process lives."""

    known = False

    @classmethod
    def check(cls) -> bool:
        if not cls.known:
            executor = MigrationExecutor(connection)
            cls.known = not executor.migration_plan(executor.loader.graph.leaf_nodes())
        return cls.known


def database_ready() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM django_migrations")
        return Migrated.check()
    except DatabaseError:
        return False


class WorkersAnswer:
    """The last answers to a ping, kept a moment, so that many questions cost one ping."""

    lock = threading.Lock()
    asked_at = float("-inf")
    silent: tuple[str, ...] = WORKERS

    @classmethod
    def missing(cls) -> tuple[str, ...]:
        with cls.lock:
            if time.monotonic() - cls.asked_at > WORKER_REMEMBERED:
                cls.silent = tuple(name for name in WORKERS if not worker_answers(name))
                cls.asked_at = time.monotonic()
            return cls.silent


def worker_answers(name: str) -> bool:
    """Whether one of the workers of this name is there: they are called name@machine."""
    try:
        return bool(app.control.ping(timeout=WORKER_PATIENCE, limit=1, pattern=f"{name}@*", matcher="glob"))
    except (OSError, KombuError, redis.RedisError):
        return False
