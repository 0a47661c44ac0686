"""The Celery application: one path for all background work, Redis as broker, rows as truth."""

from __future__ import annotations

import os
import tempfile

from celery import Celery
from celery.signals import worker_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("stemmos")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_init.connect
def scratch_on_the_disk_of_the_data(**kwargs: object) -> None:
    """What the separators, which know no Django, put into temporary files is too large for many a /tmp. The processes
    of the pool inherit it."""
    from django.conf import settings

    tempfile.tempdir = str(settings.FILE_UPLOAD_TEMP_DIR)
