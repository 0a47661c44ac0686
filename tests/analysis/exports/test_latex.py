"""Tables for a paper: the report's numbers, and nothing of what a person typed runs or breaks them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from uuid import UUID

import pytest
from django.utils import translation

from analysis import words
from analysis.exports import latex
from analysis.exports.latex import document_tex, table_tex, tables
from analysis.exports.tex import escaped
from analysis.report import StudyReport
from tests.analysis.tables import crossed, report, tidy

HOSTILE = r"\input{/etc/passwd} 100% & $x$ #1 _a^b~ {[*]} --- «ñandú» “🎵” 中 \write18{x}"
TEX = next((name for name in ("tectonic", "pdflatex", "lualatex", "xelatex") if shutil.which(name)), "")


def without_commands(text: str) -> str:
    """What is left of escaped text when the commands that escaping makes are taken out."""
    known = r"\\(textbackslash|textascii\w+|char34|char96|ldots|textquestiondown|textexclamdown|guillemot\w+)\{\}"
    return re.sub(known + r"|\\[{}&%$#_]|\$[<>|]\$|\$\\?\w*-?\$", "", text)


@pytest.mark.parametrize(
    "text", [HOSTILE, "\\", "a\\\\[2cm]", "%", "}{", "^^5c", "\n\n", "~`'\"", "\\end{document}", "a--b"]
)
def test_no_command_survives(text: str) -> None:
    left = without_commands(escaped(text))
    assert not set("\\&%$#_^~") & set(left)
    assert left.count("{") == left.count("}")
    assert "\n" not in left


def test_letters_of_europe_stay_and_others_are_seen() -> None:
    assert escaped("ñandú, çava, Łódź") == "ñandú, çava, Łódź"
    assert escaped("n\u0303") == "ñ"
    assert escaped("a 中 b") == "a {[}U+4E2D{]} b"
    assert escaped("--") == "-{}-" and escaped("–") == "--"


def test_a_line_cannot_begin_with_an_option_of_the_line_before() -> None:
    assert escaped("[2cm] x").startswith("{[}") and escaped("* x").startswith("{*}")


# ── Numbers ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def cells(tex: str, start: str) -> list[str]:
    """Of the first line that begins so."""
    line = next(line for line in tex.splitlines() if line.startswith(start))
    return [cell.strip() for cell in line.removesuffix(r"\\").split("&")]


@pytest.mark.parametrize("language", ["es", "en"])
def test_every_number_is_the_reports(language: str) -> None:
    found = report(crossed(listeners=7, songs=6, sources=("vocals",)))
    with translation.override(language):
        by_key = {table.key: table_tex(table) for table in tables(found)}
        for row in (one for one in found.rows if one.grouping == "system" and one.scale == "quality"):
            line = cells(by_key["systems-quality"], "Spleeter 4" if "spleeter" in row.system else _name(row.system))
            assert line[1:4] == [str(row.listeners), "6", str(row.ratings)]
            assert line[4] == words.number(row.mos)
            assert row.these_clips and row.any_song
            for text, interval in ((line[6], row.these_clips), (line[7], row.any_song)):
                assert words.number(interval.low) in text and words.number(interval.high) in text
    assert set(by_key) == {
        *(f"{kind}-{scale}" for kind in ("systems", "pairs", "variance") for scale in ("quality", "contamination")),
        "reliability",
    }


def _name(system: str) -> str:
    from listening_test.systems import system_name

    return escaped(system_name(system))


def test_minus_and_small_p_are_mathematics() -> None:
    assert latex.number(-0.5) in ("$-$0.50", "$-$0,50")
    assert latex.number(None) == "--" and latex.number(float("nan")) == "--"


def test_a_long_table_goes_on_over_pages() -> None:
    systems = tuple(f"system-{number:02}" for number in range(11))
    found = report(crossed(listeners=2, songs=1, sources=("vocals",), systems=systems, steps=[3.0] * 11))
    by_key = {table.key: table_tex(table) for table in tables(found)}
    assert r"\begin{longtable}" in by_key["pairs-quality"] and r"\endlastfoot" in by_key["pairs-quality"]
    assert r"\begin{tabular}" in by_key["systems-quality"]


def hostile_report(**fields: object) -> StudyReport:
    table = crossed(listeners=6, songs=6, systems=(HOSTILE, "[2cm] system", "*system"))
    return report(table, name=HOSTILE, study_id=UUID(int=1), digest="ab" * 32, **fields)


def test_a_document_is_balanced_whatever_the_names() -> None:
    tex = document_tex(hostile_report())
    assert tex.count(r"\begin{") == tex.count(r"\end{")
    plain = re.sub(r"\\[{}]", "", tex)
    assert plain.count("{") == plain.count("}")
    assert "/etc/passwd" in tex and r"\input" not in tex and r"\write" not in tex
    widths = {table.key: len(table.spec) for table in tables(hostile_report())}
    for table in tables(hostile_report()):
        assert all(len(line) == widths[table.key] for _title, lines in table.parts for line in (table.head, *lines))


def test_no_ratings_is_a_document_that_says_so() -> None:
    with translation.override("en"):
        assert "no ratings yet" in document_tex(report(tidy([])))


@pytest.mark.skipif(not TEX, reason="no LaTeX on this machine")
@pytest.mark.parametrize("language", ["es", "en"])
def test_the_document_compiles(tmp_path: Path, language: str) -> None:
    with translation.override(language):
        Path(tmp_path, "tables.tex").write_text(document_tex(hostile_report()), encoding="utf-8")
    options = [] if TEX == "tectonic" else ["-interaction=nonstopmode", "-halt-on-error"]
    subprocess.run([TEX, *options, "tables.tex"], cwd=tmp_path, check=True, timeout=300, capture_output=True)
    assert Path(tmp_path, "tables.pdf").stat().st_size > 5_000
