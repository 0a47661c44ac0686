"""How fast the analysis is, how much memory it takes, and how that compares with the field's packages.

    python -m bench.analysis            Markdown tables
    python -m bench.analysis --json     `seconds` and `peak_mb` per size, `ratios` per peer (their time / ours)
    python -m bench.analysis --write    put the tables into docs/performance.md
    python -m bench.analysis --quick    without the sizes of a million ratings

Every size runs in a process of its own, so that its peak of memory is its own. The report is `statistics.whole`:
clips, modelled scores, systems, pairs, ordinal check, listeners, reliability, design. Peers (sureal, statsmodels,
scipy, krippendorff) get the same numbers in the form that they want; making that form is not timed. A peer that is not
installed is left out and named.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import resource
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from analysis.statistics.bootstrap import REPLICATES, crossed_bootstrap
from analysis.statistics.clip_model import modelled_scores
from analysis.statistics.crossed import components
from analysis.statistics.published import p910
from analysis.statistics.ranks import block_means, friedman, wilcoxon_holm
from analysis.statistics.reliability import krippendorff_alpha
from analysis.statistics.whole import Ratings, whole
from bench.page import machine, table, tables_write

SIZES: dict[str, tuple[int, int, int, float]] = {  # listeners, songs, systems, share of the clips that each rates
    "36,000 (100 × 360)": (100, 40, 9, 1.0),
    "1,000,000 (2,000 × 500)": (2000, 50, 10, 1.0),
    "1,000,000 sparse (2,000 × 20,000)": (2000, 2000, 10, 0.025),
}
LARGE = 1_000_000
PEERS_SIZE = (60, 30, 4, 1.0)  # what statsmodels can do in seconds


def main() -> None:
    asked = arguments()
    if asked.size:
        print(json.dumps(measured(asked.size, asked.replicates)))
        return
    sizes = [name for name, size in SIZES.items() if not (asked.quick and ratings_of(size) >= LARGE)]
    runs = {name: {str(r): run_alone(name, r) for r in (0, REPLICATES)} for name in sizes}
    found: dict[str, Any] = {
        "seconds": {
            name: {"without_bootstrap": run["0"]["seconds"], "with_bootstrap": run[str(REPLICATES)]["seconds"]}
            for name, run in runs.items()
        },
        "peak_mb": {name: max(one["peak_mb"] for one in run.values()) for name, run in runs.items()},
        **peers(),
    }
    print(json.dumps(found, ensure_ascii=False) if asked.json else tables(found))
    if asked.write:
        tables_write("analysis", f"**Machine:** {machine()}.\n\n{tables(found)}")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/performance.md")
    parser.add_argument("--quick", action="store_true", help="without the sizes of a million ratings")
    parser.add_argument("--size", choices=list(SIZES), help=argparse.SUPPRESS)
    parser.add_argument("--replicates", type=int, default=REPLICATES, help=argparse.SUPPRESS)
    return parser.parse_args()


def tables(found: dict[str, Any]) -> str:
    head = ["ratings", "whole report, s", f"with {REPLICATES:,} crossed bootstraps, s", "peak memory, MB"]
    rows = [
        [name, f"{s['without_bootstrap']:.2f}", f"{s['with_bootstrap']:.2f}", f"{found['peak_mb'][name]:.0f}"]
        for name, s in found["seconds"].items()
    ]
    against = [
        [name, f"{one['theirs']:.4f}", f"{one['ours']:.4f}", f"{one['ratio']:.0f}"]
        for name, one in found["peers"].items()
    ]
    missing = f"\n\nNot installed: {', '.join(found['missing'])}." if found["missing"] else ""
    return table([head, *rows]) + "\n\n" + table([["against", "theirs, s", "ours, s", "times"], *against]) + missing


# ── The report, by size ─────────────────────────────────────────────────────────────────────────────────────────────


def ratings_of(size: tuple[int, int, int, float]) -> int:
    listeners, songs, systems, heard = size
    return round(listeners * songs * systems * heard)


def made(size: tuple[int, int, int, float], seed: int = 5) -> Ratings:
    """A study of that size: systems, songs and listeners differ, listeners are more and less sure."""
    listeners, songs, systems, heard = size
    rng = np.random.default_rng(seed)
    clips = songs * systems
    own = round(clips * heard)
    who = np.repeat(np.arange(listeners), own)
    clip = np.concatenate([np.sort(rng.permutation(clips)[:own]) for _listener in range(listeners)])
    song, system = np.divmod(clip, systems)
    latent = 3.0 + rng.normal(0, 0.4, listeners)[who] + rng.normal(0, 0.5, songs)[song]
    latent += np.linspace(-0.8, 0.8, systems)[system] + rng.normal(0, 0.25, clips)[clip]
    scores = np.clip(np.round(latent + rng.uniform(0.4, 1.0, listeners)[who] * rng.normal(size=who.size)), 1, 5)
    return Ratings.of({"listener": who, "clip": clip, "song": song, "system": system, "score": scores})


def measured(name: str, replicates: int) -> dict[str, float]:
    """Seconds of the report, and the most memory of this process."""
    study = made(SIZES[name])
    whole(made((6, 6, 3, 1.0)), replicates=50)  # imports
    began = time.perf_counter()
    whole(study, replicates=replicates)
    seconds = time.perf_counter() - began
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return {
        "seconds": round(seconds, 3),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit, 1),
    }


def run_alone(name: str, replicates: int) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.analysis", "--size", name, "--replicates", str(replicates)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


# ── Peers ───────────────────────────────────────────────────────────────────────────────────────────────────────────

Timed = tuple[Callable[[], Any], Callable[[], Any]]  # theirs, ours


def peers() -> dict[str, Any]:
    """Their time / ours, the same numbers through both."""
    makers: dict[str, Callable[[Ratings], Timed]] = {
        "sureal": _sureal,
        "sureal, against the modelled score": _sureal_modelled,
        "statsmodels": _statsmodels,
        "krippendorff": _krippendorff,
        "scipy.stats.bootstrap": _scipy_bootstrap,
        "scipy, Friedman and Wilcoxon": _scipy_ranks,
    }
    small, large = made(PEERS_SIZE), made(SIZES["36,000 (100 × 360)"])
    found: dict[str, dict[str, float]] = {}
    missing = set()
    for name, make in makers.items():
        try:
            theirs, ours = make(small if name == "statsmodels" else large)
        except ImportError as error:
            missing.add(error.name or name)
            continue
        found[name] = _compared(theirs, ours)
    return {"ratios": {name: one["ratio"] for name, one in found.items()}, "peers": found, "missing": sorted(missing)}


def _compared(theirs: Callable[[], Any], ours: Callable[[], Any]) -> dict[str, float]:
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings(action="ignore"):
        own, other = _best_of(ours, 3), _best_of(theirs, 1)
    return {"theirs": round(other, 5), "ours": round(own, 5), "ratio": round(other / own, 1)}


def _best_of(work: Callable[[], Any], times: int) -> float:
    taken = []
    for _time in range(times):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return min(taken)


def _columns(study: Ratings) -> tuple[Any, Any, Any]:
    return study.scores, study.listeners, study.clips


def _dataset(study: Ratings) -> Any:
    from sureal.dataset_reader import RawDatasetReader

    class Dataset:
        dataset_name = "bench"
        ref_videos = [{"content_id": 0, "content_name": "0", "path": ""}]
        dis_videos: list[dict[str, Any]] = []

    opinions = _matrix(study)
    Dataset.dis_videos = [
        {"content_id": 0, "asset_id": place, "os": list(row), "path": ""} for place, row in enumerate(opinions)
    ]
    return RawDatasetReader(Dataset)


def _matrix(study: Ratings) -> Any:
    """Clips × listeners, NaN where there is none."""
    found = np.full((study.count("clip"), study.count("listener")), np.nan)
    found[study.clips, study.listeners] = study.scores
    return found


def _sureal(study: Ratings) -> Timed:
    from sureal.subjective_model import SubjectMLEModelProjectionSolver2

    reader = _dataset(study)
    return lambda: SubjectMLEModelProjectionSolver2(reader).run_modeling(), lambda: p910(*_columns(study))


def _sureal_modelled(study: Ratings) -> Timed:
    return _sureal(study)[0], lambda: modelled_scores(*_columns(study))


def _statsmodels(study: Ratings) -> Timed:
    import pandas as pd
    from statsmodels.regression.mixed_linear_model import MixedLM

    data = pd.DataFrame({"score": study.scores, "listener": study.listeners, "song": study.songs, "all": 0})
    parts = {"listener": "0 + C(listener)", "song": "0 + C(song)"}

    def fitted() -> Any:
        return MixedLM.from_formula("score ~ 1", data, groups="all", vc_formula=parts, re_formula="0").fit()

    return fitted, lambda: components(study.scores, study.listeners, study.songs)


def _krippendorff(study: Ratings) -> Timed:
    import krippendorff

    opinions = _matrix(study).T

    def alpha() -> Any:
        return krippendorff.alpha(reliability_data=opinions, level_of_measurement="ordinal")

    return alpha, lambda: krippendorff_alpha(study.scores, study.clips)


def _scipy_bootstrap(study: Ratings) -> Timed:
    """10,000 draws of listeners' means of one system, against 10,000 of listeners and songs of all."""
    from scipy import stats

    means = block_means(study.scores, study.listeners, study.systems)[:, 0]

    def theirs() -> Any:
        return [
            stats.bootstrap((means,), np.mean, n_resamples=REPLICATES, method="percentile", rng=1)
            for _system in range(study.count("system"))
        ]

    columns = (study.scores, study.listeners, study.songs, study.systems)
    return theirs, lambda: crossed_bootstrap(*columns).interval()


def _scipy_ranks(study: Ratings) -> Timed:
    from scipy import stats

    blocks = block_means(study.scores, study.listeners, study.systems)
    systems = range(blocks.shape[1])

    def theirs() -> Any:
        stats.friedmanchisquare(*blocks.T)
        return [stats.wilcoxon(blocks[:, one], blocks[:, two]) for one in systems for two in systems if one < two]

    return theirs, lambda: (friedman(blocks), wilcoxon_holm(blocks))


if __name__ == "__main__":
    main()
