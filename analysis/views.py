"""The results page of a study and its figures."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import translation
from django.utils.http import content_disposition_header
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_GET

from analysis import page, presentation, services, words
from analysis.figures.base import WIDTHS
from analysis.figures.catalogue import CHARTS, CONTENT_TYPES, THEMES
from analysis.selectors import is_large, page_kept, report_shown, shown, study_report
from listening_test.models import Study
from separation.access import researcher_required

Response = TypeVar("Response", bound=HttpResponseBase)


@researcher_required
@require_GET
def results(request: HttpRequest, study_id: UUID) -> HttpResponse:
    """Of a large study the page that was computed last, at once; new ratings are computed in the background."""
    study = get_object_or_404(Study, id=study_id)
    kept = page_kept(study)
    now = shown(study, kept)
    if now.is_due:
        services.results_ask(study=study)
    context: dict[str, Any] = {"section": "studies", "study": study, "shown": now, "news": words.news(now)}
    context |= {"computing": words.being_computed(now)}
    if not is_large(now.state):
        report = study_report(study, now.state)
        context |= {"simulated": report.counts.simulated, "body": page.html_of(report, study)}
    elif kept:
        context |= {"simulated": kept.simulated, "body": mark_safe(kept.html)}  # noqa: S308  rendered by ourselves
    return render(request, "analysis/results.html", context)


@researcher_required
@require_GET
def results_chart(request: HttpRequest, study_id: UUID, chart: str, format: str) -> HttpResponse:
    """A figure. `theme`, `width` and `lang` choose how it is drawn, `download` names a file, `v` is for caches only."""
    from analysis.figures.drawing import draw  # loads matplotlib, which no other page needs

    report = report_shown(get_object_or_404(Study, id=study_id))
    theme = _choice(request, "theme", THEMES)
    width = _choice(request, "width", WIDTHS)
    language = _choice(request, "lang", [translation.get_language(), *dict(settings.LANGUAGES)])
    if report is None or chart not in CHARTS or format not in CONTENT_TYPES or CHARTS[chart].why_not(report):
        raise Http404
    with translation.override(language):
        content = draw(report, chart, format=format, theme=theme, width=width)
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
