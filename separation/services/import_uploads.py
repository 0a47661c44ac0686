"""Files that a browser or a program sends, as containers of stems: archives, folders, single files."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path, PurePosixPath
from typing import Any

from django.core.files.base import File

from separation.archives import ARCHIVES, Container, LooseContainer
from separation.services.imported_systems import system_named
from separation.services.imports import Imported, Result, Wish, stems_import, zip_opened
from separation.services.songs import UploadRefused, file_on_disk, shown_name

Sent = tuple[str, "File[Any]"]
"""A file, and its name with the folders that it was sent from."""


def uploads_import(*, sent: Sequence[Sent], wish: Wish, by: Any = None) -> Imported:
    """As `stems_import`, for all that was sent. Raises `UploadRefused` where nothing can be begun with."""
    if not sent:
        raise UploadRefused("no_file")
    archives = [each for each in sent if _suffix(each[0]) in ARCHIVES]
    loose = [each for each in sent if each not in archives]
    results: list[Result] = []
    for name, file in archives:
        try:
            results += _archive_imported(name, file, wish, by)
        except UploadRefused as refusal:
            if len(sent) == 1:
                raise
            results.append(Result(shown_name(name), "refused", code=refusal.code, params=refusal.params))
    if loose:
        results += _loose_imported(loose, wish, by)
    return Imported(system_named(wish.system), results)


def _archive_imported(name: str, file: File[Any], wish: Wish, by: Any) -> list[Result]:
    try:
        with ExitStack() as opened:
            path = opened.enter_context(file_on_disk(file, name))
            return _results(opened.enter_context(zip_opened(path)), wish, by)
    except UploadRefused as refusal:
        raise UploadRefused(refusal.code, {**refusal.params, "file": shown_name(name)}) from refusal


def _loose_imported(loose: Sequence[Sent], wish: Wish, by: Any) -> list[Result]:
    with ExitStack() as opened:
        paths: dict[str, Path] = {}
        for name, file in loose:
            paths[_free(name, paths)] = opened.enter_context(file_on_disk(file, name))
        return _results(LooseContainer(paths), wish, by)


def _results(container: Container, wish: Wish, by: Any) -> list[Result]:
    return stems_import(container=container, wish=wish, by=by).results


def _free(name: str, taken: dict[str, Path]) -> str:
    """Two files of one name are two files of one source, and are told so."""
    while name in taken:
        name = f"{PurePosixPath(name).parent}/+{PurePosixPath(name).name}"
    return name


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()
