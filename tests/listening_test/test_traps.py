"""Spoken attention checks: a researcher's recording, taken in like any stranger's file, fitted to the clips."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from pytest_django import DjangoCaptureOnCommitCallbacks

from audio.loudness import integrated_loudness
from audio.reading import Audio
from listening_test import selectors
from listening_test.messages import sentences
from listening_test.models import Clip, Study
from listening_test.refusal import StudyRefused
from listening_test.services.clips import ClipsRefused, clips_make, clips_remove
from listening_test.services.studies import study_delete
from listening_test.services.traps import trap_recording_add, trap_recording_remove, trap_recordings_copy
from separation.services.songs import UploadRefused
from tests.factories import RATE, encoded, sound
from tests.listening_test.factories import study_make

pytestmark = pytest.mark.django_db

Capture = DjangoCaptureOnCommitCallbacks


def words(seconds: float = 1.0, *, before: float = 0.0, after: float = 0.0, level: float = 0.05) -> Audio:
    """Something like speech, with silence around it."""
    spoken = sound(seconds, seed=8, level=level)
    return np.pad(spoken, ((0, 0), (round(before * RATE), round(after * RATE))))


def recording(samples: Audio | None = None, name: str = "elija 2.wav") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, encoded(words() if samples is None else samples, format="WAV", subtype="PCM_16"))


def heard(clip: Clip) -> Audio:
    with clip.file.open("rb") as file:
        return soundfile.read(io.BytesIO(file.read()), dtype="float32")[0].T


def files(study: Study) -> set[str]:
    return set(default_storage.listdir(f"clips/{study.id}")[1])


@pytest.fixture
def study() -> Study:
    return study_make(traps_per_listener=1, trap_kind="spoken")


def test_a_recording_is_kept_with_its_answer_as_loud_as_the_clips(study: Study) -> None:
    clip = trap_recording_add(study=study, language="es", file=recording(), answer=2)
    clip.refresh_from_db()
    assert (clip.purpose, clip.language) == ("trap", "es")
    assert clip.expected == {"quality": [2, 2], "contamination": [2, 2]}
    assert clip.made_by["name"] == "elija 2.wav"
    assert integrated_loudness(heard(clip)) == pytest.approx(-23.0, abs=0.1)
    assert "elija" not in clip.file.name


def test_silence_around_the_words_is_cut_off(study: Study) -> None:
    file = recording(words(1.0, before=2.0, after=5.0))
    clip = trap_recording_add(study=study, language="es", file=file, answer=2)
    assert clip.samples == pytest.approx(1.2 * RATE, abs=RATE // 50)


def test_prepared_it_has_the_length_and_the_size_of_the_clips(
    study: Study, django_capture_on_commit_callbacks: Capture
) -> None:
    recorded = trap_recording_add(study=study, language="es", file=recording(), answer=2)
    before = heard(recorded)
    with django_capture_on_commit_callbacks(execute=True):
        clips_make(study=study)
    clip = study.clips.get(purpose="trap")
    rated = study.clips.filter(purpose="test")
    assert {clip.samples} == set(rated.values_list("samples", flat=True))
    assert {clip.sent_bytes} == set(rated.values_list("sent_bytes", flat=True))
    after = heard(clip)
    assert after.shape[1] == clip.samples
    assert np.array_equal(after[:, : before.shape[1]], before)
    assert not after[:, before.shape[1] :].any()
    assert clip.loudness_lufs == pytest.approx(integrated_loudness(after), abs=0.05)
    assert len(files(study)) == study.clips.count() == selectors.clips_expected(study)


def test_it_is_as_long_as_most_excerpts(study: Study) -> None:
    song = study.excerpts.get().song
    study.excerpts.create(song=song, start=0.0, end=2.5)
    study.excerpts.create(song=song, start=0.4, end=2.9)
    trap_recording_add(study=study, language="es", file=recording(), answer=2)
    clips_make(study=study)
    assert study.clips.get(purpose="trap").samples == round(2.5 * RATE)


def test_recordings_outlive_a_preparation_that_is_undone(
    study: Study, django_capture_on_commit_callbacks: Capture
) -> None:
    trap_recording_add(study=study, language="es", file=recording(), answer=2)
    clips_make(study=study)
    with django_capture_on_commit_callbacks(execute=True):
        clips_remove(study_id=study.id)
    clip = study.clips.get()
    study.excerpts.update(start=0.0, end=2.0)  # longer now
    clips_make(study=study)
    clip.refresh_from_db()
    assert clip.samples == 2 * RATE
    assert heard(clip)[:, : RATE // 2].any()


def test_a_recording_longer_than_the_clips_is_named_when_the_study_opens(study: Study) -> None:
    trap_recording_add(study=study, language="es", file=recording(words(2.0), "muy larga.wav"), answer=2)
    with pytest.raises(ClipsRefused) as refused:
        clips_make(study=study)
    (said,) = sentences({"refusals": refused.value.refusals})
    assert "muy larga.wav" in said and "2.0" in said and "1.5" in said


def test_recordings_of_a_study_with_written_checks_are_left_alone(study: Study) -> None:
    study.trap_kind = "written"
    study.save()
    trap_recording_add(study=study, language="es", file=recording(words(2.0)), answer=2)
    clips_make(study=study)
    assert study.clips.get(purpose="trap").samples == pytest.approx(2.0 * RATE, abs=10)


@pytest.mark.parametrize(
    ("answer", "language", "code"), [(0, "es", "trap_answer"), (6, "es", "trap_answer"), (3, "xx", "trap_language")]
)
def test_what_cannot_be_asked_for_is_refused(study: Study, answer: int, language: str, code: str) -> None:
    with pytest.raises(StudyRefused) as refused:
        trap_recording_add(study=study, language=language, file=recording(), answer=answer)
    assert refused.value.code == code
    assert sentences({"refusals": [{"code": code, "params": {}}]})
    assert not study.clips.exists()


@pytest.mark.parametrize(
    ("file", "code"),
    [
        (SimpleUploadedFile("trap.exe", b"MZ" * 100), "suffix_unknown"),
        (SimpleUploadedFile("trap.wav", b"no sound at all" * 100), "not_audio"),
        (SimpleUploadedFile("trap.wav", b""), "empty_file"),
        (recording(words(0.2)), "too_short"),
        (recording(words(61.0, level=0.01)), "too_long"),
        (recording(words(level=0.0)), "silent"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_that_is_no_recording_is_refused(study: Study, file: SimpleUploadedFile, code: str) -> None:
    with pytest.raises(UploadRefused) as refused:
        trap_recording_add(study=study, language="es", file=file, answer=2)
    assert refused.value.code == code
    assert not study.clips.exists()


def test_a_recording_can_be_removed_with_its_file(
    study: Study, media: Path, django_capture_on_commit_callbacks: Capture
) -> None:
    clip = trap_recording_add(study=study, language="es", file=recording(), answer=2)
    with django_capture_on_commit_callbacks(execute=True):
        trap_recording_remove(clip=clip)
    assert not study.clips.exists()
    assert files(study) == set()


def test_an_open_study_keeps_its_recordings(study: Study) -> None:
    clip = trap_recording_add(study=study, language="es", file=recording(), answer=2)
    study.state = Study.State.PREPARING
    study.save()
    for act in (
        lambda: trap_recording_remove(clip=clip),
        lambda: trap_recording_add(study=study, language="es", file=recording(), answer=3),
    ):
        with pytest.raises(StudyRefused) as refused:
            act()
        assert refused.value.code == "not_draft"
    assert study.clips.count() == 1


def test_a_copy_of_a_study_has_copies_of_its_recordings(study: Study) -> None:
    clip = trap_recording_add(study=study, language="es", file=recording(), answer=4)
    other = study_make(name="Otro")
    trap_recordings_copy(source=study, target=other)
    copy = other.clips.get()
    assert (copy.language, copy.expected, copy.made_by) == (clip.language, clip.expected, clip.made_by)
    assert copy.file.name != clip.file.name
    assert np.array_equal(heard(copy), heard(clip))


def test_a_deleted_study_leaves_no_recording(study: Study, django_capture_on_commit_callbacks: Capture) -> None:
    trap_recording_add(study=study, language="es", file=recording(), answer=4)
    with django_capture_on_commit_callbacks(execute=True):
        study_delete(study=study)
    assert not Clip.objects.exists()
    assert not default_storage.exists(f"clips/{study.id}") or files(study) == set()
