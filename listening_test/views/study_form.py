"""The page on which a study is made and changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages as notices
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from listening_test import messages, selectors, suggestion
from listening_test.forms import (
    BaseExcerptFormSet,
    StudyForm,
    excerpt_forms,
    spans_initial,
    study_choices,
    study_initial,
)
from listening_test.models import Study
from listening_test.services import studies as services
from listening_test.services.studies import StudyContent, StudyRefused
from separation.access import researcher_required
from separation.models import Song

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
    content = services.study_content(study) if study else StudyContent(name="")
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
        "seconds_to_rate": selectors.SECONDS_TO_RATE,
        "minutes_around": selectors.MINUTES_AROUND,
        "long_excerpt": selectors.LONG_EXCERPT_SECONDS,
    }


@researcher_required
@require_GET
def excerpt_suggestion(request: HttpRequest, song_id: UUID) -> JsonResponse:
    """Where an excerpt of the song might well be, given `system` and `source` as often as chosen."""
    song = get_object_or_404(Song, id=song_id)
    start, end = suggestion.excerpt_suggestion(
        song=song, systems=request.GET.getlist("system"), sources=request.GET.getlist("source")
    )
    return JsonResponse({"start": start, "end": end})
