"""The results package: what a study's numbers were made of, from which they come again, byte for byte."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path

import jsonschema
import pandas as pd
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from analysis import dataset
from analysis.package import is_package, package_bytes, package_read
from analysis.report import study_options
from analysis.results_json import schema
from analysis.selectors import study_report
from analysis.table_reading import TableError
from listening_test.design_selectors import design_digest
from listening_test.models import Study, Trial

from .factories import panel_make, rate_all, session_make, study_make
from .tables import crossed
from .tables import report as report_of

pytestmark = pytest.mark.django_db

TABLES = {
    "clips.csv",
    "groups.csv",
    "listeners.csv",
    "pairs.csv",
    "reliability.csv",
    "results.json",
    "systems.csv",
    "variance.csv",
}


@pytest.fixture
def study() -> Study:
    """Six people on five songs, one of whom is flagged; repeats; somebody who has just begun; a simulated listener."""
    study = panel_make(study_make(titles=["=1+1", "Two", "Three", "Four", "Five"]), listeners=6)
    rate_all(session_make(study), lambda *_of: 2)
    first = study.sessions.get(number=0)
    rate_all(first, lambda number, clip, scale: 3, clips=study.clips.all()[:3], repeat=1)
    rate_all(session_make(study, done=False), lambda *_of: 4, clips=study.clips.all()[:2], finished=False)
    rate_all(session_make(study, simulated=True), lambda *_of: 1)
    return study


@pytest.fixture
def package(study: Study, tmp_path: Path) -> Path:
    path = tmp_path / "study.zip"
    path.write_bytes(package_bytes(study_report(study), dataset.ratings(study)))
    return path


def unpacked(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def analyse(path: Path, *args: str) -> str:
    """What is said beside the result."""
    beside = io.StringIO()
    call_command("analyse", str(path), *args, stdout=io.StringIO(), stderr=beside)
    return beside.getvalue()


def test_the_tables_come_again_byte_for_byte(package: Path, tmp_path: Path) -> None:
    inside = unpacked(package)
    said = analyse(package, "--out", str(tmp_path / "again"))
    written = {path.name: path.read_bytes() for path in (tmp_path / "again").iterdir()}
    assert written.keys() == TABLES
    for name, content in written.items():
        assert content == inside[name], name
        assert len(content.splitlines()) > 1
    assert "The 8 tables are the package's, byte for byte." in said


def test_the_numbers_are_those_of_the_page(study: Study, package: Path) -> None:
    report = study_report(study)
    told = json.loads(unpacked(package)["results.json"])
    assert told["counts"] == {
        "stored": report.counts.stored,
        "counted": report.counts.counted,
        "not_final": report.counts.not_final,
        "simulated": report.counts.simulated_left_out,
        "repeats": 6,
    }
    systems = {(row["scale"], row["system"]): row for row in told["systems"] if row["source"] is None}
    for line in report.rows:
        if line.grouping == "system":
            assert systems[line.scale, line.system]["mos"] == pytest.approx(line.mos, abs=1e-11)
            assert systems[line.scale, line.system]["any_song"]["low"] == pytest.approx(line.any_song.low, abs=1e-11)  # type: ignore[union-attr]
    flagged = {row["listener"] for row in told["listeners"] if row["flagged"]}
    assert str(study.sessions.get(number=6).listener_id) in flagged


def test_it_holds_what_the_numbers_were_made_of(study: Study, package: Path) -> None:
    inside = unpacked(package)
    report = study_report(study)
    assert hashlib.sha256(inside["ratings.csv"]).hexdigest() == report.digest
    design = json.loads(inside["design.json"])
    assert design["study"]["digest_now"] == design_digest(study)
    assert design["study"]["design"]["seed"] == study.seed
    text = json.dumps(design["study"]["design"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert hashlib.sha256(text.encode()).hexdigest() == design["study"]["digest_now"]
    assert design["options"]["rule"] == vars(study_options().rule)
    assert design["options"]["seed"] == study.seed
    assert json.loads(inside["versions.json"])["ratings_sha256"] == report.digest
    assert {"numpy", "pandas", "scipy", "python"} <= json.loads(inside["versions.json"]).keys()
    assert "A study" in inside["README.txt"].decode()
    assert inside["methods.txt"]


def test_what_is_not_in_the_numbers_is_listed_with_the_reason(study: Study, package: Path) -> None:
    out = pd.read_csv(io.BytesIO(unpacked(package)["exclusions.csv"]))
    counts = study_report(study).counts
    reasons = out["reason"].value_counts()
    assert reasons["not_final"] == counts.not_final == 4
    assert reasons["repeat"] == 6
    assert reasons["simulated"] == counts.simulated_left_out == 60
    flagged = out[out["reason"].str.startswith("flagged: ")]
    assert str(study.sessions.get(number=6).listener_id) in set(flagged["listener"])
    assert flagged["reason"].str.contains("straight_lining").any()


def test_the_digest_is_what_sha256sum_would_say(package: Path) -> None:
    inside = unpacked(package)
    lines = inside["digest.txt"].decode().splitlines()
    assert {line.split("  ")[1] for line in lines[:-1]} == set(inside) - {"digest.txt"}
    for line in lines[:-1]:
        digest, name = line.split("  ")
        assert hashlib.sha256(inside[name]).hexdigest() == digest
    own = "".join(f"{line}\n" for line in lines[:-1])
    assert lines[-1] == f"# all: {hashlib.sha256(own.encode()).hexdigest()}"
    assert package_read(package).digest == lines[-1].split()[-1]


def test_the_same_study_is_the_same_zip(study: Study, package: Path) -> None:
    assert package.read_bytes() == package_bytes(study_report(study), dataset.ratings(study))


def test_text_that_a_spreadsheet_would_run_is_harmless_and_comes_back(package: Path) -> None:
    inside = unpacked(package)
    assert b"'=1+1" in inside["ratings.csv"] and b",=1+1" not in inside["ratings.csv"]
    assert b"'=1+1" in inside["clips.csv"] and b",=1+1" not in inside["clips.csv"]
    assert {row["song"] for row in json.loads(inside["results.json"])["clips"]} >= {"=1+1"}


# ── A package that is not what it was ───────────────────────────────────────────────────────────────────────────────


def rewritten(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("name", ["ratings.csv", "design.json", "known.csv", "systems.csv", "README.txt", "digest.txt"])
def test_a_changed_byte_is_found_and_said(name: str, package: Path) -> None:
    files = unpacked(package)
    content = bytearray(files[name])
    content[-2] = content[-2] ^ 1
    rewritten(package, files | {name: bytes(content)})
    with pytest.raises(CommandError) as refusal:
        analyse(package)
    assert name in str(refusal.value)
    assert "sha256" in str(refusal.value)


def test_a_file_that_is_missing_or_new_is_said(package: Path) -> None:
    files = unpacked(package)
    rewritten(package, {name: content for name, content in files.items() if name != "clips.csv"})
    with pytest.raises(CommandError, match=r"clips\.csv"):
        analyse(package)
    rewritten(package, files | {"more.csv": b"a,b\n"})
    with pytest.raises(CommandError, match=r"more\.csv"):
        analyse(package)
    rewritten(package, {name: content for name, content in files.items() if name != "known.csv"})
    with pytest.raises(CommandError, match=r"no whole results package: it has no known\.csv"):
        analyse(package)


def test_a_damaged_zip_is_a_sentence(package: Path) -> None:
    content = bytearray(package.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 40] = bytes(40)
    package.write_bytes(bytes(content))
    with pytest.raises(CommandError, match="damaged|sha256"):
        analyse(package)
    package.write_bytes(bytes(content[:middle]))
    with pytest.raises(CommandError, match="archive"):
        analyse(package)


def test_a_zip_of_something_else_is_no_package(tmp_path: Path) -> None:
    path = rewritten(tmp_path / "other.zip", {"a.txt": b"a"})
    assert not is_package(path)
    with pytest.raises(CommandError, match="save it as CSV"):
        analyse(path)


def test_other_options_give_other_tables_and_that_is_said(package: Path) -> None:
    said = analyse(package, "--margin", "0.5")
    assert "not the package's" in said and "pairs.csv" in said


# ── Studies at their beginning, and tables that are none ────────────────────────────────────────────────────────────


def test_an_empty_study_has_a_package_too(tmp_path: Path) -> None:
    study = study_make(titles=["One"])
    path = tmp_path / "empty.zip"
    path.write_bytes(package_bytes(study_report(study), dataset.ratings(study)))
    assert "byte for byte" in analyse(path, "--out", str(tmp_path / "out"))
    assert len((tmp_path / "out/systems.csv").read_text().splitlines()) == 1


def test_a_report_of_a_table_alone(tmp_path: Path) -> None:
    table = crossed(listeners=6)
    path = tmp_path / "table.zip"
    path.write_bytes(package_bytes(report_of(table), table))
    assert json.loads(unpacked(path)["design.json"])["study"] is None
    assert "byte for byte" in analyse(path)


def test_ratings_that_came_meanwhile_make_a_package_of_their_own(study: Study, tmp_path: Path) -> None:
    """A report may be older than the ratings that are fetched for its package; the package is of one state."""
    before = study_report(study)
    rate_all(session_make(study), lambda number, clip, scale: 1 + clip.id.int % 5)
    path = tmp_path / "later.zip"
    path.write_bytes(package_bytes(before, dataset.ratings(study)))
    assert "byte for byte" in analyse(path)
    assert json.loads(unpacked(path)["results.json"])["design"]["listeners"] == 8


def test_what_is_known_of_listeners_goes_along(study: Study, package: Path) -> None:
    """Their times come from the database, not from ratings.csv."""
    assert Trial.objects.filter(session__study=study).exists()
    known = package_read(package).known
    report = study_report(study)
    assert report.analysed is not None
    assert sorted(known.index) == sorted(report.analysed.ratings.names["listener"])
    listeners = json.loads(unpacked(package)["results.json"])["listeners"]
    assert {row["listener"]: row["seconds"] for row in listeners} == pytest.approx(
        {who: None if pd.isna(value) else value for who, value in known["seconds"].items()}
    )


def test_export_study_writes_it(study: Study, tmp_path: Path) -> None:
    call_command("export_study", study.token, "--out", str(tmp_path / "all"), stdout=io.StringIO())
    assert "byte for byte" in analyse(tmp_path / "all/results-package.zip")
    assert not list((tmp_path / "all").glob("*.part"))
    alone = (tmp_path / "all/results.json").read_bytes()
    assert alone == unpacked(tmp_path / "all/results-package.zip")["results.json"]
    jsonschema.Draft202012Validator(schema()).validate(json.loads(alone))


def test_export_study_takes_a_token_that_begins_with_a_dash(study: Study, tmp_path: Path) -> None:
    study.token = "-made-before"
    study.save()
    call_command("export_study", "--out", str(tmp_path / "all"), "--", study.token, stdout=io.StringIO())
    assert (tmp_path / "all/results.json").exists()


def test_reading_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(TableError) as refusal:
        package_read(tmp_path / "none.zip")
    assert refusal.value.code == "no_file"
