"""Songs that come with their true stems: MUSDB18's .stem.mp4 files, and MUSDB18-HQ's folders."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client

from audio.reading import read_flac
from separation.models import Song, Stem
from separation.services.songs import UploadRefused, song_add
from separation.services.stem_songs import Track, artist_and_title, song_add_track, tracks_in
from tests.factories import encoded, files_in, sound
from tests.separation.true_stems import SOURCES, hq_folder, music, song_of, stem_file, stem_mp4

pytestmark = pytest.mark.django_db


def add(path: Path) -> Song:
    return song_add_track(track=Track(path))[0]


def refused(path: Path, media: Path) -> UploadRefused:
    """The refusal; not a row and not a file is there."""
    with pytest.raises(UploadRefused) as caught:
        add(path)
    assert not Song.objects.exists() and not Stem.objects.exists() and files_in(media) == []
    return caught.value


def stored(field: Any) -> Any:
    with field.open("rb") as file:
        return read_flac(file)


# ── what comes in ────────────────────────────────────────────────────────────────────────────────────


def test_a_folder_becomes_a_song_with_its_stems(tmp_path: Path) -> None:
    song = add(hq_folder(tmp_path))
    mixture, stems = music()
    assert (song.artist, song.title, song.original_name) == ("Una Banda", "Su canción", "Una Banda - Su canción.wav")
    assert np.max(np.abs(stored(song.mixture) - mixture * song.mixture_gain)) <= 2**-23
    for stem in song.stems.all():
        assert np.max(np.abs(stored(stem.file) / stem.gain - stems[stem.source])) <= 2**-22
        assert stem.origin["adds_up"] and stem.origin["name"] == f"{stem.source}.wav"
    assert {stem.source for stem in song.stems.all()} == set(SOURCES)


def test_a_stem_file_becomes_a_song_with_its_stems(tmp_path: Path) -> None:
    path = stem_file(tmp_path)
    song = add(path)
    assert (song.artist, song.title, song.original_name) == ("Una Banda", "Su canción", path.name)
    assert song.original_format == "M4A AAC" and song.original.name.endswith(".mp4")
    assert path.is_file(), "the data set stays where it is"
    lengths = {stored(stem.file).shape[1] for stem in song.stems.all()} | {stored(song.mixture).shape[1]}
    assert lengths == {song.samples}, "the same is removed from all five streams"
    for stem in song.stems.all():
        assert stem.origin["stream"] == 1 + SOURCES.index(stem.source) and stem.origin["lag"] == 0


def test_the_streams_lie_where_they_were_mixed(tmp_path: Path) -> None:
    """Neither the padding before them nor the order of the streams is lost, and none is moved by itself."""
    song = add(stem_file(tmp_path, seed=6, seconds=12.0))
    _, stems = music(6, 12.0)
    assert {stem.origin["lag"] for stem in song.stems.all()} == {0}
    for stem in song.stems.all():
        heard, truth = stored(stem.file) / stem.gain, stems[stem.source]
        length = min(heard.shape[1], truth.shape[1])
        error = np.sum((heard[:, :length] - truth[:, :length]) ** 2) / np.sum(truth**2)
        assert error < 0.01, stem.source


def test_names_without_an_artist() -> None:
    assert artist_and_title("AM Contra - Heart Peripheral") == ("AM Contra", "Heart Peripheral")
    assert artist_and_title("Solo") == ("", "Solo")
    assert artist_and_title("A - B - C") == ("A", "B - C")
    assert artist_and_title("Nada - ") == ("", "Nada - ".strip())


# ── what is refused ──────────────────────────────────────────────────────────────────────────────────


def test_a_missing_stream(tmp_path: Path, media: Path) -> None:
    mixture, stems = music()
    path = stem_mp4(tmp_path / "Tres.stem.mp4", [mixture, stems["drums"], stems["bass"]])
    refusal = refused(path, media)
    assert refusal.code == "not_stem_file" and refusal.params["streams"] == 3


def test_a_plain_song_with_the_name_of_a_stem_file(tmp_path: Path, media: Path) -> None:
    assert refused(stem_mp4(tmp_path / "Una.stem.mp4", [music()[0]]), media).params["streams"] == 1


def test_no_sound_at_all(tmp_path: Path, media: Path) -> None:
    path = tmp_path / "Nada.stem.mp4"
    path.write_bytes(b"nothing of the kind" * 100)
    assert refused(path, media).code == "not_audio"


def test_streams_of_different_lengths(tmp_path: Path, media: Path) -> None:
    mixture, stems = music()
    streams = [mixture, *(stems[source] for source in SOURCES)]
    streams[2] = streams[2][:, :100_000]
    refusal = refused(stem_mp4(tmp_path / "Corta.stem.mp4", streams), media)
    assert refusal.code == "stem_lengths_differ" and refusal.params["shorter"] == "bass"


def test_a_folder_without_a_stem(tmp_path: Path, media: Path) -> None:
    folder = hq_folder(tmp_path)
    (folder / "bass.wav").unlink()
    refusal = refused(folder, media)
    assert refusal.code == "stems_missing" and refusal.params["names"] == "bass.wav"


def test_a_folder_with_a_stem_of_another_song(tmp_path: Path, media: Path) -> None:
    folder = hq_folder(tmp_path)
    (folder / "vocals.wav").write_bytes(encoded(music(seed=9)[1]["vocals"], format="WAV", subtype="FLOAT"))
    refusal = refused(folder, media)
    assert refusal.code == "reference_unrelated" and refusal.params["file"] == "vocals.wav"


def test_a_folder_with_a_broken_stem(tmp_path: Path, media: Path) -> None:
    folder = hq_folder(tmp_path)
    whole = (folder / "drums.wav").read_bytes()
    (folder / "drums.wav").write_bytes(whole[: len(whole) // 2])
    refusal = refused(folder, media)
    assert refusal.code == "truncated" and refusal.params["file"] == "drums.wav"


def test_a_silent_song(tmp_path: Path, media: Path) -> None:
    folder = hq_folder(tmp_path)
    for source in ("mixture", *SOURCES):
        (folder / f"{source}.wav").write_bytes(encoded(0 * sound(4.0), format="WAV", subtype="FLOAT"))
    assert refused(folder, media).code == "silent"


# ── the command ──────────────────────────────────────────────────────────────────────────────────────


def ran(*arguments: Any) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command("import_musdb", *map(str, arguments), stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


@pytest.fixture
def data_set(tmp_path: Path) -> Path:
    hq_folder(tmp_path / "train", "A - Uno", seed=5)
    hq_folder(tmp_path / "test", "B - Dos", seed=6)
    hq_folder(tmp_path / "test", "C - Tres", seed=7)
    return tmp_path


def test_a_track_is_taken_in_once(data_set: Path, media: Path) -> None:
    out, _ = ran(data_set)
    assert out.count("added with its true stems") == 3 and "test/B - Dos" in out
    kept = files_in(media)
    out, _ = ran(data_set)
    assert out.count("is already here") == 3 and Song.objects.count() == 3 and files_in(media) == kept


def test_subset_number_and_dry_run(data_set: Path) -> None:
    out, _ = ran(data_set, "--dry-run")
    assert out.count("would be added") == 3 and not Song.objects.exists()
    ran(data_set, "--subset", "test", "--tracks", 1)
    assert [song.title for song in Song.objects.all()] == ["Dos"]
    out, _ = ran(data_set / "test", "--dry-run")
    assert "B - Dos: is already here" in out and "C - Tres: would be added" in out


def test_a_song_that_is_here_without_stems_gets_them(tmp_path: Path) -> None:
    folder = hq_folder(tmp_path)
    song = song_add(file=ContentFile((folder / "mixture.wav").read_bytes(), name="mezcla.wav"))
    ran(folder)
    assert Song.objects.count() == 1 and song.stems.count() == 4


def test_one_bad_track_does_not_stop_the_others(data_set: Path) -> None:
    (data_set / "test" / "B - Dos" / "other.wav").unlink()
    out, err = io.StringIO(), io.StringIO()
    with pytest.raises(CommandError, match="1 of 3 tracks"):
        call_command("import_musdb", str(data_set), stdout=out, stderr=err)
    assert Song.objects.count() == 2
    assert "test/B - Dos: A track of MUSDB18-HQ is a folder" in err.getvalue() and "other.wav" in err.getvalue()


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="There is no track in"):
        ran(tmp_path)
    with pytest.raises(CommandError, match="There is no folder or file"):
        ran(tmp_path / "nowhere")
    assert tracks_in(tmp_path, "test") == []


# ── the upload page ──────────────────────────────────────────────────────────────────────────────────


def test_the_upload_page_takes_a_stem_file(english: Client, tmp_path: Path) -> None:
    path = stem_file(tmp_path)
    english.post("/songs/add/", {"sounds": [SimpleUploadedFile(path.name, path.read_bytes())]})
    (song,) = Song.objects.all()
    assert song.title == "Su canción" and song.stems.count() == 4


def test_the_upload_page_refuses_one_that_is_none(english: Client, tmp_path: Path, media: Path) -> None:
    path = stem_mp4(tmp_path / "Una.stem.mp4", [music()[0]])
    page = english.post("/songs/add/", {"sounds": [SimpleUploadedFile(path.name, path.read_bytes())]}).content.decode()
    assert "holds five audio streams" in page and not Song.objects.exists() and files_in(media) == []


def test_a_song_as_mixture_alone_still_works() -> None:
    assert song_of(music()[0]).stems.count() == 0
