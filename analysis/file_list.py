"""The files of the results page, in groups: what each is for, and where it is."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from analysis.exports.files import DATA, PAPER, PROGRAMS, ExportFile, export_files
from analysis.report import StudyReport

FIRST = ("results.xlsx", "ratings.csv", "ratings-wide.csv", "mos.csv", "differences.csv", "methods.txt", "analysis.R")
"""What most people want; so are a document of all tables, and sureal's JSON. The rest opens on demand."""


@dataclass(frozen=True)
class FileLink:
    title: str
    purpose: str
    address: str


@dataclass(frozen=True)
class FileGroup:
    key: str
    title: str
    first: list[FileLink]
    rest: list[FileLink]


def file_groups(report: StudyReport) -> list[FileGroup]:
    """Without the files in other languages than the reader's."""
    own = [file for file in export_files(report) if file.language in ("", get_language())]
    titles = {DATA: _("Data"), PAPER: _("For a paper"), PROGRAMS: _("For other programs")}
    return [
        FileGroup(
            key,
            title,
            [_link(report, file) for file in own if file.group == key and _is_first(file)],
            [_link(report, file) for file in own if file.group == key and not _is_first(file)],
        )
        for key, title in titles.items()
    ]


def _is_first(file: ExportFile) -> bool:
    return file.name in FIRST or file.stem.startswith("tables-") or file.extension == "json"


def _link(report: StudyReport, file: ExportFile) -> FileLink:
    return FileLink(file.title, file.purpose, reverse("results_file", args=[report.study_id, file.name]))
