"""A real PostgreSQL server for the tests, in a temporary folder, reachable from this machine only."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.config.running import free_port

PLACES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin")
USER = "stemmos"


def programs() -> Path | None:
    """The folder of `initdb` and `postgres`, the newest one. Debian keeps it off the PATH."""
    found = [folder for place in PLACES for folder in Path("/").glob(place[1:])]
    on_path = shutil.which("postgres")
    if on_path:
        found.append(Path(on_path).resolve().parent)
    whole = [folder for folder in found if (folder / "initdb").exists() and (folder / "postgres").exists()]
    return max(whole, key=version, default=None)


def version(folder: Path) -> int:
    said = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    return int("".join(letter for letter in said.split()[-1].split(".")[0] if letter.isdigit()) or 0)


def unprivileged() -> str | None:
    """PostgreSQL refuses to run as root: the account it runs as then, None for our own."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """Runs a server while the block lasts; gives the DATABASE_URL of an empty database."""
    account = unprivileged()
    with tempfile.TemporaryDirectory(prefix="stemmos-pg-", dir="/tmp") as name:  # a socket's path has to be short
        home = Path(name)
        if account:
            shutil.chown(home, account)
        make_cluster(folder, home, account)
        # Nothing in it has to outlive the tests.
        port = free_port()
        command = [folder / "postgres", "-D", home / "data", "-k", home, "-p", str(port)]
        command += ["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]
        with (home / "log").open("wb") as log:
            server = subprocess.Popen(command, user=account, cwd=home, stdout=log, stderr=log)
        try:
            wait_for_answer(port, home / "log", server)
            yield f"postgres://{USER}@127.0.0.1:{port}/postgres"
        finally:
            server.send_signal(signal.SIGQUIT)
            server.wait(30)


def make_cluster(folder: Path, home: Path, account: str | None) -> None:
    settings = ["-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "-N"]
    command = [folder / "initdb", "-D", home / "data", *settings]
    done = subprocess.run(command, user=account, cwd=home, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def wait_for_answer(port: int, log: Path, server: subprocess.Popen[bytes], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            psycopg.connect(host="127.0.0.1", port=port, user=USER, dbname="postgres").close()
            return
        except psycopg.OperationalError:
            assert server.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
