"""The sentence says no more than the ratings do."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis import words
from analysis.figures.matrix import Matrix
from analysis.pair_views import pair_sections
from analysis.report import StudyReport
from analysis.verdict import verdict

from .tables import crossed, report, row, tidy, unequal

pytestmark = pytest.mark.usefixtures("in_english")


def said(table: pd.DataFrame, scale: str = "quality") -> str:
    found = verdict(report(table), scale)
    return " ".join([words.headline(found), *words.support(found)])


def test_a_clear_lead_is_claimed_for_these_clips() -> None:
    text = said(crossed(listeners=10))
    assert text.startswith("On these clips HTDemucs sounds best, ahead of every other system.")
    assert "Its smallest lead is" in text and "over Spleeter 4stems" in text
    assert "It holds for other songs of this kind as well" in text


def test_with_four_songs_nothing_is_said_of_others() -> None:
    text = said(crossed(listeners=10, songs=4))
    assert "sounds best" in text
    assert "Other songs are a different question, which takes at least 5 songs; here are 4." in text


def test_a_lead_that_comes_from_some_songs_is_not_claimed_for_others() -> None:
    """One system is far ahead in three songs and behind in the rest, the same for every listener."""
    ahead = {f"Song {number}": (5 if number <= 3 else 2) for number in range(1, 7)}
    rows = [
        row(listener=f"l{who}", song=song, song_id=song, system=system, score=min(5, max(1, score + (who + place) % 2)))
        for who in range(12)
        for place, song in enumerate(ahead)
        for system, score in (("htdemucs", ahead[song]), ("umxhq", 3))
    ]
    found = verdict(report(tidy(rows)), "quality")
    assert found.kind == "leads" and not found.holds_for_songs
    text = said(tidy(rows))
    assert text.startswith("On these clips HTDemucs sounds best")
    assert "Whether it holds for other songs is not established" in text


def test_a_lead_over_listeners_that_the_ratings_do_not_have_is_not_claimed() -> None:
    names = ("listener", "song", "system", "score")
    table = tidy(row(**dict(zip(names, one, strict=True)), song_id=one[1]) for one in unequal())
    [pair] = report(table).pairs_of("quality")
    lead = pair.seen_from("htdemucs")
    assert lead.these_clips.is_lead and lead.these_clips.interval.low > lead.difference > 0
    found = verdict(report(table), "quality")
    assert (found.kind, found.ahead_of, found.open_against) == ("open", (), ("umxhq",))
    assert Matrix("quality").sentence(report(table)).endswith("No difference is beyond chance.")
    [section] = pair_sections(report(table))
    assert any(note.startswith("Nothing is claimed for these clips") for note in section.notes)


def test_the_other_scale_speaks_of_isolation() -> None:
    assert "HTDemucs isolates best" in said(crossed(listeners=10), "contamination")


def test_equal_systems_are_not_ranked() -> None:
    table = crossed(listeners=10, steps=(3.0, 3.1, 3.05), seed=3)
    found = verdict(report(table), "quality")
    assert found.kind == "open"
    assert len(found.open_against) == 2
    assert "do not tell it apart" in said(table)
    assert "sounds best" not in said(table)


def test_ahead_of_one_but_not_of_the_other() -> None:
    found = verdict(report(crossed(listeners=10, steps=(1.8, 3.6, 3.65))), "quality")
    assert found.kind == "open"
    assert found.ahead_of == ("umxhq",)
    assert "It is ahead of Open-Unmix umxhq." in words.support(found)


def test_under_five_listeners_nothing_is_claimed_however_large_the_difference() -> None:
    table = crossed(listeners=4, steps=(1.0, 3.0, 5.0))
    text = said(table)
    assert text.startswith("It is too early to say which system sounds best.")
    assert "4 listeners have rated the same clips of several systems; systems are compared from 5 on." in text
    assert "ahead" not in text


def test_a_difference_by_chance_among_many_pairs_is_not_claimed() -> None:
    """Each single p of the best is below 0.05, one adjusted p above: the lead is open."""
    drawn = (report(crossed(listeners=8, songs=3, steps=(3.0, 3.0, 3.2), seed=seed)) for seed in range(400))
    by_chance = next(found for found in drawn if has_unadjusted_lead(found))
    assert verdict(by_chance, "quality").kind == "open"


def has_unadjusted_lead(found: StudyReport) -> bool:
    best = max(found.select("quality", "system"), key=lambda line: line.mos).system
    duels = [pair for pair in found.pairs_of("quality") if best in (pair.first, pair.second)]
    single = [pair.these_clips.p or 1.0 for pair in duels]
    adjusted = [pair.these_clips.p_holm or 1.0 for pair in duels]
    return max(single) < 0.05 <= max(adjusted)


def test_shared_first_place() -> None:
    text = said(tidy([row(listener=who, system=system) for who in "abcdef" for system in ("umxhq", "htdemucs")]))
    assert text.startswith("Open-Unmix umxhq and HTDemucs share the highest mean Quality.")


def test_one_system_alone() -> None:
    text = said(tidy([row(listener=who, score=score) for who, score in zip("abcdef", (2, 3, 4, 3, 2, 4), strict=True)]))
    assert text.startswith("Only Open-Unmix umxhq was rated, so there is nothing to compare it with.")
    assert "MOS 3.00, 95 % interval" in text


def test_nobody() -> None:
    assert said(tidy([])) == "Nobody has rated Quality yet."


def test_the_true_stem_is_never_the_best_system() -> None:
    table = crossed(listeners=8, systems=("umxhq", "htdemucs", "reference"), steps=(2.0, 3.0, 4.8))
    assert said(table).startswith("On these clips HTDemucs sounds best")


def test_spanish_is_complete_sentences_with_a_decimal_comma() -> None:
    from django.utils import translation

    with translation.override("es"):
        text = said(crossed(listeners=10))
    assert "," in text and "%(" not in text
