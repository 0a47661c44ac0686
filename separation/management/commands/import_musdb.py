"""`manage.py import_musdb PATH`: tracks of MUSDB18 or MUSDB18-HQ become songs with their true stems."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import translation

from separation import messages
from separation.measurement_pages import too_long_note
from separation.services.songs import UploadRefused
from separation.services.stem_songs import Track, song_add_track, song_of_track, tracks_in


class Command(BaseCommand):
    help = (
        "Takes in tracks of MUSDB18 (.stem.mp4 files) or MUSDB18-HQ (folders of WAV files) with their true stems. "
        "PATH is the data set, one of its subsets, or one track. A track that is already here is not added again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path)
        parser.add_argument("--subset", choices=["train", "test"], help="only the tracks of this subset")
        parser.add_argument("--tracks", type=int, metavar="N", help="only the first N tracks, by name")
        parser.add_argument("--style", default="", help="musical style, as listeners are asked about it")
        parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        tracks = self.found(options["path"], options["subset"])[: options["tracks"]]
        with translation.override("en"):  # like everything else in the terminal
            refused = sum(not self.taken(track, options) for track in tracks)
        if refused:
            raise CommandError(f"{refused} of {len(tracks)} tracks were not taken in; nothing was kept of them.")

    def found(self, path: Path, subset: str | None) -> list[Track]:
        if not path.exists():
            raise CommandError(f"There is no folder or file {path}.")
        tracks = tracks_in(path, subset)
        if not tracks:
            raise CommandError(
                f"There is no track in {path / subset if subset else path}: neither a file .stem.mp4 nor a folder with "
                "mixture.wav. Nothing was changed."
            )
        return tracks

    def taken(self, track: Track, options: dict[str, Any]) -> bool:
        name = f"{track.subset}/{track.name}" if track.subset else track.name
        try:
            self.stdout.write(f"{name}: {self.what_became_of(track, options)}")
        except UploadRefused as refusal:
            self.stderr.write(f"{name}: {messages.refusal_sentence(refusal.code, refusal.params)}")
            return False
        return True

    def what_became_of(self, track: Track, options: dict[str, Any]) -> str:
        if options["dry_run"]:
            return "is already here" if song_of_track(track) else "would be added"
        song, added = song_add_track(track=track, style=options["style"])
        note = too_long_note(song)
        return ("added with its true stems" if added else "is already here") + (f". {note}" if note else "")
