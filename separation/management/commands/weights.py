"""`manage.py weights`: what is there, what is missing, fetch it, check it, or take it in from elsewhere.

    manage.py weights list                what is there of every variant
    manage.py weights fetch [KEY…]        download what is missing of these variants, or of all
    manage.py weights verify [KEY…]       open every file: sha256, names and shapes
    manage.py weights import PATH         copy in what is recognised in a file or folder

It speaks plain English, like everything else in the terminal. It needs no database, no broker, and, but for `fetch`,
no network.
"""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from separation.separators import registry
from separation.separators.base import SeparatorError, WeightsMismatch
from separation.separators.weights import PUBLISHED, published_home, published_set, unpinned
from separation.separators.weights.catalogue import weights_key
from separation.separators.weights.fetching import FetchFailed, fetch
from separation.separators.weights.importing import import_weights
from separation.separators.weights.verifying import faults_of, state_of

SECONDS_BETWEEN_LINES = 0.5
UNPINNED_WARNING = "STEMMOS_WEIGHTS_UNPINNED=1: hashes are not compared, so these need not be the published weights."


class Command(BaseCommand):
    help = "The published weights: list, fetch, verify, or import them from a file or folder."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        doing = parser.add_subparsers(dest="doing", required=True)
        doing.add_parser("list", help="what is there of every variant, how large, under which licence")
        for name, what in (("fetch", "download what is missing"), ("verify", "compare sha256, names and shapes")):
            keys = doing.add_parser(name, help=what)
            keys.add_argument("keys", nargs="*", metavar="KEY", help=f"a variant: {', '.join(PUBLISHED)}")
        doing.add_parser("import", help="copy in what is recognised").add_argument("path", type=Path, metavar="PATH")

    def handle(self, *args: Any, **options: Any) -> None:
        if unpinned() and options["doing"] != "fetch":
            self.stderr.write(self.style.WARNING(UNPINNED_WARNING))
        if options["doing"] == "list":
            self._list()
        elif options["doing"] == "import":
            self._import(options["path"])
        else:
            getattr(self, f"_{options['doing']}")(_keys(options["keys"]), everything=not options["keys"])

    # ── list ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _list(self) -> None:
        self.stdout.write(f"{'variant':<22}{'state':<9}{'size':>9}  {'licence':<17}folder")
        for spec in (spec for spec in registry.all_specs() if spec.weights == "published"):
            wanted = published_set(weights_key(spec.key))
            size = sum(_bytes_of(wanted.folder / file.name, file.size) for file in wanted.files)
            line = f"{spec.key:<22}{state_of(wanted):<9}{_megabytes(size):>9}  {spec.licence:<17}{wanted.folder}"
            self.stdout.write(line)
        self.stdout.write("Get them with: python manage.py weights fetch KEY, or: python manage.py weights import PATH")

    # ── fetch ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _fetch(self, keys: list[str], *, everything: bool) -> None:
        if unpinned():
            raise CommandError("Unset STEMMOS_WEIGHTS_UNPINNED first: what is fetched is compared with its hash.")
        failed = [key for key in keys if not self._fetched(key)]
        if failed:
            raise CommandError(f"Not fetched: {', '.join(failed)}. The others are in {published_home()}.")

    def _fetched(self, key: str) -> bool:
        progress = ProgressLine(self)
        try:
            new = fetch(key, progress)
        except (FetchFailed, WeightsMismatch, OSError) as error:
            self.stderr.write(self.style.ERROR(f"{key}: {error}"))
            return False
        self.stdout.write(f"{key}: {f'{len(new)} files fetched' if new else 'all is here'}, in {published_home()}")
        return True

    # ── verify ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _verify(self, keys: list[str], *, everything: bool) -> None:
        """Without keys, a variant of which nothing is here is no fault, but all of them missing is one."""
        states = {key: state_of(published_set(key)) for key in keys}
        asked = [key for key, state in states.items() if state != "missing" or not everything]
        if not asked:
            raise CommandError(f"There are no weights in {published_home()}.")
        faults = sum(self._faults(key) for key in asked)
        if faults:
            raise CommandError(f"{faults} faults in {published_home()}: these variants will not run.")

    def _faults(self, key: str) -> int:
        wanted = published_set(key)
        faults = faults_of(wanted)
        for fault in faults:
            self.stderr.write(self.style.ERROR(f"{key}: {fault}"))
        if not faults:
            self.stdout.write(f"{key}: right ({len(wanted.files)} files)")
        return len(faults)

    # ── import ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _import(self, path: Path) -> None:
        try:
            done = import_weights(path)
        except OSError as error:
            raise CommandError(f"{error}. What was there before is as it was.") from error
        for new in done.taken:
            self.stdout.write(f"copied    {new}")
        for old in done.here:
            self.stdout.write(f"is here   {old}")
        for refused, why in done.refused:
            self.stderr.write(self.style.ERROR(f"refused   {refused}: {why}"))
        for unknown in done.unknown:
            self.stdout.write(f"unknown   {unknown}: neither its name nor its hash is that of a published file")
        if not (done.taken or done.here or done.refused):
            raise CommandError(f"Nothing was recognised in {path}. The files wanted are:\n{_wanted_files()}")
        if done.refused:
            raise CommandError(f"{len(done.taken)} files copied, {len(done.refused)} refused, none of them half.")


def _keys(given: list[str]) -> list[str]:
    """Variants that have files of their own; the -16kHz forms stand for the ones whose files they use."""
    for key in given:
        try:
            registry.spec(key)
        except SeparatorError as error:
            raise CommandError(str(error)) from error
        if weights_key(key) not in PUBLISHED:
            raise CommandError(f"{key} has no published weights: they came with it.")
    return list(dict.fromkeys(weights_key(key) for key in given)) or list(PUBLISHED)


def _wanted_files() -> str:
    files = ((key, ", ".join(file.name for file in published_set(key).files)) for key in PUBLISHED)
    return "\n".join(f"  {key + ':':<18}{names}" for key, names in files)


def _bytes_of(path: Path, published: int | None) -> int:
    return path.stat().st_size if path.is_file() else published or 0


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.0f} MB" if size else "?"


class ProgressLine:
    """How far a download is: on one line in a terminal, else a line for every tenth."""

    def __init__(self, command: BaseCommand) -> None:
        self._command, self._said, self._at = command, "", 0.0
        self._is_terminal = sys.stdout.isatty()

    def __call__(self, name: str, done: int, size: int | None) -> None:
        share = done / size if size else 0.0
        text = f"  {name}: {_megabytes(done)}" + (f" of {_megabytes(size)}" if size else "")
        mark = f"{name} {int(share * 10)}"
        now = time.monotonic()
        if self._is_terminal and (now - self._at > SECONDS_BETWEEN_LINES or done == size):
            self._at = now
            self._command.stdout.write(f"\r{text}", ending="\n" if done == size else "")
            self._command.stdout.flush()
        elif not self._is_terminal and mark != self._said:
            self._said = mark
            self._command.stdout.write(text)
