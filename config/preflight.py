"""What has to be so before a server can start; whatever is not so becomes one clear sentence."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import socket
from pathlib import Path
from typing import IO

NEEDED_BYTES = 500 * 2**20
FIRST_FREE_PORT_TRIES = 100


class CannotStart(Exception):
    """The sentence for the person who starts the server."""


def port_wanted(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise CannotStart(f"PORT must be a number from 1 to 65535, not {text!r}.")
    return int(text)


def check_port(host: str, port: int) -> None:
    if someone_listens(port):
        raise CannotStart(port_in_use(host, port))
    try:
        bind_once(host, port)
    except OSError as error:
        raise CannotStart(bind_sentence(host, port, error)) from error


def someone_listens(port: int) -> bool:
    """Asked by knocking: macOS lets two programs bind one port on different addresses."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=0.5):
            return True
    except OSError:
        return False


def bind_once(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))


def bind_sentence(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return port_in_use(host, port)
    if error.errno in {errno.EACCES, errno.EPERM}:
        return f"Port {port} is reserved for the system. Choose one from 1024 on: PORT=8000 script/server"
    return f"HOST={host} is no address of this machine ({error.strerror}). HOST=0.0.0.0 means all of them."


def port_in_use(host: str, port: int) -> str:
    free = next((str(other) for other in range(port + 1, port + FIRST_FREE_PORT_TRIES) if is_free(host, other)), "8001")
    return (
        f"Port {port} is already in use by another program (or another StemMOS). "
        f"Stop that one, or choose another port: PORT={free} script/server"
    )


def is_free(host: str, port: int) -> bool:
    try:
        bind_once(host, port)
    except (OSError, OverflowError):
        return False
    return not someone_listens(port)


def check_home(home: Path) -> None:
    """The data folder is there and can be written."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        probe = home / f".probe-{os.getpid()}"
        probe.write_text("")
        probe.unlink()
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise CannotStart(f"The disk that holds {home} is full. {SPACE_ADVICE}") from error
        raise CannotStart(
            f"The data folder {home} cannot be written ({error.strerror}). "
            "Choose another: STEMMOS_HOME=/path/to/folder script/server"
        ) from error


SPACE_ADVICE = "Free some space, or put the data elsewhere: STEMMOS_HOME=/path/to/folder script/server"


def check_space(home: Path) -> None:
    free = shutil.disk_usage(home).free
    if free < NEEDED_BYTES:
        raise CannotStart(
            f"Only {free // 2**20} MB of disk space are left for {home}, and songs and stems need "
            f"at least {NEEDED_BYTES // 2**20} MB. {SPACE_ADVICE}"
        )


def lock(home: Path, address: str) -> IO[str]:
    """Held as long as the file is open. One server on one data folder: two would share one Redis and one database."""
    path = home / "run" / "server.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        running = file.read().strip() or "another process"
        file.close()
        raise CannotStart(f"StemMOS already runs on the data folder {home}: {running}.") from None
    file.truncate(0)
    file.write(f"{address}, process {os.getpid()}\n")
    file.flush()
    return file
