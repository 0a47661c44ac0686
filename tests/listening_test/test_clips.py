"""The clips of a study: what they are, and that there is one set of them whatever happens."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
from django.core.files.storage import default_storage

from audio.loudness import integrated_loudness, true_peak
from listening_test import selectors
from listening_test.messages import sentences
from listening_test.models import Clip, Study
from listening_test.sealing import sealed, sealed_size
from listening_test.services.clips import ClipsRefused, clips_make
from tests.factories import RATE, sound
from tests.listening_test.factories import references_make, separated_make, stem_make, study_make

pytestmark = pytest.mark.django_db


def read(clip: Clip) -> bytes:
    with clip.file.open("rb") as file:
        return bytes(file.read())


def samples(clip: Clip) -> np.ndarray:
    return soundfile.read(io.BytesIO(read(clip)), dtype="float32")[0].T


def files(study: Study) -> set[str]:
    try:
        return set(default_storage.listdir(f"clips/{study.id}")[1])
    except FileNotFoundError:
        return set()


def rated(study: Study) -> list[Clip]:
    return list(study.clips.filter(purpose=Clip.Purpose.TEST))


@pytest.fixture
def study() -> Study:
    return study_make(songs=2, show_mixture=True)


def test_there_is_one_clip_for_all_that_is_compared(study: Study) -> None:
    clips_make(study=study)
    made = {(clip.excerpt_id, clip.source, clip.system) for clip in rated(study)}
    excerpts = study.excerpts.values_list("id", flat=True)
    assert made == {(e, source, system) for e in excerpts for source in study.sources for system in study.systems}
    assert study.clips.filter(purpose=Clip.Purpose.MIXTURE).count() == 2
    assert {c.role for c in study.clips.filter(purpose=Clip.Purpose.CALIBRATION)} == set(Clip.Role.values)
    assert study.clips.count() == selectors.clips_expected(study)


def test_mixture_clips_only_where_listeners_may_hear_them() -> None:
    study = study_make(show_mixture=False)
    clips_make(study=study)
    assert not study.clips.filter(purpose=Clip.Purpose.MIXTURE).exists()


def test_a_clip_is_the_excerpt_of_its_own_stem(study: Study) -> None:
    clips_make(study=study)
    for clip in rated(study):
        assert clip.stem is not None
        assert clip.stem.source == clip.source
        assert clip.stem.job is not None
        assert clip.stem.job.separator == clip.system
        with clip.stem.file.open("rb") as file:
            whole = soundfile.read(io.BytesIO(file.read()), dtype="float32")[0].T
        middle = slice(RATE // 2, RATE)  # of the clip, whose excerpt begins at 0.5 s
        original = whole[:, RATE : RATE + RATE // 2]
        heard = samples(clip)[:, middle] / 10 ** (clip.gain_db / 20)
        assert np.max(np.abs(heard - original)) < 4 / 2**15 / 10 ** (clip.gain_db / 20)


def test_levels_are_aligned_and_recorded(study: Study) -> None:
    clips_make(study=study)
    for clip in study.clips.all():
        heard = samples(clip)
        assert integrated_loudness(heard) == pytest.approx(-23.0, abs=0.1)
        assert clip.loudness_lufs == pytest.approx(integrated_loudness(heard), abs=0.1)
        assert true_peak(heard) <= -1.0
        assert clip.true_peak_dbtp == pytest.approx(true_peak(heard), abs=0.1)
        assert clip.samples == heard.shape[1]


def test_clips_of_one_length_cannot_be_told_apart_from_outside(study: Study) -> None:
    """One length to the sample, one size to the byte as they are sent, and names that say nothing."""
    clips_make(study=study)
    assert {clip.samples for clip in study.clips.all()} == {round(1.5 * RATE)}
    sent = [sealed(read(clip), name=clip.token, size=clip.sent_bytes) for clip in study.clips.all()]
    assert len({len(read(clip)) for clip in study.clips.all()}) > 1
    assert len({len(data) for data in sent}) == 1
    for clip in study.clips.all():
        name = Path(clip.file.name).name
        assert re.fullmatch(r"[\w-]{22}\.flac", name)
        assert name == f"{clip.token}.flac"
        assert not any(word in name for word in (*study.systems, *study.sources))


def test_lengths_have_a_size_each_which_is_that_of_the_largest_file() -> None:
    study = study_make(songs=1)
    song = study.excerpts.get().song
    study.excerpts.create(song=song, start=0.0, end=2.5)
    clips_make(study=study)
    sizes = {(clip.samples, clip.sent_bytes) for clip in study.clips.all()}
    assert len(sizes) == 2
    for samples_, sent in sizes:
        files_ = [read(clip) for clip in study.clips.filter(samples=samples_)]
        assert sent == max(sealed_size(len(data)) for data in files_)


def test_files_hold_audio_only(study: Study) -> None:
    clips_make(study=study)
    for clip in study.clips.all():
        data = read(clip)
        assert data[4] == 0x80  # STREAMINFO, and it is the last block: no comment, no vendor, no picture
        assert soundfile.info(io.BytesIO(data)).subtype == "PCM_16"


def test_running_twice_gives_one_set(study: Study) -> None:
    clips_make(study=study)
    first = set(study.clips.values_list("id", "sha256"))
    clips_make(study=study)
    assert set(study.clips.values_list("id", "sha256")) == first
    assert len(files(study)) == len(first)


def test_the_same_seed_gives_the_same_clips() -> None:
    digests = []
    for _time in range(2):
        study = study_make(seed=77)
        clips_make(study=study)
        digests.append(sorted(study.clips.values_list("sha256", flat=True)))
    assert digests[0] == digests[1]


def test_everything_silent_is_named_and_nothing_stays() -> None:
    study = study_make(songs=1, systems=("umxhq",), sources=("vocals", "drums"))
    excerpt = study.excerpts.get()
    for stem in excerpt.song.stems.all():
        stem.delete()
    job = excerpt.song.jobs.get()
    stem_make(song=excerpt.song, source="vocals", job=job, samples=np.zeros((2, 3 * RATE), dtype=np.float32))
    stem_make(song=excerpt.song, source="drums", job=job, samples=sound(level=1e-5))
    with pytest.raises(ClipsRefused) as refused:
        clips_make(study=study)
    said = sentences({"refusals": refused.value.refusals})
    assert len(said) == 2
    for sentence, source in zip(said, ("Vo", "Bater"), strict=True):
        assert excerpt.song.title in sentence
        assert "0.5–2 s" in sentence
        assert "umxhq" in sentence or "Open-Unmix" in sentence
        assert source in sentence or {"Vo": "Vocals", "Bater": "Drums"}[source] in sentence
    assert files(study) == set()
    assert not study.clips.exists()


def test_a_stem_that_is_gone_is_named(study: Study) -> None:
    song = study.excerpts.all()[0].song
    song.jobs.get(separator="umxhq").stems.get(source="drums").delete()
    with pytest.raises(ClipsRefused) as refused:
        clips_make(study=study)
    (refusal,) = refused.value.refusals
    assert refusal["code"] == "stem_gone"
    assert refusal["params"]["song"] == song.title
    assert refusal["params"]["system"] == "umxhq"
    assert refusal["params"]["source"] == "drums"


def test_a_stem_that_ends_early_is_named() -> None:
    study = study_make(systems=("umxhq",), sources=("vocals",), excerpt=(0.5, 2.0))
    song = study.excerpts.get().song
    song.stems.all().delete()
    stem_make(song=song, source="vocals", job=song.jobs.get(), samples=sound(1.0))
    with pytest.raises(ClipsRefused) as refused:
        clips_make(study=study)
    assert [refusal["code"] for refusal in refused.value.refusals] == ["stem_too_short"]


def test_a_failure_while_saving_leaves_no_file(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    saved = []
    save = Clip.save

    def third_time_unlucky(self: Clip, *args: object, **kwargs: object) -> None:
        saved.append(self)
        if len(saved) == 3:
            raise OSError("no space left on device")
        save(self, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(Clip, "save", third_time_unlucky)
    with pytest.raises(OSError, match="no space"):
        clips_make(study=study)
    assert files(study) == set()
    assert not study.clips.exists()


def test_the_reference_can_be_a_system_of_its_own() -> None:
    study = study_make(systems=("umxhq",), sources=("vocals",))
    true = references_make(study.excerpts.get().song, sources=("vocals",))[0]
    study.systems = ["umxhq", "reference"]
    study.save()
    clips_make(study=study)
    assert study.clips.get(system="reference").stem == true


def test_a_second_done_job_of_another_system_is_not_mistaken() -> None:
    study = study_make(systems=("umxhq",), sources=("vocals",))
    separated_make(song=study.excerpts.get().song, system="htdemucs", sources=("vocals",))
    clips_make(study=study)
    (clip,) = rated(study)
    assert clip.stem is not None
    assert clip.stem.job is not None
    assert clip.stem.job.separator == "umxhq"
