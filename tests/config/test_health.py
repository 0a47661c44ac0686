"""GET /health/: 503 names what is missing, 200 says that all is up."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import DatabaseError
from django.test import Client

from config import broker, health


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    health.WorkersAnswer.asked_at = float("-inf")
    health.Migrated.known = False
    yield
    health.WorkersAnswer.asked_at = float("-inf")
    health.Migrated.known = False


@pytest.fixture
def redis_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "redis_ready", lambda: True)


@pytest.fixture
def worker_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "worker_answers", lambda name: True)


def test_all_up(db: None, client: Client, redis_up: None, worker_up: None) -> None:
    answer = client.get("/health/")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert "no-store" in answer["Cache-Control"]


def test_nobody_needs_to_log_in_and_nothing_can_be_sent(db: None, client: Client) -> None:
    assert client.post("/health/").status_code == 405


def test_without_redis_it_is_named_with_the_workers_behind_it(
    db: None, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    pings: list[str] = []
    monkeypatch.setattr(health, "worker_answers", lambda name: bool(pings.append(name)))
    answer = client.get("/health/")  # the settings' socket is not there
    assert (answer.status_code, answer.json()["missing"]) == (503, ["redis", "worker", "light"])
    assert pings == []  # nobody waits for workers that cannot be asked


@pytest.mark.parametrize("silent", ["worker", "light"])
def test_a_worker_that_is_silent_is_named(
    db: None, client: Client, redis_up: None, monkeypatch: pytest.MonkeyPatch, silent: str
) -> None:
    monkeypatch.setattr(health, "worker_answers", lambda name: name != silent)
    answer = client.get("/health/")
    assert (answer.status_code, answer.json()["missing"]) == (503, [silent])


def test_without_a_database_it_is_named(
    client: Client, redis_up: None, worker_up: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        def cursor(self) -> None:
            raise DatabaseError

    monkeypatch.setattr(health, "connection", Broken())
    answer = client.get("/health/")
    assert (answer.status_code, answer.json()["missing"]) == (503, ["database"])


def test_tables_of_an_older_version_are_no_database(db: None, client: Client, redis_up: None, worker_up: None) -> None:
    from django.db.migrations.recorder import MigrationRecorder

    MigrationRecorder.Migration.objects.filter(app="separation").delete()
    assert client.get("/health/").json()["missing"] == ["database"]


def test_many_questions_cost_one_ping_of_each_worker(
    db: None, client: Client, redis_up: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    pings: list[str] = []
    monkeypatch.setattr(health, "worker_answers", lambda name: bool(pings.append(name)) or True)
    assert [client.get("/health/").status_code for _question in range(20)] == [200] * 20
    assert pings == ["worker", "light"]


def test_the_brokers_own_way_of_writing_a_socket_is_understood(settings: pytest.FixtureRequest) -> None:
    settings.CELERY_BROKER_URL = "redis+socket:///tmp/some/redis.sock"  # type: ignore[attr-defined]
    assert broker.redis_client().connection_pool.connection_kwargs["path"] == "/tmp/some/redis.sock"
