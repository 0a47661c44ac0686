"""manage.py export_study STUDY --out FOLDER: every file of the results page, written to a folder."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from rest_framework.renderers import JSONRenderer

from analysis import dataset, exports, plots
from analysis.charts import CHARTS, CONTENT_TYPES
from analysis.report import StudyReport
from analysis.selectors import study_report
from analysis.serializers import ReportSerializer
from listening_test.models import Study


class Command(BaseCommand):
    help = "Writes a study's ratings, MOS, differences, report and figures into a folder."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("study", help="its id, or the token in the listeners' link")
        parser.add_argument("--out", type=Path, required=True, help="a folder; it is made where it is not there")

    def handle(self, *args: Any, study: str, out: Path, **options: Any) -> None:
        found = study_find(study)
        out.mkdir(parents=True, exist_ok=True)
        report = study_report(found)
        with (out / "ratings.csv").open("wb") as file:
            file.writelines(exports.ratings_csv(dataset.ratings(found)))
        for name, content in files(report).items():
            (out / name).write_bytes(content)
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
    """File names and contents; figures only where there is something to draw."""
    report_json = JSONRenderer().render(ReportSerializer(report).data, renderer_context={"indent": 1})
    made = {
        "mos.csv": exports.mos_csv(report),
        "differences.csv": exports.pairs_csv(report),
        "report.json": report_json,
    }
    if report.counts.counted:
        for chart in CHARTS:
            for format in CONTENT_TYPES:
                made[f"{chart}.{format}"] = plots.draw(report, chart, format=format)
    return made
