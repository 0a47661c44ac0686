"""Folders of files, as a person brings them: a ZIP archive, a folder on disk, or files one by one. Pure.

A stranger's archive is never unpacked as a whole, and no name in it becomes a path here: what is wanted is unpacked
one file at a time, under a name of our own, and its bytes are counted as they come, whatever the archive says.
"""

from __future__ import annotations

import re
import stat
import tempfile
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Protocol

from separation.zip_lists import announced

CHUNK_BYTES = 2**20
UTF8_FLAG, ENCRYPTED_FLAG = 0x800, 0x1
UNIX = 3
IGNORED_FOLDERS = ("__macosx",)
IGNORED_NAMES = ("thumbs.db", "desktop.ini")
ARCHIVES = (".zip", ".7z", ".rar", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".zst")
LIST_BYTES = 1024  # of the list of contents for each file that may be in it: its name, and what goes with it
DRIVE = re.compile(r"^[A-Za-z]:")


class BadArchive(Exception):
    """`code` is stable and short; `params` fill the sentence that the person reads (see `separation.messages`).

    | code | meaning | params |
    |---|---|---|
    | zip_not_a_zip | no ZIP archive, or one whose list of contents is damaged | |
    | zip_damaged | a file in it cannot be unpacked to its end | `name` |
    | zip_encrypted | it wants a password | `name` |
    | zip_unsafe_path | a name that leads out of the archive: `../`, `/`, `C:` | `name` |
    | zip_link | a link, or anything else that is no plain file | `name` |
    | zip_nested | an archive in the archive | `name` |
    | zip_method | a compression that cannot be read here | `name` |
    | zip_too_many | more files than any set of stems | `limit_files` |
    | zip_bomb | it unpacks to more than stems can be | `limit_mb` |
    """

    def __init__(self, code: str, **params: str | int) -> None:
        super().__init__(f"{code} {params}" if params else code)
        self.code = code
        self.params = params


@dataclass(frozen=True)
class Limits:
    """What an archive may be. A file that is never louder than noise packs to a third, silence to a thousandth."""

    members: int = 5_000
    member_bytes: int = 600 * 2**20
    unpacked_bytes: int = 2**30
    unpacked_ratio: int = 25
    """It may unpack to `unpacked_bytes`, or to this times its size where that is more."""


@dataclass(frozen=True)
class Found:
    """A file. `folder` and `name` are for showing and matching only."""

    folder: str  # "" where it lies in none
    name: str
    place: str  # what its container knows it by


class Container(Protocol):
    """What files are brought in."""

    def found(self) -> list[Found]:
        """Every file but what operating systems add by themselves, by its folder and name."""

    def on_disk(self, found: Found) -> AbstractContextManager[Path]:
        """A context in which the file lies on this machine's disk."""


# ── a ZIP archive ────────────────────────────────────────────────────────────────────────────────────


class ZipContainer:
    """A ZIP archive (PKWARE APPNOTE 6.3.10), read with Python's own `zipfile`."""

    def __init__(self, path: Path, *, scratch: Path | None = None, limits: Limits | None = None) -> None:
        """`scratch`: the folder for what is unpacked. Raises `BadArchive`."""
        self.limits = limits or Limits()
        self.scratch = scratch
        self._budget = max(self.limits.unpacked_bytes, self.limits.unpacked_ratio * path.stat().st_size)
        self._unpacked = 0
        self._refuse_long_list(path)
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, zipfile.LargeZipFile, ValueError, EOFError, NotImplementedError) as error:
            raise BadArchive("zip_not_a_zip") from error
        try:
            self._members = self._checked()
        except BadArchive:
            self._zip.close()
            raise

    def _refuse_long_list(self, path: Path) -> None:
        """Reading a list of contents takes memory for each entry, so it is asked first how long it is."""
        entries, length = announced(path)
        if entries > self.limits.members or length > LIST_BYTES * self.limits.members:
            raise BadArchive("zip_too_many", limit_files=self.limits.members)

    def _checked(self) -> dict[str, tuple[Found, zipfile.ZipInfo]]:
        infos = self._zip.infolist()
        if len(infos) > self.limits.members:
            raise BadArchive("zip_too_many", limit_files=self.limits.members)
        members = {}
        for number, info in enumerate(infos):
            name = _decoded_name(info)
            _refuse_unsafe(name, info)
            parts = PurePosixPath(name).parts
            if info.is_dir() or name.endswith("/") or _is_ignored(parts):
                continue
            _refuse_unreadable(name, info)
            members[str(number)] = (Found(_folder(parts), parts[-1], str(number)), info)
        return members

    def found(self) -> list[Found]:
        return _sorted(found for found, _info in self._members.values())

    @contextmanager
    def on_disk(self, found: Found) -> Iterator[Path]:
        """Unpacked to a file that is gone afterwards. Raises `BadArchive`, and the `OSError` of a full disk."""
        suffix = PurePosixPath(found.name).suffix.lower()[:8]
        with tempfile.NamedTemporaryFile(dir=self.scratch, prefix="unpack-", suffix=suffix) as copy:
            self._unpack(found, copy)
            copy.flush()
            yield Path(copy.name)

    def _unpack(self, found: Found, target: IO[bytes]) -> None:
        count = 0
        try:
            with self._zip.open(self._members[found.place][1]) as packed:
                while chunk := packed.read(CHUNK_BYTES):
                    count += len(chunk)
                    self._count(len(chunk), count)
                    target.write(chunk)
        except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError) as error:
            raise BadArchive("zip_damaged", name=found.name) from error

    def _count(self, more: int, of_member: int) -> None:
        self._unpacked += more
        if of_member > self.limits.member_bytes:
            raise BadArchive("zip_bomb", limit_mb=self.limits.member_bytes // 2**20)
        if self._unpacked > self._budget:
            raise BadArchive("zip_bomb", limit_mb=self._budget // 2**20)

    def close(self) -> None:
        self._zip.close()


def _decoded_name(info: zipfile.ZipInfo) -> str:
    """Names without the flag for UTF-8 are UTF-8 all the same on macOS and Linux, and code page 437 elsewhere."""
    name = info.orig_filename
    if not info.flag_bits & UTF8_FLAG:
        with suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return unicodedata.normalize("NFC", name.replace("\\", "/"))


def _refuse_unsafe(name: str, info: zipfile.ZipInfo) -> None:
    shown = _shown(name)
    if name.startswith("/") or DRIVE.match(name) or ".." in PurePosixPath(name).parts or "\0" in name:
        raise BadArchive("zip_unsafe_path", name=shown)
    kind = stat.S_IFMT(info.external_attr >> 16) if info.create_system == UNIX else 0
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise BadArchive("zip_link", name=shown)


def _refuse_unreadable(name: str, info: zipfile.ZipInfo) -> None:
    shown = _shown(name)
    if info.flag_bits & ENCRYPTED_FLAG:
        raise BadArchive("zip_encrypted", name=shown)
    if name.lower().endswith(ARCHIVES):
        raise BadArchive("zip_nested", name=shown)
    known = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
    if info.compress_type not in known:
        raise BadArchive("zip_method", name=shown)


def _shown(name: str) -> str:
    """Without control characters, and no longer than a sentence bears."""
    kept = "".join(c for c in name if unicodedata.category(c) not in ("Cc", "Cf"))
    return kept if len(kept) <= 80 else f"…{kept[-79:]}"


# ── a folder, and single files ───────────────────────────────────────────────────────────────────────


class DiskContainer:
    """A folder on this machine, of a person who may read it. Links inside it are not followed out of it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def found(self) -> list[Found]:
        files = (path for path in self.path.rglob("*") if path.is_file() and not path.is_symlink())
        relative = (path.relative_to(self.path) for path in files)
        return _sorted(self._found(path) for path in relative if not _is_ignored(path.parts))

    def _found(self, path: Path) -> Found:
        folder = _folder(path.parts) or (self.path.resolve().name if len(path.parts) == 1 else "")
        return Found(unicodedata.normalize("NFC", folder), unicodedata.normalize("NFC", path.name), str(path))

    @contextmanager
    def on_disk(self, found: Found) -> Iterator[Path]:
        yield self.path / found.place


class LooseContainer:
    """Files that came one by one: name, with folders where these are known, and where each lies on disk."""

    def __init__(self, files: Mapping[str, Path]) -> None:
        self.files = files

    def found(self) -> list[Found]:
        named = (
            (name, PurePosixPath(unicodedata.normalize("NFC", name.replace("\\", "/"))).parts) for name in self.files
        )
        return _sorted(
            Found(_folder(parts), parts[-1], name) for name, parts in named if parts and not _is_ignored(parts)
        )

    @contextmanager
    def on_disk(self, found: Found) -> Iterator[Path]:
        yield self.files[found.place]


def _folder(parts: tuple[str, ...]) -> str:
    """The folder that a file lies in: `system/song/vocals.wav` is of `song`."""
    return parts[-2] if len(parts) > 1 else ""


def _is_ignored(parts: tuple[str, ...]) -> bool:
    """What operating systems and editors leave behind."""
    hidden = any(part.startswith(".") or part.lower() in IGNORED_FOLDERS for part in parts)
    return hidden or parts[-1].lower() in IGNORED_NAMES


def _sorted(found: Iterator[Found]) -> list[Found]:
    return sorted(found, key=lambda each: (each.folder, each.name, each.place))
