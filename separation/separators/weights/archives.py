"""Spleeter's releases are archives: the wanted members are copied out one by one, and nothing else."""

from __future__ import annotations

import shutil
import tarfile
import zlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from separation.separators.weights.files import WeightsFile, WeightsSet

INDEX_LIMIT = 1_000_000
"""Bytes. Spleeter's index files have about 13,000."""


def unpack(archive: Path, wanted: Mapping[str, int | None], folder: Path) -> None:
    """Copy the members of these names and sizes out of a `.tar.gz` into `folder`: all of them, or none.

    Members are found by their names, at the top of the archive or one folder below; links, devices, paths with `..`
    and everything else are passed over. Raises `WeightsMismatch` where one is missing, doubled or of another size, and
    where the archive is damaged.
    """
    try:
        found = _members_copied(archive, wanted, folder)
        if missing := wanted.keys() - found:
            raise ValueError(f"it does not hold {', '.join(sorted(missing))}")
    except (tarfile.TarError, EOFError, OSError, ValueError, zlib.error) as error:
        for name in wanted:
            (folder / name).unlink(missing_ok=True)
        raise _refusal(archive, str(error) if isinstance(error, ValueError) else f"it is damaged: {error}") from error


def _members_copied(archive: Path, wanted: Mapping[str, int | None], folder: Path) -> set[str]:
    found: set[str] = set()
    with tarfile.open(archive, "r:gz") as members:
        for member in members:
            name = _plain_name(member)
            if name not in wanted:
                continue
            if name in found or not _right_size(member, wanted[name]):
                raise ValueError(f"its member {member.name} is doubled, or has {member.size} bytes")
            _copied(members, member, folder / name)
            found.add(name)
    return found


def _plain_name(member: tarfile.TarInfo) -> str:
    """The name of a plain file near the top of the archive, else nothing."""
    path = PurePosixPath(member.name)
    harmless = member.isreg() and not path.is_absolute() and ".." not in path.parts and len(path.parts) <= 2
    return path.name if harmless else ""


def _right_size(member: tarfile.TarInfo, size: int | None) -> bool:
    return member.size <= INDEX_LIMIT if size is None else member.size == size


def _copied(members: tarfile.TarFile, member: tarfile.TarInfo, to: Path) -> None:
    source = members.extractfile(member)
    if source is None:
        raise tarfile.ReadError(f"{member.name} cannot be read")
    with source, to.open("wb") as target:
        shutil.copyfileobj(source, target)


def _refusal(archive: Path, why: str) -> Exception:
    file = WeightsFile(archive.name, None, None, "python manage.py weights fetch")
    return WeightsSet(archive.parent, (file,), str(archive)).mismatch(file, why)
