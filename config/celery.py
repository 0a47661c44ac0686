"""The Celery application: one path for all background work, Redis as broker, rows as truth."""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("stemmos")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
