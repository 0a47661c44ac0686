"""What the results page says of pairs, listeners and trust, to a person who reads it, in Spanish and in English."""

from __future__ import annotations

import html
import re

import pandas as pd
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from analysis import page, words
from analysis.report import StudyReport
from analysis.selectors import study_report
from analysis.statistics.screening import RULE_NAME
from listening_test.models import Study

from .factories import MEANS, panel_make, rate_all, session_make, study_make
from .tables import SYSTEMS, crossed, report, row, tidy

pytestmark = pytest.mark.django_db
LANGUAGES = ("en", "es")


def shown(found: StudyReport, language: str = "en") -> str:
    """The page as text, without the explanations that are folded away."""
    with translation.override(language):
        return as_text(page.html_of(found, Study(id=found.study_id, name=found.name)))


def as_text(content: str) -> str:
    content = re.sub(r'<details class="how".*?</details>', "", content, flags=re.DOTALL)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", content))).replace("\N{NO-BREAK SPACE}", " ")


def made(table: pd.DataFrame) -> StudyReport:
    return report(table, study_id=Study().id, name="A study")


def part(text: str, start: str, end: str) -> str:
    assert start in text and end in text[text.index(start) :]
    return text[text.index(start) :].partition(end)[0]


# ── Pairs ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_pair_stands_there_with_effect_win_rate_and_equivalence() -> None:
    found = made(crossed(listeners=10, songs=6, steps=(3.0, 3.0, 4.2)))
    text = part(shown(found), "Compared pair by pair", "Listeners one by one")
    [near, far, _last] = found.pairs_of("quality")
    for pair in (near, far):
        assert pair.these_clips.interval and pair.effect is not None
        numbers = (pair.these_clips.interval.centre, pair.effect)
        with translation.override("en"):
            assert all(words.number(number) in text for number in numbers)
        assert f"{100 * (pair.win_rate or 0):.0f} %" in text
    assert ("yes p" in text) == any(pair.is_equivalent for pair in found.pairs)
    assert "not shown p" in text
    assert "Vocals" in text and "Drums" in text
    assert "Friedman’s test over 10 listeners: χ²" in text and "Taken as ordered categories" in text


def test_a_difference_without_an_interval_is_there_with_the_reason() -> None:
    rows = [
        row(listener=who, session=ord(who), system=s, score=4 - k)
        for who in "abcdef"
        for k, s in enumerate(SYSTEMS[:2])
    ]
    text = part(shown(made(tidy(rows))), "Compared pair by pair", "Secondary")
    assert re.search(r"Open-Unmix umxhq − Spleeter 4stems 1\.00 no interval — no interval —", text)
    assert "No interval: every listener’s mean is the same" in text


def test_groups_ranks_and_probabilities_stand_on_the_card() -> None:
    found = made(crossed(listeners=10, songs=6))
    text = part(shown(found), "Which system sounds best", "Contamination")
    assert re.search(r"HTDemucs \d\.\d\d a 1 above 99 % Spleeter 4stems \d\.\d\d b 2 below 1 %", text)


@pytest.mark.parametrize("lack", [{"songs": 4}, {"listeners": 4}, {"steps": (9, 9, 9)}], ids=str)
def test_ranks_of_draws_that_mean_nothing_are_not_there(lack: dict[str, object]) -> None:
    assert "Probability of being best" not in shown(made(crossed(**lack)))  # type: ignore[arg-type]


# ── Listeners ───────────────────────────────────────────────────────────────────────────────────────────────────────


def with_straight_liner() -> pd.DataFrame:
    """Nine who listen, and one, the tenth, who gives 5 to everything."""
    careless = crossed(listeners=1, steps=(9, 9, 9)).assign(listener="straight", session=9)
    return pd.concat([crossed(listeners=9), careless], ignore_index=True)


def test_a_flagged_listener_is_named_by_number_with_the_reasons_and_stays_in_the_numbers() -> None:
    found = made(with_straight_liner())
    text = shown(found)
    assert "1 of 10 listeners is flagged." in text and "straight" not in text
    assert re.search(r"10 72 .{20,60} gave nearly the same rating everywhere", text)
    assert found.counts.listeners == 10 and found.select("quality", "system")[0].listeners == 10


def test_means_with_and_without_the_flagged_stand_side_by_side() -> None:
    table = with_straight_liner()
    everybody = made(table)
    without = made(table[table["listener"] != "straight"])
    text = part(shown(everybody), "MOS, without the flagged", "Contamination")
    for row_all, row_fewer in zip(
        everybody.select("quality", "system"), without.select("quality", "system"), strict=True
    ):
        assert row_all.these_clips and row_fewer.these_clips
        sides = (
            f"{row_all.mos:.2f} {row_all.these_clips.low:.2f} to {row_all.these_clips.high:.2f} {row_fewer.mos:.2f} "
        )
        assert sides + f"{row_fewer.these_clips.low:.2f} to {row_fewer.these_clips.high:.2f}" in text


def test_where_nobody_is_flagged_nothing_is_set_side_by_side() -> None:
    text = shown(made(crossed()))
    assert "No listener is flagged." in text and "without the flagged" not in text


def test_where_everybody_is_flagged_it_is_said() -> None:
    table = crossed()
    known = pd.DataFrame({"traps_failed": 1.0}, index=table["listener"].unique())
    text = shown(report(table, study_id=Study().id, name="A study", known=known))
    assert "8 of 8 listeners are flagged." in text and "Everybody is flagged" in text


def test_at_most_fifty_listeners_are_listed_and_the_flagged_come_first() -> None:
    rows = [
        row(listener=f"l{who:02d}", session=who, song=f"S{song}", song_id=f"S{song}", system=system, score=score)
        for who in range(60)
        for song in range(4)
        for system, level in zip(SYSTEMS, (2, 3, 4), strict=True)
        for score in [3 if who == 59 else min(5, max(1, level + (who + song) % 2))]
    ]
    text = part(shown(made(tidy(rows))), "Listeners one by one", "When a listener is flagged")
    assert "10 more listeners are in the files." in text
    listed = re.search(r"because the listener .*?Agreement with the others (\d+) 12", text)
    assert listed and listed.group(1) == "60"


def test_facts_from_the_listening_test_flag(english: Client) -> None:
    study = study_make(titles=["One", "Two", "Three"])
    panel_make(study, listeners=8)
    hasty = session_make(study)
    rate_all(hasty, lambda _n, clip, scale: round(MEANS[scale][study.systems.index(clip.system)]), seconds=0.5)
    hasty.equipment_checks.create(kind="sides", passed=False)
    text = as_text(english.get(reverse("results", args=[study.id])).content.decode())
    assert "1 of 9 listeners is flagged." in text
    assert "answered faster than one can read; did not pass a sound check" in text
    assert str(hasty.listener_id) not in text
    assert study_report(study).methods.count(RULE_NAME) == 1
    assert f"stands in the program under a name, {RULE_NAME};" in text


# ── Trust ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_agreement_and_design_are_sentences_with_the_numbers_in_a_table() -> None:
    found = made(crossed(listeners=8, songs=6))
    text = part(shown(found), "How far can it be trusted?", "Pictures")
    agreement = found.scale_analysis("quality").reliability.agreement  # type: ignore[union-attr]
    assert agreement
    assert (
        f"Quality — The reliability of the clips’ means over 8 listeners is excellent (ICC {agreement.ak:.2f})" in text
    )
    low, high = agreement.a1_interval
    assert f"ICC(A,1) {agreement.a1:.2f} ({low:.2f} to {high:.2f})" in text
    assert "Krippendorff’s α (ordinal)" in text and "SOS a" in text and "Variance that is between songs" in text
    assert "Every listener rated every clip." in text


def test_repeats_are_compared() -> None:
    table = crossed(listeners=6, songs=5)
    again = table.iloc[:40].assign(repeat=1)
    text = shown(made(pd.concat([table, again], ignore_index=True)))
    assert "Clips heard again: the same rating 100 % of 20 pairs 100 % of 20 pairs" in text


def test_parts_that_share_nobody_are_named() -> None:
    other = crossed(listeners=5, songs=5, seed=9)
    for name in ("listener", "song", "clip"):
        other[name] = "x" + other[name]
    other["session"] += 5
    text = shown(made(pd.concat([crossed(listeners=5, songs=5), other], ignore_index=True)))
    assert "The ratings fall into 2 parts that share no listener and no clip (the largest holds 50 %)." in text


def test_clips_have_their_modelled_score_beside_the_plain_mean() -> None:
    found = made(crossed(listeners=8, songs=6))
    text = part(shown(found), "Clips, with modelled scores", "The study has 36 clips")
    scale = found.scale_analysis("quality")
    assert scale and scale.modelled and found.analysed
    clip = found.analysed.ratings.names["clip"].tolist().index("Song 1/vocals/umxhq")
    assert f"{scale.clips.mos[clip]:.2f}" in text and f"{scale.modelled.score[clip]:.2f}" in text


# ── Hostile data ────────────────────────────────────────────────────────────────────────────────────────────────────

HOSTILE = {
    "empty": tidy([]),
    "one rating": tidy([row()]),
    "one listener": crossed(listeners=1),
    "one clip": tidy(
        [row(listener=who, session=ord(who), score=score) for who, score in zip("abc", (2, 3, 4), strict=True)]
    ),
    "one song": crossed(songs=1),
    "all equal": crossed(steps=(9, 9, 9)),
    "one of each": crossed(listeners=2, songs=1, systems=("umxhq",), sources=("vocals",), steps=(3,)),
    "visitor": pd.concat([crossed(), tidy([row(listener="v", session=99, song="Song 1", score=1)])], ignore_index=True),
    "nobody in common": tidy(
        [row(listener=f"{s}{who}", session=who, system=s, score=who + 1) for s in SYSTEMS[:2] for who in range(4)]
    ),
    "one scale": crossed()[lambda table: table["scale"] == "quality"],
    "twice": pd.concat([crossed(), crossed()], ignore_index=True),
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_hostile_data_gets_sentences_and_no_number_that_means_nothing(name: str, language: str) -> None:
    text = shown(made(HOSTILE[name]), language)
    assert not re.search(r"\bnan\b|\binf\b|\bNone\b(?! of)|%\(|\{\}", text)
    assert len(text) > 100


def test_one_listener_has_no_interval_anywhere() -> None:
    text = shown(made(crossed(listeners=1)))
    assert not re.search(r"\d to \d", part(text, "Compared pair by pair", "Pictures"))
    assert "No clip was rated by two listeners: nothing is known of how far they agree." in text
    assert "No intraclass correlation: it takes at least two listeners." in text


def test_one_song_has_no_interval_for_other_songs_and_no_bootstrap_of_songs() -> None:
    text = shown(made(crossed(songs=1)))
    assert "No interval for any song: it takes at least five songs." in text
    assert re.search(r"Krippendorff’s α \(ordinal\) −?\d\.\d\d −?\d\.\d\d", text), "no interval of one song"


def test_all_ratings_equal_have_reasons_instead_of_coefficients() -> None:
    text = shown(made(crossed(steps=(9, 9, 9))))
    assert "No intraclass correlation: all ratings are the same." in text
    assert "No modelled scores: all ratings are the same." in text
    assert "100 % of the ratings are 5: near an end of the scale differences are squeezed." in text


def test_spanish_is_spanish() -> None:
    text = shown(made(with_straight_liner()), "es").partition("python 3")[0]
    assert "Compared pair by pair" not in text and "Listeners" not in text and "%(" not in text
    assert re.search(r"\d,\d\d", text) and not re.search(r"\b[1-5]\.\d\d\b", text)
