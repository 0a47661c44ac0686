"""Suggested excerpts: where everything sounds, and why another place had better not be one."""

from __future__ import annotations

import numpy as np
import pytest
from django.core.files.base import ContentFile

from audio.reading import Audio
from listening_test.suggestion import Suggestion, Suggestions, excerpt_suggestions
from listening_test.suggestion_words import reason_words, suggestions_json
from separation.models import Song
from tests.factories import RATE, encoded, song_make, sound
from tests.listening_test.factories import separated_make, stem_make

pytestmark = pytest.mark.django_db


def suggested(song: Song, sources: tuple[str, ...] = ("vocals",)) -> Suggestions:
    return excerpt_suggestions(song=song, systems=["umxhq"], sources=sources)


def codes(suggestion: Suggestion) -> list[str]:
    return [reason.code for reason in suggestion.reasons]


def silent(seconds: float, *spans: tuple[float, float]) -> Audio:
    samples = sound(seconds, seed=9)
    for start, end in spans:
        samples[:, round(start * RATE) : round(end * RATE)] = 0.0
    return samples


def mixture_exchange(song: Song, samples: Audio) -> None:
    song.mixture.save("mixture.flac", ContentFile(encoded(samples, subtype="PCM_24")), save=True)


def test_a_steady_song_is_cut_in_the_middle_and_offers_other_places_too() -> None:
    found = suggested(song_make(seconds=40.0))
    assert (found.offered[0].start, found.offered[0].end) == (15.0, 25.0)
    assert len(found.offered) == 3 and all(each.is_good for each in found.offered)
    starts = sorted(each.start for each in found.offered)
    assert all(later - earlier >= 5.0 for earlier, later in zip(starts, starts[1:], strict=False))
    assert found.refused == []


def test_a_source_that_rests_is_avoided_and_the_reason_said() -> None:
    song = song_make(seconds=40.0)
    stem_make(song=song, source="vocals", samples=silent(40.0, (0.0, 25.0)))
    found = suggested(song)
    assert all(each.start >= 22.0 for each in found.offered)
    assert found.looked_at == "true_stems"
    worst = found.refused[0]
    assert worst.start < 15.0 and not worst.is_good
    assert codes(worst) == ["silent"]
    assert "practically silent" in reason_words(worst.reasons[0]) or "silencio" in reason_words(worst.reasons[0])


def test_true_stems_tell_more_than_separated_ones() -> None:
    song = song_make(seconds=40.0)
    job = separated_make(song=song, system="umxhq", sources=())
    stem_make(song=song, source="vocals", job=job, samples=silent(40.0, (20.0, 40.0)))
    assert suggested(song).looked_at == "separated"
    assert suggested(song).offered[0].end <= 28.0
    stem_make(song=song, source="vocals", samples=silent(40.0, (0.0, 20.0)))
    assert suggested(song).looked_at == "true_stems"
    assert suggested(song).offered[0].start >= 12.0


def test_a_clipped_passage_is_refused() -> None:
    song = song_make(seconds=40.0)
    loud = sound(40.0, seed=2)
    loud[:, 16 * RATE : 24 * RATE] = np.clip(30.0 * loud[:, 16 * RATE : 24 * RATE], -1.0, 1.0)
    mixture_exchange(song, loud)
    found = suggested(song)
    assert found.looked_at == "mixture"
    assert all(each.end <= 16.5 or each.start >= 23.5 for each in found.offered)
    assert "clipped" in {code for each in found.refused for code in codes(each)}


def test_where_nothing_is_good_the_least_bad_is_given_and_says_so() -> None:
    song = song_make(seconds=20.0)
    stem_make(song=song, source="vocals", samples=silent(20.0, (0.0, 18.0)))
    (only,) = suggested(song).offered
    assert not only.is_good
    assert only.start == pytest.approx(9.0, abs=1.1)
    assert codes(only) == ["hardly_sounds"]


@pytest.mark.parametrize("seconds", [3.456, 12.345])
def test_a_short_song_is_suggested_whole_or_nearly(seconds: float) -> None:
    best = suggested(song_make(seconds=seconds)).offered[0]
    assert 0.0 <= best.start < best.end <= seconds
    assert best.end - best.start == pytest.approx(min(10.0, seconds), abs=0.011)


def test_what_the_page_gets_is_in_words() -> None:
    song = song_make(seconds=40.0)
    stem_make(song=song, source="vocals", samples=silent(40.0, (0.0, 25.0)))
    answer = suggestions_json(suggested(song))
    assert answer["start"] == answer["offered"][0]["start"]
    assert {"start", "end", "good", "reasons"} == set(answer["refused"][0])
    assert answer["looked_at"] and all(each["reasons"] for each in answer["offered"])
