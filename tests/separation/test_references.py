"""True stems: uploaded for a song, checked against its mixture, all or nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from audio.reading import read_flac
from listening_test.models import Excerpt, Study
from separation.models import Measurement, Song, Stem
from separation.services import references
from separation.services.references import references_add, references_delete
from separation.services.songs import UploadRefused
from tests.factories import RATE, files_in, job_done_make, sound
from tests.separation.true_stems import files_of, music, song_of

pytestmark = pytest.mark.django_db


def refused(song: Song, files: dict[str, Any]) -> UploadRefused:
    """The refusal; nothing has changed."""
    rows, kept = list(Stem.objects.values_list("pk", flat=True)), files_in(Path(song.mixture.storage.location))
    with pytest.raises(UploadRefused) as caught:
        references_add(song=song, files=files)
    assert list(Stem.objects.values_list("pk", flat=True)) == rows
    assert files_in(Path(song.mixture.storage.location)) == kept
    return caught.value


def read(stem: Stem) -> Any:
    with stem.file.open("rb") as file:
        return read_flac(file) / stem.gain


# ── what is taken ────────────────────────────────────────────────────────────────────────────────────


def test_stems_are_stored_as_they_are() -> None:
    mixture, stems = music()
    song = song_of(mixture)
    references_add(song=song, files=files_of(stems))
    stored = {stem.source: stem for stem in song.stems.all()}
    assert set(stored) == set(stems) and all(stem.is_reference for stem in stored.values())
    for source, stem in stored.items():
        assert np.max(np.abs(read(stem) - stems[source])) <= 2**-23
        assert stem.origin["lag"] == 0 and stem.origin["adds_up"] and stem.origin["residual_db"] < -100
        assert stem.origin["name"] == f"{source}.flac" and len(stem.origin["sha256"]) == 64


def test_padding_of_an_encoder_is_found_and_removed() -> None:
    mixture, stems = music()
    song = song_of(mixture)
    late = {source: np.pad(stem, ((0, 0), (1105, 500))) for source, stem in stems.items()}
    references_add(song=song, files=files_of(late))
    for stem in song.stems.all():
        assert stem.origin["lag"] == 1105
        assert np.max(np.abs(read(stem) - stems[stem.source])) <= 2**-23


def test_each_file_may_be_padded_by_itself() -> None:
    mixture, stems = music()
    song = song_of(mixture)
    stems["vocals"] = np.pad(stems["vocals"], ((0, 0), (2112, 0)))
    references_add(song=song, files=files_of(stems))
    assert {stem.source: stem.origin["lag"] for stem in song.stems.all()} == {
        "vocals": 2112, "drums": 0, "bass": 0, "other": 0,
    }  # fmt: skip
    assert all(stem.origin["adds_up"] for stem in song.stems.all())


def test_mp3_stems_lie_where_the_mixture_has_them() -> None:
    mixture, stems = music()
    song = song_of(mixture)
    references_add(song=song, files=files_of(stems, format="MP3", subtype="MPEG_LAYER_III"))
    for stem in song.stems.all():
        error = np.sum((read(stem) - stems[stem.source]) ** 2) / np.sum(stems[stem.source] ** 2)
        assert error < 0.05, stem.source  # a lag of one sample alone would cost more in the drums
        assert stem.origin["adds_up"]


def test_a_silent_stem_is_taken() -> None:
    mixture, stems = music()
    song = song_of(mixture - stems["vocals"])
    stems["vocals"][:] = 0.0
    references_add(song=song, files=files_of(stems))
    assert song.stems.count() == 4


def test_what_does_not_add_up_is_taken_and_said() -> None:
    mixture, stems = music()
    song = song_of(mixture)
    references_add(song=song, files=files_of({"vocals": stems["vocals"]}))
    (stem,) = song.stems.all()
    rest = 10 * np.log10(np.sum((mixture - stems["vocals"]) ** 2) / np.sum(mixture**2))
    assert not stem.origin["adds_up"] and stem.origin["residual_db"] == pytest.approx(rest, abs=0.1)


def test_accompaniment_is_not_counted_twice() -> None:
    mixture, stems = music()
    song = song_of(mixture)
    stems["accompaniment"] = mixture - stems["vocals"]
    references_add(song=song, files=files_of(stems))
    assert all(stem.origin["adds_up"] for stem in song.stems.all())


def test_a_new_set_takes_the_place_of_the_old_one(media: Path, django_capture_on_commit_callbacks: Any) -> None:
    mixture, stems = music()
    song = song_of(mixture)
    references_add(song=song, files=files_of(stems))
    with django_capture_on_commit_callbacks(execute=True):
        references_add(song=song, files=files_of({"vocals": stems["vocals"], "drums": stems["drums"]}))
    assert sorted(song.stems.values_list("source", flat=True)) == ["drums", "vocals"]
    assert len([name for name in files_in(media) if "/reference/" in name]) == 2


# ── what is refused ──────────────────────────────────────────────────────────────────────────────────


def test_stems_of_another_song() -> None:
    song = song_of(music()[0])
    assert refused(song, files_of(music(seed=9)[1])).code in ("references_unrelated", "reference_unrelated")


def test_one_stem_of_another_song() -> None:
    mixture, stems = music()
    stems["vocals"] = music(seed=9)[1]["vocals"]
    refusal = refused(song_of(mixture), files_of(stems))
    assert refusal.code == "reference_unrelated"
    assert refusal.params["source"] == "vocals" and refusal.params["file"] == "vocals.flac"


def test_noise() -> None:
    assert refused(song_of(music()[0]), files_of({"drums": sound(4.0)})).code == "references_unrelated"


@pytest.mark.parametrize(("cut", "code"), [(20_000, "reference_early"), (-20_000, "reference_late")])
def test_too_early_and_too_late(cut: int, code: str) -> None:
    mixture, stems = music()
    moved = {
        source: stem[:, cut:] if cut > 0 else np.pad(stem, ((0, 0), (-cut, 0)))[:, : stem.shape[1]]
        for source, stem in stems.items()
    }
    refusal = refused(song_of(mixture), files_of(moved))
    assert refusal.code == code and refusal.params["seconds"] == pytest.approx(20_000 / RATE, abs=1e-3)


def test_another_length() -> None:
    mixture, stems = music()
    stems["bass"] = stems["bass"][:, : 2 * RATE]
    refusal = refused(song_of(mixture), files_of(stems))
    assert refusal.code == "reference_length" and refusal.params["source"] == "bass"


def test_a_file_that_is_no_sound_takes_the_others_with_it() -> None:
    mixture, stems = music()
    files: dict[str, Any] = files_of(stems)
    files["bass"] = SimpleUploadedFile("bass.wav", b"no sound at all")
    refusal = refused(song_of(mixture), files)
    assert refusal.code == "not_audio" and refusal.params["file"] == "bass.wav"


def test_all_silent_and_nothing_and_strange_sources() -> None:
    mixture, stems = music()
    song = song_of(mixture)
    assert refused(song, files_of({"vocals": 0 * stems["vocals"]})).code == "references_all_silent"
    assert refused(song, {}).code == "no_file"
    assert refused(song, files_of({"kazoo": stems["vocals"]})).code == "source_unknown"


def test_a_full_disk_keeps_what_was_there(monkeypatch: pytest.MonkeyPatch) -> None:
    mixture, stems = music()
    song = song_of(mixture)
    references_add(song=song, files=files_of({"vocals": stems["vocals"]}))
    written = references.reference_written

    def full(song: Song, source: str, *rest: Any) -> Stem:
        if source == "bass":
            raise OSError(28, "No space left on device")
        return written(song, source, *rest)

    monkeypatch.setattr(references, "reference_written", full)
    assert refused(song, files_of(stems)).code == "disk_full"


def test_a_study_keeps_them() -> None:
    mixture, stems = music()
    song = song_of(mixture)
    Excerpt.objects.create(study=Study.objects.create(name="Un estudio"), song=song, start=0.0, end=2.0)
    references_add(song=song, files=files_of({"vocals": stems["vocals"]}))  # none to lose yet
    assert refused(song, files_of(stems)).code == "references_in_use"
    with pytest.raises(UploadRefused):
        references_delete(song=song)
    assert song.stems.count() == 1


# ── the page and the API ─────────────────────────────────────────────────────────────────────────────


def test_the_page_takes_them_and_gives_them_back(english: Client) -> None:
    mixture, stems = music()
    song = song_of(mixture)
    address = f"/songs/{song.pk}/references/"
    page = english.post(address + "add/", {"stems": list(files_of(stems).values())}, follow=True).content.decode()
    assert "The true stems were added." in page and "Together they are the mixture" in page
    assert song.stems.count() == 4
    page = english.post(address + "delete/", follow=True).content.decode()
    assert "The true stems were removed." in page and song.stems.count() == 0


@pytest.mark.parametrize(
    ("name", "said"), [("mix.flac", "cannot be seen from the name"), ("vocals.flac", "can be heard in the mixture")]
)
def test_the_page_says_which_file_is_wrong(english: Client, name: str, said: str) -> None:
    song = song_of(music()[0])
    (file,) = files_of({"vocals": music(seed=9)[1]["vocals"]}).values()
    file.name = name
    page = english.post(f"/songs/{song.pk}/references/add/", {"stems": [file]}, follow=True).content.decode()
    assert said in page and song.stems.count() == 0


def test_two_files_of_one_source(english: Client) -> None:
    song, (_, stems) = song_of(music()[0]), music()
    files = [*files_of({"vocals": stems["vocals"]}).values(), *files_of({"vocals": stems["vocals"]}).values()]
    page = english.post(f"/songs/{song.pk}/references/add/", {"stems": files}, follow=True).content.decode()
    assert "Two of the files are called" in page and song.stems.count() == 0


def test_the_api_takes_them_and_gives_them_back(english: Client) -> None:
    mixture, stems = music()
    song = song_of(mixture)
    address = f"/api/v1/songs/{song.pk}/references/"
    answer = english.post(address, files_of(stems))
    assert answer.status_code == 201 and {stem["source"] for stem in answer.json()} == set(stems)
    assert english.delete(address).status_code == 204 and song.stems.count() == 0


def test_the_api_refuses_with_a_sentence(english: Client, settings: Any) -> None:
    song, (_, stems) = song_of(music()[0]), music()
    address = f"/api/v1/songs/{song.pk}/references/"
    answer = english.post(address, {"kazoo": SimpleUploadedFile("kazoo.wav", b"x")})
    assert answer.status_code == 400 and "kazoo" in answer.json()["sentence"]
    settings.UPLOAD_MAX_BYTES = 1000
    answer = english.post(address, files_of(stems))
    assert answer.status_code == 400 and answer.json()["code"] == "too_big"


def test_strangers_are_kept_out(client: Client) -> None:
    song = song_of(music()[0])
    assert client.post(f"/songs/{song.pk}/references/add/").status_code == 302
    assert client.post(f"/api/v1/songs/{song.pk}/references/").status_code == 403
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(f"/songs/{song.pk}/references/add/").status_code in (302, 403)


def test_what_was_measured_against_other_stems_is_forgotten() -> None:
    mixture, stems = music()
    song = song_of(mixture)
    references_add(song=song, files=files_of({"vocals": stems["vocals"]}))
    job = job_done_make(song=song)
    old = Measurement.objects.create(job=job, start=0, end=song.samples)
    references_add(song=song, files=files_of(stems))
    assert not Measurement.objects.filter(pk=old.pk).exists()
    assert job.measurements.count() == 1, "it is measured against the new ones"
