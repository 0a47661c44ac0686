"""How many listeners and songs: before there is a study, for a study, and as a live forecast on a study's page."""

from __future__ import annotations

from typing import Any, TypeVar
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from analysis import planning_words, words
from analysis.forms import FIRST, PlanningForm
from analysis.planning import Answer, Live, Observed, Wish, answer, live, observed
from analysis.report import StudyReport
from analysis.selectors import report_shown
from analysis.statistics.crossed import MIN_LISTENERS, MIN_SONGS
from listening_test.models import Study
from listening_test.scales import SCALES
from listening_test.selectors import study_songs, systems_rated
from separation.access import researcher_required

OfScale = TypeVar("OfScale", Observed, Live)


@researcher_required
@require_GET
def planning(request: HttpRequest) -> HttpResponse:
    return render(request, "analysis/planning.html", {"section": "studies", **_asked(request, FIRST)})


@researcher_required
@require_GET
def study_planning(request: HttpRequest, study_id: UUID) -> HttpResponse:
    study = get_object_or_404(Study, id=study_id)
    report = report_shown(study)
    first = study_wish(study, report)
    known = _in_order(observed(report.analysed)) if report and report.analysed else []
    context = {"section": "studies", "study": study, **_asked(request, first, known)}
    wish = context["wish"] or first
    context["songs_planned"] = len(study_songs(study))
    return render(request, "analysis/planning.html", context | _forecast(report, wish))


@researcher_required
@require_GET
def study_forecast(request: HttpRequest, study_id: UUID) -> HttpResponse:
    """A few lines for the study's page, which asks for them when it has been shown."""
    study = get_object_or_404(Study, id=study_id)
    report = report_shown(study)
    context = {"study": study, **_forecast(report, study_wish(study, report))}
    return render(request, "analysis/planning_forecast.html", context)


def study_wish(study: Study, report: StudyReport | None) -> Wish:
    """A study as it is planned, or as it has become."""
    came = report.counts.listeners if report else 0
    return Wish(
        listeners=max(study.quota or FIRST.listeners, came, MIN_LISTENERS),
        songs=max(len(study_songs(study)), MIN_SONGS),
        systems=max(len(systems_rated(study)), 2),
        sources=max(len(study.sources), 1),
        clips=study.trials_per_listener,
    )


# ── What the pages show ─────────────────────────────────────────────────────────────────────────────────────────────


def _asked(request: HttpRequest, first: Wish, known: list[Observed] | None = None) -> dict[str, Any]:
    form = PlanningForm.asked(request.GET, first)
    wish = form.wish()
    context: dict[str, Any] = {"form": form, "wish": wish, "stopping": planning_words.stopping()}
    if wish is None:
        return context
    if not known:
        return context | {"answers": [_answered("", answer(wish))]}
    answers = [_answered(planning_words.scale_name(one.scale), answer(wish, one.spreads), one) for one in known]
    return context | {"answers": answers}


def _answered(name: str, found: Answer, known: Observed | None = None) -> dict[str, Any]:
    return {
        "name": name,
        "own_mean": known is not None and known.mean is not None,
        "own_difference": known is not None and known.difference is not None,
        "gives": planning_words.gives(found),
        "needs": planning_words.needs(found),
        "session": planning_words.session(found),
        "columns": [words.whole(cell.plan.listeners) for cell in found.table[0]],
        "lines": [
            (words.whole(line[0].plan.songs), [_cell(cell.half_width, found.wish) for cell in line])
            for line in found.table
        ],
    }


def _cell(half_width: float, wish: Wish) -> tuple[str, bool]:
    return words.number(half_width), half_width <= wish.half_width


def _in_order(found: list[OfScale]) -> list[OfScale]:
    """As listeners see the scales."""
    order = list(map(str, SCALES))
    return sorted(found, key=lambda one: order.index(one.scale) if one.scale in order else len(order))


def _forecast(report: StudyReport | None, wish: Wish) -> dict[str, Any]:
    known = live(report.analysed, wish.listeners, wish.half_width) if report and report.analysed else []
    found = _in_order(known)
    return {
        "forecast": [planning_words.stands(one, wish.half_width) for one in found],
        "listeners": report.counts.listeners if report else 0,
        "songs": report.counts.songs if report else 0,
        "least_listeners": MIN_LISTENERS,
        "least_songs": MIN_SONGS,
    }
