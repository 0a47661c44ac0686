"""A study behind the project's own web server, on a home of its own, for benches and tests that need listeners.

`environment_set` comes first, before Django is loaded; then `study_open` makes the study in this process, by the
project's own services, and `served` runs gunicorn as `config/processes.py` has it.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from config import processes

if TYPE_CHECKING:
    from listening_test.models import Study

ROOT = Path(__file__).resolve().parent.parent
SYSTEMS = ("umxhq", "spleeter:4stems", "htdemucs")
SOURCES = ("vocals", "drums", "bass", "other")
READY_SECONDS = 60.0


def environment_set(home: Path, *, database_url: str = "") -> None:
    """Settings as they are by default, on an empty home. In PostgreSQL's place, where no URL is given, SQLite."""
    for name in ("REDIS_URL", "DEBUG", "HTTPS", "ALLOWED_HOSTS", "LISTENER_RATE", "LANGUAGE_CODE"):
        os.environ.pop(name, None)
    os.environ |= {
        "STEMMOS_HOME": str(home),
        "DATABASE_URL": database_url or f"sqlite:///{home / 'db.sqlite3'}",
        "SECRET_KEY": secrets.token_hex(),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "LOG_LEVEL": "WARNING",
    }
    home.mkdir(parents=True, exist_ok=True)
    subprocess.run([sys.executable, "manage.py", "prepare"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    import django

    django.setup()


def study_open(*, songs: int, seconds: float, **fields: Any) -> Study:
    """An open study: synthetic songs, stems of noise, and clips that the project's own services have made of them."""
    from config.celery import app
    from listening_test.models import Study
    from listening_test.services import preparation, studies
    from tests.listening_test.factories import study_make

    app.conf.broker_url = "memory://"
    study = study_make(
        songs=songs,
        systems=SYSTEMS,
        sources=SOURCES,
        seconds=max(3.0, seconds + 1.0),
        excerpt=(0.5, 0.5 + seconds),
        **fields,
    )
    studies.study_open(study=study)
    preparation.preparation_run(study_id=study.id)
    return Study.objects.get(pk=study.pk, state=Study.State.OPEN)


@contextmanager
def served(port: int) -> Iterator[str]:
    """The address of the web server, while the block lasts."""
    base = f"http://127.0.0.1:{port}"
    command = processes.web_command(host="127.0.0.1", port=port)
    server = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        _wait_until_ready(base, server)
        yield base
    finally:
        server.terminate()
        server.wait(30)


def _wait_until_ready(base: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            urllib.request.urlopen(f"{base}/static/", timeout=5)
        except urllib.error.HTTPError:
            return  # nothing is there, and somebody says so
        except OSError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.1)
