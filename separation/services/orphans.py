"""Files that no row knows: what a process left that was killed between writing a file and writing its row.

Files come first and rows afterwards, so a file without a row may be about to get one. It is deleted when it is old, and
when this process has seen it without a row for a while: a clock that jumps makes files old, but not twice.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.core.files.storage import default_storage

from separation.models import SeparationJob, Song, Stem
from separation.services.files import folders_empty_delete, listed

FOLDERS = ("songs", "stems")
TEMPORARY = ("tmp*", "upload-*", "decode-*", "unpack-*")
"""Names in the folder for half-finished things: of Django's uploads, of our copies, of the decoder's folders."""

log = logging.getLogger(__name__)

_seen: dict[str, float] = {}


def files_sweep() -> None:
    """Delete the files and the half-finished things that nobody will come back for."""
    stored = {name for name in _unowned() if _is_old(_modified(name))}
    temporary = {str(path) for path in _temporary() if _is_old(_modified_here(path))}
    for name in sorted(_seen_long_enough(stored | temporary)):
        log.warning("%s belongs to nothing; it is deleted", name)
        if name in temporary:
            _temporary_delete(Path(name))
        else:
            default_storage.delete(name)
            folders_empty_delete(name)


def _unowned() -> set[str]:
    """The files first and the rows afterwards: what gets its row in between is not in the difference."""
    stored = {name for folder in FOLDERS for name in _files_below(folder)}
    running = {str(pk) for pk in SeparationJob.objects.filter(state="running").values_list("pk", flat=True)}
    return {name for name in stored - _owned() if not (name.startswith("stems/") and name.split("/")[1] in running)}


def _files_below(folder: str) -> Iterator[str]:
    folders, names = listed(folder)
    yield from (f"{folder}/{name}" for name in names)
    for inner in folders:
        yield from _files_below(f"{folder}/{inner}")


def _owned() -> set[str]:
    songs = Song.objects.values_list("original", "mixture")
    stems = Stem.objects.values_list("file", flat=True)
    return {str(name) for pair in songs.iterator() for name in pair} | {str(name) for name in stems.iterator()}


def _temporary() -> Iterator[Path]:
    if settings.FILE_UPLOAD_TEMP_DIR:
        for pattern in TEMPORARY:
            yield from Path(settings.FILE_UPLOAD_TEMP_DIR).glob(pattern)


def _modified(name: str) -> float:
    with contextlib.suppress(OSError):
        return default_storage.get_modified_time(name).timestamp()
    return float("inf")  # gone meanwhile


def _modified_here(path: Path) -> float:
    with contextlib.suppress(OSError):
        return path.stat().st_mtime
    return float("inf")


def _is_old(modified: float) -> bool:
    return time.time() - modified > settings.ORPHAN_SECONDS


def _seen_long_enough(names: set[str]) -> set[str]:
    now = time.monotonic()
    for name in set(_seen).difference(names):
        del _seen[name]
    first = {name: _seen.setdefault(name, now) for name in names}
    return {name for name, at in first.items() if now - at > settings.ORPHAN_SECONDS / 12}


def _temporary_delete(path: Path) -> None:
    with contextlib.suppress(OSError):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
