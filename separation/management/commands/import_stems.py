"""`manage.py import_stems PATH --system NAME`: stems that another model has made, from a folder or a ZIP archive."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import translation

from separation import messages
from separation.archives import Container, DiskContainer
from separation.import_messages import notes_of_set
from separation.services.imports import Imported, Result, Wish, stems_import, zip_opened
from separation.services.songs import UploadRefused

HEADERS = ("folder", "song", "source", "file", "lag", "likeness", "state")


class Command(BaseCommand):
    help = (
        "Imports stems that another model has made. PATH is a folder or a ZIP archive with a folder for each song and "
        "in it a file for each source: song/vocals.wav. Songs are found by title, file name or id."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path)
        parser.add_argument("--system", required=True, metavar="NAME", help="what results will call it")
        parser.add_argument("--description", default="", help="which model, which weights, run how")
        parser.add_argument(
            "--song-map", nargs="+", default=[], metavar="FOLDER=SONG", help="the song (title or id) of a folder"
        )
        parser.add_argument("--convert", action="store_true", help="convert other sample rates to 44100 Hz")
        parser.add_argument("--replace", action="store_true", help="replace stems that this system has already")
        parser.add_argument("--dry-run", action="store_true", help="check everything, and store nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        wish = Wish(
            system=options["system"],
            description=options["description"],
            song_map=dict(self.pair(text) for text in options["song_map"]),
            convert=options["convert"],
            replace=options["replace"],
            dry_run=options["dry_run"],
        )
        with translation.override("en"):  # like everything else in the terminal
            try:
                with self.opened(options["path"]) as container:
                    imported = stems_import(container=container, wish=wish, by="import_stems")
            except UploadRefused as refusal:
                raise CommandError(messages.refusal_sentence(refusal.code, refusal.params)) from refusal
            self.report(imported, wish.dry_run)

    def pair(self, text: str) -> tuple[str, str]:
        folder, equals, song = text.rpartition("=")
        if not equals or not song:
            raise CommandError(f"--song-map wants FOLDER=SONG, not {text!r}. Nothing was changed.")
        return folder, song

    def opened(self, path: Path) -> AbstractContextManager[Container]:
        if path.is_dir():
            return nullcontext(DiskContainer(path))
        if not path.exists():
            raise CommandError(f"There is no folder or file {path}. Nothing was changed.")
        return zip_opened(path)

    def report(self, imported: Imported, dry_run: bool) -> None:
        for line in _table([HEADERS, *(row for result in imported.results for row in _rows(result))]):
            self.stdout.write(line)
        for result in imported.results:
            self._sentences(result)
        bad = sum(not result.is_good for result in imported.results)
        if bad:
            raise CommandError(f"{bad} of {len(imported.results)} folders were not imported; nothing was kept of them.")
        done = "could be imported" if dry_run else "imported"
        number = len(imported.results)
        self.stdout.write(
            f"{number} song{'s' if number > 1 else ''} {done} as {imported.system.name} ({imported.system.key})."
        )

    def _sentences(self, result: Result) -> None:
        if result.code:
            why = messages.refusal_sentence(result.code, result.params)
            self.stderr.write(f"{result.folder or '(no folder)'}: {why}")
        for song in result.candidates:
            self.stderr.write(f"    perhaps --song-map {result.folder!r}={song.pk}  ({song.title})")
        for names, note in notes_of_set({stem.name: stem.origin for stem in result.stems}):
            who = "all stems" if len(names) == len(result.stems) > 1 else ", ".join(names)
            self.stdout.write(f"{result.folder}, {who}: {note}")
        if result.ignored:
            self.stdout.write(f"{result.folder}: left aside: {', '.join(result.ignored)}")


def _rows(result: Result) -> Iterable[tuple[str, ...]]:
    title = result.song.title if result.song else "–"
    if not result.stems:
        yield result.folder or "–", title, "–", "–", "–", "–", result.state
    for stem in result.stems:
        likeness = f"{stem.origin.get('correlation', 0.0):.2f}"
        yield result.folder, title, stem.source, stem.name, str(stem.lag), likeness, result.state


def _table(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADERS))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
