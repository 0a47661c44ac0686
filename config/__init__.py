"""Settings, entry points and processes of the StemMOS service."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
