"""The doors through which stems of other systems come in: the page, the API, the command."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from separation import uses
from separation.models import ImportedSystem, SeparationJob, Stem
from tests.factories import files_in
from tests.separation.import_files import NAME, archive, parts, quick_decoding, song_of_parts, stems_of, wav  # noqa: F401

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick_decoding")]
PAGE = "/songs/import/"
API = "/api/v1/imports/"
HOSTILE = {"../vocals.wav": b"x"}


def zip_file(files: dict[str, bytes], name: str = "stems.zip") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, archive(files), "application/zip")


def posted(client: Client, files: Any, **fields: Any) -> str:
    answer = client.post(PAGE, {"system": NAME, "stems": files, **fields})
    assert answer.status_code == 200
    return answer.content.decode()


# ── the page ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_zip_is_imported_through_the_page(english: Client) -> None:
    song = song_of_parts()
    page = posted(english, zip_file(stems_of("Una canción", parts())))
    assert "imported" in page
    assert reverse("song", args=[song.pk]) in page
    song_page = english.get(f"/songs/{song.pk}/").content.decode()
    assert NAME in song_page
    assert "Delete these stems" in song_page
    assert "vocals.wav" in song_page
    assert NAME in english.get("/songs/").content.decode()


def test_the_files_of_one_song_are_imported_with_the_song_that_is_chosen(english: Client) -> None:
    song = song_of_parts()
    files = [SimpleUploadedFile(f"{source}.wav", wav(samples)) for source, samples in parts().items()]
    assert "imported" in posted(english, files, song=str(song.pk))
    assert Stem.objects.filter(song=song).count() == 3


def test_files_of_a_folder_bring_their_paths(english: Client) -> None:
    song_of_parts()
    sent = stems_of("Una canción", parts())
    files = [SimpleUploadedFile(name.split("/")[1], data) for name, data in sent.items()]
    posted(english, files, paths=list(sent))
    assert Stem.objects.count() == 3


def test_a_choice_of_the_song_is_offered_and_taken(english: Client) -> None:
    song = song_of_parts()
    files = stems_of("take 5", parts())
    page = posted(english, zip_file(files))
    assert "No song here is called “take 5”" in page
    assert f'<option value="{song.pk}">' in page
    posted(english, zip_file(files), map_folder="take 5", map_song=str(song.pk), only="take 5")
    assert Stem.objects.filter(song=song).count() == 3


def test_what_is_wrong_is_said_in_a_sentence_and_nothing_kept(english: Client, media: Path) -> None:
    song_of_parts()
    before = files_in(media)
    for files, words in (
        (zip_file(HOSTILE), "leads out of it"),
        (SimpleUploadedFile("stems.zip", b"no archive"), "no ZIP archive"),
        (SimpleUploadedFile("stems.rar", b"Rar!"), "no ZIP archive"),
        (zip_file({"a/readme.txt": b""}), "no sound file"),
        (zip_file(stems_of("Una canción", parts(2))), "do not sound in this song"),
        (zip_file({"Una canción/vocals.wav": wav(parts()["vocals"], rate=48_000)}), "48000 Hz"),
    ):
        assert words in posted(english, files)
    assert "says which model" not in posted(english, zip_file({}), system="")
    assert not SeparationJob.objects.exists()
    assert files_in(media) == before


def test_the_answer_to_the_script_is_the_results_alone(english: Client) -> None:
    song_of_parts()
    sent = {"system": NAME, "stems": zip_file(stems_of("Una canción", parts()))}
    page = english.post(PAGE, sent, headers={"X-Requested-With": "XMLHttpRequest"}).content.decode()
    assert "<html" not in page
    assert 'data-state="imported"' in page


def test_what_is_larger_than_the_limit_is_not_received(english: Client, settings: Settings) -> None:
    song_of_parts()
    settings.IMPORT_MAX_BYTES = 2**20
    page = posted(english, SimpleUploadedFile("stems.zip", bytes(2**20 + 1)))
    assert "larger than 1 MB" in page


def test_a_fault_is_a_sentence_and_no_error_page(english: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    song_of_parts()

    def fault(**options: Any) -> None:
        raise RuntimeError("what nobody has thought of")

    monkeypatch.setattr("separation.import_views.uploads_import", fault)
    assert "Something unexpected" in posted(english, zip_file({}))


def test_without_songs_the_page_says_what_comes_first(english: Client) -> None:
    page = english.get(PAGE).content.decode()
    assert "First the songs" in page
    assert "<form" not in page.split("<main")[1]


def test_strangers_are_kept_out(client: Client, django_user_model: type[User]) -> None:
    assert client.get(PAGE).status_code == 302
    client.force_login(
        django_user_model.objects.create_user("guest"), backend="django.contrib.auth.backends.ModelBackend"
    )
    assert client.post(PAGE).status_code == 403
    assert client.post(API, {"system": NAME}).status_code == 403


def test_the_form_is_protected_against_other_sites(researcher: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(researcher, backend="django.contrib.auth.backends.ModelBackend")
    assert client.post(PAGE, {"system": NAME, "stems": zip_file({})}).status_code == 403
    assert client.post(API, {"system": NAME, "stems": zip_file({})}).status_code == 403


# ── deleting ─────────────────────────────────────────────────────────────────────────────────────────


def test_imported_stems_and_systems_are_deleted_on_their_pages(english: Client) -> None:
    song = song_of_parts()
    posted(english, zip_file(stems_of("Una canción", parts())))
    answer = english.post(f"/jobs/{song.jobs.get().pk}/delete/", follow=True)
    assert f"The stems of “{NAME}” were deleted from this song." in answer.content.decode()
    posted(english, zip_file(stems_of("Una canción", parts())))
    answer = english.post(reverse("imported_system_delete", args=["import:band-split-rnn"]), follow=True)
    assert f"“{NAME}” and all its stems were deleted." in answer.content.decode()
    assert not Stem.objects.exists()


def test_what_a_study_uses_stays(english: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    song = song_of_parts()
    posted(english, zip_file(stems_of("Una canción", parts())))
    monkeypatch.setattr(uses, "_uses", [lambda system, songs: ["Voces"]])
    for address in (f"/jobs/{song.jobs.get().pk}/delete/", "/systems/imported/import:band-split-rnn/delete/"):
        assert "A study uses these stems: Voces" in english.post(address, follow=True).content.decode()
    answer = english.delete("/api/v1/imported-systems/import:band-split-rnn/")
    assert (answer.status_code, answer.json()["code"]) == (409, "import_in_use")
    assert Stem.objects.count() == 3


# ── the API ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_program_imports_and_lists_and_deletes(english: Client) -> None:
    song = song_of_parts()
    answer = english.post(API, {"system": NAME, "stems": zip_file(stems_of("Una canción", parts()))})
    assert answer.status_code == 201
    told = answer.json()
    assert (told["system"], told["name"]) == ("import:band-split-rnn", NAME)
    (result,) = told["results"]
    assert (result["state"], result["song"]["id"], result["code"]) == ("imported", str(song.pk), "")
    assert {stem["source"]: stem["lag"] for stem in result["stems"]} == {"vocals": 0, "drums": 0, "bass": 0}
    assert english.get("/api/v1/jobs/").json()["results"][0]["separator_name"] == NAME
    (system,) = english.get("/api/v1/imported-systems/").json()
    assert (system["key"], system["songs"]) == ("import:band-split-rnn", 1)
    assert english.delete("/api/v1/imported-systems/import:band-split-rnn/").status_code == 204
    assert english.delete("/api/v1/imported-systems/import:band-split-rnn/").status_code == 404


def test_a_program_is_told_code_and_sentence_of_each_song(english: Client) -> None:
    song_of_parts()
    files = {**stems_of("Una canción", parts(2)), **stems_of("Nobody knows", parts())}
    answer = english.post(API, {"system": NAME, "stems": zip_file(files)})
    assert answer.status_code == 200
    states = {result["folder"]: (result["state"], result["code"]) for result in answer.json()["results"]}
    assert states == {
        "Una canción": ("refused", "import_unlike"),
        "Nobody knows": ("choice", "import_song_unknown"),
    }
    assert all(result["sentence"] for result in answer.json()["results"])


def test_a_program_says_which_song_and_may_only_ask(english: Client) -> None:
    song = song_of_parts()
    fields = {"song_map": json.dumps({"take 5": str(song.pk)}), "dry_run": "true"}
    answer = english.post(API, {"system": NAME, "stems": zip_file(stems_of("take 5", parts())), **fields})
    assert answer.status_code == 200
    assert answer.json()["results"][0]["state"] == "checked"
    assert not SeparationJob.objects.exists()


def test_a_program_sends_single_files_with_their_paths(english: Client) -> None:
    song_of_parts()
    sent = stems_of("Una canción", parts())
    files = [SimpleUploadedFile(name.split("/")[1], data) for name, data in sent.items()]
    assert english.post(API, {"system": NAME, "stems": files, "paths": list(sent)}).status_code == 201


@pytest.mark.parametrize("told", ["[1]", "not json", '{"a": 1}'])
def test_a_song_map_that_is_none_is_refused(english: Client, told: str) -> None:
    assert english.post(API, {"system": NAME, "stems": zip_file({}), "song_map": told}).status_code == 400


def test_a_program_is_told_what_is_wrong_with_an_archive(english: Client) -> None:
    answer = english.post(API, {"system": NAME, "stems": zip_file(HOSTILE)})
    assert (answer.status_code, answer.json()["code"]) == (400, "zip_unsafe_path")
    assert "leads out of it" in answer.json()["sentence"]


def test_the_schema_describes_it(english: Client) -> None:
    schema = english.get("/api/schema/", headers={"Accept": "application/json"}).json()
    post = schema["paths"]["/api/v1/imports/"]["post"]
    assert list(post["requestBody"]["content"]) == ["multipart/form-data"]
    assert set(post["responses"]) == {"200", "201", "400"}


# ── the command ──────────────────────────────────────────────────────────────────────────────────────


def commanded(path: Path, *options: str) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command("import_stems", str(path), "--system", NAME, *options, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def in_folder(tmp_path: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        path = tmp_path / "stems" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return tmp_path / "stems"


def test_a_folder_is_imported_from_the_terminal(tmp_path: Path) -> None:
    song_of_parts()
    folder = in_folder(tmp_path, stems_of("Una canción", parts()))
    out, _err = commanded(folder, "--dry-run")
    assert "could be imported" in out
    assert not SeparationJob.objects.exists()
    out, _err = commanded(folder)
    assert out.splitlines()[0].split() == ["folder", "song", "source", "file", "lag", "likeness", "state"]
    assert "1 song imported as Band-Split RNN (import:band-split-rnn)." in out
    assert ImportedSystem.objects.get().name == NAME


def test_the_terminal_says_why_not_and_ends_with_an_error(tmp_path: Path) -> None:
    song = song_of_parts()
    (tmp_path / "bad.zip").write_bytes(archive(HOSTILE))
    with pytest.raises(CommandError, match="leads out of it"):
        commanded(tmp_path / "bad.zip")
    with pytest.raises(CommandError, match="no folder or file"):
        commanded(tmp_path / "nothing")
    with pytest.raises(CommandError, match="FOLDER=SONG"):
        commanded(tmp_path, "--song-map", "take5")
    folder = in_folder(tmp_path, stems_of("take 5", parts()))
    with pytest.raises(CommandError, match="1 of 1 folders were not imported"):
        commanded(folder)
    out, _err = commanded(folder, "--song-map", f"take 5={song.pk}")
    assert "imported" in out
