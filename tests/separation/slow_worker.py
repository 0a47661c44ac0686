"""A real Celery worker whose separator needs no model, and whose first attempt at a job never ends.

`celery --app tests.separation.slow_worker worker`: the first attempt writes two stems, leaves its process id in the
file `SLOW_WORKER_PID` and waits to be killed. Every further attempt runs through.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from celery.signals import worker_process_init
from django.conf import settings

from config.celery import app

__all__ = ["app"]

settings.JOB_LEASE_SECONDS = 2  # as in service, only sooner


@worker_process_init.connect
def make_slow(**kwargs: object) -> None:
    import pytest

    from separation.models import SeparationJob, Stem
    from separation.separators.base import Audio
    from separation.services import jobs
    from tests.separation.fake import fake_separator

    fake_separator(pytest.MonkeyPatch())
    written = jobs._stem_written
    count = 0

    def stem_written(job: SeparationJob, source: str, samples: Audio) -> Stem:
        nonlocal count
        stem, count = written(job, source, samples), count + 1
        if job.attempt == 1 and count == 2:
            Path(os.environ["SLOW_WORKER_PID"]).write_text(str(os.getpid()))
            time.sleep(120)
        return stem

    jobs._stem_written = stem_written
