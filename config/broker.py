"""Whether Redis answers, asked in the way and at the address that Celery uses."""

from __future__ import annotations

import redis
from django.conf import settings

PATIENCE = 0.5  # seconds


def redis_ready() -> bool:
    try:
        with redis_client() as client:
            return bool(client.ping())
    except (redis.RedisError, OSError):
        return False


def redis_client() -> redis.Redis:
    url = settings.CELERY_BROKER_URL.replace("redis+socket://", "unix://")
    return redis.Redis.from_url(url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE)
