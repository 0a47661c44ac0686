"""The workers: which queues they take, and a beat that goes on whatever the time of day says."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from django.conf import settings

from config import beat, processes, worker
from config.beat import SteadyScheduler
from config.celery import app
from config.environment import BadSetting
from separation.separators import registry
from separation.services.sending import queue_of
from tests.config.running import ROOT


def queues(command: list[str]) -> set[str]:
    return set(command[command.index("--queues") + 1].split(","))


def test_every_message_finds_a_worker_by_default() -> None:
    taken = queues(processes.worker_command()) | queues(processes.light_command())
    sent = {queue_of(spec.family) for spec in registry.all_specs()} | {queue_of("somebody's own")}
    assert sent | {settings.MEASUREMENT_QUEUE, app.conf.task_default_queue} <= taken


def test_light_work_never_waits_behind_a_separation() -> None:
    assert not queues(processes.worker_command()) & queues(processes.light_command())
    for entry in app.conf.beat_schedule.values():
        assert "queue" not in entry["options"], "the default queue, which is the light worker's"
    assert "--beat" in processes.light_command() and "--beat" not in processes.worker_command()


def test_each_family_has_a_queue_of_its_own() -> None:
    named = {family: queue_of(family) for family in ("openunmix", "spleeter", "demucs", "other")}
    assert len(set(named.values())) == 4 and queue_of("somebody's own") == named["other"]


def test_a_machine_can_be_dedicated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEMMOS_QUEUES", " separation.demucs, measurement ")
    monkeypatch.setenv("WORKER_CONCURRENCY", "2")
    command = worker.wanted_command()
    assert queues(command) == {"separation.demucs", "measurement"}
    assert command[command.index("--concurrency") + 1] == "2"


def test_a_queue_that_does_not_exist_gets_a_sentence_with_those_that_do() -> None:
    environment = {"STEMMOS_QUEUES": "separation.htdemucs", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "-m", "config.worker"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert done.stderr.startswith("STEMMOS_QUEUES cannot be used: there is no queue separation.htdemucs")
    assert "separation.demucs" in done.stderr


def test_server_refuses_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEMMOS_QUEUES", "everything")
    with pytest.raises(BadSetting):
        worker.wanted_command()


# ── the beat ─────────────────────────────────────────────────────────────────────────────────────────


class Clock:
    """Stands for the module `time` where the beat looks."""

    now = 5000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(beat, "time", made)
    return made


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    names: list[str] = []
    monkeypatch.setattr(SteadyScheduler, "apply_entry", lambda self, entry, producer=None: names.append(entry.task))
    monkeypatch.setattr(SteadyScheduler, "producer", None)
    return names


def scheduler(schedule: dict[str, Any]) -> SteadyScheduler:
    made = Celery("of the test", broker="memory://", backend=None)
    made.conf.beat_schedule = schedule
    return SteadyScheduler(app=made)


def test_each_entry_goes_out_at_its_interval(clock: Clock, sent: list[str]) -> None:
    ticking = scheduler({name: {"task": name, "schedule": every} for name, every in (("often", 5.0), ("rare", 20.0))})
    for _second in range(60):
        assert 0.0 <= ticking.tick() <= 5.0
        clock.now += 1.0
    assert (sent.count("often"), sent.count("rare")) == (12, 3)


def test_it_does_not_sleep_when_the_time_of_day_is_set_back(
    clock: Clock, sent: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ticking = scheduler({name: {"task": name, "schedule": 5.0} for name in ("one", "another")})
    ticking.tick()
    monkeypatch.setattr(ticking.app, "now", lambda: datetime.now(UTC) - timedelta(hours=5))
    clock.now += 5.0
    ticking.tick()
    assert sorted(sent) == ["another", "another", "one", "one"]


def test_the_service_has_intervals_only() -> None:
    assert "config.beat:SteadyScheduler" in processes.light_command()
    assert all(isinstance(entry["schedule"], float) for entry in app.conf.beat_schedule.values())


def test_temporary_files_of_a_worker_lie_on_the_disk_of_the_data(tmp_path: Path) -> None:
    """Set where Celery makes its worker, before the pool's processes are forked."""
    program = (
        "import tempfile; from config.celery import app;"
        "app.Worker(pool='solo', loglevel='ERROR'); print(tempfile.gettempdir())"
    )
    environment = {**os.environ, "STEMMOS_HOME": str(tmp_path), "C_FORCE_ROOT": "1"}
    command = [sys.executable, "-c", program]
    said = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert said.stdout.splitlines()[-1] == str(tmp_path / "run")
