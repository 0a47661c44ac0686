"""Runs of the same work, with one part of the service killed at a moment drawn by a seeded generator."""

from __future__ import annotations

import random
import time
from dataclasses import asdict, dataclass, field
from threading import Thread
from typing import Any

from bench.survival.checks import Found, Stems, found_now, orphans, stems_of
from bench.survival.house import TIMES, House
from bench.survival.upload import Upload, sound_file

KINDS = ("worker", "child", "redis", "web", "light")
SEPARATOR = "umx:demo"
SECONDS = 8.0
PART = (2 * 44_100, 5 * 44_100)
SEED = 4100  # of the song
PATIENCE = 90.0  # seconds for all jobs of a run to end


@dataclass
class Run:
    """What was done and what was found."""

    killed: str
    after: float  # seconds from the start of the work
    seconds: float = 0.0  # until all was quiet
    left: int = 0  # files without a row at the moment when all jobs had ended, before the sweep came
    progress_gap: float = 0.0  # the longest time in which a running job's progress did not move
    progress_fell: int = 0
    upload: str = ""
    found: Found = field(default_factory=Found)

    @property
    def faults(self) -> dict[str, Any]:
        return self.found.faults | ({"progress_fell": self.progress_fell} if self.progress_fell else {})

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "faults": self.faults}


class Watch:
    """Looks at the jobs' progress again and again."""

    def __init__(self) -> None:
        self.gap, self.fell = 0.0, 0
        self._last: dict[Any, tuple[int, float, float]] = {}

    def look(self, jobs: list[Any]) -> None:
        now = time.monotonic()
        for job in jobs:
            attempt, progress, at = self._last.get(job.pk, (0, 0.0, now))
            self.fell += job.progress < progress
            if job.state != "running" or job.attempt != attempt or job.progress != progress:
                self._last[job.pk] = (job.attempt, job.progress, now)
            else:
                self.gap = max(self.gap, now - at)


class Workload:
    """A song separated whole and in part, in the house."""

    def __init__(self, house: House) -> None:
        from django.conf import settings

        self.house = house
        self.media, self.run_folder = settings.MEDIA_ROOT, settings.FILE_UPLOAD_TEMP_DIR
        self.sound = sound_file(SEED, SECONDS)
        self.undisturbed: Stems = {}
        self.typical = self.typical_upload = 3.0  # seconds that it takes when nobody disturbs it
        self.uploads_killed = 0

    def song(self) -> Any:
        """As a person uploads it: without true stems, which would be measured in the middle of everything."""
        from django.core.files.base import ContentFile

        from separation.services.songs import song_add

        return song_add(file=ContentFile(self.sound, name="song.wav"))

    def jobs_started(self, song: Any) -> list[Any]:
        from separation.services.jobs import job_start

        part = job_start(song=song, separator=SEPARATOR, spans=[PART])
        return [part, job_start(song=song, separator=SEPARATOR)]

    def learn(self) -> Run:
        """Once undisturbed with cold workers, and then for the time that it takes at its best, and for the stems."""
        times = []
        for killed in ("nothing (the models are loaded)", "nothing", "nothing"):
            song, began = self.song(), time.monotonic()
            jobs = self.jobs_started(song)
            run, watch = Run(killed, 0.0), Watch()
            self.ended(watch)
            run.seconds = time.monotonic() - began
            times.append(run.seconds)
            jobs[1].refresh_from_db()
            self.undisturbed = stems_of(jobs[1])
            self._conclude(run, watch, song)
        self.typical = min(times)
        self.typical_upload = min(self._upload_undisturbed() for _ in range(2))
        return run

    def _upload_undisturbed(self) -> float:
        from separation.models import Song
        from separation.services.songs import song_delete

        began, upload = time.monotonic(), Upload(self.house.port, self.sound, SEPARATOR)
        upload.send()
        seconds = time.monotonic() - began
        self.ended()
        song_delete(song=Song.objects.get())
        return seconds

    def ended(self, watch: Watch | None = None, patience: float = PATIENCE) -> bool:
        """Wait until no job waits or works."""
        from separation.models import SeparationJob

        def quiet() -> bool:
            jobs = list(SeparationJob.objects.all())
            if watch is not None:
                watch.look(jobs)
            return not any(job.is_live for job in jobs)

        return self.house.until(quiet, patience, "every job has ended")

    def run(self, killed: str, chance: random.Random) -> Run:
        return self._upload_killed(chance) if killed == "web" else self._work_killed(killed, chance)

    def _work_killed(self, killed: str, chance: random.Random) -> Run:
        run, watch = Run(killed, round(chance.uniform(0.0, self.typical), 3)), Watch()
        song, began = self.song(), time.monotonic()
        self.jobs_started(song)
        self.house.look_after(run.after)
        self.house.kill(killed)
        self.ended(watch)
        run.seconds = time.monotonic() - began
        return self._conclude(run, watch, song)

    def _upload_killed(self, chance: random.Random) -> Run:
        """The upload with the separation that it asks for. The web server dies while it receives, decodes or stores;
        every other time when it has answered, in the middle of the separation."""
        from separation.models import Song

        self.uploads_killed += 1
        answered = self.uploads_killed % 2 == 0
        upload = Upload(self.house.port, self.sound, SEPARATOR)
        longest = self.typical if answered else 1.2 * self.typical_upload
        run, watch = Run("web", round(chance.uniform(0.0, longest), 3)), Watch()
        began = time.monotonic()
        sending = Thread(target=upload.send)
        sending.start()
        if answered:
            self.house.until(lambda: not sending.is_alive(), 60, "the upload is answered")
        self.house.look_after(run.after)
        self.house.kill("web")
        sending.join()
        self.house.until(self.house.is_up, 60, "the web server is back")
        self.ended(watch)
        run.seconds = time.monotonic() - began
        run.upload = f"{upload.answer}; {'the song is there' if Song.objects.exists() else 'no song'}"
        return self._conclude(run, watch, Song.objects.first())

    def _conclude(self, run: Run, watch: Watch, song: Any) -> Run:
        """What is there now; and afterwards nothing may be there, when the song is deleted."""
        from separation.services.songs import song_delete

        run.left = len(orphans(self.media, self.run_folder))
        self.clean()
        run.found = found_now(self.media, self.run_folder, self.undisturbed)
        run.progress_gap, run.progress_fell = round(watch.gap, 2), watch.fell
        if song is not None:
            song_delete(song=song)
        run.found.orphans += orphans(self.media, self.run_folder)
        self.house.until(self.house.is_up, 60, "all processes are back")
        return run

    def clean(self) -> None:
        """The sweep gets the time that it needs."""
        patience = 3.0 * TIMES["ORPHAN_SECONDS"]
        self.house.until(lambda: not orphans(self.media, self.run_folder), patience, "no file without a row")
