"""Stems that another model has made, from an archive into the song: checked, put in place, all or nothing."""

from __future__ import annotations

import errno
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import default_storage

from audio.reading import read_flac
from separation import messages, uses
from separation.models import ImportedSystem, SeparationJob, Song, Stem
from separation.selectors import separator_name, stem_for, systems_done
from separation.services import imports
from separation.services.imported_systems import imported_stems_delete, system_delete
from separation.services.imports import Result, Wish, stems_import
from separation.services.songs import UploadRefused, song_delete
from tests.factories import Audio, encoded, files_in, job_done_make, sound, stem_make
from tests.separation.import_files import (
    NAME,
    archive,
    imported_from,
    late,
    loose,
    only_result,
    parts,
    quick_decoding,  # noqa: F401  a fixture
    song_of_parts,
    stems_of,
    wav,
)

KEY = "import:band-split-rnn"
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick_decoding")]


def imported(tmp_path: Path, stems: dict[str, Audio], **wish: Any) -> Result:
    return only_result(imported_from(tmp_path, stems_of("Una canción", stems), **wish))


def samples_of(song: Song, source: str, system: str = KEY) -> Audio:
    stem = stem_for(song=song, source=source, system=system)
    assert stem is not None
    with stem.file.open("rb") as file:
        return read_flac(file) / np.float32(stem.gain)


def refused(result: Result) -> str:
    """The code; and nothing of the song is stored."""
    assert result.state == "refused"
    assert not SeparationJob.objects.exists()
    assert not ImportedSystem.objects.exists()
    assert not default_storage.exists("stems") or files_in(Path(default_storage.path("stems"))) == []
    sentence = messages.refusal_sentence(result.code, result.params)
    assert "–" not in sentence  # every parameter of the sentence is there
    assert len(sentence) > 60
    return result.code


# ── what is stored ───────────────────────────────────────────────────────────────────────────────────


def test_stems_become_a_system_of_the_song(tmp_path: Path) -> None:
    song = song_of_parts()
    result = imported(tmp_path, parts(), description="trained at home")
    assert (result.state, result.song) == ("imported", song)
    job = SeparationJob.objects.get()
    assert (job.separator, job.weights, job.state, job.progress) == (KEY, "imported", "done", 1.0)
    assert systems_done(song) == [KEY]
    assert separator_name(KEY) == NAME
    assert ImportedSystem.objects.get().description == "trained at home"
    for source, samples in parts().items():
        np.testing.assert_allclose(samples_of(song, source), samples, atol=2**-22)


def test_it_is_kept_where_each_stem_comes_from(tmp_path: Path) -> None:
    song_of_parts()
    files = stems_of("Una canción", parts())
    imported_from(tmp_path, files)
    origin = Stem.objects.get(source="drums").origin
    assert origin["name"] == "drums.wav"
    assert origin["sha256"] == hashlib.sha256(files["Una canción/drums.wav"]).hexdigest()
    assert (origin["format"], origin["sample_rate"], origin["channels"]) == ("WAV 32 bit float", 44_100, 2)
    assert (origin["lag"], origin["over"], origin["notes"]) == (0, 0, [])
    assert origin["set_correlation"] > 0.99


def test_more_songs_can_join_the_system_later(tmp_path: Path) -> None:
    song_of_parts()
    song_of_parts("Otra", seed=2)
    imported(tmp_path, parts())
    imported_from(tmp_path, stems_of("otra", parts(2)), system="band-split rnn")
    assert ImportedSystem.objects.count() == 1
    assert SeparationJob.objects.filter(separator=KEY).count() == 2


def test_a_dry_run_checks_and_stores_nothing(tmp_path: Path, media: Path) -> None:
    song_of_parts()
    before = files_in(media)
    result = imported(tmp_path, parts(), dry_run=True)
    assert (result.state, len(result.stems)) == ("checked", 3)
    assert not SeparationJob.objects.exists()
    assert files_in(media) == before


# ── in its place ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("lag", [1, 1105, 22_050])
def test_padding_at_the_beginning_is_found_and_removed(tmp_path: Path, lag: int) -> None:
    song = song_of_parts()
    result = imported(tmp_path, {source: late(samples, lag) for source, samples in parts().items()})
    assert {stem.lag for stem in result.stems} == {lag}
    for source, samples in parts().items():
        np.testing.assert_allclose(samples_of(song, source), samples, atol=2**-22)


def test_a_missing_beginning_is_filled_with_silence(tmp_path: Path) -> None:
    song = song_of_parts()
    imported(tmp_path, {source: samples[:, 700:] for source, samples in parts().items()})
    vocals = samples_of(song, "vocals")
    assert vocals.shape[1] == song.samples
    assert not vocals[:, :700].any()
    np.testing.assert_allclose(vocals[:, 700:], parts()["vocals"][:, 700:], atol=2**-22)


def test_padding_at_the_end_is_cut_and_what_lacks_there_is_silence(tmp_path: Path) -> None:
    song = song_of_parts()
    stems = parts()
    stems["vocals"] = np.concatenate([stems["vocals"], sound(0.5, seed=9)], axis=1)
    stems["bass"] = stems["bass"][:, :-3000]
    imported(tmp_path, stems)
    np.testing.assert_allclose(samples_of(song, "vocals"), parts()["vocals"], atol=2**-22)
    assert not samples_of(song, "bass")[:, -3000:].any()
    assert Stem.objects.get(source="vocals").origin["notes"] == ["cut"]
    assert Stem.objects.get(source="bass").origin["notes"] == ["padded"]


def test_a_stem_that_does_not_begin_with_the_others_is_moved_by_itself(tmp_path: Path) -> None:
    song = song_of_parts()
    stems = {**parts(), "bass": late(parts()["bass"], 1105)}
    imported(tmp_path, stems)
    np.testing.assert_allclose(samples_of(song, "bass"), parts()["bass"], atol=2**-22)
    origin = Stem.objects.get(source="bass").origin
    assert (origin["lag"], "own_lag" in origin["notes"]) == (1105, True)


def test_one_source_alone_can_be_imported(tmp_path: Path) -> None:
    song = song_of_parts()
    imported(tmp_path, {"bass": late(parts()["bass"], 50)})
    np.testing.assert_allclose(samples_of(song, "bass"), parts()["bass"], atol=2**-22)


def test_mp3_is_decoded_and_put_in_its_place(tmp_path: Path) -> None:
    song = song_of_parts()
    files = {f"Una canción/{source}.mp3": encoded(samples, format="MP3") for source, samples in parts().items()}
    result = only_result(imported_from(tmp_path, files))
    assert result.state == "imported"
    found = samples_of(song, "vocals")
    error = found - parts()["vocals"]
    assert 10 * np.log10(np.mean(parts()["vocals"] ** 2) / np.mean(error**2)) > 3  # noise is what MP3 does worst


def test_peaks_beyond_full_scale_are_kept(tmp_path: Path) -> None:
    song = song_of_parts()
    imported(tmp_path, {source: 30 * samples for source, samples in parts().items()})
    stem = Stem.objects.get(source="vocals")
    assert stem.gain < 1.0
    assert {"peaks_scaled", "level_differs"} <= set(stem.origin["notes"])
    np.testing.assert_allclose(samples_of(song, "vocals"), 30 * parts()["vocals"], atol=1e-5)


# ── what is noticed ──────────────────────────────────────────────────────────────────────────────────


def notes(source: str) -> list[str]:
    found: list[str] = Stem.objects.get(source=source).origin["notes"]
    return found


def test_clipping_silence_and_polarity_are_noted(tmp_path: Path) -> None:
    song_of_parts()
    stems = parts()
    stems["vocals"] = np.clip(20 * stems["vocals"], -1, 1)  # much louder, too
    stems["bass"] = np.zeros_like(stems["bass"])
    stems["drums"] = -stems["drums"]
    imported(tmp_path, stems)
    assert notes("vocals") == ["clipped", "level_differs"]
    assert Stem.objects.get(source="vocals").origin["clipped"] > 1000
    assert notes("bass") == ["stem_silent"]
    assert notes("drums") == ["inverted", "level_differs"]


def test_mono_is_put_on_both_sides(tmp_path: Path) -> None:
    song = song_of_parts()
    files = stems_of("Una canción", parts())
    files["Una canción/vocals.wav"] = wav(parts()["vocals"].mean(axis=0, keepdims=True))
    imported_from(tmp_path, files)
    assert "mono_doubled" in notes("vocals")
    left, right = samples_of(song, "vocals")
    np.testing.assert_array_equal(left, right)


def test_other_rates_are_converted_where_that_is_allowed(tmp_path: Path) -> None:
    import soxr

    song = song_of_parts()
    stems = {source: soxr.resample(samples.T, 44_100, 48_000).T for source, samples in parts().items()}
    files = {f"Una canción/{source}.wav": wav(samples, rate=48_000) for source, samples in stems.items()}
    assert refused(only_result(imported_from(tmp_path, files))) == "import_sample_rate"
    assert only_result(imported_from(tmp_path, files, convert=True)).state == "imported"
    assert "resampled" in notes("vocals")
    assert samples_of(song, "vocals").shape[1] == song.samples


# ── what is refused ──────────────────────────────────────────────────────────────────────────────────


def test_stems_of_another_song_are_refused(tmp_path: Path) -> None:
    song_of_parts()
    assert refused(imported(tmp_path, parts(seed=2))) == "import_unlike"


def test_one_stem_of_another_song_is_refused(tmp_path: Path) -> None:
    song_of_parts()
    assert refused(imported(tmp_path, {**parts(), "bass": parts(2)["bass"]})) == "import_stem_unlike"


@pytest.mark.parametrize(
    ("seconds", "code"), [(2.0, "import_longer"), (0.7, "import_lag_late"), (-0.7, "import_lag_early")]
)
def test_stems_that_begin_elsewhere_are_refused(tmp_path: Path, seconds: float, code: str) -> None:
    song_of_parts()
    moved = round(seconds * 44_100)
    stems = {s: late(x, moved) if moved > 0 else x[:, -moved:] for s, x in parts().items()}
    assert refused(imported(tmp_path, stems)) == code


def test_stems_longer_and_shorter_than_the_song_are_refused(tmp_path: Path) -> None:
    song_of_parts()
    longer = {source: np.concatenate([x, x[:, : 2 * 44_100]], axis=1) for source, x in parts().items()}
    assert refused(imported(tmp_path, longer)) == "import_longer"
    shorter = {source: x[:, : -2 * 44_100] for source, x in parts().items()}
    assert refused(imported(tmp_path, shorter)) == "import_shorter"


def test_stems_at_another_speed_are_refused(tmp_path: Path) -> None:
    import soxr

    song_of_parts()
    stems = {s: soxr.resample(x.T, 44_100, 44_100 * 1.001).T.astype(np.float32) for s, x in parts().items()}
    assert refused(imported(tmp_path, stems)) in ("import_drifts", "import_unlike")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_no_sound_is_refused(tmp_path: Path, value: float) -> None:
    song_of_parts()
    stems = parts()
    stems["drums"][0, 5] = value
    assert refused(imported(tmp_path, stems)) == "bad_samples"


def test_a_song_that_is_silent_in_all_stems_is_refused(tmp_path: Path) -> None:
    song_of_parts()
    assert refused(imported(tmp_path, {s: np.zeros_like(x) for s, x in parts().items()})) == "import_all_silent"


def test_damaged_files_are_refused_by_name(tmp_path: Path) -> None:
    song_of_parts()
    files = {**stems_of("Una canción", parts()), "Una canción/drums.wav": b"RIFF no sound"}
    result = only_result(imported_from(tmp_path, files))
    assert refused(result) in ("not_audio", "truncated")
    assert result.params["file"] == "drums.wav"


def test_two_files_of_one_source_are_refused(tmp_path: Path) -> None:
    song_of_parts()
    files = {**stems_of("Una canción", parts()), "Una canción/voz.wav": wav(parts()["vocals"])}
    assert refused(only_result(imported_from(tmp_path, files))) == "import_source_twice"


def test_unknown_sources_are_refused_and_a_mixture_is_left_aside(tmp_path: Path) -> None:
    song_of_parts()
    files = {**stems_of("Una canción", parts()), "Una canción/strings.wav": wav(sound(1.0))}
    assert refused(only_result(imported_from(tmp_path, files))) == "import_source_unknown"
    files = {**stems_of("Una canción", parts()), "Una canción/mixture.wav": b"", "Una canción/notes.txt": b""}
    result = only_result(imported_from(tmp_path, files))
    assert (result.state, result.ignored) == ("imported", ["mixture.wav", "notes.txt"])


@pytest.mark.parametrize(
    "files", [{}, {"song/notes.txt": b"hello"}, {"song/mixture.wav": b"RIFF"}, {"vocals.doc": b""}]
)
def test_nothing_usable_is_refused(tmp_path: Path, files: dict[str, bytes]) -> None:
    song_of_parts()
    with pytest.raises(UploadRefused) as refusal:
        imported_from(tmp_path, files)
    assert refusal.value.code == "import_no_files"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("", "import_no_name"),
        (" \n ", "import_no_name"),
        ("x" * 101, "import_name_too_long"),
        ("htdemucs", "import_name_taken"),
    ],
)
def test_names_that_cannot_be_used_are_refused(tmp_path: Path, name: str, code: str) -> None:
    with pytest.raises(UploadRefused) as refusal:
        imported_from(tmp_path, stems_of("Una canción", parts()), system=name)
    assert refusal.value.code == code


def test_names_that_give_one_key_are_numbered(tmp_path: Path) -> None:
    song_of_parts()
    for name in ("D3Net!", "D3Net?", "д3"):
        imported(tmp_path, parts(), system=name)
    assert list(ImportedSystem.objects.values_list("key", flat=True)) == ["import:d3net", "import:d3net-2", "import:3"]


# ── which song ───────────────────────────────────────────────────────────────────────────────────────


def test_an_unknown_song_asks_for_a_choice_which_is_then_taken(tmp_path: Path) -> None:
    song = song_of_parts()
    files = stems_of("take 5", parts())
    result = only_result(imported_from(tmp_path, files))
    assert (result.state, result.code) == ("choice", "import_song_unknown")
    assert only_result(imported_from(tmp_path, files, song_map={"take 5": str(song.pk)})).state == "imported"


def test_two_songs_of_one_title_ask_for_a_choice(tmp_path: Path) -> None:
    first = song_of_parts()
    second = song_of_parts(seed=2)
    result = imported(tmp_path, parts(2))
    assert (result.state, result.code) == ("choice", "import_song_ambiguous")
    assert set(result.candidates) == {first, second}
    assert imported(tmp_path, parts(2), song_map={"Una canción": str(second.pk)}).song == second


def test_files_without_a_folder_are_of_the_song_that_was_chosen(tmp_path: Path) -> None:
    song = song_of_parts()
    files = {f"{source}.wav": wav(samples) for source, samples in parts().items()}
    result = only_result(imported_from(tmp_path, files))
    assert (result.state, result.code) == ("choice", "import_no_folder")
    assert only_result(imported_from(tmp_path, files, song_map={"*": str(song.pk)})).song == song


def test_two_folders_for_one_song_are_both_refused(tmp_path: Path) -> None:
    song_of_parts()
    files = {**stems_of("Una canción", parts()), **stems_of("01 una cancion", parts())}
    results = imported_from(tmp_path, files).results
    assert [(result.state, result.code) for result in results] == [("refused", "import_song_twice")] * 2


def test_a_song_that_is_refused_does_not_keep_the_others_out(tmp_path: Path) -> None:
    song_of_parts()
    song_of_parts("Otra", seed=2)
    results = imported_from(tmp_path, {**stems_of("Otra", parts(3)), **stems_of("Una canción", parts())}).results
    assert {result.folder: result.state for result in results} == {"Otra": "refused", "Una canción": "imported"}


def test_files_that_came_one_by_one_are_imported(tmp_path: Path) -> None:
    song_of_parts()
    container = loose(tmp_path, stems_of("Una canción", parts()))
    assert stems_import(container=container, wish=Wish(system=NAME)).is_good


# ── nothing half stored ──────────────────────────────────────────────────────────────────────────────


def test_a_bomb_leaves_nothing(tmp_path: Path) -> None:
    song_of_parts()
    path = tmp_path / "bomb.zip"
    path.write_bytes(archive({"Una canción/vocals.wav": wav(parts()["vocals"])}))
    with imports.zip_opened(path) as container:
        container._budget = 2**19
        result = only_result(stems_import(container=container, wish=Wish(system=NAME)))
    assert refused(result) == "zip_bomb"


@pytest.mark.parametrize("write", [1, 3])
def test_a_full_disk_leaves_nothing(tmp_path: Path, media: Path, monkeypatch: pytest.MonkeyPatch, write: int) -> None:
    song_of_parts()
    before, count, save = files_in(media), 0, default_storage.save

    def full(*args: Any, **options: Any) -> str:
        nonlocal count
        count += 1
        if count == write:
            raise OSError(errno.ENOSPC, "No space left on device")
        return str(save(*args, **options))

    monkeypatch.setattr("django.core.files.storage.FileSystemStorage.save", lambda self, *a, **o: full(*a, **o))
    assert refused(imported(tmp_path, parts())) == "disk_full"
    assert files_in(media) == before


def test_a_full_disk_for_what_is_decoded_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    song_of_parts()

    def full(*args: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.posix_fallocate", full)
    assert refused(imported(tmp_path, parts())) == "disk_full"


def test_a_fault_in_the_database_leaves_no_file(tmp_path: Path, media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    song_of_parts()
    before = files_in(media)

    def fault(*args: Any) -> None:
        raise RuntimeError("the database is gone")

    monkeypatch.setattr("separation.models.Stem.objects.bulk_create", fault)
    assert refused(imported(tmp_path, parts())) == "import_failed"
    assert files_in(media) == before


# ── again, and no more ───────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def study(monkeypatch: pytest.MonkeyPatch) -> None:
    """A study uses whatever is asked about."""
    monkeypatch.setattr(uses, "_uses", [lambda system, songs: ["Voces de 2026"]])


def test_stems_that_are_there_are_replaced_only_where_that_is_allowed(tmp_path: Path, media: Path) -> None:
    song = song_of_parts()
    imported(tmp_path, parts())
    old = [name for name in files_in(media) if name.startswith("stems/")]
    assert imported(tmp_path, parts()).code == "import_exists"
    assert [name for name in files_in(media) if name.startswith("stems/")] == old
    softer = {source: 0.5 * samples for source, samples in parts().items()}
    assert imported(tmp_path, softer, replace=True).state == "imported"
    np.testing.assert_allclose(samples_of(song, "vocals"), softer["vocals"], atol=2**-22)


@pytest.mark.django_db(transaction=True)
def test_replaced_files_are_gone(tmp_path: Path, media: Path) -> None:
    song_of_parts()
    imported(tmp_path, parts())
    imported(tmp_path, parts(), replace=True)
    assert len([name for name in files_in(media) if name.startswith("stems/")]) == 3


def test_stems_that_a_study_uses_are_neither_replaced_nor_deleted(tmp_path: Path, study: None) -> None:
    song_of_parts()
    imported(tmp_path, parts())
    result = imported(tmp_path, parts(), replace=True)
    assert (result.state, result.code, result.params) == ("refused", "import_in_use", {"studies": "Voces de 2026"})
    with pytest.raises(UploadRefused, match="import_in_use"):
        imported_stems_delete(job=SeparationJob.objects.get())
    with pytest.raises(UploadRefused, match="import_in_use"):
        system_delete(system=ImportedSystem.objects.get())
    assert Stem.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_a_system_is_deleted_with_all_its_stems_and_files(tmp_path: Path, media: Path) -> None:
    song_of_parts()
    song_of_parts("Otra", seed=2)
    before = files_in(media)
    imported_from(tmp_path, {**stems_of("Otra", parts(2)), **stems_of("Una canción", parts())})
    system_delete(system=ImportedSystem.objects.get())
    assert (Stem.objects.count(), SeparationJob.objects.count()) == (0, 0)
    assert files_in(media) == before


@pytest.mark.django_db(transaction=True)
def test_the_last_stems_of_a_system_take_it_with_them(tmp_path: Path, media: Path) -> None:
    song = song_of_parts()
    before = files_in(media)
    imported(tmp_path, parts())
    imported_stems_delete(job=song.jobs.get())
    assert not ImportedSystem.objects.exists()
    assert files_in(media) == before


def test_stems_that_were_made_here_are_not_deleted_this_way() -> None:
    job = job_done_make()
    with pytest.raises(UploadRefused, match="import_not_imported"):
        imported_stems_delete(job=job)
    assert job.stems.count() == 4


@pytest.mark.django_db(transaction=True)
def test_a_deleted_song_takes_its_imported_stems_with_it(tmp_path: Path, media: Path) -> None:
    song = song_of_parts()
    imported(tmp_path, parts())
    song_delete(song=song)
    assert files_in(media) == []


def test_imported_systems_come_after_the_separators_in_the_order_of_their_import(tmp_path: Path) -> None:
    song = song_of_parts()
    for name in ("Zeta", "Alpha"):
        imported(tmp_path, parts(), system=name)
    job_done_make(song=song, separator="htdemucs", sources=["vocals"])
    stem_make(song=song, source="vocals")
    assert systems_done(song) == ["htdemucs", "import:zeta", "import:alpha", "reference"]
