"""The pictures of a report as the results page shows them: each with its sentence, its numbers and its files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from analysis import presentation
from analysis.figures.base import Chart, Numbers
from analysis.figures.catalogue import CHARTS, CONTENT_TYPES
from analysis.report import StudyReport

ON_CARDS = frozenset({"quality", "contamination"})  # pictures that stand at the top of the page


@dataclass(frozen=True)
class PictureView:
    """`files`: addresses by format."""

    name: str
    title: str
    sentence: str
    picture: presentation.Picture
    numbers: Numbers
    files: list[tuple[str, str]]


def pictures_context(report: StudyReport) -> dict[str, Any]:
    """`pictures`, and in `picture_notes` why others are not there."""
    shown = {name: chart for name, chart in CHARTS.items() if name not in ON_CARDS}
    reasons = {name: chart.why_not(report) for name, chart in shown.items()}
    return {
        "pictures": [_view(report, name, chart) for name, chart in shown.items() if not reasons[name]],
        "picture_notes": list(dict.fromkeys(reason for reason in reasons.values() if reason)),
    }


def _view(report: StudyReport, name: str, chart: Chart) -> PictureView:
    title = chart.title(report)
    files = [(format.upper(), presentation.chart_address(report, name, format)) for format in CONTENT_TYPES]
    picture = presentation.picture(report, name, title)
    return PictureView(name, title, chart.sentence(report), picture, chart.numbers(report), files)
