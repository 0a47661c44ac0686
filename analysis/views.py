"""The results page of a study, its files and its figures."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import translation
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET

from analysis import dataset, exports, presentation, words
from analysis.charts import CHARTS, CONTENT_TYPES, THEMES, WIDTHS
from analysis.report import StudyReport
from analysis.selectors import study_report
from listening_test.models import Study
from separation.access import researcher_required

CSV_TYPE = "text/csv; charset=utf-8"
Response = TypeVar("Response", bound=HttpResponseBase)


@researcher_required
@require_GET
def results(request: HttpRequest, study_id: UUID) -> HttpResponse:
    study = get_object_or_404(Study, id=study_id)
    report = study_report(study)
    context = {"section": "studies", "study": study, "report": report, "provenance": words.provenance(report)}
    if report.counts.counted:
        context |= _numbers(report)
    return render(request, "analysis/results.html", context)


def _numbers(report: StudyReport) -> dict[str, Any]:
    pairs = presentation.pair_views(report)
    return {
        "scales": presentation.scale_views(report),
        "systems": presentation.system_names(report),
        "tables": presentation.tables(report),
        "pairs": pairs,
        "pair_notes": presentation.pair_notes(pairs),
        "figures": presentation.figure_files(report),
        "explained": presentation.explanations_by_place(),
    }


@researcher_required
@require_GET
def results_ratings_csv(request: HttpRequest, study_id: UUID) -> HttpResponseBase:
    study = get_object_or_404(Study, id=study_id)
    name = presentation.file_name(study_report(study), "ratings", "csv")
    return _attached(StreamingHttpResponse(exports.ratings_csv(dataset.ratings(study)), content_type=CSV_TYPE), name)


@researcher_required
@require_GET
def results_mos_csv(request: HttpRequest, study_id: UUID) -> HttpResponse:
    report = study_report(get_object_or_404(Study, id=study_id))
    return _csv(report, "mos", exports.mos_csv(report))


@researcher_required
@require_GET
def results_differences_csv(request: HttpRequest, study_id: UUID) -> HttpResponse:
    report = study_report(get_object_or_404(Study, id=study_id))
    return _csv(report, "differences", exports.pairs_csv(report))


def _csv(report: StudyReport, what: str, content: bytes) -> HttpResponse:
    return _attached(HttpResponse(content, content_type=CSV_TYPE), presentation.file_name(report, what, "csv"))


@researcher_required
@require_GET
def results_chart(request: HttpRequest, study_id: UUID, chart: str, format: str) -> HttpResponse:
    """A figure. `theme`, `width` and `lang` choose how it is drawn, `download` names a file, `v` is for caches only."""
    from analysis import plots  # loads matplotlib, which no other page needs

    report = study_report(get_object_or_404(Study, id=study_id))
    theme = _choice(request, "theme", THEMES)
    width = _choice(request, "width", WIDTHS)
    language = _choice(request, "lang", [translation.get_language(), *dict(settings.LANGUAGES)])
    if chart not in CHARTS or format not in CONTENT_TYPES or not report.counts.counted:
        raise Http404
    with translation.override(language):
        content = plots.draw(report, chart, format=format, theme=theme, width=width)
    response = HttpResponse(content, content_type=CONTENT_TYPES[format])
    if request.GET.get("v") == report.version:  # this address will always show these very data
        response["Cache-Control"] = "private, max-age=31536000, immutable"
    if "download" in request.GET:
        return _attached(response, presentation.file_name(report, chart, format))
    return response


def _choice(request: HttpRequest, name: str, known: Iterable[str | None]) -> str:
    """What the address asks for, else the first that there is."""
    names = [choice for choice in known if choice]
    asked = request.GET.get(name, names[0])
    if asked not in names:
        raise Http404
    return asked


def _attached(response: Response, name: str) -> Response:
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name) or "attachment"
    return response
