"""GET /health/: 200 once the database, Redis and a worker answer, else 503 with the names of what does not."""

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
        return [*missing, "redis", "worker"]  # without Redis no worker can be asked
    return missing if worker_ready() else [*missing, "worker"]


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


class WorkerAnswer:
    """The last answer to a ping, kept a moment, so that many questions cost one ping."""

    lock = threading.Lock()
    asked_at = float("-inf")
    ready = False

    @classmethod
    def get(cls) -> bool:
        with cls.lock:
            if time.monotonic() - cls.asked_at > WORKER_REMEMBERED:
                cls.ready, cls.asked_at = worker_answers(), time.monotonic()
            return cls.ready


def worker_ready() -> bool:
    return WorkerAnswer.get()


def worker_answers() -> bool:
    try:
        return bool(app.control.ping(timeout=WORKER_PATIENCE, limit=1))
    except (OSError, KombuError, redis.RedisError):
        return False
