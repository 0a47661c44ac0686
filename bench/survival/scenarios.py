"""What happens once in a while: a full disk, a message that comes twice, no memory, a clock that is set."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bench.survival.checks import Found, found_now, orphans
from bench.survival.house import House, children_of, clock_library
from bench.survival.runs import SEPARATOR, Watch, Workload

HOURS = 5


@dataclass
class Scenario:
    """One of them, and what was found."""

    name: str
    outcome: str = ""  # what happened, in words
    as_wanted: bool = False
    skipped: str = ""
    found: Found = field(default_factory=Found)

    @property
    def faults(self) -> dict[str, Any]:
        if self.skipped:
            return {}
        return self.found.faults | ({} if self.as_wanted else {"outcome": self.outcome})

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "faults": self.faults}


class Scenarios:
    def __init__(self, house: House, work: Workload) -> None:
        self.house, self.work = house, work

    def all(self) -> dict[str, Callable[[], Scenario]]:
        return {
            "twice": self.twice,
            "cancel": self.cancel,
            "disk": self.disk,
            "memory": self.memory,
            "killed": self.killed,
            "clock": self.clock,
        }

    def twice(self) -> Scenario:
        """Three messages of one job, and two workers who take them."""
        from celery import current_app

        from separation.services.sending import TASK, queue_of

        scenario = Scenario("the same task delivered three times, to two workers")
        other = self.house.start_one_more("worker2")
        self.house.look_after(4.0)
        song = self.work.song()
        jobs = self.work.jobs_started(song)
        for job in jobs * 2:
            current_app.send_task(TASK, args=[str(job.pk)], queue=queue_of("openunmix"))
        self.work.ended()
        attempts = [self._again(job).attempt for job in jobs]
        scenario.outcome, scenario.as_wanted = f"attempts: {attempts}", attempts == [1, 1]
        self._conclude(scenario, song)
        other.stop()
        self.house.supervisor.children.remove(other)
        return scenario

    def cancel(self) -> Scenario:
        """In the middle of the separation, and again while the weights are loaded."""
        scenario = Scenario("cancelled while the weights load, and in the middle of the separation")
        times = []
        for after_kill in (True, False):
            if after_kill:
                self.house.kill("child")  # the next one has no model yet
            times.append(self._cancelled_once(scenario))
        scenario.outcome = "the worker was free for the next job after " + " and ".join(f"{at:.1f} s" for at in times)
        scenario.as_wanted = scenario.found.cancelled == 2
        return scenario

    def _cancelled_once(self, scenario: Scenario) -> float:
        from separation.services.jobs import job_cancel, job_start

        song = self.work.song()
        job = job_start(song=song, separator=SEPARATOR)
        self.house.until(lambda: self._again(job).state == "running", 30, "the job runs")
        self.house.look_after(0.3)
        job_cancel(job=job)
        cancelled_at, part = time.monotonic(), job_start(song=song, separator=SEPARATOR, spans=[(0, 44_100)])
        self.house.until(lambda: self._again(part).state != "queued", 60, "the worker is free")
        free = time.monotonic() - cancelled_at
        self.work.ended()
        scenario.found.cancelled += self._conclude(scenario, song).cancelled
        return free

    def disk(self) -> Scenario:
        """A file system that holds the song and some of the stems."""
        scenario = Scenario("a full disk (a small tmpfs)")
        with _own_disk(self.work.media) as resize:
            if resize is None:
                scenario.skipped = "mounting is not allowed: run it as root, or under `unshare --map-root-user --mount`"
                return scenario
            song = self.work.song()
            resize(_used(self.work.media) + 2 * 2**20)
            job = self.work.jobs_started(song)[1]
            self.work.ended()
            job = self._again(job)
            first = f"{job.state}: {job.error_code} at attempt {job.attempt}"
            left = [name for name in orphans(self.work.media, self.work.run_folder) if name.startswith("stems")]
            resize(500 * 2**20)
            again = self._retried(job)
            scenario.outcome = f"{first}; {len(left)} files left; with more room: {again.state}"
            scenario.as_wanted = (job.error_code, job.attempt, left, again.state) == ("disk_full", 1, [], "done")
            self._conclude(scenario, song)
        return scenario

    def memory(self) -> Scenario:
        """The address space of the pool's process is limited to what it has: the next big array does not fit."""
        scenario = Scenario("a worker out of memory (RLIMIT_AS)")
        if sys.platform != "linux":
            scenario.skipped = "limits of another process can be set on Linux only"
            return scenario
        song = self.work.song()
        with _no_more_memory(children_of(self.house.pid("worker"))):
            job = self.work.jobs_started(song)[1]
            self.work.ended()
        job = self._again(job)
        self.house.kill("child")
        again = self._retried(job) if job.state == "failed" else job
        scenario.outcome = f"{job.state}: {job.error_code} at attempt {job.attempt}; with memory: {again.state}"
        scenario.as_wanted = (job.state, job.error_code, again.state) == ("failed", "out_of_memory", "done")
        self._conclude(scenario, song)
        return scenario

    def killed(self) -> Scenario:
        """As the kernel does when memory runs out: the process that works is killed, at every attempt."""
        scenario = Scenario("a worker killed at every attempt, as by the kernel out of memory")
        song = self.work.song()
        job = self.work.jobs_started(song)[1]
        for attempt in (1, 2, 3):
            self.house.until(lambda a=attempt: self._works_at(job, a), 60, f"attempt {attempt} runs")  # type: ignore[misc]
            self.house.look_after(0.2)
            self.house.kill("child")
        self.work.ended()
        job = self._again(job)
        again = self._retried(job) if job.state == "failed" else job
        scenario.outcome = f"{job.state}: {job.error_code} at attempt {job.attempt}; left alone: {again.state}"
        scenario.as_wanted = (job.error_code, job.attempt, again.state) == ("worker_lost", 3, "done")
        self._conclude(scenario, song)
        return scenario

    def clock(self) -> Scenario:
        """Forward and back in the middle of the work; then back again while the worker is killed."""
        scenario = Scenario(f"a clock that jumps by {HOURS} hours, forward and back, and back with a dead worker")
        library = clock_library(self.house.home)
        if library is None:
            scenario.skipped = "there is no C compiler (cc) here, or this is not Linux"
            return scenario
        shift = self.house.home / "clock"
        shift.write_bytes(struct.pack("q", 0))
        self.house.stop()
        self.house.extra = {"LD_PRELOAD": str(library), "SURVIVAL_CLOCK": str(shift)}
        self.house.start()
        told = [
            self._jump(scenario, shift, hours, kill) for hours, kill in ((HOURS, ""), (-HOURS, ""), (-HOURS, "worker"))
        ]
        scenario.outcome = "; ".join(told)
        scenario.as_wanted = all("done at attempt" in each for each in told)
        self.house.stop()
        self.house.extra = {}
        self.house.start()
        return scenario

    def _jump(self, scenario: Scenario, shift: Path, hours: int, kill: str) -> str:
        song, watch, began = self.work.song(), Watch(), time.monotonic()
        job = self.work.jobs_started(song)[1]
        self.house.until(lambda: self._again(job).state == "running", 60, "the job runs")
        with shift.open("r+b") as file:
            file.write(struct.pack("q", hours * 3600))
        if kill:
            self.house.kill(kill)
        self.work.ended(watch)
        job = self._again(job)
        taken = time.monotonic() - began
        self._conclude(scenario, song)
        with shift.open("r+b") as file:
            file.write(struct.pack("q", 0))
        what = f"{hours:+d} h" + (f" and {kill} killed" if kill else "")
        return f"{what}: {job.state} at attempt {job.attempt} after {taken:.0f} s"

    # ── parts ────────────────────────────────────────────────────────────────────────────────────────

    def _again(self, job: Any) -> Any:
        return type(job).objects.filter(pk=job.pk).first() or job

    def _works_at(self, job: Any, attempt: int) -> bool:
        now = self._again(job)
        return bool(now.state == "running" and now.attempt == attempt) or not now.is_live

    def _retried(self, job: Any) -> Any:
        from separation.services.jobs import job_retry

        again = job_retry(job=job)
        self.work.ended()
        return self._again(again)

    def _conclude(self, scenario: Scenario, song: Any) -> Found:
        """What is there now is added to what was found before in this scenario; then nothing may be left."""
        from separation.services.songs import song_delete

        self.work.clean()
        found = found_now(self.work.media, self.work.run_folder, self.work.undisturbed)
        for name, value in asdict(found).items():
            if name != "cancelled" and not isinstance(value, dict):
                setattr(scenario.found, name, getattr(scenario.found, name) + value)
        song_delete(song=song)
        scenario.found.orphans += orphans(self.work.media, self.work.run_folder)
        return found


@contextmanager
def _own_disk(folder: Path) -> Iterator[Callable[[int], None] | None]:
    """`folder` on a file system of its own, and the way to set its size in bytes; None where that is not allowed."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=500m", "stemmos-survival", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        yield None
        return
    try:
        yield lambda size: subprocess.run(["mount", "-o", f"remount,size={size}", str(folder)], check=True) and None
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def _used(folder: Path) -> int:
    there = os.statvfs(folder)
    return (there.f_blocks - there.f_bfree) * there.f_frsize


@contextmanager
def _no_more_memory(pids: list[int]) -> Iterator[None]:
    import resource

    for pid in pids:
        size = int(Path(f"/proc/{pid}/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        resource.prlimit(pid, resource.RLIMIT_AS, (size + 4 * 2**20, resource.RLIM_INFINITY))
    yield
