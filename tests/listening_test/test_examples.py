"""What is heard before anything is rated: examples, practice and the clip for the volume, from the study's excerpts."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import soundfile

from audio.loudness import integrated_loudness
from audio.reading import Audio, read_flac
from listening_test.examples import PRACTICE
from listening_test.models import Clip, Study
from listening_test.services.clips import clips_make
from separation.models import Song, Stem
from tests.factories import RATE, sound
from tests.listening_test.factories import references_make, stem_make, study_make

pytestmark = pytest.mark.django_db

Purpose = Clip.Purpose
EXCERPT = (0.5, 2.5)


def samples(clip: Clip) -> Audio:
    with clip.file.open("rb") as file:
        return soundfile.read(io.BytesIO(file.read()), dtype="float32")[0].T


def true(song: Song, source: str) -> Audio:
    with Stem.objects.get(song=song, source=source, job__isnull=True).file.open("rb") as file:
        return read_flac(file, *EXCERPT)


def correlation(one: Audio, other: Audio) -> float:
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


def examples(study: Study) -> dict[str, Clip]:
    return {clip.role: clip for clip in study.clips.filter(purpose=Purpose.CALIBRATION)}


def practice(study: Study) -> dict[str, Clip]:
    return {clip.made_by["how"]: clip for clip in study.clips.filter(purpose=Purpose.PRACTICE)}


@pytest.fixture
def study() -> Study:
    """One song with true stems of both sources."""
    study = study_make(excerpt=EXCERPT)
    references_make(study.excerpts.get().song)
    clips_make(study=study)
    return study


def test_examples_come_from_the_studys_own_true_stems_and_from_both_sources(study: Study) -> None:
    song, clips = study.excerpts.get().song, examples(study)
    vocals, drums = true(song, "vocals"), true(song, "drums")
    assert {role: clip.source for role, clip in clips.items()} == {
        "clean": "vocals",
        "distorted": "vocals",
        "alone": "drums",
        "contaminated": "drums",
    }
    assert correlation(samples(clips["clean"]), vocals) > 0.99
    assert correlation(samples(clips["distorted"]), vocals) < 0.7
    assert correlation(samples(clips["alone"]), drums) > 0.99
    heard = samples(clips["contaminated"])
    assert correlation(heard, drums) == pytest.approx(correlation(heard, vocals), abs=0.03)  # as loud as each other


def test_a_study_of_one_source_is_calibrated_with_it() -> None:
    study = study_make(excerpt=EXCERPT, sources=("drums",))
    references_make(study.excerpts.get().song)
    clips_make(study=study)
    assert {clip.source for clip in study.clips.exclude(purpose__in=["test", "level"])} == {"drums"}


def test_practice_covers_the_whole_range_of_both_scales(study: Study) -> None:
    clips = list(practice(study).values())
    assert len(clips) == len(PRACTICE) == 5
    for scale in ("quality", "contamination"):
        spans = [clip.expected[scale] for clip in clips]
        assert all(1 <= low <= high <= 5 for low, high in spans)
        assert [1, 2] in spans and [2, 4] in spans and [4, 5] in spans
    assert {clip.source for clip in clips} == {"vocals", "drums"}
    assert {clip.samples for clip in clips} == {2 * RATE}  # as long as what is rated


def test_practice_is_what_it_says(study: Study) -> None:
    song, clips = study.excerpts.get().song, practice(study)

    def likeness(name: str, *, to_itself: bool = True) -> float:
        clip = clips[name]
        other = {"vocals": "drums", "drums": "vocals"}[clip.source]
        return correlation(samples(clip), true(song, clip.source if to_itself else other))

    assert likeness("best of both") > 0.99
    assert 0.99 > likeness("middle quality") > likeness("worst quality") + 0.2
    assert likeness("middle contamination") > 0.97
    assert likeness("worst contamination", to_itself=False) > 0.6
    assert 0.1 < likeness("middle contamination", to_itself=False) < 0.3
    assert abs(likeness("worst quality", to_itself=False)) < 0.05  # artefacts, and no other source


def test_a_study_without_practice_has_no_practice_clips() -> None:
    study = study_make(practice=False)
    clips_make(study=study)
    assert not practice(study)


def test_the_clip_for_the_volume_is_the_song_at_the_target(study: Study) -> None:
    level = study.clips.get(purpose=Purpose.LEVEL)
    song = study.excerpts.get().song
    assert integrated_loudness(samples(level)) == pytest.approx(-23.0, abs=0.1)
    assert correlation(samples(level), true(song, "vocals") + true(song, "drums")) > 0.99


def test_every_clip_says_how_it_was_made(study: Study) -> None:
    for clip in study.clips.exclude(purpose="test"):
        assert clip.made_by["origin"]["from"] == "true stems"
        assert clip.made_by["origin"]["song"] == str(study.excerpts.get().song_id)
    assert practice(study)["worst quality"].made_by["distortion"]["band_hz"] == 3500.0
    assert practice(study)["middle contamination"].made_by["others_db"] == -15.0


# ── Where there are no true stems, or none that can be used ─────────────────────────────────────────────────────────


def origin(study: Study) -> dict[str, Any]:
    return dict(examples(study)["clean"].made_by["origin"])


def test_without_true_stems_the_projects_own_song_serves_and_says_why() -> None:
    study = study_make(excerpt=EXCERPT)
    clips_make(study=study)
    assert origin(study) == {"from": "synthetic song", "seed": 7001, "because": "no true stems"}
    clips = examples(study)
    assert clips["clean"].samples == 2 * RATE
    assert correlation(samples(clips["clean"]), samples(clips["distorted"])) < 0.7
    assert correlation(samples(clips["alone"]), samples(clips["contaminated"])) > 0.5


def test_a_source_that_is_silent_in_one_excerpt_is_taken_from_another() -> None:
    study = study_make(systems=("umxhq",), songs=2, excerpt=EXCERPT)
    first, second = (excerpt.song for excerpt in study.excerpts.all())
    stem_make(song=first, source="vocals", samples=np.zeros((2, 3 * RATE), dtype=np.float32))
    stem_make(song=first, source="drums")
    references_make(second)
    clips_make(study=study)
    assert origin(study)["song"] == str(second.pk)
    assert correlation(samples(examples(study)["clean"]), true(second, "vocals")) > 0.99


def test_true_stems_that_are_all_too_quiet_are_not_used() -> None:
    study = study_make(excerpt=EXCERPT)
    for source in study.sources:
        stem_make(song=study.excerpts.get().song, source=source, samples=sound(3.0, level=1e-5))
    clips_make(study=study)
    assert origin(study)["because"] == "true stems too quiet or alone"


def test_one_true_stem_alone_has_nothing_to_be_contaminated_with() -> None:
    study = study_make(excerpt=EXCERPT, sources=("vocals",))
    references_make(study.excerpts.get().song, sources=("vocals",))
    clips_make(study=study)
    assert origin(study)["from"] == "synthetic song"


def test_the_accompaniment_is_not_added_to_its_own_parts() -> None:
    study = study_make(excerpt=EXCERPT, sources=("vocals", "accompaniment"))
    song = study.excerpts.get().song
    references_make(song, sources=("vocals", "drums"))
    drums = Stem.objects.get(song=song, source="drums", job__isnull=True)
    with drums.file.open("rb") as file:
        stem_make(song=song, source="accompaniment", samples=read_flac(file))
    clips_make(study=study)
    level = study.clips.get(purpose=Purpose.LEVEL)
    assert correlation(samples(level), true(song, "vocals") + true(song, "drums")) > 0.99
    clips = examples(study)
    assert clips["contaminated"].source == "accompaniment"
    assert correlation(samples(clips["contaminated"]), true(song, "vocals")) > 0.6


@pytest.mark.parametrize(("source", "alike"), [("piano", "other"), ("guitar", "other"), ("accompaniment", None)])
def test_the_projects_song_stands_in_for_sources_that_it_does_not_have(source: str, alike: str | None) -> None:
    study = study_make(excerpt=EXCERPT, sources=(source,))
    clips_make(study=study)
    assert {clip.source for clip in study.clips.filter(purpose=Purpose.CALIBRATION)} == {source}
    assert not np.array_equal(samples(examples(study)["alone"]), samples(examples(study)["contaminated"]))
