"""Objective metrics against listeners: against scipy, simulated, and on published ratings."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from analysis.statistics.arrays import NotEnough, codes
from analysis.statistics.correlation import KINDS, metric_study, weighted_ranks

from . import reference


def study(seed: int = 1, listeners: int = 12, songs: int = 9, systems: int = 5) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    clips = songs * systems
    song, system = np.divmod(np.arange(clips), systems)
    true = rng.normal(0, 0.6, songs)[song] + np.linspace(-0.7, 0.7, systems)[system] + rng.normal(0, 0.3, clips)
    who, what = (part.ravel() for part in np.meshgrid(range(listeners), range(clips), indexing="ij"))
    scores = np.clip(np.round(3 + true[what] + rng.normal(0, 0.4, listeners)[who] + rng.normal(0, 0.7, who.size)), 1, 5)
    return scores, who, what, song, system, true


def test_every_level_is_scipys() -> None:
    scores, who, what, song, system, true = study()
    metric = np.round(true + np.random.default_rng(2).normal(0, 0.5, true.size), 1)
    found = metric_study({"m": metric}, scores, who, what, song, system, replicates=0)
    mos = np.bincount(what, scores) / np.bincount(what)
    functions = {"pearson": stats.pearsonr, "spearman": stats.spearmanr, "kendall": stats.kendalltau}
    for kind in KINDS:
        of = functions[kind]
        within_song = [of(metric[song == one], mos[song == one])[0] for one in range(9)]
        within_system = [of(metric[system == one], mos[system == one])[0] for one in range(5)]
        means = [[column[system == one].mean() for one in range(5)] for column in (metric, mos)]
        wanted = {
            "clip": of(metric, mos)[0],
            "within_song": np.mean(within_song),
            "within_system": np.mean(within_system),
            "system": of(*means)[0],
        }
        for level, value in wanted.items():
            assert found.of("m", level, kind).value == pytest.approx(value, abs=1e-12)
    assert [found.of("m", level, "pearson").n for level in wanted] == [45, 9, 5, 5]


def test_weighted_ranks_are_those_of_copies() -> None:
    values, weights = np.array([[2.0, 1.0, 2.0, 5.0]]), np.array([[2.0, 0.0, 1.0, 3.0]])
    found = weighted_ranks(values, weights)[0]
    copies = stats.rankdata(np.repeat(values[0], weights[0].astype(int)))
    assert found[[0, 2, 3]].tolist() == [copies[0], copies[2], copies[3]]


def test_the_sign_is_kept_and_a_metric_is_compared() -> None:
    scores, who, what, song, system, true = study(3)
    noise = np.random.default_rng(4).normal(size=true.size)
    found = metric_study(
        {"good": true, "noise": noise, "turned": -true}, scores, who, what, song, system, replicates=150
    )
    good, turned = (found.of(name, "clip", "spearman") for name in ("good", "turned"))
    assert turned.value == pytest.approx(-good.value)
    assert good.low < good.value < good.high
    assert 0.8 < good.value <= found.ceiling["clip"] + 0.03
    better = next(
        d for d in found.differences if (d.first, d.second, d.level, d.kind) == ("good", "noise", "clip", "pearson")
    )
    assert better.low > 0
    assert better.p < 0.05


def test_a_bootstrap_replicate_is_the_coefficient_of_copies() -> None:
    """Songs drawn 2, 0, 1, …: as if their clips stood there so often."""
    from analysis.statistics.correlation import _Table

    scores, who, what, song, system, true = study(5, songs=4)
    table = _Table.of(scores, who, what, song, system, {"m": true})
    weights = np.array([2.0, 0.0, 1.0, 1.0])
    found = table.measured(None, weights, with_kendall=True)[0]
    mos = np.bincount(what, scores) / np.bincount(what)
    rows = np.concatenate([np.repeat(np.flatnonzero(song == one), int(weights[one])) for one in range(4)])
    wanted = [of(true[rows], mos[rows])[0] for of in (stats.pearsonr, stats.spearmanr, stats.kendalltau)]
    assert found[0] == pytest.approx(wanted, abs=1e-12)


def test_gaps_and_too_little_say_so() -> None:
    scores, who, what, song, system, true = study()
    gone = np.where(song < 7, np.nan, true)
    found = metric_study({"m": gone}, scores, who, what, song, system, replicates=20)
    assert found.of("m", "clip", "pearson").n == 10
    assert found.of("m", "within_song", "pearson").n == 2
    assert np.isnan(found.of("m", "within_system", "pearson").value)  # two songs per system
    with pytest.raises(NotEnough):
        metric_study({"m": [1.0, 2.0]}, [3, 4], [0, 0], [0, 1], [0, 1], [0, 0])
    with pytest.raises(ValueError, match="one value per clip"):
        metric_study({"m": [1.0]}, [3, 4], [0, 0], [0, 1], [0, 1], [0, 0])


def test_a_constant_metric_has_no_correlation() -> None:
    scores, who, what, song, system, true = study()
    found = metric_study({"m": np.full(true.size, 0.1)}, scores, who, what, song, system, replicates=10)
    assert np.isnan([c.value for c in found.correlations]).all()


@reference.needed
def test_published_ratings() -> None:
    """Golden numbers: scipy, reference/gensvs_objective_correlations.json, to 1e-9."""
    data, objective = reference.ratings("gensvs_dcr"), reference.ratings("gensvs_objective").sort_values("clip")
    clip, names = codes(data["clip"])
    assert objective["clip"].tolist() == names.tolist()
    metrics = {name: objective[name] for name in ("sdr", "sir", "sar", "isr", "sisdr", "ips")}
    song, system = codes(objective["file_id"])[0], codes(objective["model_name"])[0]
    found = metric_study(metrics, data["score"], codes(data["rater"])[0], clip, song, system, replicates=0)
    wanted = reference.answers("gensvs_objective_correlations")
    for name in metrics:
        for kind, key in [("pearson", "pearson"), ("spearman", "spearman"), ("kendall", "kendall_b")]:
            assert found.of(name, "clip", kind).value == pytest.approx(wanted["clip_level"][name][key], abs=1e-9)
        for kind in ("pearson", "spearman"):
            assert found.of(name, "system", kind).value == pytest.approx(wanted["system_level"][name][kind], abs=1e-9)
        within = found.of(name, "within_system", "spearman").value
        assert within == pytest.approx(wanted["within_system_mean_srcc"][name], abs=1e-9)
