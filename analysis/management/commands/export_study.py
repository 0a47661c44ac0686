"""manage.py export_study STUDY --out FOLDER: every file of the results page, written to a folder."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from rest_framework.renderers import JSONRenderer

from analysis import dataset
from analysis.exports.files import Material, export_files
from analysis.figures.catalogue import CONTENT_TYPES, charts_of
from analysis.figures.drawing import draw
from analysis.package import package_write, study_results
from analysis.report import StudyReport
from analysis.results_json import as_json
from analysis.selectors import study_report
from analysis.serializers import ReportSerializer
from analysis.study_facts import study_facts
from listening_test.models import Study

PACKAGE = "results-package.zip"


class Command(BaseCommand):
    help = "Writes the files, figures and results package of a study into a folder."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "study", help="its id, or the token in the listeners' link (after -- where it begins with a dash)"
        )
        parser.add_argument("--out", type=Path, required=True, help="a folder; it is made where it is not there")

    def handle(self, *args: Any, study: str, out: Path, **options: Any) -> None:
        found = study_find(study)
        out.mkdir(parents=True, exist_ok=True)
        report = study_report(found)
        material = Material(report, lambda: dataset.ratings(found), lambda: study_facts(found))
        for export in export_files(report):
            with (out / export.name).open("wb") as file:
                export.write(material, file)
        for name, content in files(report).items():
            (out / name).write_bytes(content)
        (out / "results.json").write_bytes(as_json(study_results(report, material.table)))
        with (out / f"{PACKAGE}.part").open("w+b") as file:
            package_write(report, material.table, file)
        (out / f"{PACKAGE}.part").replace(out / PACKAGE)
        self.stdout.write(f"{report.counts.stored} ratings of “{report.name}” → {out}")


def study_find(name: str) -> Study:
    try:
        found = Study.objects.filter(token=name).first() or Study.objects.filter(id=name).first()
    except ValidationError:
        found = None
    if found is None:
        raise CommandError(f"No study has the id or token {name!r}.")
    return found


def files(report: StudyReport) -> dict[str, bytes]:
    """What no other list has; figures only where there is something to draw."""
    report_json = JSONRenderer().render(ReportSerializer(report).data, renderer_context={"indent": 1})
    made = {"report.json": report_json}
    for chart in charts_of(report):
        for format in CONTENT_TYPES:
            made[f"{chart}.{format}"] = draw(report, chart, format=format)
    return made
