"""StudyReport: what counts, every grouping against plain means, differences against scipy, and hostile data."""

from __future__ import annotations

import pandas as pd
import pytest
from scipy import stats

from analysis.report import GROUPINGS, StudyReport
from analysis.report_make import report_make
from analysis.statistics.arrays import codes
from analysis.statistics.crossed import any_song_interval, over_listeners_and_songs
from analysis.verdict import verdict

from .tables import SOURCES, SYSTEMS, crossed, report, row, tidy


def test_every_line_is_the_mean_of_its_ratings_and_the_t_interval_of_its_listeners() -> None:
    table = crossed(listeners=7, songs=3)
    found = report(table)
    for line in found.rows:
        keys = GROUPINGS[line.grouping]
        own = table[table["scale"] == line.scale]
        for key in keys:
            own = own[own[key] == getattr(line, key)]
        means = own.groupby("listener")["score"].mean()
        low, high = stats.t.interval(0.95, 6, means.mean(), stats.sem(means))
        assert line.these_clips
        assert line.mos == pytest.approx(own["score"].mean(), abs=1e-12)
        assert line.sd == pytest.approx(own["score"].std(), abs=1e-12)
        assert (line.ratings, line.listeners) == (len(own), 7)
        assert (line.these_clips.low, line.these_clips.high) == pytest.approx((low, high), abs=1e-12)
    assert len(found.rows) == 2 * (3 + 2 + 3 + 6 + 9)


def test_lines_come_in_the_order_of_the_study() -> None:
    found = report_make(crossed(), systems=reversed(SYSTEMS), sources=("drums", "vocals"))
    assert [line.system for line in found.select("quality", "system")] == list(reversed(SYSTEMS))
    assert [line.source for line in found.select("quality", "source")] == ["drums", "vocals"]
    assert found.songs == tuple(f"Song {number}" for number in range(1, 7))


def test_differences_are_paired_over_listeners_and_adjusted_within_the_scale() -> None:
    table = crossed(listeners=9, songs=4)
    pairs = report(table).pairs_of("quality")
    means = table[table["scale"] == "quality"].pivot_table(index="listener", columns="system", values="score")
    p_values = []
    for pair in pairs:
        wanted = stats.ttest_rel(means[pair.first], means[pair.second])
        assert pair.these_clips.interval
        difference = (means[pair.first] - means[pair.second]).mean()
        assert pair.these_clips.interval.centre == pytest.approx(difference, abs=1e-12)
        assert pair.these_clips.p == pytest.approx(wanted.pvalue, rel=1e-9)
        p_values.append(wanted.pvalue)
    order = sorted(range(3), key=lambda place: p_values[place])
    smallest = pairs[order[0]]
    assert smallest.these_clips.p_holm == pytest.approx(min(1.0, 3 * p_values[order[0]]))
    assert [(pair.first, pair.second) for pair in pairs] == [
        (SYSTEMS[0], SYSTEMS[1]),
        (SYSTEMS[0], SYSTEMS[2]),
        (SYSTEMS[1], SYSTEMS[2]),
    ]


def test_any_song_is_the_crossed_interval_with_songs_as_clusters() -> None:
    table = crossed(listeners=7, songs=6)
    found = report(table)
    for line in found.select("contamination", "system_source"):
        own = table[table["scale"] == "contamination"]
        own = own[(own["system"] == line.system) & (own["source"] == line.source)]
        wanted = any_song_interval(own["score"], codes(own["listener"])[0], codes(own["song"])[0])
        assert line.any_song == wanted
        assert line.any_song.centre == pytest.approx(line.mos)
    assert {line.any_song_reason for line in found.select("quality", "song")} == {"one_song"}


def test_any_song_is_wider_than_these_clips_when_songs_differ() -> None:
    lines = report(crossed(listeners=12, songs=6)).select("quality", "system")
    for line in lines:
        assert line.any_song and line.these_clips
        assert line.any_song.high - line.any_song.low > line.these_clips.high - line.these_clips.low


def test_four_songs_are_too_few_to_speak_of_others() -> None:
    found = report(crossed(songs=4))
    assert {line.any_song_reason for line in found.select("quality", "system")} == {"fewer_than_5_songs"}
    assert {pair.any_song.reason for pair in found.pairs} == {"fewer_than_5_songs"}


def test_crossed_differences_are_those_of_the_same_listener_excerpt_and_source() -> None:
    table = crossed(listeners=6, songs=5)
    [pair, *_others] = report(table).pairs_of("quality")
    own = table[(table["scale"] == "quality") & table["system"].isin([pair.first, pair.second])]
    wide = own.pivot_table(index=["listener", "song", "source"], columns="system", values="score").reset_index()
    wanted = over_listeners_and_songs(
        wide[pair.first] - wide[pair.second], codes(wide["listener"])[0], codes(wide["song"])[0]
    )
    assert pair.any_song.interval and pair.any_song.p == pytest.approx(wanted.p)
    assert pair.any_song.interval.low == pytest.approx(wanted.interval.low)
    assert (pair.pairs, pair.listeners, pair.songs) == (60, 6, 5)


def test_a_pair_seen_from_the_other_side_is_turned() -> None:
    [pair, *_others] = report(crossed()).pairs_of("quality")
    turned = pair.seen_from(pair.second)
    assert pair.these_clips.interval and turned.these_clips.interval
    assert turned.these_clips.interval.low == -pair.these_clips.interval.high
    assert (turned.these_clips.is_lead, pair.these_clips.is_lead) == (True, False)
    assert turned.seen_from(pair.first) == pair


def test_a_control_has_a_mos_and_is_not_compared() -> None:
    found = report(crossed(systems=("umxhq", "reference", "htdemucs")))
    assert "reference" in {line.system for line in found.select("quality", "system")}
    assert [(pair.first, pair.second) for pair in found.pairs_of("quality")] == [("umxhq", "htdemucs")]
    assert {row.system for row in found.contest("quality").systems if row.rank} == {  # type: ignore[union-attr]
        code_of(found, "umxhq"),
        code_of(found, "htdemucs"),
    }


def code_of(found: StudyReport, system: str) -> int:
    standing = found.standing("quality", system)
    assert standing
    return standing.system


def test_all_three_controls_are_no_systems() -> None:
    systems = ("umxhq", "anchor:mixture", "anchor:degraded", "reference", "htdemucs")
    found = report(crossed(systems=systems, steps=(2.5, 2.0, 1.5, 4.8, 3.5)))
    assert {(pair.first, pair.second) for pair in found.pairs} == {("umxhq", "htdemucs")}
    assert verdict(found, "quality").best.system == "htdemucs"  # type: ignore[union-attr]
    assert found.analysed
    assert found.analysed.facts.anchor_mean is not None and found.analysed.facts.reference_mean is not None


def test_pairs_are_there_over_all_sources_and_of_each() -> None:
    table = crossed(listeners=7, songs=6)
    found = report(table)
    assert [pair.source for pair in found.pairs if pair.scale == "quality"] == [""] * 3 + ["vocals"] * 3 + ["drums"] * 3
    [drums, *_others] = found.pairs_of("quality", "drums")
    [alone, *_others] = report(table[table["source"] == "drums"]).pairs_of("quality")
    assert alone.source == "" and drums.source == "drums"
    assert drums.these_clips == alone.these_clips and drums.any_song == alone.any_song
    assert (drums.wins + drums.ties + drums.losses, drums.win_rate) == (drums.pairs, alone.win_rate)


def test_a_pair_has_effect_size_and_equivalence() -> None:
    table = crossed(listeners=12, songs=8, steps=(3.0, 3.0, 4.2))
    found = {(pair.first, pair.second): pair for pair in report(table).pairs_of("quality")}
    own = table[table["scale"] == "quality"]
    wide = own.pivot_table(index=["listener", "song", "source"], columns="system", values="score")
    far = found[SYSTEMS[0], SYSTEMS[2]]
    differences = wide[far.first] - wide[far.second]
    assert far.effect == pytest.approx(differences.mean() / differences.std())
    assert far.win_rate == pytest.approx((differences > 0).mean() + (differences == 0).mean() / 2)
    assert not far.is_equivalent and far.tost_p and far.tost_p > 0.9
    near = found[SYSTEMS[0], SYSTEMS[1]]
    assert near.tost_p is not None and near.tost_p < far.tost_p
    assert near.these_clips.p_bh is not None and near.these_clips.p_holm is not None
    assert near.these_clips.p_bh <= near.these_clips.p_holm + 1e-9


def test_repeats_speak_of_listeners_and_enter_no_mean() -> None:
    table = crossed(listeners=6, songs=5)
    again = table.iloc[:40].assign(repeat=1, score=5)
    found, plain = report(pd.concat([table, again], ignore_index=True)), report(table)
    assert found.analysed and plain.analysed
    assert found.select("quality", "system") == plain.select("quality", "system")
    assert not plain.analysed.repeats and {again.pairs for again in found.analysed.repeats.values()} == {20}


def test_an_empty_report_holds_no_analysis() -> None:
    assert report_make(tidy([])).analysed is None


# ── What counts ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_open_trials_and_repeats_are_told_and_not_counted() -> None:
    counted = [row(listener=who, score=3) for who in "ab"]
    found = report(
        tidy(
            [
                *counted,
                row(listener="a", score=5, repeat=1, position=1),
                row(listener="c", score=1, finished=False, completed=False),
            ]
        )
    )
    [line] = found.select("quality", "system")
    assert (line.ratings, line.mos) == (2, 3.0)
    counts = found.counts
    assert (counts.stored, counts.counted, counts.not_final, counts.repeats) == (4, 2, 1, 1)


def test_an_unfinished_session_counts_with_what_it_gave() -> None:
    found = report(tidy([row(listener="a", score=2), row(listener="b", score=4, completed=False)]))
    assert found.select("quality", "system")[0].mos == 3.0


def test_simulated_listeners_never_mix_with_persons() -> None:
    robots = [row(listener=f"robot {number}", score=5, simulated=True) for number in range(9)]
    assert report(tidy(robots)).counts.simulated
    found = report(tidy([*robots, row(listener="a", score=1), row(listener="b", score=1)]))
    assert found.select("quality", "system")[0].mos == 1.0
    assert (found.counts.simulated, found.counts.simulated_left_out) == (False, 9)


def test_demo_is_told_per_system() -> None:
    found = report(crossed(systems=("umxhq", "umx:demo", "htdemucs")))
    assert found.counts.demo
    assert [found.is_demo_row(system) for system in ("umxhq", "umx:demo", "")] == [False, True, True]
    assert found.weights["umx:demo"] == "demo"


def test_ratings_per_clip_are_counted_on_one_scale() -> None:
    table = crossed(listeners=5, songs=2)
    without = table[~((table["listener"] == "listener-00") & (table["song"] == "Song 1"))]
    assert (report(without).counts.fewest_per_clip, report(without).counts.most_per_clip) == (4, 5)


# ── Hostile data ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_no_ratings() -> None:
    found = report_make(tidy([]), systems=SYSTEMS, sources=SOURCES)
    assert found.rows == () and found.pairs == () and found.systems == ()
    assert found.counts.stored == 0


def test_one_listener_has_means_and_a_reason_instead_of_intervals() -> None:
    found = report(crossed(listeners=1))
    assert {line.these_clips_reason for line in found.rows} == {"too_few_listeners"}
    assert all(line.these_clips is None for line in found.rows)
    assert {pair.these_clips.reason for pair in found.pairs} == {"too_few_listeners"}
    assert {line.any_song_reason for line in found.rows} == {"fewer_than_5_listeners", "one_song"}


def test_all_equal_has_no_interval_of_no_width() -> None:
    found = report(crossed(steps=(9, 9, 9)))  # everything is 5
    assert {line.mos for line in found.rows} == {5.0}
    assert {line.these_clips_reason for line in found.rows} == {"no_spread"}
    assert {line.any_song_reason for line in found.rows} == {"no_spread", "one_song"}
    assert {(pair.these_clips.reason, pair.any_song.reason) for pair in found.pairs} == {("no_spread", "no_spread")}
    assert all(pair.these_clips.p_holm is None for pair in found.pairs)


def test_one_scale_one_system_one_clip() -> None:
    found = report(tidy([row(listener=who, score=score) for who, score in (("a", 2), ("b", 4))]))
    assert {line.scale for line in found.rows} == {"quality"}
    assert found.pairs == ()


def test_a_listener_who_rated_one_clip_does_not_break_the_rest() -> None:
    table = pd.concat([crossed(), tidy([row(listener="visitor", song="Song 1", score=1)])], ignore_index=True)
    [first, *_others] = report(table).select("quality", "system")
    assert first.listeners == 9


def test_systems_that_nobody_rated_together() -> None:
    """Half of the listeners heard one system, half the other: each has a MOS, and there is nothing to pair."""
    rows = [row(listener=f"{system}{who}", system=system, score=who + 1) for system in SYSTEMS[:2] for who in range(4)]
    [pair] = report(tidy(rows)).pairs_of("quality")
    assert (pair.pairs, pair.listeners, pair.these_clips.interval) == (0, 0, None)
    assert pair.these_clips.reason == "nothing_in_common"
    assert (pair.seen_from(SYSTEMS[1]).first, pair.seen_from(SYSTEMS[1]).second) == (SYSTEMS[1], SYSTEMS[0])
