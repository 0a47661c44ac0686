"""A real Celery worker whose separator needs no model, and whose first attempt at a job never ends.

`celery --app tests.separation.slow_worker worker`: the first attempt writes two stems, leaves its process id in the
file `SLOW_WORKER_PID`, beside it the folder of temporary files, and waits to be killed. Every further attempt runs
through.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from celery.signals import worker_process_init
from django.conf import settings

from config.celery import app

__all__ = ["app"]

settings.JOB_LEASE_SECONDS, settings.JOB_RETRY_SECONDS = 2, 1  # as in service, only sooner


@worker_process_init.connect
def make_slow(**kwargs: object) -> None:
    import pytest

    from separation.models import Stem
    from separation.services import leases, stem_writing
    from separation.services.stem_writing import Part, StemWriter
    from tests.separation.fake import fake_separator

    patch = pytest.MonkeyPatch()
    fake_separator(patch)
    written = StemWriter._stem
    count = 0

    def stem_written(writer: StemWriter, part: Part) -> Stem:
        nonlocal count
        stem, count = written(writer, part), count + 1
        if writer.job.attempt == 1 and count == 2:
            Path(os.environ["SLOW_WORKER_PID"] + ".scratch").write_text(tempfile.gettempdir())
            Path(os.environ["SLOW_WORKER_PID"]).write_text(str(os.getpid()))
            time.sleep(120)
        return stem

    patch.setattr(leases, "GRACE_SECONDS", 1.0)
    patch.setattr(stem_writing, "THREADS", 1)
    patch.setattr(StemWriter, "_stem", stem_written)
