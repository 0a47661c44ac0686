"""Reading the environment: one typed helper per kind of value, with a clear error for a bad one."""

from __future__ import annotations

import hashlib
import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

CONTAINER_MEMORY = Path("/sys/fs/cgroup/memory.max")
UNIX_SOCKET_LIMIT = 100  # bytes; the kernel's own limit for a socket's path is 104 (macOS) or 108 (Linux)


class BadSetting(Exception):
    """An environment variable holds something that cannot be used."""


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def flag(name: str, default: bool = False) -> bool:
    value = text(name, "1" if default else "0").lower()
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    raise BadSetting(f"{name} must be 1 or 0, not {value!r}.")


def whole(name: str, default: int) -> int:
    value = text(name, str(default))
    if not value.isdigit():
        raise BadSetting(f"{name} must be a whole number, not {value!r}.")
    return int(value)


def memory_gb() -> int:
    """Of this machine, or of the container (cgroup version 2) where that may have less; whole GB."""
    found = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    with suppress(OSError, ValueError):  # not Linux, or "max"
        found = min(found, int(CONTAINER_MEMORY.read_text()))
    return found // 2**30


def items(name: str, default: str = "") -> list[str]:
    return [item.strip() for item in text(name, default).split(",") if item.strip()]


def folder(path: Path) -> Path:
    """`path`, made if it was not there."""
    path.mkdir(parents=True, exist_ok=True)
    return path


def secret_key(folder: Path) -> str:
    """`SECRET_KEY` from the environment, else one made once and kept, readable by its owner only."""
    given = text("SECRET_KEY")
    if given:
        return given
    path = folder / "secret_key"
    try:
        return path.read_text()
    except FileNotFoundError:
        folder.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:  # another process of the same start was first
        return path.read_text()
    with os.fdopen(handle, "w") as file:
        file.write(secrets.token_urlsafe(50))
    return path.read_text()


def redis_socket(folder: Path) -> Path:
    """The socket of our own Redis: inside the data folder, or in the temporary one where that path is too long."""
    inside = folder / "run" / "redis.sock"
    if len(os.fsencode(inside)) <= UNIX_SOCKET_LIMIT:
        return inside
    name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"stemmos-{name}" / "redis.sock"
