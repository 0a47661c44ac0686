"""Each rule of loudness, measured on the clips that it leads to."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile

from audio.loudness import integrated_loudness, true_peak
from audio.reading import Audio, read_flac
from listening_test.models import Clip, Excerpt, Study
from listening_test.services.clips import ClipsRefused, clips_make
from separation.models import SeparationJob
from tests.factories import RATE, sound
from tests.listening_test.factories import separated_make, stem_make, study_make

pytestmark = pytest.mark.django_db

EXCERPT = (0.5, 2.5)
LEVELS = {"vocals": 0.03, "drums": 0.008}


def study_levelled(rule: str, *, peak: float = 0.0) -> Study:
    """Two systems, of which the second gives everything 6 dB quieter; its drums may have one high peak."""
    study = study_make(excerpt=EXCERPT, loudness_rule=rule, show_mixture=True, controls=["anchor:mixture"])
    song = study.excerpts.get().song
    for place, system in enumerate(study.systems):
        job = song.jobs.get(separator=system)
        job.stems.all().delete()
        for number, (source, level) in enumerate(LEVELS.items()):
            samples = sound(3.0, seed=number, level=level / 2**place)
            if place and source == "drums":
                samples[:, RATE] += peak
            stem_make(song=song, source=source, job=job, samples=samples)
    clips_make(study=study)
    return study


def samples(clip: Clip) -> Audio:
    with clip.file.open("rb") as file:
        return soundfile.read(io.BytesIO(file.read()), dtype="float32")[0].T


def rated(study: Study) -> list[Clip]:
    return list(study.clips.filter(excerpt__isnull=False))


def mixture_lufs(excerpt: Excerpt) -> float:
    with excerpt.song.mixture.open("rb") as file:
        return integrated_loudness(read_flac(file, *EXCERPT))


def test_by_the_clip_all_are_equally_loud() -> None:
    for clip in rated(study_levelled("clip")):
        assert integrated_loudness(samples(clip)) == pytest.approx(-23.0, abs=0.1)


def test_by_the_mixture_one_gain_brings_the_mixture_to_the_target() -> None:
    study = study_levelled("mixture")
    (gain,) = {round(clip.gain_db, 6) for clip in rated(study)}
    assert gain == pytest.approx(-23.0 - mixture_lufs(study.excerpts.get()), abs=0.02)
    for clip in study.clips.filter(purpose="mixture") | study.clips.filter(system="anchor:mixture"):
        assert integrated_loudness(samples(clip)) == pytest.approx(-23.0, abs=0.1)
    loud, quiet = (study.clips.get(system=system, source="vocals") for system in study.systems)
    assert integrated_loudness(samples(loud)) - integrated_loudness(samples(quiet)) == pytest.approx(6.02, abs=0.1)


def test_a_peak_of_one_clip_lowers_the_one_gain_of_all() -> None:
    study = study_levelled("mixture", peak=0.99)
    (gain,) = {round(clip.gain_db, 6) for clip in rated(study)}
    wanted = -23.0 - mixture_lufs(study.excerpts.get())
    peaks = {clip: true_peak(samples(clip)) for clip in rated(study)}
    assert max(peaks.values()) <= -1.0
    assert gain == pytest.approx(min(wanted, -1.01 - true_peak(np.array([[0.0, 0.99, 0.0]], np.float32))), abs=0.5)


def test_without_a_rule_every_clip_is_as_the_system_gave_it() -> None:
    study = study_levelled("none")
    assert {clip.gain_db for clip in rated(study)} == {0.0}
    clip = study.clips.get(system="umxhq", source="drums")
    assert clip.stem is not None
    with clip.stem.file.open("rb") as file:
        original = read_flac(file, *EXCERPT)
    inner = slice(RATE // 10, -RATE // 10)
    assert np.max(np.abs(samples(clip)[:, inner] - original[:, inner])) < 3 / 2**15


def test_without_a_rule_nothing_clips_and_all_of_an_excerpt_stay_together() -> None:
    study = study_levelled("none", peak=0.99)
    (gain,) = {clip.gain_db for clip in rated(study)}
    assert -3.0 < gain < 0.0
    assert max(true_peak(samples(clip)) for clip in rated(study)) <= -1.0


@pytest.mark.parametrize("rule", ["clip", "mixture", "none"])
def test_levels_are_recorded_as_they_are(rule: str) -> None:
    for clip in study_levelled(rule).clips.all():
        heard = samples(clip)
        assert clip.loudness_lufs == pytest.approx(integrated_loudness(heard), abs=0.2)
        assert clip.true_peak_dbtp == pytest.approx(true_peak(heard), abs=0.2)


@pytest.mark.parametrize("rule", ["mixture", "none"])
def test_examples_keep_the_levels_that_they_have_in_their_song(rule: str) -> None:
    study = study_levelled(rule)
    gains = {(clip.samples, round(clip.gain_db, 6)) for clip in study.clips.filter(purpose="calibration")}
    assert len(gains) <= 2  # one for each of the two sources
    level = study.clips.get(purpose="level")
    assert level.loudness_lufs == pytest.approx(-23.0, abs=0.1) or rule == "none"


@pytest.mark.parametrize("rule", ["clip", "mixture", "none"])
def test_near_silence_is_refused_by_every_rule(rule: str) -> None:
    study = study_make(excerpt=EXCERPT, loudness_rule=rule, systems=("umxhq",), sources=("vocals",))
    song = study.excerpts.get().song
    SeparationJob.objects.all().delete()
    job = separated_make(song=song, system="umxhq", sources=())
    stem_make(song=song, source="vocals", job=job, samples=sound(3.0, level=1e-5))
    with pytest.raises(ClipsRefused) as refused:
        clips_make(study=study)
    assert [refusal["code"] for refusal in refused.value.refusals] == ["stem_too_quiet"]
