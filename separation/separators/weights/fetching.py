"""Downloads that survive: resumed where they broke off, checked, and in their place only when they are whole.

Everything is first written into `.incoming` in the folder of weights, on the same disk: a file there that ends in
`.part` is not complete. It is renamed into its place, which is atomic, after its size, sha256 and content were found
right. A second process that fetches the same file is refused, not mixed with the first.
"""

from __future__ import annotations

import errno
import fcntl
import http.client
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from separation.separators.weights.archives import unpack
from separation.separators.weights.catalogue import ARCHIVES, PUBLISHED
from separation.separators.weights.files import WeightsFile, WeightsSet, published_home, sha256_of

INCOMING = ".incoming"
BLOCK = 1 << 18  # bytes
PATIENCE = 60.0  # s without a byte
ATTEMPTS = 5
"""In a row without a byte of progress; between them, 1, 2, 4 and 8 s."""
GONE = {400, 401, 403, 404, 405, 410, 451}
"""Answers that waiting does not change."""

Report = Callable[[str, int, int | None], None]
"""Takes the file's name, bytes there, bytes in all if known."""


class FetchFailed(Exception):
    """A download that was given up. The message says what happened and what was kept."""


def fetch(key: str, report: Report = lambda name, done, size: None) -> list[Path]:
    """Bring what is missing of the variant `key` and return the new files. Raises `FetchFailed` or `WeightsMismatch`.

    A file that is there but wrong is replaced.
    """
    wanted = PUBLISHED[key](key, published_home())
    urls = dict.fromkeys(file.url for file in wanted.files if not _is_right(wanted, file))
    return [path for url in urls for path in _brought(wanted, url, report)]


def _is_right(wanted: WeightsSet, file: WeightsFile) -> bool:
    path = wanted.folder / file.name
    if not path.is_file() or (file.size is not None and path.stat().st_size != file.size):
        return False
    return sha256_of(path).startswith(file.sha256 or "")


def _brought(wanted: WeightsSet, url: str, report: Report) -> list[Path]:
    """The files of the set that come from one address: one file, or the members of an archive."""
    files = tuple(file for file in wanted.files if file.url == url)
    with incoming(wanted.folder.name) as folder:
        if url in ARCHIVES:
            archive = WeightsFile(url.rpartition("/")[2], None, ARCHIVES[url], files[0].how, url)
            path = _downloaded(archive, folder, report)
            try:
                unpack(path, {file.name: file.size for file in files}, folder)
            finally:
                path.unlink()
        else:
            _downloaded(files[0], folder, report)
        return put_in_place(WeightsSet(folder, files, wanted.origin), wanted.folder)


@contextmanager
def incoming(name: str) -> Iterator[Path]:
    """A folder for what arrives, removed once it is empty."""
    folder = published_home() / INCOMING / name
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield folder
    finally:
        for emptied in (folder, folder.parent):
            if not any(emptied.iterdir()):
                emptied.rmdir()


def put_in_place(arrived: WeightsSet, folder: Path) -> list[Path]:
    """Move verified files into `folder`, each in one step. Raises `WeightsMismatch`; then what arrived is deleted."""
    try:
        arrived.verify()
    except Exception:
        for file in arrived.files:
            (arrived.folder / file.name).unlink(missing_ok=True)
        raise
    folder.mkdir(parents=True, exist_ok=True)
    for file in arrived.files:
        os.replace(arrived.folder / file.name, folder / file.name)
    _flushed(folder)
    return [folder / file.name for file in arrived.files]


def _flushed(folder: Path) -> None:
    """So that a rename outlives a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# ── one file over HTTP ───────────────────────────────────────────────────────────────────────────────────────────


def _downloaded(file: WeightsFile, folder: Path, report: Report) -> Path:
    """The file, complete and of its hash, in `folder`. What a resumed download made wrong is fetched once from new."""
    whole, part = folder / file.name, folder / f"{file.name}.part"
    for again in (False, True):
        with part.open("ab+") as stream:
            _locked(stream, file)
            resumed = _length(stream) > 0
            _filled(stream, file, report)
            found = sha256_of(part)
            if found.startswith(file.sha256 or ""):
                os.replace(part, whole)
                return whole
            part.unlink()
        if again or not resumed:
            break
    raise FetchFailed(f"{file.url} gave a file with the sha256 {found} instead of {file.sha256}. It was deleted.")


def _locked(stream: IO[bytes], file: WeightsFile) -> None:
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise FetchFailed(f"{file.name} is being fetched by another process already.") from error


def _filled(stream: IO[bytes], file: WeightsFile, report: Report) -> None:
    """Append until the file is complete, with pauses that grow while nothing comes."""
    failures = 0
    while True:
        before = _length(stream)
        try:
            if _received(stream, file, report):
                stream.flush()
                os.fsync(stream.fileno())
                return
            problem: Exception = OSError("the connection was closed before the end")
        except HTTPError as error:
            if error.code in GONE:
                raise FetchFailed(f"{file.url} cannot be had: HTTP {error.code} {error.reason}.") from error
            problem = error
        except (URLError, OSError, http.client.HTTPException) as error:
            if isinstance(error, OSError) and error.errno == errno.ENOSPC:
                raise FetchFailed("There is no room left on the disk. What has arrived is kept.") from error
            problem = error
        failures = 0 if _length(stream) > before else failures + 1
        if failures == (2 if _has_no_network(problem) else ATTEMPTS):
            kept = f"{_length(stream):,} bytes are kept; the same command goes on from there."
            raise FetchFailed(f"{file.url} cannot be fetched now: {problem}. {kept}") from problem
        time.sleep(2 ** max(0, failures - 1))


def _has_no_network(problem: Exception) -> bool:
    """Not even the server's name is known: a machine without a network is told soon."""
    return isinstance(getattr(problem, "reason", None), socket.gaierror)


def _received(stream: IO[bytes], file: WeightsFile, report: Report) -> bool:
    """One request, for the rest of the file. True once all of it is there."""
    have = _length(stream)
    if file.size is not None and have >= file.size:
        stream.truncate(file.size)
        return True
    total = None
    try:
        with _opened(file.url, have) as response:
            total = _prepared(stream, response, have)
            if total and file.size and total != file.size:
                raise FetchFailed(f"{file.url} has {total:,} bytes instead of {file.size:,}: another file.")
            while block := response.read(BLOCK):
                stream.write(block)
                report(file.name, stream.tell(), total or file.size)
    except HTTPError as error:
        if error.code != 416:  # nothing after what is there: either it is complete, or something else
            raise
        if int(error.headers.get("Content-Range", "*/-1").rpartition("/")[2]) != have:
            stream.truncate(0)
            return False
        return True
    expected = total or file.size
    return expected is None or _length(stream) >= expected


def _opened(url: str, start: int) -> Any:
    if urlsplit(url).scheme not in {"http", "https"}:
        raise FetchFailed(f"{url!r} is no address that can be fetched; see `weights import`.")
    headers = {"User-Agent": "StemMOS", "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    return urlopen(Request(url, headers=headers), timeout=PATIENCE)  # noqa: S310 (the scheme was checked)


def _prepared(stream: IO[bytes], response: Any, have: int) -> int | None:
    """The stream at the place where the answer begins, and the whole length: a server may ignore what was asked."""
    length = response.headers.get("Content-Length")
    begins, _, total = response.headers.get("Content-Range", "").removeprefix("bytes ").partition("/")
    if response.status == 206 and begins.partition("-")[0] == str(have):
        stream.seek(0, os.SEEK_END)
        return int(total) if total.isdigit() else None
    stream.truncate(0)
    if response.status == 206:
        raise OSError("the server sent another part than was asked for")
    return int(length) if length else None


def _length(stream: IO[bytes]) -> int:
    return stream.seek(0, os.SEEK_END)
