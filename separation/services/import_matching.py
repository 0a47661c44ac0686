"""Which song a folder is of, and which source a file: before anything is decoded."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

from separation.archives import Container, Found
from separation.models import Song
from separation.services.songs import SUFFIXES, UploadRefused, shown_name
from separation.stem_names import is_mixture, song_matches, source_of

MOST_CANDIDATES = 5
CHOOSE = ("import_song_unknown", "import_song_ambiguous", "import_no_folder")
"""Codes that a choice of the song mends."""

ANY_FOLDER = "*"
"""In a song map: whatever the folder is called, or whether there is one."""


@dataclass
class Matched:
    """One folder. `code` and `params` say what keeps it from being imported, if anything does."""

    folder: str
    files: dict[str, Found] = field(default_factory=dict)  # source -> file
    ignored: list[str] = field(default_factory=list)
    song: Song | None = None
    candidates: list[Song] = field(default_factory=list)  # songs that may be meant
    code: str = ""
    params: dict[str, Any] = field(default_factory=dict)

    def refuse(self, code: str, **params: Any) -> None:
        if not self.code:
            self.code, self.params = code, params


def folders_matched(container: Container, song_map: Mapping[str, str], only: Collection[str] = ()) -> list[Matched]:
    """Every folder with sound in it. `song_map`: the id, title or file name of a folder's song, where a person said so;
    `ANY_FOLDER` is told of all others. `only`: the folders that are meant, unless none of them is there.

    Raises `UploadRefused` where there is no usable file at all.
    """
    folders: dict[str, list[Found]] = {}
    for found in container.found():
        folders.setdefault(found.folder, []).append(found)
    songs = {song.pk: song for song in Song.objects.order_by("title", "created_at", "id")}
    matched = [_matched(folder, files, songs, song_map) for folder, files in folders.items() if _any_sound(files)]
    if not matched:
        raise UploadRefused("import_no_files")
    matched = [each for each in matched if each.folder in only] or matched
    _refuse_twice(matched)
    return matched


def _any_sound(files: list[Found]) -> bool:
    return any(_is_sound(found.name) and not is_mixture(found.name) for found in files)


def _is_sound(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in SUFFIXES


def _matched(folder: str, files: list[Found], songs: Mapping[UUID, Song], song_map: Mapping[str, str]) -> Matched:
    matched = Matched(folder)
    _find_sources(matched, files)
    _find_song(matched, songs, song_map.get(folder) or song_map.get(ANY_FOLDER, ""))
    return matched


def _find_sources(matched: Matched, files: list[Found]) -> None:
    unknown = []
    for found in files:
        source = source_of(found.name) if _is_sound(found.name) else None
        if source in matched.files:
            both = {"file": shown_name(matched.files[source].name), "other": shown_name(found.name)}
            matched.refuse("import_source_twice", **both, source=source)
        elif source:
            matched.files[source] = found
        elif _is_sound(found.name) and not is_mixture(found.name):
            unknown.append(shown_name(found.name))
        else:
            matched.ignored.append(shown_name(found.name))
    if unknown:
        matched.refuse("import_source_unknown", files=", ".join(unknown))


def _find_song(matched: Matched, songs: Mapping[UUID, Song], told: str) -> None:
    wanted = told or matched.folder
    exact, close = song_matches(wanted, {key: known_names(song) for key, song in songs.items()})
    if len(exact) == 1:
        matched.song = songs[exact[0]]
        return
    matched.candidates = [songs[key] for key in (exact or close)[:MOST_CANDIDATES]]
    if not wanted:
        matched.refuse("import_no_folder")
    elif exact:
        matched.refuse("import_song_ambiguous", folder=shown_name(wanted), count=len(exact))
    else:
        matched.refuse("import_song_unknown", folder=shown_name(wanted))


def known_names(song: Song) -> list[str]:
    """What a folder of this song may be called."""
    file = PurePosixPath(song.original_name)
    by_artist = [f"{song.artist} {song.title}", f"{song.title} {song.artist}"] if song.artist else []
    return [song.title, file.stem, file.name, str(song.pk), *by_artist]


def _refuse_twice(matched: list[Matched]) -> None:
    """Of several folders for one song none is taken: nobody knows which is meant."""
    by_song: dict[UUID, list[Matched]] = {}
    for each in matched:
        if each.song:
            by_song.setdefault(each.song.pk, []).append(each)
    for group in by_song.values():
        for each in group if len(group) > 1 else []:
            folders = ", ".join(shown_name(other.folder) for other in group)
            each.refuse("import_song_twice", folders=folders, title=group[0].song.title if group[0].song else "")
