"""Real Redis, a real Celery worker, and SIGKILL in the middle of a separation."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from celery import Celery
from django.db import connection
from kombu import Connection

from config.celery import app
from config.processes import LIGHT_QUEUE, WORKER_QUEUES, light_command, redis_binary, redis_command, worker_command
from separation.models import SeparationJob
from separation.services.sending import TASK, queue_of
from tests.config.running import free_port
from tests.factories import SOURCES, files_in, job_make

ROOT = Path(__file__).resolve().parents[2]
State = SeparationJob.State
BEAT = light_command()[-1]

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(120),
    pytest.mark.skipif(redis_binary() is None, reason="no redis-server here"),
]


def until(ready: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.1)


def database_url() -> str:
    """Of the tests' own database, for another process."""
    values = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{values['NAME']}"
    return f"postgres://{values['USER']}:{values['PASSWORD']}@{values['HOST']}:{values['PORT']}/{values['NAME']}"


@pytest.fixture
def redis_url() -> Iterator[str]:
    folder = Path(tempfile.mkdtemp(prefix="stemmos-"))  # a socket's path has to be short
    socket = folder / "redis.sock"
    command = redis_command(folder=folder, socket=socket, binary=redis_binary() or "")
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        try:
            until(socket.exists, 10, "Redis is up")
            yield f"redis+socket://{socket}"
        finally:
            server.kill()
    shutil.rmtree(folder)


class Worker:
    """Celery as the service runs it, both workers in one, in a process group of its own."""

    def __init__(self, home: Path, redis_url: str) -> None:
        self.pid_file = home / "working.pid"
        command = [*worker_command(queues=[*WORKER_QUEUES, LIGHT_QUEUE]), "--beat", "--scheduler", BEAT]
        command[command.index("config")] = "tests.separation.slow_worker"
        environment = {
            **os.environ,
            "STEMMOS_HOME": str(home),
            "DATABASE_URL": database_url(),
            "REDIS_URL": redis_url,
            "SLOW_WORKER_PID": str(self.pid_file),
            "SWEEP_SECONDS": "1",
        }
        self.log = (home / "worker.txt").open("ab")
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=self.log, stderr=self.log, start_new_session=True
        )

    def working_child(self) -> int:
        """The process that is in the middle of a job."""
        until(self.is_working, 40, f"a worker is in the middle of the job; see {self.log.name}")
        return int(self.pid_file.read_text())

    def is_working(self) -> bool:
        assert self.process.poll() is None, f"the worker did not start; see {self.log.name}"
        return self.pid_file.exists()

    def kill(self) -> None:
        """All of it, beat and pool included, at once."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.log.close()


@pytest.fixture
def worker(tmp_path: Path, redis_url: str) -> Iterator[Callable[[], Worker]]:
    started: list[Worker] = []

    def start() -> Worker:
        started.append(Worker(tmp_path, redis_url))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.kill()


def send(job: SeparationJob, redis_url: str) -> None:
    sender: Celery = app
    with Connection(redis_url) as broker:
        sender.send_task(TASK, args=[str(job.pk)], queue=queue_of("openunmix"), connection=broker)


@pytest.mark.parametrize("killed", ["one pool child", "the whole worker"])
def test_worker_killed_in_the_middle_of_a_job_is_followed_by_a_finished_job(
    worker: Callable[[], Worker], redis_url: str, media: Path, killed: str
) -> None:
    job = job_make()
    send(job, redis_url)
    first = worker()
    child = first.working_child()
    job.refresh_from_db()
    assert (job.state, job.attempt) == (State.RUNNING, 1)
    assert len(files_in(media / "stems")) == 2, "killed with two of four stems on disk"
    scratch = first.pid_file.with_name("working.pid.scratch").read_text()
    assert Path(scratch) == first.pid_file.parent / "run", "temporary files lie on the disk of the data"

    if killed == "the whole worker":
        first.kill()
        worker()
    else:
        os.kill(child, signal.SIGKILL)

    def done() -> bool:
        job.refresh_from_db()
        return job.state == State.DONE

    until(done, 50, f"the job is done; see {first.log.name}")
    assert (job.attempt, job.error_code) == (2, "")
    assert sorted(job.stems.values_list("source", flat=True)) == sorted(SOURCES)
    assert files_in(media / "stems") == sorted(f"{job.pk}/2/{source}.flac" for source in SOURCES)


def test_separation_that_hangs_ends_with_its_process_and_says_why(
    worker: Callable[[], Worker], redis_url: str, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOB_TIME_START_SECONDS", "3")
    monkeypatch.setenv("JOB_TIME_OPENUNMIX", "0")
    job = job_make()
    send(job, redis_url)
    first = worker()
    child = first.working_child()

    def ended() -> bool:
        job.refresh_from_db()
        return not job.is_live and not files_in(media / "stems") and not alive(child)

    until(ended, 30, f"the job has failed and its process is gone; see {first.log.name}")
    assert (job.state, job.error_code, job.attempt) == (State.FAILED, "time_limit", 1)
    assert first.process.poll() is None, "the worker itself goes on"


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_message_that_was_lost_is_sent_again_by_the_sweep(
    worker: Callable[[], Worker], redis_url: str, media: Path
) -> None:
    job = job_make(attempt=1, sent_at="2020-01-01T00:00Z")  # nothing about it is in the queue
    running = worker()

    def done() -> bool:
        job.refresh_from_db()
        return job.state == State.DONE

    until(done, 40, f"the job is done; see {running.log.name}")
    assert job.stems.count() == 4


@pytest.mark.timeout(600)
def test_the_whole_service_with_its_parts_killed(tmp_path: Path) -> None:
    """`bench.survival` in small: each part killed once at a random moment, a message that comes again, cancellations.

    The full form, with the slower scenarios and the table of docs/survival.md, is `python -m bench.survival`.
    """
    found = tmp_path / "found.json"
    command = [sys.executable, "-m", "bench.survival", "--runs", "5", "--seed", "7", "--port", str(free_port())]
    command += ["--scenarios", "twice,cancel", "--json", str(found)]
    with (tmp_path / "said.txt").open("wb") as said:
        done = subprocess.run(command, cwd=ROOT, stdout=said, stderr=said, timeout=590)
    assert done.returncode == 0, (tmp_path / "said.txt").read_text()[-4000:]
    result = json.loads(found.read_text())
    assert {run["killed"] for run in result["runs"]} == {"worker", "child", "redis", "web", "light"}
    assert [each["faults"] for each in [*result["runs"], *result["scenarios"]]] == [{}] * 7
    assert sum(run["found"]["done"] for run in result["runs"]) >= 8, "the uploads' songs may be gone, the others not"
    assert result["undisturbed"]["progress_fell"] == 0 and result["undisturbed"]["progress_gap"] <= 2.0
