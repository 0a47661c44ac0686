"""The results page without its frame: what of a report stands where."""

from __future__ import annotations

from typing import Any

from django.template.loader import render_to_string

from analysis import listener_views, presentation, trust_views, words
from analysis.file_list import file_groups
from analysis.group_views import groups_context
from analysis.metric_views import metrics_context
from analysis.pair_views import pair_sections, secondary_views
from analysis.picture_views import pictures_context
from analysis.report import StudyReport
from analysis.statistics.comparison import MARGIN
from listening_test.models import Study


def html_of(report: StudyReport, study: Study) -> str:
    """In the active language."""
    return render_to_string("analysis/results_body.html", page_context(report, study))


def page_context(report: StudyReport, study: Study) -> dict[str, Any]:
    context: dict[str, Any] = {"study": study, "report": report, "provenance": words.provenance(report)}
    if not report.counts.counted:
        return context
    context |= pictures_context(report) | metrics_context(report) | groups_context(report)
    return context | {
        "scales": presentation.scale_views(report),
        "systems": presentation.system_names(report),
        "tables": presentation.tables(report),
        "margin": words.number(MARGIN),
        "pair_sections": pair_sections(report),
        "secondary": secondary_views(report),
        "listeners": listener_views.listeners_view(report),
        "trust": trust_views.trust_view(report),
        "clips": trust_views.clips_view(report),
        "figures": presentation.figure_files(report),
        "files": file_groups(report),
        "explained": presentation.explanations_by_place(),
    }
