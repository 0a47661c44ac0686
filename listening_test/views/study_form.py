"""The page on which a study is made and changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages as notices
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from listening_test import (
    equipment,
    messages,
    outline_selectors,
    questionnaire,
    selectors,
    suggestion,
    suggestion_words,
)
from listening_test.excerpt_forms import BaseExcerptFormSet, excerpt_forms, spans_initial
from listening_test.forms import StudyForm, content_new, study_choices, study_initial
from listening_test.models import Study
from listening_test.outline import Outline
from listening_test.questionnaire import Kind
from listening_test.recruiting_form import RecruitingForm
from listening_test.services import studies as services
from listening_test.services.studies import StudyContent, StudyRefused
from separation.access import researcher_required
from separation.models import Song
from separation.selectors import REFERENCE

OWN_KINDS = (
    (Kind.CHOICE, _("One of several options")),
    (Kind.CHOICES, _("Any number of options")),
    (Kind.STEPS, _("Scale")),
    (Kind.NUMBER, _("Number")),
    (Kind.LINE, _("Short text")),
    (Kind.TEXT, _("Longer text")),
)

Save = Callable[[StudyContent], Study]


@researcher_required
@require_http_methods(["GET", "POST"])
def study_add(request: HttpRequest) -> HttpResponse:
    def save(content: StudyContent) -> Study:
        return services.study_add(content=content, created_by=request.user)  # type: ignore[arg-type]

    return _page(request, None, save)


@researcher_required
@require_http_methods(["GET", "POST"])
def study_edit(request: HttpRequest, study_id: UUID) -> HttpResponse:
    study = get_object_or_404(Study, id=study_id)
    if not study.is_editable:
        notices.warning(request, messages.sentence("not_draft"), extra_tags="warn")
        return redirect("study", study.id)
    return _page(request, study, lambda content: services.study_update(study=study, content=content))


@researcher_required
@require_http_methods(["GET", "POST"])
def study_recruiting(request: HttpRequest, study_id: UUID) -> HttpResponse:
    """What may change while listeners come."""
    study = get_object_or_404(Study, id=study_id)
    if not study.is_open:
        notices.warning(request, messages.sentence("not_open"), extra_tags="warn")
        return redirect("study", study.id)
    form = RecruitingForm(request.POST if request.method == "POST" else None, study=study)
    if form.is_bound and form.is_valid() and form.save():
        return redirect("study", study.id)
    context = {"section": "studies", "study": study, "form": form}
    return render(request, "listening_test/researcher/recruiting_form.html", context)


def _page(request: HttpRequest, study: Study | None, save: Save) -> HttpResponse:
    offer = selectors.systems_by_song()
    form, excerpts = _forms(request, study, offer)
    if request.method == "POST" and form.is_valid() and excerpts.is_valid():
        try:
            saved = save(form.content(excerpts.spans()))
        except StudyRefused as refusal:  # it was opened in another tab while it was being changed here
            form.add_error(None, messages.sentence(refusal.code, refusal.params))
        else:
            return redirect("study", saved.id)
    return render(request, "listening_test/researcher/study_form.html", _context(study, form, excerpts, offer))


def _forms(request: HttpRequest, study: Study | None, offer: selectors.Offer) -> tuple[StudyForm, BaseExcerptFormSet]:
    content = services.study_content(study) if study else content_new()
    choices = study_choices(offer, content)
    if request.method == "POST":
        return StudyForm(request.POST, choices=choices), excerpt_forms(request.POST)
    return StudyForm(choices=choices, initial=study_initial(content)), excerpt_forms(initial=spans_initial(content))


def _context(
    study: Study | None, form: StudyForm, excerpts: BaseExcerptFormSet, offer: selectors.Offer
) -> dict[str, Any]:
    by_song = {
        str(song): {system: sorted(sources) for system, sources in systems.items()} for song, systems in offer.items()
    }
    return {
        "section": "studies",
        "study": study,
        "form": form,
        "excerpts": excerpts,
        "offer": json.dumps(by_song),
        "ready": json.dumps(selectors.systems_ready()),
        "has_songs": Song.objects.exists(),
        "songs_url": reverse("songs"),
        "long_excerpt": outline_selectors.LONG_EXCERPT_SECONDS,
        "kinds": OWN_KINDS,
        "pieces": json.dumps(_pieces()),
        "usual": json.dumps(questionnaire.usual()),
        "languages": settings.LANGUAGES,
    }


def _pieces() -> list[dict[str, Any]]:
    """The ready pieces, for the builder of the questionnaire."""
    pieces = questionnaire.PIECES.values()
    return [
        {"key": each.key, "group": str(each.group), "name": str(each.name), "place": each.place, "needed": each.needed}
        for each in pieces
    ]


# ── What a study would ask of its listeners ─────────────────────────────────────────────────────────────────────────


@researcher_required
@require_POST
def study_outline(request: HttpRequest) -> JsonResponse:
    """The form as it stands, in a sentence and in what a careful colleague would add. Nothing is saved."""
    choices = study_choices(selectors.systems_by_song(), StudyContent(name=""))
    form, excerpts = StudyForm(request.POST, choices=choices), excerpt_forms(request.POST)
    form.is_valid()
    data = form.cleaned_data
    rows = [row.cleaned_data for row in excerpts.forms if row.is_valid() and row.has_changed()]
    outline = _outline(data, rows)
    songs = {row["song"].pk: row["song"].title for row in rows}
    advice = [
        *outline_selectors.outline_advice(outline, systems=len(data.get("systems", ()))),
        *outline_selectors.controls_advice(data.get("controls", ()), songs, data.get("sources", ())),
    ]
    return JsonResponse(
        {
            "summary": outline_selectors.outline_sentence(outline),
            "advice": [messages.sentence(each.code, each.params) for each in advice] if outline.rated_clips else [],
        }
    )


def _outline(data: Mapping[str, Any], rows: list[dict[str, Any]]) -> Outline:
    """What was not filled in well counts as not filled in."""
    checks = [
        kind for kind in equipment.KINDS if data.get(f"equipment_{kind}", equipment.OFF) not in (equipment.OFF, "")
    ]
    return Outline(
        seconds=tuple(row["end"] - row["start"] for row in rows),
        sources=len(data.get("sources", ())),
        conditions=len({*data.get("systems", ()), *data.get("controls", ())}),
        left_out=_left_out(data, rows),
        trials_per_listener=data.get("trials_per_listener"),
        repeats=data.get("repeats_per_listener") or 0,
        traps=data.get("traps_per_listener") or 0,
        apart=data.get("scale_layout") == Study.ScaleLayout.APART,
        block_trials=data.get("block_trials"),
        practice=bool(data.get("practice")),
        checks=len(checks),
        questions=outline_selectors.questions_asked(data.get("questions"), len({row["song"].pk for row in rows})),
        quota=data.get("quota"),
    )


def _left_out(data: Mapping[str, Any], rows: list[dict[str, Any]]) -> int:
    """Clips of the hidden reference that cannot be."""
    if REFERENCE not in data.get("controls", ()):
        return 0
    lacking = outline_selectors.references_lacking({row["song"].pk for row in rows}, data.get("sources", ()))
    return sum((row["song"].pk, source) in lacking for row in rows for source in data.get("sources", ()))


@researcher_required
@require_GET
def excerpt_suggestion(request: HttpRequest, song_id: UUID) -> JsonResponse:
    """Where an excerpt of the song might well be, and where not, given `system` and `source` as often as chosen."""
    song = get_object_or_404(Song, id=song_id)
    found = suggestion.excerpt_suggestions(
        song=song, systems=request.GET.getlist("system"), sources=request.GET.getlist("source")
    )
    return JsonResponse(suggestion_words.suggestions_json(found))
