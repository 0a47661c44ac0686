"""Folders of stored files, on any storage."""

from __future__ import annotations

import contextlib
from uuid import UUID

from django.core.files.storage import default_storage


def song_files_delete(song_id: UUID) -> None:
    folder_delete(f"songs/{song_id}")


def job_files_delete(job_id: UUID) -> None:
    folder_delete(f"stems/{job_id}")


def attempt_delete(job_id: UUID, attempt: int) -> None:
    """What one attempt has written, and the job's folder if nothing else is in it."""
    folder_delete(f"stems/{job_id}/{attempt}")
    _empty_delete(f"stems/{job_id}")


def other_attempts_delete(job_id: UUID, attempt: int) -> None:
    """What lost attempts of the job have left behind."""
    for name in _listed(f"stems/{job_id}")[0]:
        if name != str(attempt):
            folder_delete(f"stems/{job_id}/{name}")


def folder_delete(folder: str) -> None:
    """Everything inside, and the folder itself. A folder that is not there is no error."""
    folders, names = _listed(folder)
    for name in names:
        default_storage.delete(f"{folder}/{name}")
    for inner in folders:
        folder_delete(f"{folder}/{inner}")
    _empty_delete(folder)


def _empty_delete(folder: str) -> None:
    with contextlib.suppress(OSError):  # not empty: another worker has written there, and will clean up after itself
        default_storage.delete(folder)


def _listed(folder: str) -> tuple[list[str], list[str]]:
    try:
        return default_storage.listdir(folder)
    except FileNotFoundError:
        return [], []
