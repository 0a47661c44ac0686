"""Hidden reference, mixture anchor and degraded anchor: made by the project, and systems like all others."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile

from audio.loudness import integrated_loudness
from audio.metrics import sdr
from audio.reading import Audio, read_flac
from listening_test import selectors
from listening_test.controls import CONTROLS, DEGRADED_ANCHOR, MIXTURE_ANCHOR
from listening_test.messages import sentences
from listening_test.models import Clip, Study
from listening_test.services.clips import ClipsRefused, clips_make
from listening_test.systems import system_name
from separation.models import Stem
from separation.selectors import REFERENCE
from tests.factories import RATE, sound
from tests.listening_test.factories import references_make, stem_make, study_make

pytestmark = pytest.mark.django_db

EXCERPT = (0.5, 2.5)


def samples(clip: Clip) -> Audio:
    with clip.file.open("rb") as file:
        return soundfile.read(io.BytesIO(file.read()), dtype="float32")[0].T


def unlevelled(clip: Clip) -> Audio:
    return np.asarray(samples(clip) / 10 ** (clip.gain_db / 20), dtype=np.float32)


def of_stem(stem: Stem) -> Audio:
    with stem.file.open("rb") as file:
        return read_flac(file, *EXCERPT)


def clip_of(study: Study, system: str, source: str = "vocals") -> Clip:
    return study.clips.get(purpose=Clip.Purpose.TEST, system=system, source=source)


def alike(one: Audio, other: Audio) -> float:
    inner = slice(RATE // 10, -RATE // 10)  # without the fades
    return sdr(other[:, inner], one[:, inner])


@pytest.fixture
def study() -> Study:
    study = study_make(excerpt=EXCERPT, controls=list(CONTROLS))
    references_make(study.excerpts.get().song)
    clips_make(study=study)
    return study


def test_every_control_is_there_for_every_source_as_a_rated_clip(study: Study) -> None:
    rated = study.clips.filter(purpose=Clip.Purpose.TEST)
    assert sorted(rated.values_list("system", "source")) == sorted(
        (system, source) for system in (*study.systems, *CONTROLS) for source in study.sources
    )
    assert rated.count() == selectors.rated_clips_expected(study)
    assert study.clips.count() == selectors.clips_expected(study)


def test_the_hidden_reference_is_the_true_stem(study: Study) -> None:
    true = Stem.objects.get(job__isnull=True, source="vocals")
    clip = clip_of(study, REFERENCE)
    assert clip.stem == true
    assert alike(unlevelled(clip), of_stem(true)) > 40.0


def test_the_mixture_anchor_is_the_song(study: Study) -> None:
    excerpt = study.excerpts.get()
    with excerpt.song.mixture.open("rb") as file:
        mixture = read_flac(file, *EXCERPT)
    for source in study.sources:
        assert alike(unlevelled(clip_of(study, MIXTURE_ANCHOR, source)), mixture) > 40.0


def test_the_degraded_anchor_is_made_from_the_true_stem_and_says_how(study: Study) -> None:
    true = Stem.objects.get(job__isnull=True, source="drums")
    clip = clip_of(study, DEGRADED_ANCHOR, "drums")
    assert clip.made_by["of"] == {"system": REFERENCE, "stem": str(true.pk)}
    assert clip.made_by["distortion"]["clip_rms"] == 1.1
    assert alike(unlevelled(clip), of_stem(true)) < 3.0
    assert np.corrcoef(unlevelled(clip).ravel(), of_stem(true).ravel())[0, 1] > 0.2


def test_controls_are_as_loud_and_as_long_as_systems(study: Study) -> None:
    for clip in study.clips.filter(purpose=Clip.Purpose.TEST):
        assert clip.samples == 2 * RATE
        assert integrated_loudness(samples(clip)) == pytest.approx(-23.0, abs=0.1)
    assert len(set(study.clips.filter(samples=2 * RATE).values_list("sent_bytes", flat=True))) == 1


def test_each_degraded_anchor_is_broken_at_other_moments() -> None:
    study = study_make(excerpt=EXCERPT, controls=[DEGRADED_ANCHOR])
    clips_make(study=study)
    seeds = [clip_of(study, DEGRADED_ANCHOR, source).made_by["seed"] for source in study.sources]
    assert seeds[0] != seeds[1]


# ── Without true stems ──────────────────────────────────────────────────────────────────────────────────────────────


def test_without_a_true_stem_the_degraded_anchor_is_made_from_the_first_system() -> None:
    study = study_make(excerpt=EXCERPT, controls=[MIXTURE_ANCHOR, DEGRADED_ANCHOR])
    clips_make(study=study)
    clip = clip_of(study, DEGRADED_ANCHOR)
    assert clip.made_by["of"]["system"] == study.systems[0]
    assert clip.made_by["of"]["stem"] == str(clip_of(study, study.systems[0]).stem_id)


def test_a_song_without_true_stems_has_no_hidden_reference_and_all_the_rest() -> None:
    study = study_make(songs=2, excerpt=EXCERPT, controls=[REFERENCE, MIXTURE_ANCHOR])
    first, second = study.excerpts.all()
    references_make(second.song)
    assert selectors.study_problems(study) == []
    clips_make(study=study)
    assert set(study.clips.filter(system=REFERENCE).values_list("excerpt", flat=True)) == {second.pk}
    assert study.clips.filter(excerpt=first, system=MIXTURE_ANCHOR).count() == len(study.sources)
    assert study.clips.count() == selectors.clips_expected(study)


def test_a_study_none_of_whose_songs_has_true_stems_is_told_before_it_opens() -> None:
    study = study_make(controls=[REFERENCE])
    assert [problem.code for problem in selectors.study_problems(study)] == ["reference_nowhere"]


def test_a_true_stem_that_is_silent_is_named() -> None:
    study = study_make(excerpt=EXCERPT, controls=[REFERENCE])
    song = study.excerpts.get().song
    stem_make(song=song, source="vocals", samples=np.zeros((2, 3 * RATE), dtype=np.float32))
    stem_make(song=song, source="drums", samples=sound())
    with pytest.raises(ClipsRefused) as refused:
        clips_make(study=study)
    (said,) = sentences({"refusals": refused.value.refusals})
    assert song.title in said and system_name(REFERENCE) in said


def test_a_stem_whose_peaks_were_scaled_is_heard_at_its_own_level() -> None:
    """A mixture that was scaled to fit and a stem that was not keep their levels to each other."""
    study = study_make(excerpt=EXCERPT, systems=("umxhq",), sources=("vocals",), loudness_rule="none")
    stem = Stem.objects.get(source="vocals")
    stem.gain = 0.5
    stem.save()
    clips_make(study=study)
    assert alike(unlevelled(clip_of(study, "umxhq")), 2.0 * of_stem(stem)) > 40.0
