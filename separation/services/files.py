"""Stored files, on any storage: who owns them, and when they go.

A file belongs to the rows that name it. Equal work is done once, so a stem's file may be named by rows of several
jobs: it goes with the last of them, and never while one is left.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from uuid import UUID

from django.core.files.storage import default_storage
from django.db import transaction

from separation.models import Stem

Keep = Callable[[str], bool]


def song_files_delete(song_id: UUID) -> None:
    folder_delete(f"songs/{song_id}")


def job_files_delete(job_id: UUID) -> None:
    """What the job has written, but for files that are stems of another job by now."""
    unowned_delete(f"stems/{job_id}")


def job_files_delete_after_commit(job_id: UUID) -> None:
    transaction.on_commit(lambda: job_files_delete(job_id))


def stem_files_delete_after_commit(stems: Iterable[Stem]) -> None:
    """To be called in the transaction that deletes these rows, and before it does so."""
    names = sorted({str(stem.file.name) for stem in stems})
    transaction.on_commit(lambda: names_delete(names))


def names_delete(names: Iterable[str]) -> None:
    """The files that no stem names any more, and the folders that are empty then."""
    names = set(names)
    for name in sorted(names.difference(_owned(Stem.objects.filter(file__in=names).values_list("file", flat=True)))):
        default_storage.delete(name)
        folders_empty_delete(name)


def attempt_delete(job_id: UUID, attempt: int) -> None:
    """What one attempt has written, and the job's folder if nothing else is in it."""
    unowned_delete(f"stems/{job_id}/{attempt}")
    _empty_delete(f"stems/{job_id}")


def other_attempts_delete(job_id: UUID, attempt: int) -> None:
    """What lost attempts of the job have left behind."""
    for name in listed(f"stems/{job_id}")[0]:
        if name != str(attempt):
            unowned_delete(f"stems/{job_id}/{name}")


def unowned_delete(folder: str) -> None:
    """Everything inside that is no stem's file."""
    owned = _owned(Stem.objects.filter(file__startswith=f"{folder}/").values_list("file", flat=True))
    folder_delete(folder, keep=owned.__contains__)


def folder_delete(folder: str, keep: Keep = lambda name: False) -> None:
    """Everything inside that is not to be kept, and the folder if it is empty then. It need not be there."""
    folders, names = listed(folder)
    for name in names:
        if not keep(f"{folder}/{name}"):
            default_storage.delete(f"{folder}/{name}")
    for inner in folders:
        folder_delete(f"{folder}/{inner}", keep)
    _empty_delete(folder)


def folders_empty_delete(name: str) -> None:
    """The folders around a file that is gone, but for the first, as far as they are empty."""
    parts = name.split("/")[:-1]
    for depth in range(len(parts), 1, -1):
        _empty_delete("/".join(parts[:depth]))


def _owned(names: Iterable[str]) -> set[str]:
    return {str(name) for name in names}


def _empty_delete(folder: str) -> None:
    with contextlib.suppress(OSError):  # not empty: another worker has written there, and will clean up after itself
        default_storage.delete(folder)


def listed(folder: str) -> tuple[list[str], list[str]]:
    """Names of the folders and files inside."""
    try:
        return default_storage.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return [], []
