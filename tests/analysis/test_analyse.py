"""manage.py analyse: other people's ratings through the same code, without a database."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pandas as pd
import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError

from analysis.results_json import schema
from analysis.sentences import REASONS
from analysis.statistics.screening import REASONS as SCREENING_REASONS

from .statistics import reference
from .statistics.test_whole import HOSTILE, study
from .tables import unequal

NAMES = ("--listener", "rater", "--song", "content", "--scale", "dim", "--repeat", "rep")
FEW = ("--replicates", "200")


def run(*args: str) -> tuple[str, str]:
    """What is printed, and what is said beside it."""
    out, beside = io.StringIO(), io.StringIO()
    call_command("analyse", *args, stdout=out, stderr=beside)
    return out.getvalue(), beside.getvalue()


def refuse_constant(name: str) -> None:
    raise AssertionError(f"{name} is no JSON")


def analyse(*args: str) -> dict[str, Any]:
    """The object, which is checked against the schema, and to say of every null why."""
    told: dict[str, Any] = json.loads(run(*args, "--json")[0], parse_constant=refuse_constant)
    jsonschema.Draft202012Validator(schema()).validate(told)
    for row in dictionaries(told):
        for name, value in row.items():
            if f"{name}_reason" in row:
                assert (value is None) == (row[f"{name}_reason"] in told["reasons"]), (name, row)
    return told


def dictionaries(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from dictionaries(inner)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "ratings.csv"
    study().to_csv(path, index=False)
    return path


# ── Published ratings and their answers ─────────────────────────────────────────────────────────────────────────────


def published(name: str, *args: str) -> dict[str, Any]:
    return analyse(str(reference.FOLDER / f"{name}.csv"), *NAMES, "--clip", "clip", *args)


def limits(row: Mapping[str, Any], name: str) -> list[float]:
    return [row[name]["low"], row[name]["high"]]


@reference.needed
@pytest.mark.parametrize("name", ["gensvs_dcr", "nflx_public"])
def test_clip_mos_and_t_intervals(name: str) -> None:
    wanted = reference.table(f"{name}_clip_mos_tci").set_index("clip")
    found = {row["clip"]: row for row in published(name, "--replicates", "0")["clips"]}
    assert found.keys() == set(wanted.index)
    unanimous = 0
    for clip, answer in wanted.iterrows():
        row = found[str(clip)]
        assert (row["ratings"], row["median"]) == (answer["n"], answer["median"])
        assert row["mos"] == pytest.approx(answer["mos"], abs=1e-9)
        assert row["sd"] == pytest.approx(answer["sd"], abs=1e-9)
        if row["t_interval"] is None:
            assert answer["sd"] == 0.0  # no knowledge, though the formula gives a point
            unanimous += 1
        else:
            assert limits(row, "t_interval") == pytest.approx([answer["t_ci95_lo"], answer["t_ci95_hi"]], abs=1e-9)
    assert unanimous == {"gensvs_dcr": 5, "nflx_public": 1}[name]


@reference.needed
def test_gensvs_systems_pairs_and_alpha() -> None:
    told = published("gensvs_dcr", "--replicates", "2000")
    wanted = reference.answers("crossed_system_comparisons")["gensvs_dcr"]
    assert [row["system"] for row in told["systems"]] == sorted(wanted["system"])
    for row in told["systems"]:
        golden = wanted["system"][row["system"]]
        assert row["mos"] == pytest.approx(golden["mos"], abs=1e-9)
        assert limits(row, "any_song") == pytest.approx(golden["ci95"], abs=1e-6)
        assert row["any_song"]["df"] == pytest.approx(golden["df"], abs=1e-6)
        assert limits(row, "bootstrap") == pytest.approx(golden["boot_crossed_pct95"], abs=0.03)
    assert len(told["pairs"]) == len(wanted["pairs"]) == 10
    opposed = [(row["first"], row["second"]) for row in told["pairs"] if row["notes"] == ["means_opposed"]]
    assert opposed == [("melroformer_bigvgan", "melroformer_large")]  # −0.46 to −0.01, while the MOS are 3.29 and 3.28
    for row, golden in zip(told["pairs"], wanted["pairs"], strict=True):
        assert (row["first"], row["second"], row["pairs"]) == (golden["a"], golden["b"], golden["n_pairs"])
        assert row["difference"] == pytest.approx(golden["diff"], abs=1e-6)
        assert limits(row, "any_song") == pytest.approx(golden["ci95"], abs=1e-6)
        assert row["any_song"]["p"] == pytest.approx(golden["p"], abs=1e-6)
        assert row["any_song"]["p_holm"] == pytest.approx(golden["p_holm"], abs=1e-6)
    [reliability] = told["reliability"]
    alpha = reference.answers("gensvs_dcr_stats")["reliability"]["krippendorff_alpha_ordinal"]
    assert reliability["alpha"] == pytest.approx(alpha, abs=1e-9)


@reference.needed
def test_nflx_components_and_p910() -> None:
    told = published("nflx_public", "--compat", "p910", "--replicates", "0")
    reml = reference.answers("crossed_variance_components_icc")["nflx_public"]["reml"]
    [clips] = [row["components"] for row in told["variance"] if row["items"] == "clips"]
    for ours, theirs in (("item", "clip"), ("listener", "rater"), ("residual", "resid")):
        assert clips[ours] == pytest.approx(reml[theirs], rel=1e-3)
    wanted = reference.table("nflx_public_sureal_stimuli").set_index("clip")
    model = "P910_AnnexE(MLE_CO_AP2)"
    for row in told["clips"]:
        answer = wanted.loc[row["clip"]]
        given = [row["compat"][part] for part in ("score", "se", "low", "high")]
        assert given == pytest.approx(
            [answer[f"{model}_{part}"] for part in ("score", "se", "ci95_lo", "ci95_hi")], abs=1e-8
        )
    raters = reference.table("nflx_public_sureal_raters").set_index("rater")
    for row in told["listeners"]:
        answer = raters.loc[row["listener"]]
        assert row["compat"]["bias"] == pytest.approx(answer[f"{model}_observer_bias"], abs=1e-8)
        assert row["compat"]["inconsistency"] == pytest.approx(answer[f"{model}_observer_inconsistency"], abs=1e-8)
    assert {row["any_song_reason"] for row in told["systems"]} == {"fewer_than_5_songs"}


@reference.needed
def test_bt500_rejects_or_refuses() -> None:
    holds = published("nflx_public", "--compat", "bt500", "--replicates", "0")
    assert [row["listener"] for row in holds["listeners"] if row["compat"]["rejected"]] == ["S002"]
    breaks = published("gensvs_dcr", "--compat", "bt500", "--replicates", "0")
    for row in [*breaks["clips"], *breaks["listeners"]]:
        assert (row["compat"], row["compat_reason"]) == (None, "unanimous_clips_and_gaps")
    assert "breaks down" in breaks["reasons"]["unanimous_clips_and_gaps"]


@reference.needed
def test_blizzard() -> None:
    """Incomplete: each of 20 listeners heard some of 18 systems × 18 sentences."""
    told = published("blizzard_crowdmos1_hp", *FEW)
    data = reference.ratings("blizzard_crowdmos1_hp")
    assert told["counts"]["counted"] == len(data)
    means = data.groupby("system")["score"].mean()
    for row in told["systems"]:
        assert row["mos"] == pytest.approx(means[row["system"]], abs=1e-9)
        assert row["any_song"]["low"] < row["mos"] < row["any_song"]["high"]
    assert len(told["pairs"]) == 18 * 17 / 2


# ── The object ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_object_has_its_parts(file: Path) -> None:
    told = analyse(str(file), *FEW, "--reference", "reference")
    assert {"clips", "systems", "pairs", "listeners", "reliability", "design", "variance", "methods"} <= told.keys()
    data = study()
    assert len(told["clips"]) == data.groupby(["scale", "clip"]).ngroups
    assert len(told["listeners"]) == 2 * 9
    assert told["design"]["components"] == 1
    assert {row["scale"] for part in ("clips", "systems", "pairs", "listeners") for row in told[part]} == {
        "quality",
        "contamination",
    }
    assert {row["source"] for row in told["systems"]} == {None, "vocals", "drums"}  # None: over all of them
    assert {(row["first"], row["second"]) for row in told["pairs"]} == {("bad", "good")}  # the reference has means only
    controls = [row for row in told["systems"] if row["system"] == "reference"]
    assert {(row["control"], row["rank"], row["rank_reason"]) for row in controls} == {(True, None, "is_control")}
    assert sum(told["clips"][0]["histogram"].values()) == told["clips"][0]["ratings"]


def test_who_is_flagged_is_not_deleted(tmp_path: Path) -> None:
    data = study()
    data.loc[data["listener"] == 3, "score"] = 2.0
    data.to_csv(tmp_path / "r.csv", index=False)
    told = analyse(str(tmp_path / "r.csv"), "--replicates", "0")
    assert {row["listener"] for row in told["listeners"] if row["flagged"]} == {"3"}
    assert all(("straight_lining" in row["reasons"]) == row["flagged"] for row in told["listeners"])
    assert {row["listeners"] for row in told["overall"]} == {9}
    assert {row["listeners"] for row in told["without_flagged"]["overall"]} == {8}
    report = run(str(tmp_path / "r.csv"), "--replicates", "0")[0]
    assert "3 on quality: Gave about the same rating always." in report


def test_any_crossing_on_request(file: Path) -> None:
    told = analyse(str(file), "--replicates", "0", "--by", "source,system")
    crossed = [row for row in told["groups"] if row["by"] == "system × source"]
    by_contest = {(row["scale"], row["system"], row["source"]): row for row in told["systems"] if row["source"]}
    assert len(crossed) == len(by_contest) == 12
    for row in crossed:
        same = by_contest[row["scale"], row["system"], row["source"]]
        assert [row[name] for name in ("mos", "these_clips", "any_song")] == [
            same[name] for name in ("mos", "these_clips", "any_song")
        ]
    assert {row["any_song_reason"] for row in told["groups"] if row["song"]} == {"one_song"}


def test_groups_have_what_systems_have(file: Path) -> None:
    told = analyse(str(file), *FEW, "--by", "system,source")
    names = ("songs", "bootstrap", "any_song")
    systems = {(row["scale"], row["system"], row["source"]): row for row in told["systems"]}
    variance = {
        (row["scale"], row["system"], row["source"]): row for row in told["variance"] if row["items"] == "songs"
    }
    crossed = [row for row in told["groups"] if row["by"] == "system × source"]
    assert len(crossed) == 12
    for row in crossed:
        key = (row["scale"], row["system"], row["source"])
        assert [row[name] for name in names] == [systems[key][name] for name in names]
        assert row["shares"] == variance[key]["shares"]
        assert sum(row["shares"].values()) == pytest.approx(1.0)
    of_sources = [row for row in told["groups"] if row["by"] == "source"]
    assert len(of_sources) == 4
    for row in of_sources:
        assert row["bootstrap"]["low"] < row["mos"] < row["bootstrap"]["high"]
        assert row["shares"] == variance[row["scale"], None, row["source"]]["shares"]
    of_songs = [row for row in told["groups"] if row["song"]]
    assert {(row["songs"], row["bootstrap_reason"], row["shares_reason"]) for row in of_songs} == {
        (1, "one_song", "one_song")
    }
    without = analyse(str(file), "--replicates", "0")["groups"][0]
    assert without["bootstrap_reason"] == "no_bootstrap" and without["shares"]


def test_without_songs_nothing_is_won_or_lost(tmp_path: Path) -> None:
    """Which clips are of one excerpt is not told: a pair is each listener's two means."""
    data = study().drop(columns="song").query("system != 'reference' and source == 'vocals'")
    told = analyse_of(data.drop(columns="source"), tmp_path)
    means = data.pivot_table(index=["scale", "listener"], columns="system", values="score")
    for row in told["pairs"]:
        apart = (means["bad"] - means["good"])[row["scale"]]
        assert (row["first"], row["pairs"]) == ("bad", 9)
        assert row["difference"] == pytest.approx(apart.mean())
        assert row["these_clips"]["centre"] == pytest.approx(apart.mean())
        for name in ("songs", "sd", "effect", "wins", "ties", "losses", "win_rate", "any_song", "ordinal"):
            assert (row[name], row[f"{name}_reason"]) == (None, "no_songs")
    assert {note["code"] for note in told["notes"]} == {"no_songs", "pairs_without_songs"}


@pytest.mark.parametrize(
    ("chosen", "dropped", "reason"),
    [
        ("song < 5", [], None),
        ("song < 4", [], "fewer_than_5_songs"),
        ("song < 4", ["song"], None),
        ("clip in ['0goodvocals', '1goodvocals', '2goodvocals', '3goodvocals']", ["song"], "too_few_clips"),
    ],
)
def test_alphas_interval_is_of_songs_or_of_clips(
    chosen: str, dropped: list[str], reason: str | None, tmp_path: Path
) -> None:
    study().query(chosen).drop(columns=dropped).to_csv(tmp_path / "r.csv", index=False)
    for row in analyse(str(tmp_path / "r.csv"), *FEW)["reliability"]:
        assert row["alpha"] is not None
        assert row["alpha_interval_reason"] == reason
        assert reason or row["alpha_interval"]["low"] < row["alpha"] < row["alpha_interval"]["high"]


def test_a_histogram_has_every_step_of_the_scale(tmp_path: Path) -> None:
    middle = study().assign(score=lambda data: data["score"].clip(2, 4))
    for row in analyse_of(middle, tmp_path)["clips"]:
        assert list(row["histogram"]) == ["1", "2", "3", "4", "5"]
        assert row["histogram"]["1"] == row["histogram"]["5"] == 0
        assert sum(row["histogram"].values()) == row["ratings"]
    halves = analyse_of(middle.assign(score=middle["score"] - 0.5), tmp_path)["clips"]
    assert list(halves[0]["histogram"]) == ["1", "1.5", "2", "2.5", "3", "3.5", "4", "5"]
    wide = analyse_of(middle, tmp_path, "--scale-range", "0", "100")["clips"]
    assert list(wide[0]["histogram"]) == ["2", "3", "4"]


def test_a_listener_without_a_model_is_told_why(tmp_path: Path) -> None:
    for row in analyse_of(study().query("listener == 0"), tmp_path)["listeners"]:
        for name in ("modelled_bias", "modelled_inconsistency"):
            assert (row[name], row[f"{name}_reason"]) == (None, "too_few_listeners")


def test_a_pair_that_contradicts_itself_says_so(tmp_path: Path) -> None:
    data = pd.DataFrame(unequal(), columns=["listener", "song", "system", "score"])
    told = analyse_of(data, tmp_path)
    [pair] = told["pairs"]
    assert pair["these_clips"]["low"] > pair["difference"] > 0 and pair["these_clips"]["p_holm"] < 0.05
    assert pair["notes"] == ["difference_outside"]
    sentence = told["reasons"]["difference_outside"]
    assert f"htdemucs - umxhq: {sentence}" in run(str(tmp_path / "given.csv"), "--replicates", "0")[0]
    assert all(row["notes"] == [] for row in analyse_of(study(), tmp_path)["pairs"])


def test_the_same_seed_gives_the_same_bytes(file: Path) -> None:
    once, again, other = (run(str(file), *FEW, "--json", "--seed", seed)[0] for seed in ("1", "1", "2"))
    assert once == again != other


def test_listener_clip_and_score_are_enough(tmp_path: Path) -> None:
    study()[["listener", "clip", "score"]].drop_duplicates(["listener", "clip"]).to_csv(tmp_path / "r.csv", index=False)
    told = analyse(str(tmp_path / "r.csv"), *FEW)
    assert told["systems"] == told["pairs"] == []
    assert {note["code"] for note in told["notes"]} == {"no_songs", "no_systems"}
    assert {(row["scale"], row["song"], row["system"], row["source"]) for row in told["clips"]} == {(None,) * 4}
    assert told["overall"][0]["any_song_reason"] == "no_songs"
    assert told["reliability"][0]["alpha"] is not None


def test_another_scale(tmp_path: Path) -> None:
    data = study()
    data["score"] = (data["score"] - 1) * 25
    data.to_csv(tmp_path / "r.csv", index=False)
    told = analyse(str(tmp_path / "r.csv"), "--scale-range", "0", "100", "--replicates", "0")
    ours = analyse_of(study(), tmp_path)
    for row, same in zip(told["overall"], ours["overall"], strict=True):
        assert row["mos"] == pytest.approx((same["mos"] - 1) * 25)


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (0.0, 100.0), (-3.0, 3.0)])
def test_limits_in_points_are_those_of_the_scale(low: float, high: float, tmp_path: Path) -> None:
    """Listener 3 presses one button, 4 repeats two points off, 5 rates the true stem below the middle."""
    data = study()
    data.loc[data["listener"] == 3, "score"] = 2.0
    data.loc[(data["listener"] == 5) & (data["system"] == "reference"), "score"] = 2.0
    again = data[data["song"] == 0].assign(repeat=1)
    again.loc[again["listener"] == 4, "score"] += np.where(again["score"][again["listener"] == 4] > 3, -2, 2)
    five = pd.concat([data.assign(repeat=0), again])
    ours = analyse_of(five, tmp_path, "--reference", "reference")
    unit = (high - low) / 4
    other = five.assign(score=low + (five["score"] - 1) * unit)
    told = analyse_of(other, tmp_path, "--reference", "reference", "--scale-range", str(low), str(high))

    def found(rows: dict[str, Any]) -> dict[tuple[str, str], set[str]]:
        return {(row["scale"], row["listener"]): set(row["reasons"]) for row in rows["listeners"] if row["flagged"]}

    assert found(told) == found(ours)
    assert {"straight_lining", "repeats_differ", "reference_rated_low"} <= set.union(*found(told).values())
    assert {listener for _scale, listener in found(told)} == {"3", "4", "5"}
    for row, same in zip(told["pairs"], ours["pairs"], strict=True):
        assert row["equivalence_p"] == pytest.approx(same["equivalence_p"])
    options = told["methods"]["options"]
    assert options["margin"] == pytest.approx(0.25 * unit)
    assert options["rule"]["straight_variance"] == pytest.approx(0.1 * unit**2)
    assert options["rule"]["most_repeat_difference"] == pytest.approx(1.5 * unit)
    assert options["rule"]["lowest_reference"] == pytest.approx(low + 2 * unit)


def analyse_of(data: pd.DataFrame, folder: Path, *args: str) -> dict[str, Any]:
    data.to_csv(folder / "given.csv", index=False)
    return analyse(str(folder / "given.csv"), "--replicates", "0", *args)


def test_repeats_tell_of_listeners_and_are_in_no_mean(tmp_path: Path) -> None:
    data = study()
    again = data[data["song"] == 0].assign(repeat=1, score=lambda rows: 6 - rows["score"])
    told = analyse_of(pd.concat([data.assign(repeat=0), again]), tmp_path)
    plain = analyse_of(data, tmp_path)
    assert told["counts"]["repeats"] == len(again)
    assert told["clips"] == plain["clips"] and told["systems"] == plain["systems"]
    assert {row["repeats"]["pairs"] for row in told["reliability"]} == {len(again) // 2}
    assert all(row["repeat_difference"] is not None for row in told["listeners"])


def test_a_listener_with_second_times_only_is_in_the_numbers(tmp_path: Path) -> None:
    """l2 rated each clip once, and calls that a repeat."""
    text = "listener,clip,repeat,score\nl1,x,0,2\nl2,x,1,3\nl2,y,1,4\n"
    (tmp_path / "r.csv").write_text(text)
    told = analyse(str(tmp_path / "r.csv"), "--replicates", "0")
    assert told["counts"] == {"stored": 3, "counted": 3, "not_final": 0, "simulated": 0, "repeats": 0}
    assert [row["mos"] for row in told["clips"]] == [2.5, 4.0]
    assert "repeats_without_first" in {note["code"] for note in told["notes"]}


def test_tables_are_written(file: Path, tmp_path: Path) -> None:
    printed = run(str(file), *FEW, "--json", "--out", str(tmp_path / "a/new/folder"))[0]
    folder = tmp_path / "a/new/folder"
    assert (folder / "results.json").read_text() == printed
    assert sorted(path.name for path in folder.iterdir()) == [
        "clips.csv",
        "groups.csv",
        "listeners.csv",
        "pairs.csv",
        "reliability.csv",
        "results.json",
        "systems.csv",
        "variance.csv",
    ]
    told = json.loads(printed)
    systems = pd.read_csv(folder / "systems.csv")
    assert systems["mos"].tolist() == [row["mos"] for row in told["systems"]]
    assert systems["any_song_low"].tolist() == [row["any_song"]["low"] for row in told["systems"]]


def test_names_that_a_spreadsheet_would_run_are_harmless_in_the_tables(tmp_path: Path) -> None:
    data = study().replace({"system": {"good": "=cmd|' /C calc'!A0"}})
    data.to_csv(tmp_path / "r.csv", index=False)
    run(str(tmp_path / "r.csv"), "--replicates", "0", "--out", str(tmp_path / "out"))
    for name in ("systems", "pairs", "clips", "variance"):
        text = (tmp_path / f"out/{name}.csv").read_text()
        assert "'=cmd|" in text
        assert ",=cmd" not in text and "\n=cmd" not in text


# ── The report ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_report_can_be_read(file: Path) -> None:
    report = run(str(file), *FEW, "--reference", "reference", "--compat", "p913")[0]
    assert report.startswith("ratings.csv: 864 ratings, 9 listeners, 48 clips, 8 songs, 3 systems, 2 sources.")
    for part in (
        "Systems · quality · drums",
        "95 %, these clips",
        "95 %, any song",
        "reference (control)",
        "Pairs, first minus second · contamination",
        "bad - good",
        "Flagged listeners: none.",
        "As published: p913",
    ):
        assert part in report
    assert "nan" not in report.lower().replace("contaminan", "")
    assert max(map(len, report.splitlines())) < 400


# ── Hostile data ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("procedure", ["p910", "p913", "bt500"])
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_data_get_reasons_and_no_empty_numbers(name: str, procedure: str, tmp_path: Path) -> None:
    HOSTILE[name].to_csv(tmp_path / "r.csv", index=False)
    args = (str(tmp_path / "r.csv"), "--replicates", "50", "--compat", procedure)
    told = analyse(*args)
    for row in [*told["overall"], *told["systems"], *told["groups"]]:
        for interval in ("these_clips", "any_song"):
            assert row[interval] is None or row[interval]["low"] < row[interval]["high"]
    for row in told["systems"]:
        if row["any_song"] is None:
            assert row["bootstrap"] is row["rank"] is row["best"] is None or row["any_song_reason"] == "no_spread"
            assert row["bootstrap"] is None
    for row in told["pairs"]:
        assert row["pairs"] or (row["difference"], row["difference_reason"]) == (None, "nothing_in_common")
    for row in told["clips"]:
        assert row["t_interval"] is None or row["t_interval"]["low"] < row["t_interval"]["high"]
    for row in told["reliability"]:
        assert row["alpha_interval"] is None or row["alpha_interval"]["low"] < row["alpha_interval"]["high"]
    assert run(*args)[0] if procedure == "p910" else True


NOTED = {
    "nothing": "no_ratings",
    "one rating": "one_listener",
    "one listener": "one_listener",
    "all equal": "equal",
    "disconnected": "parts",
    "everything twice": "same_twice",
}


@pytest.mark.parametrize(("name", "code"), NOTED.items())
def test_what_has_to_be_known_is_said(name: str, code: str, tmp_path: Path) -> None:
    HOSTILE[name].to_csv(tmp_path / "r.csv", index=False)
    told = analyse(str(tmp_path / "r.csv"), "--replicates", "0")
    assert code in {note["code"] for note in told["notes"]}
    assert told["design"]["components"] == {"nothing": 0, "disconnected": 2}.get(name, 1)


def test_every_reason_has_a_sentence() -> None:
    """Those that the statistics raise, those of the rule, and no sentence without an end."""
    sources = (Path(settings.BASE_DIR) / "analysis/statistics").glob("*.py")
    raised = {code for path in sources for code in re.findall(r'NotEnough\("(\w+)"', path.read_text())}
    assert {"no_spread", "not_crossed", "listener_takes_over"} <= raised
    assert raised | set(SCREENING_REASONS) <= REASONS.keys()
    for sentence in REASONS.values():
        assert sentence[0].isupper() and sentence.endswith(".")


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["nothing-here.csv"], "There is no file nothing-here.csv: check the path."),
        (["FILE", "--listener", "who"], "has no column “who”, which --listener names."),
        (["FILE", "--scale-range", "5", "1"], "has no width"),
        (["FILE", "--scale-range", "1", "3"], "have a score outside 1 to 3"),
        (["FILE", "--scale-range", "0", "inf"], "The scale from 0 to inf has no end"),
        (["FILE", "--reference", "nosuch"], "is called “nosuch”. Its systems are “bad”, “good”, “reference”."),
        (["FILE", "--anchor", "nosuch=quality"], "no system of ratings.csv is called “nosuch”."),
        (["FILE", "--anchor", "bad=loudness"], "is called “loudness”. Its scales are “contamination”, “quality”."),
        (["FILE", "--system", "", "--reference", "bad"], "It has no column of systems."),
        (["FILE", "--by", "taste"], "--by taste is no crossing"),
        (["FILE", "--replicates", "-1"], "--replicates -1 is less than 0"),
        (["FILE", "--out", "FILE"], "cannot be written to"),
    ],
)
def test_errors_are_one_sentence(args: list[str], says: str, file: Path) -> None:
    with pytest.raises(CommandError) as refusal:
        run(*(str(file) if arg == "FILE" else arg for arg in args), *(() if "--replicates" in args else FEW))
    assert says in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_contradicting_ratings_are_refused_or_taken_as_asked_for(tmp_path: Path) -> None:
    data = study()
    path = tmp_path / "r.csv"
    pd.concat([data, data.iloc[[5]].assign(score=6 - data["score"].iloc[5] - (data["score"].iloc[5] == 3))]).to_csv(
        path, index=False
    )
    with pytest.raises(CommandError, match="lines 7 and 866"):
        run(str(path))
    told = analyse(str(path), "--duplicates", "first", "--replicates", "0")
    assert told["clips"] == analyse_of(data, tmp_path)["clips"]
    assert [note["code"] for note in told["notes"]] == ["duplicates_first"]


def test_from_the_shell_an_error_is_on_stderr_and_the_exit_code_says_so(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("listener,clip,score\na,x,NaN\n")
    command = [sys.executable, str(Path(settings.BASE_DIR) / "manage.py"), "analyse", str(tmp_path / "r.csv"), "--json"]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=tmp_path, env={"DATABASE_URL": "postgres://nobody@127.0.0.1:1/x"}
    )
    assert done.returncode != 0
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1
    assert "Line 2 of r.csv has no score (“NaN”)" in done.stderr


def test_numbers_have_no_more_digits_than_they_hold(file: Path) -> None:
    for row in analyse(str(file), "--replicates", "0")["systems"]:
        assert row["mos"] == float(f"{row['mos']:.12g}")
        assert len(repr(row["any_song"]["low"])) <= 14
