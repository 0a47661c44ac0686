"""What other programs read: sureal opens its dataset, R finds the columns that its lines name."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from analysis.exports import ratings_csv
from analysis.exports.r_lines import r_script, r_text
from analysis.exports.sureal import sureal_dataset, sureal_json, sureal_python
from analysis.statistics.published import p910
from tests.analysis.tables import crossed, row, tidy

NASTY = '"; import os; """ \\ \n ñ 🎵 \' {x}'

# ── sureal ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_dataset_holds_every_rating() -> None:
    table = crossed(listeners=4, songs=3)
    found = json.loads(sureal_json(table, "quality"))
    own = table[table["scale"] == "quality"]
    told = {(clip["path"], who, score) for clip in found["dis_videos"] for who, score in clip["os"].items()}
    assert told == set(own[["clip", "listener", "score"]].itertuples(index=False, name=None))
    assert [clip["asset_id"] for clip in found["dis_videos"]] == list(range(18))
    contents = {reference["content_id"]: reference["content_name"] for reference in found["ref_videos"]}
    assert sorted(contents) == list(range(6))
    for clip in found["dis_videos"]:
        song, source, system = clip["path"].split("/")
        assert contents[clip["content_id"]] == f"{song} 0.0 10.0 {source}" and clip["system"] == system


def test_repeats_are_lists_with_the_first_time_first() -> None:
    table = tidy([row(score=2, repeat=1), row(score=5), row(listener="b", score=1)])
    [clip] = sureal_dataset(table, "quality")["dis_videos"]
    assert clip["os"] == {"a": [5, 2], "b": 1}


def test_sureal_reads_it_and_gives_our_scores(tmp_path: Path) -> None:
    reader = pytest.importorskip("sureal.dataset_reader")
    misc = pytest.importorskip("sureal.tools.misc")
    models = pytest.importorskip("sureal.subjective_model")
    table = crossed(listeners=10, songs=8, sources=("vocals",))
    Path(tmp_path, "own.json").write_bytes(sureal_json(table, "quality"))
    Path(tmp_path, "own.py").write_bytes(sureal_python(table, "quality"))
    own = table[table["scale"] == "quality"]
    for opened in (misc.import_json_file(f"{tmp_path}/own.json"), misc.import_python_file(f"{tmp_path}/own.py")):
        told = reader.RawDatasetReader(opened)
        assert told.opinion_score_3darray.shape == (24, 10, 1)
        scores = models.MosModel(told).run_modeling()["quality_scores"]
        np.testing.assert_allclose(scores, own.groupby("clip")["score"].mean().to_numpy())
        model = models.SubjectMLEModelProjectionSolver2(told).run_modeling()["quality_scores"]
        codes = [own[name].astype("category").cat.codes.to_numpy() for name in ("listener", "clip")]
        np.testing.assert_allclose(model, p910(own["score"].to_numpy(float), *codes).score, atol=1e-6)


def test_names_cannot_run_in_the_module() -> None:
    table = tidy([row(song=NASTY, listener=NASTY, system=NASTY, score=3)])
    space: dict[str, object] = {}
    exec(compile(sureal_python(table, "quality"), "dataset", "exec"), space)
    [clip] = space["dis_videos"]  # type: ignore[misc]
    assert clip["os"] == {NASTY: 3} and clip["system"] == NASTY
    assert json.loads(sureal_json(table, "quality"))["dis_videos"] == [clip]


# ── R ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_column_that_the_lines_read_is_in_the_file() -> None:
    table = crossed(listeners=3, songs=2)
    header = next(iter(ratings_csv(table))).decode().strip().split(",")
    script = r_script(table, ["reference"])
    read = set(re.findall(r'\[\["(\w+)"\]\]', script)) - {"item", "category"}
    assert {"score", "listener", "song", "repeat", "scale", "finished"} <= read | {"score", "listener", "song"}
    assert read <= set(header)
    formula = set(re.findall(r"\w+", " ".join(re.findall(r"score ~ ([^\n]+),", script)))) - {"1", "item"}
    assert formula == {"system", "listener", "song"}
    assert script.count("lmer(") == 2 and script.count("clmm(") == 2 and 'c("reference")' in script


def test_the_lines_are_balanced() -> None:
    script = re.sub(r"#.*", "", r_script(crossed(listeners=2, songs=1), ["reference", "anchor:mixture"]))
    assert script.count("(") == script.count(")") and script.count('"') % 2 == 0


@pytest.mark.parametrize("name", [NASTY, "=1+1", '"', "\\", "system('x')"])
def test_a_name_is_a_literal_in_r(name: str) -> None:
    text = r_text(name)
    assert text.isascii() and "\n" not in text
    assert not re.search(r'(?<!\\)(?:\\\\)*"', text[1:-1])
    code = [line for line in r_script(tidy([row(scale=name)]), [name]).splitlines() if not line.startswith("#")]
    literals = re.compile(r'"(?:[^"\\]|\\.)*"')
    assert "import" not in literals.sub("", "\n".join(code)) and "system(" not in literals.sub("", "\n".join(code))


def has_r() -> bool:
    wanted = "library(lme4); library(ordinal); library(emmeans); library(pbkrtest)"
    rscript = shutil.which("Rscript")
    return rscript is not None and subprocess.run([rscript, "-e", wanted], capture_output=True).returncode == 0


@pytest.mark.skipif(not has_r(), reason="no R with lme4, ordinal and emmeans on this machine")
def test_r_runs_the_lines_and_finds_our_differences(tmp_path: Path) -> None:
    table = crossed(listeners=6, songs=6, sources=("vocals",))
    table["song"] = table["song"].replace("Song 1", NASTY)
    Path(tmp_path, "ratings.csv").write_bytes(b"".join(ratings_csv(table)))
    Path(tmp_path, "analysis.R").write_text(r_script(table[table["scale"] == "quality"], []), encoding="utf-8")
    done = subprocess.run(["Rscript", "analysis.R"], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    own = table[table["scale"] == "quality"].groupby("system")["score"].mean()
    [told] = re.findall(r"htdemucs - umxhq +(\S+) ", done.stdout)[:1]
    assert float(told) == pytest.approx(own["htdemucs"] - own["umxhq"], abs=0.006)
