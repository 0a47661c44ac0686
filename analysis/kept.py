"""What has been computed for a study, kept on disk, so that every process of the service shows it at once.

A study has a folder with its last report, and the page made of it in each language. Files appear by renaming, whole or
not at all. Each begins with a keyed digest (BLAKE2b with the service's secret key): nothing is read that this service
has not written itself, and nothing that other code has computed. A computation holds a lock of the operating system,
which ends with its process, however that ends.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import pickle
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO
from uuid import UUID

from django.conf import settings

from analysis.report import StudyReport

DIGEST = 32  # bytes
CODE = ("analysis/**/*.py", "templates/analysis/*.html", "locale/*/LC_MESSAGES/django.po")  # what a page is made by


@dataclass(frozen=True)
class Page:
    """`html`: the results page without its frame. `ratings`: how many were stored when it was computed, `version`: of
    the data; `seconds`: what computing took; `at`: when it was done."""

    version: str
    ratings: int
    simulated: bool
    seconds: float
    at: float
    html: str


def report_write(report: StudyReport) -> None:
    _write(_folder(report.study_id) / "report", pickle.dumps(report, protocol=pickle.HIGHEST_PROTOCOL))


def report_read(study_id: UUID) -> StudyReport | None:
    content = _read(_folder(study_id) / "report")
    if content is None:
        return None
    report: StudyReport = pickle.loads(content)  # noqa: S301  `_read` found it to be our own
    return report


def page_write(study_id: UUID, language: str, page: Page) -> None:
    _write(_folder(study_id) / f"page.{language}", json.dumps(asdict(page)).encode())


def page_read(study_id: UUID, language: str) -> Page | None:
    content = _read(_folder(study_id) / f"page.{language}")
    return None if content is None else Page(**json.loads(bytes(content)))


def studies() -> list[str]:
    """Ids of those that have anything kept."""
    root = Path(settings.RESULTS_ROOT)
    return sorted(folder.name for folder in root.iterdir()) if root.is_dir() else []


def forget(study_id: str) -> None:
    shutil.rmtree(_folder(study_id), ignore_errors=True)


# ── One computation at a time ───────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def computing(study_id: UUID) -> Iterator[bool]:
    """The right to compute, while the block runs; False where somebody else has it."""
    with (_made(_folder(study_id)) / "lock").open("w") as file:
        yield any(_locked(file, fcntl.LOCK_EX, pause) for pause in (0.0, 0.05, 0.2))


def is_computing(study_id: UUID) -> bool:
    """A look at the lock, for a moment: `computing` tries again where it meets one."""
    with (_made(_folder(study_id)) / "lock").open("w") as file:
        return not _locked(file, fcntl.LOCK_SH)


def _locked(file: IO[str], kind: int, pause: float = 0.0) -> bool:
    """It ends when the file is closed."""
    time.sleep(pause)
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def may_ask(study_id: UUID, seconds: float) -> bool:
    """Whether it is `seconds` since this was last answered with yes: so that a queue holds a few messages at most."""
    file = _made(_folder(study_id)) / "asked"
    now = time.time()
    if file.exists() and 0 <= now - file.stat().st_mtime < seconds:
        return False
    file.touch()
    os.utime(file, (now, now))
    return True


# ── Files ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _folder(study_id: UUID | str | None) -> Path:
    return Path(settings.RESULTS_ROOT) / str(study_id)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _write(path: Path, content: bytes) -> None:
    with tempfile.NamedTemporaryFile(dir=_made(path.parent), prefix=".new-", delete=False) as file:
        try:
            file.write(_digest(content))
            file.write(content)
            file.close()
            os.replace(file.name, path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise


def _read(path: Path) -> memoryview | None:
    """None where there is nothing, or nothing that this service and this code have written."""
    try:
        whole = memoryview(path.read_bytes())
    except FileNotFoundError:
        return None
    content = whole[DIGEST:]
    return content if hmac.compare_digest(bytes(whole[:DIGEST]), _digest(content)) else None


def _digest(content: bytes | memoryview) -> bytes:
    key = hashlib.sha256(f"results:{code_digest()}:{settings.SECRET_KEY}".encode()).digest()
    return hashlib.blake2b(content, digest_size=DIGEST, key=key).digest()


@lru_cache(maxsize=1)
def code_digest() -> str:
    """Of all that decides what a report holds and how its page reads."""
    found = hashlib.sha256()
    for pattern in CODE:
        for path in sorted(Path(settings.BASE_DIR).glob(pattern)):
            found.update(path.read_bytes())
    return found.hexdigest()
