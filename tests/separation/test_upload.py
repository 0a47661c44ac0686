"""Uploading through the form, good files and bad ones: a clear sentence, and nothing left behind."""

from __future__ import annotations

import html
import re
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

from audio.reading import read_flac
from separation import messages
from separation.models import SeparationJob, Song
from separation.separators import registry
from separation.separators.base import WeightsMissing
from separation.services.songs import shown_name, song_add, title_of
from tests.audio import files
from tests.factories import RATE, encoded, files_in, sound

pytestmark = pytest.mark.django_db
ADDRESS = "/songs/add/"


def upload(client: Client, data: bytes, name: str = "canción.wav", **fields: Any) -> Any:
    return client.post(ADDRESS, {"sounds": [SimpleUploadedFile(name, data)], **fields})


def text_of(response: Any) -> str:
    return html.unescape(response.content.decode())


def refusals(response: Any) -> str:
    """The text of the page's red notices."""
    assert response.status_code == 200
    return " ".join(
        html.unescape(part) for part in re.findall(r'<div class="notice bad".*?</div>', response.content.decode(), re.S)
    )


def nothing_left(media: Path) -> bool:
    return not Song.objects.exists() and files_in(media) == [] and files_in(media.parent / "run") == []


def wav(**options: Any) -> bytes:
    return encoded(sound(4.0), format="WAV", **options)


# ── what is refused ──────────────────────────────────────────────────────────────────────────────────

BAD = {
    "empty": (lambda: b"", "a.wav", "El archivo está vacío", "The file is empty"),
    "text": (lambda: b"hola\n" * 500, "a.wav", "No es un archivo de sonido", "This is no sound file"),
    "truncated mp3": (
        lambda: files.mp3()[: len(files.mp3()) // 2],
        "a.mp3",
        "El archivo está incompleto o dañado: solo se pueden leer los primeros",
        "The file is incomplete or damaged: only the first",
    ),
    "bomb": (files.flac_bomb, "a.flac", "MB ocuparían", "would unpack to"),
    "header": (
        lambda: files.flac_claiming(2**36 - 1),
        "a.flac",
        "más largo que cualquier canción",
        "longer than any song",
    ),
    "silent": (
        lambda: encoded(np.zeros((2, 4 * RATE), np.float32)),
        "a.flac",
        "La canción está en silencio",
        "The song is silent",
    ),
    "one second": (
        lambda: encoded(sound(1.0), format="WAV"),
        "a.wav",
        "La canción dura 1 s; debe durar al menos 3 s",
        "The song lasts 1 s; it must last 3 s at least",
    ),
    "too many channels": (
        lambda: encoded(sound(4.0, channels=12, rate=8_000), format="WAV", rate=8_000),
        "a.wav",
        "12 canales",
        "12 channels",
    ),
    "other kind of file": (lambda: b"%PDF-1.7", "a.pdf", "Los archivos de tipo «.pdf»", "Files of the kind “.pdf”"),
    "no suffix": (lambda: encoded(sound(4.0)), "song", "de tipo «song»", "of the kind “song”"),
}


@pytest.mark.parametrize("language", ["es", "en"])
@pytest.mark.parametrize("case", BAD)
def test_bad_file_gets_a_sentence_and_leaves_nothing(
    researcher_client: Client, media: Path, case: str, language: str
) -> None:
    make, name, spanish, english = BAD[case]
    researcher_client.defaults["HTTP_ACCEPT_LANGUAGE"] = language
    response = upload(researcher_client, make(), name, separators=["umx:demo"])
    shown = refusals(response)
    assert name in shown
    assert (spanish if language == "es" else english) in shown
    assert nothing_left(media) and not SeparationJob.objects.exists()


def test_nothing_chosen(english: Client) -> None:
    assert "No file was chosen" in refusals(english.post(ADDRESS, {"style": "rock"}))


def test_song_that_is_too_long(english: Client, settings: Settings, media: Path) -> None:
    settings.SONG_MAX_SECONDS = 5
    assert "The song lasts 6 s; it may last 5 s at most" in refusals(upload(english, encoded(sound(6.0)), "a.flac"))
    assert nothing_left(media)


def test_file_beyond_the_limit_is_not_even_kept_while_it_arrives(
    english: Client, settings: Settings, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.UPLOAD_MAX_BYTES = 2**20
    monkeypatch.setattr("separation.services.songs.song_add", None)  # it never comes that far
    assert "larger than 1 MB" in refusals(upload(english, encoded(sound(8.0), format="WAV")))
    assert nothing_left(media)


def test_disk_that_is_full_while_it_arrives(english: Client, media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Any, raw_data: bytes, start: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("separation.uploads.TemporaryFileUploadHandler.receive_data_chunk", full)
    assert "no room left on the server's disk" in refusals(upload(english, wav()))
    assert nothing_left(media)


def test_disk_that_is_full_when_it_is_stored(english: Client, media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.core.files.storage import FileSystemStorage

    save = FileSystemStorage._save

    def full_after_the_original(self: Any, name: str, content: Any) -> str:
        if name.endswith("mixture.flac"):
            raise OSError(28, "No space left on device")
        return save(self, name, content)

    monkeypatch.setattr(FileSystemStorage, "_save", full_after_the_original)
    assert "no room left on the server's disk" in refusals(upload(english, wav()))
    assert nothing_left(media)


def test_unexpected_failure_is_said_and_leaves_nothing(
    english: Client, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any, **fields: Any) -> None:
        raise RuntimeError("the database went away")

    monkeypatch.setattr(Song, "save", broken)
    assert "Something unexpected happened while the song was taken in" in refusals(upload(english, wav()))
    assert nothing_left(media)


# ── what is taken ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "make", "format", "notes"),
    [
        ("a.wav", wav, "WAV 16 bit", []),
        ("a.flac", lambda: encoded(sound(4.0), subtype="PCM_24"), "FLAC 24 bit", []),
        ("a.mp3", files.mp3, "MP3", []),
        ("a.ogg", lambda: encoded(sound(4.0), format="OGG", subtype="VORBIS"), "OGG Vorbis", []),
        ("a.opus", lambda: encoded(sound(4.0, rate=48_000), format="OGG", subtype="OPUS", rate=48_000), "OGG Opus",
         ["resampled"]),
        ("a.aiff", lambda: encoded(sound(4.0), format="AIFF"), "AIFF 16 bit", []),
        ("a.m4a", files.m4a, "M4A AAC", []),
        ("mono.wav", lambda: encoded(sound(4.0, channels=1), format="WAV"), "WAV 16 bit", ["mono_doubled"]),
        ("8k.wav", lambda: encoded(sound(4.0, rate=8_000), format="WAV", rate=8_000), "WAV 16 bit", ["resampled"]),
        ("96k.flac", lambda: encoded(sound(4.0, rate=96_000), rate=96_000, subtype="PCM_24"), "FLAC 24 bit",
         ["resampled"]),
        ("24.wav", lambda: wav(subtype="PCM_24"), "WAV 24 bit", []),
        ("5.1.wav", lambda: encoded(sound(4.0, channels=6), format="WAV"), "WAV 16 bit", ["mixed_down"]),
        ("loud.wav", lambda: encoded(sound(4.0, level=1.0), format="WAV", subtype="FLOAT"), "WAV 32 bit float",
         ["peaks_scaled"]),
    ],
)  # fmt: skip
def test_good_file_becomes_a_song(
    english: Client, media: Path, name: str, make: Callable[[], bytes], format: str, notes: list[str]
) -> None:
    data = make()
    response = upload(english, data, name, style="tango")
    song = Song.objects.get()
    assert response.url == f"/songs/{song.pk}/"
    assert (song.original_format, song.notes, song.style) == (format, notes, "tango")
    assert (song.original_name, song.title) == (name, name.rsplit(".", 1)[0])
    assert Path(song.original.path).read_bytes() == data
    mixture = read_flac(Path(song.mixture.path))
    assert mixture.shape == (2, song.samples)
    assert pytest.approx(song.seconds, abs=2.1) == 4.0
    assert files_in(media.parent / "run") == []
    page = text_of(english.get(response.url))
    for sentence in messages.note_sentences(song):
        assert sentence in page
    assert len(messages.note_sentences(song)) == len(notes)


def test_peaks_beyond_full_scale_can_be_had_back(english: Client) -> None:
    original = sound(4.0, level=1.0)
    upload(english, encoded(original, format="WAV", subtype="FLOAT"))
    song = Song.objects.get()
    assert np.allclose(read_flac(Path(song.mixture.path)) / song.mixture_gain, original, atol=1e-5)


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("../../etc/🎸 canción ñ.wav", "🎸 canción ñ.wav"),
        ("..\\..\\windows\\🎻.wav", "🎻.wav"),
        ("a\x00b\x1b[31m\u202evaw.wav", "ab[31mvaw.wav"),
        ("x" * 400 + ".wav", None),
        ("<script>alert(1)</script>.wav", "script>.wav"),
    ],
)
def test_file_names_are_shown_and_never_become_paths(
    english: Client, media: Path, sent: str, shown: str | None
) -> None:
    response = upload(english, wav(), sent)
    song = Song.objects.get()
    assert shown is None or song.original_name == shown
    assert len(song.original_name) <= 255 and len(song.title) <= 200
    assert files_in(media) == [f"songs/{song.pk}/mixture.flac", f"songs/{song.pk}/original.wav"]
    page = english.get(response.url).content.decode()
    assert song.title in html.unescape(page)
    assert "<script>alert" not in page


def test_control_characters_and_folders_are_no_part_of_a_name() -> None:
    assert shown_name("../a\x00\n/..\\b\x1b\u202e🎸.wav") == "b🎸.wav"
    assert shown_name("👩‍🎤.wav") == "👩‍🎤.wav", "joined emoji stay joined"
    assert title_of("zamba_de_mi_esperanza.wav") == "zamba de mi esperanza"


def test_separations_start_right_after_the_upload(english: Client) -> None:
    upload(english, wav(), separators=["umx:demo", "htdemucs:demo"])
    song = Song.objects.get()
    assert sorted(song.jobs.values_list("separator", flat=True)) == ["htdemucs:demo", "umx:demo"]


def test_several_files_each_with_its_own_result(english: Client, media: Path) -> None:
    sounds = [
        SimpleUploadedFile("one.wav", wav()),
        SimpleUploadedFile("bad.mp3", b"no sound"),
        SimpleUploadedFile("two.flac", encoded(sound(4.0, seed=2))),
    ]
    response = english.post(ADDRESS, {"sounds": sounds})
    shown = refusals(response)
    assert sorted(Song.objects.values_list("title", flat=True)) == ["one", "two"]
    assert "bad.mp3" in shown and "This is no sound file" in shown
    assert len(files_in(media)) == 4


def test_json_for_the_pages_own_script(english: Client) -> None:
    sounds = [SimpleUploadedFile("one.wav", wav()), SimpleUploadedFile("bad.mp3", b"no sound")]
    answer = english.post(ADDRESS, {"sounds": sounds}, headers={"accept": "application/json"}).json()
    song = Song.objects.get()
    good, bad = answer["results"]
    assert good == {"name": "one.wav", "url": f"/songs/{song.pk}/", "title": "one", "error": ""}
    assert bad["url"] is None and bad["error"].startswith("This is no sound file")


def test_upload_needs_the_token_of_the_form(researcher_client: Client, researcher: Any) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(researcher, backend="django.contrib.auth.backends.ModelBackend")
    assert upload(strict, wav()).status_code == 403
    assert not Song.objects.exists()


def test_upload_is_for_researchers(client: Client) -> None:
    assert upload(client, wav()).status_code == 302
    assert not Song.objects.exists()


# ── the page ─────────────────────────────────────────────────────────────────────────────────────────


def test_published_separators_are_checked_where_they_can_run(english: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = WeightsMissing("…", file="955717e8.th", folder="/data/weights", how="curl --output 955717e8.th")
    monkeypatch.setattr(registry, "available", lambda key: missing if key == "htdemucs" else None)
    page = text_of(english.get(ADDRESS))
    assert 'value="umxhq" checked' in page
    assert 'value="htdemucs" disabled' in page
    assert "955717e8.th is missing from /data/weights" in page and "curl --output 955717e8.th" in page
    assert 'value="umx:demo">' in page and "demo weights" in page


def test_refused_form_keeps_what_was_chosen(english: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "available", lambda key: None)
    page = text_of(upload(english, b"no sound", style="milonga", separators=["umx:demo"]))
    assert 'value="milonga"' in page
    assert 'value="umx:demo" checked' in page and 'value="umxhq">' in page


def test_the_memory_of_the_web_server_does_not_grow_with_the_song(media: Path) -> None:
    samples = sound(60.0)
    file = ContentFile(encoded(samples), name="long.flac")
    tracemalloc.start()
    song = song_add(file=file)
    _now, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert song.samples == samples.shape[1]
    assert most < samples.nbytes / 2
