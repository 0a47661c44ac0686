"""Every file that can be made from a study, in one list: the results page and commands go through it.

A file is written to where it goes piece by piece, so that a large study never stands in memory as a file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import IO, Any

import pandas as pd
from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from analysis import result_tables
from analysis.exports import latex, methods, questions, r_lines, sheets, sureal, tidy, wide
from analysis.package import study_results
from analysis.report import StudyReport
from analysis.results_json import as_json
from analysis.study_facts import StudyFacts
from listening_test.scales import SCALES

CSV, JSON, TEXT = "text/csv; charset=utf-8", "application/json", "text/plain; charset=utf-8"
TEX, PYTHON = "application/x-tex; charset=utf-8", "text/x-python; charset=utf-8"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

DATA, PAPER, PROGRAMS = "data", "paper", "programs"


@dataclass
class Material:
    """What files are made from. The ratings and the facts are fetched when a file asks for them, and once."""

    report: StudyReport
    fetch_table: Callable[[], pd.DataFrame]
    fetch_facts: Callable[[], StudyFacts] = StudyFacts

    @cached_property
    def table(self) -> pd.DataFrame:
        return self.fetch_table()

    @cached_property
    def told(self) -> dict[str, Any]:
        """The whole analysis in plain values; empty where nothing is counted."""
        return study_results(self.report, self.table) if self.report.analysed else {}

    @cached_property
    def facts(self) -> StudyFacts:
        return self.fetch_facts()


Pieces = Callable[[Material], Iterable[bytes]]


@dataclass(frozen=True)
class ExportFile:
    """`name` is its address on the results page and its name in a folder; `language`: of its words, "" where none."""

    name: str
    content_type: str
    pieces: Pieces | None  # None: the workbook, which writes to a file by itself
    group: str
    title: str
    purpose: str
    language: str = ""

    @property
    def stem(self) -> str:
        return self.name.rpartition(".")[0]

    @property
    def extension(self) -> str:
        return self.name.rpartition(".")[2]

    def write(self, material: Material, file: IO[bytes]) -> None:
        with translation.override(self.language or translation.get_language()):
            if self.pieces is None:
                from analysis.exports.xlsx import workbook_write  # nobody else needs the library

                workbook_write(material.report, material.told, material.table, file)
            else:
                file.writelines(self.pieces(material))


def export_files(report: StudyReport) -> list[ExportFile]:
    """In the order in which they are shown."""
    return [*_data(report), *_paper(report), *_programs(report)]


def export_file(report: StudyReport, name: str) -> ExportFile | None:
    return next((file for file in export_files(report) if file.name == name), None)


def _scales(report: StudyReport) -> list[str]:
    return [report.label("scale", scale.scale) for scale in sheets.ordered_scales(report)]


def _scale_name(scale: str) -> str:
    return str(SCALES[scale].name) if scale in SCALES else scale


def _data(report: StudyReport) -> list[ExportFile]:
    made = [
        ExportFile(
            "results.xlsx",
            XLSX,
            None,
            DATA,
            _("Workbook (XLSX)"),
            _("everything in one file for a spreadsheet: systems, pairs, clips, listeners and ratings"),
        ),
        ExportFile(
            "ratings.csv",
            CSV,
            lambda made_from: tidy.ratings_csv(made_from.table),
            DATA,
            _("Ratings (CSV)"),
            _("every rating that was stored, one per line: the data of the study"),
        ),
        ExportFile(
            "ratings-wide.csv",
            CSV,
            lambda made_from: wide.wide_csv(made_from.table),
            DATA,
            _("Ratings, wide (CSV)"),
            _("one line per listener and clip, one column per scale: for SPSS, JASP or a pivot table"),
        ),
        *(_matrix(scale) for scale in _scales(report)),
        ExportFile(
            "mos.csv",
            CSV,
            lambda made_from: [tidy.mos_csv(made_from.report)],
            DATA,
            _("MOS (CSV)"),
            _("every mean of the tables with both intervals, with all digits"),
        ),
        ExportFile(
            "differences.csv",
            CSV,
            lambda made_from: [tidy.pairs_csv(made_from.report)],
            DATA,
            _("Differences (CSV)"),
            _("every pair of systems, over all sources and for each, with intervals, p values and effect sizes"),
        ),
    ]
    return [*made, *_analysed(), *_questions(report)]


def _analysed() -> list[ExportFile]:
    said = {
        "systems": (_("Systems (CSV)"), _("intervals, ranks, groups and bootstrap of each system and source")),
        "clips": (_("Clips (CSV)"), _("MOS, interval, modelled score and histogram of each clip")),
        "listeners": (
            _("Listeners (CSV)"),
            _("bias, inconsistency and agreement of each listener, and why one is flagged"),
        ),
        "reliability": (_("Reliability (CSV)"), _("how well listeners agree, with intervals")),
        "variance": (_("Variance (CSV)"), _("how much of it is of listeners, how much of songs or clips")),
    }
    return [_table_csv(key, *words) for key, words in said.items()]


def _questions(report: StudyReport) -> list[ExportFile]:
    made = []
    if report.metrics and report.metrics.parts:
        purpose = _("objective metrics against listeners, at every level, and against each other")
        made.append(_csv("metrics", questions.metrics_csv, _("Correlations (CSV)"), purpose))
    if report.groups and report.groups.effects:
        purpose = _("groups of listeners, and order, fatigue and familiarity")
        made.append(_csv("groups-and-sessions", questions.groups_csv, _("Groups and sessions (CSV)"), purpose))
    return made


def _csv(key: str, make: Callable[[StudyReport], bytes], title: str, purpose: str) -> ExportFile:
    return ExportFile(f"{key}.csv", CSV, lambda made_from: [make(made_from.report)], DATA, title, purpose)


def _table_csv(key: str, title: str, purpose: str) -> ExportFile:
    """As in the results package."""

    def pieces(material: Material) -> Iterable[bytes]:
        return [result_tables.table(result_tables.TABLES[key], material.told.get(key, ()))]

    return ExportFile(f"{key}.csv", CSV, pieces, DATA, title, purpose)


def _matrix(scale: str) -> ExportFile:
    return ExportFile(
        f"matrix-{latex.slug(scale)}.csv",
        CSV,
        lambda made_from: wide.matrix_csv(made_from.table, scale),
        DATA,
        _("Clips × listeners: %(scale)s (CSV)") % {"scale": _scale_name(scale)},
        _("the classic matrix, one line per clip and one column per listener: for older tools"),
    )


def _paper(report: StudyReport) -> list[ExportFile]:
    languages = [code for code, _name in settings.LANGUAGES]
    made = [
        ExportFile(
            "methods.txt",
            TEXT,
            lambda made_from: [methods.methods_text(made_from.report, made_from.facts, languages).encode()],
            PAPER,
            _("Methods paragraph"),
            _("what ITU-T P.800.2 asks to be told with a MOS, in every language; gaps to fill in are marked"),
        )
    ]
    for language in languages:
        made.append(_document(language))
        made += [_table(key, title, language) for key, title in _table_titles(report)]
    return made


def _document(language: str) -> ExportFile:
    return ExportFile(
        f"tables-{language}.tex",
        TEX,
        lambda made_from: [latex.document_tex(made_from.report).encode()],
        PAPER,
        _("All tables (LaTeX)"),
        _("a document that compiles by itself, with booktabs"),
        language,
    )


def _table_titles(report: StudyReport) -> list[tuple[str, str]]:
    kinds = (
        ("systems", _("Systems: %(scale)s")),
        ("pairs", _("Pairs: %(scale)s")),
        ("variance", _("Variance: %(scale)s")),
    )
    named = [
        (f"{kind}-{latex.slug(scale)}", title % {"scale": _scale_name(scale)})
        for scale in _scales(report)
        for kind, title in kinds
    ]
    return [*named, ("reliability", _("Reliability"))] if named else []


def _table(key: str, title: str, language: str) -> ExportFile:
    def pieces(material: Material) -> Iterable[bytes]:
        return [latex.table_tex(table).encode() for table in latex.tables(material.report) if table.key == key]

    return ExportFile(f"table-{key}-{language}.tex", TEX, pieces, PAPER, title, _("one table, for \\input"), language)


def _programs(report: StudyReport) -> list[ExportFile]:
    made = [
        ExportFile(
            "results.json",
            JSON,
            lambda made_from: [as_json(made_from.told)],
            PROGRAMS,
            _("Analysis (JSON)"),
            _("the whole analysis as one object, as “manage.py analyse” gives it too"),
        ),
        ExportFile(
            "analysis.R",
            TEXT,
            lambda made_from: [r_lines.r_script(made_from.table, _controls(made_from.report)).encode()],
            PROGRAMS,
            _("Lines for R"),
            _("the same questions with lme4, ordinal and emmeans, from ratings.csv beside it"),
        ),
    ]
    for scale in _scales(report):
        made += [_sureal(scale, "json", JSON, sureal.sureal_json), _sureal(scale, "py", PYTHON, sureal.sureal_python)]
    return made


def _controls(report: StudyReport) -> Iterable[str]:
    return report.analysed.options.controls if report.analysed else ()


def _sureal(scale: str, extension: str, kind: str, make: Callable[[pd.DataFrame, str], bytes]) -> ExportFile:
    kinds = {"json": "JSON", "py": "Python"}
    return ExportFile(
        f"sureal-{latex.slug(scale)}.{extension}",
        kind,
        lambda made_from: [make(made_from.table, scale)],
        PROGRAMS,
        f"sureal: {_scale_name(scale)} ({kinds[extension]})",
        _("a dataset for sureal, Netflix’s models of listeners"),
    )
