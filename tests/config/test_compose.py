"""docker-compose.yml runs what `script/server` runs. No container engine is needed to hold it to that."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from config import processes
from tests.config.running import ROOT

Compose = dict[str, Any]


@pytest.fixture(scope="module")
def compose() -> Compose:
    loaded: Compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return loaded


def by_default(word: str) -> str:
    """What compose makes of `${NAME:-default}` where the environment has no such name."""
    return re.sub(r"\$\{[A-Z_]+:-([^}]*)\}", r"\1", word)


def test_web_and_workers_run_the_commands_of_the_supervisor(compose: Compose) -> None:
    commands = {
        name: [by_default(word) for word in service.get("command", [])] for name, service in compose["services"].items()
    }
    assert commands["web"] == processes.web_command(python="python")
    assert commands["worker"] == processes.worker_command(python="python")
    assert commands["light"] == processes.light_command(python="python")


def test_the_queues_of_the_worker_can_be_chosen(compose: Compose) -> None:
    command = compose["services"]["worker"]["command"]
    assert command[command.index("--queues") + 1].startswith("${STEMMOS_QUEUES:-")


def test_redis_keeps_messages_as_it_does_natively(compose: Compose, tmp_path: Path) -> None:
    command = compose["services"]["redis"]["command"]
    assert command == processes.redis_command(folder=Path("/data"))
    native = processes.redis_command(folder=Path("/data"), socket=tmp_path / "redis.sock")
    assert native[: len(command)] == command
    assert "redis:/data" in compose["services"]["redis"]["volumes"]


def test_every_lasting_service_has_a_health_check_and_comes_back(compose: Compose) -> None:
    lasting = {name: service for name, service in compose["services"].items() if name != "prepare"}
    assert set(lasting) == {"web", "worker", "light", "redis", "postgres"}
    for name, service in lasting.items():
        assert service["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}, name
        assert service["restart"] == "unless-stopped", name


def test_web_and_workers_start_after_what_they_need(compose: Compose) -> None:
    for name in ("web", "worker", "light"):
        needs = compose["services"][name]["depends_on"]
        assert needs["prepare"]["condition"] == "service_completed_successfully"
        assert {needs[other]["condition"] for other in ("redis", "postgres")} == {"service_healthy"}


def test_web_and_workers_share_one_configuration_and_one_data_folder(compose: Compose) -> None:
    services = compose["services"]
    for name in ("worker", "light", "prepare"):
        assert services[name]["environment"] == services["web"]["environment"], name
    assert services["web"]["environment"]["STEMMOS_HOME"] == "/data"
    assert all("data:/data" in services[name]["volumes"] for name in ("web", "worker", "light"))


def test_no_password_is_written_down(compose: Compose) -> None:
    assert ":?" in compose["services"]["postgres"]["environment"]["POSTGRES_PASSWORD"]
    assert re.search(r"://stemmos:\$\{POSTGRES_PASSWORD:\?", compose["services"]["web"]["environment"]["DATABASE_URL"])


def test_the_image_installs_what_bootstrap_installs() -> None:
    image = (ROOT / "Dockerfile").read_text()
    bootstrap = (ROOT / "script/bootstrap").read_text()
    for line in ("-r requirements.txt", "--no-deps -r requirements-separators.txt"):
        assert line in image and line in bootstrap
    assert "FROM python:3.11" in image
