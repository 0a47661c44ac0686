"""The researcher's pages: the list of studies, one study, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages as notices
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from listening_test import messages, outline_selectors, recruiting, recruiting_selectors, selectors, study_words
from listening_test.design_selectors import design_unchanged
from listening_test.models import Clip, Study
from listening_test.services import studies as services
from listening_test.services.studies import StudyRefused
from listening_test.systems import system_name
from listening_test.views.study_people import invitation_link, recordings_context
from separation.access import researcher_required
from separation.models import Song
from separation.serving import audio_response

# ── Lists and one study ─────────────────────────────────────────────────────────────────────────────────────────────


@researcher_required
@require_GET
def studies(request: HttpRequest) -> HttpResponse:
    context = {"section": "studies", "rows": selectors.study_rows(), "has_songs": Song.objects.exists()}
    return render(request, "listening_test/researcher/studies.html", context)


@researcher_required
@require_GET
def study(request: HttpRequest, study_id: UUID) -> HttpResponse:
    study = get_object_or_404(Study, id=study_id)
    context = {
        "section": "studies",
        "study": study,
        "progress": selectors.study_progress(study),
        "systems": [(key, system_name(key)) for key in study.systems],
        "sources": [messages.source_name(key) for key in study.sources],
        "excerpts": study.excerpts.select_related("song"),
        "clips_made": selectors.clips_made(study),
        "clips_expected": selectors.clips_expected(study),
        "outline": outline_selectors.outline_sentence(outline_selectors.study_outline(study)),
        "options": study_words.options_in_words(study),
        "recruited": recruiting_selectors.recruited(study),
        "design_unchanged": design_unchanged(study),
        "languages": settings.LANGUAGES,
        "languages_said": study_words.languages_in_words(),
        "link": request.build_absolute_uri(reverse("listen", args=[study.token])),
        "needs_name": services.deleting_needs_name(study),
        **(_draft_context(study) if study.is_editable else _preview_context(study)),
        **(_links_context(request, study) if study.is_open else {}),
        **recordings_context(study),
    }
    return render(request, "listening_test/researcher/study.html", context)


def _draft_context(study: Study) -> dict[str, Any]:
    missing = [
        (gap, system_name(gap.system), [messages.source_name(source) for source in gap.sources])
        for gap in selectors.stems_missing(study)
    ]
    return {
        "errors": messages.sentences(study.preparation_error),
        "problems": [messages.sentence(problem.code, problem.params) for problem in selectors.study_problems(study)],
        "advice": [messages.sentence(advice.code, advice.params) for advice in outline_selectors.study_advice(study)],
        "missing": missing,
        "can_separate": any(gap.can_be_separated for gap, _system, _sources in missing),
    }


def _preview_context(study: Study) -> dict[str, Any]:
    if study.state == Study.State.PREPARING:
        return {}
    preview = [
        (excerpt, [(messages.source_name(source), _named(clips)) for source, clips in by_source.items()])
        for excerpt, by_source in selectors.excerpt_clips(study)
    ]
    calibration = study.clips.filter(purpose=Clip.Purpose.CALIBRATION).order_by("role")
    return {"preview": preview, "calibration": calibration}


def _links_context(request: HttpRequest, study: Study) -> dict[str, Any]:
    link = request.build_absolute_uri(reverse("listen", args=[study.token]))
    rows = [
        (invitation, invitation_link(request, invitation), getattr(invitation, "session", None))
        for invitation in recruiting_selectors.invitations(study)
    ]
    return {
        "links": rows,
        "links_used": sum(session is not None for _invitation, _link, session in rows),
        "platform_link": recruiting.entry_link(study.platform, link) if study.platform else "",
        "endings": study_words.endings_in_words(study),
    }


def _named(clips: list[Clip]) -> list[tuple[str, Clip]]:
    return [(system_name(clip.system), clip) for clip in clips]


@researcher_required
@require_GET
def clip_audio_preview(request: HttpRequest, study_id: UUID, clip_id: UUID) -> HttpResponseBase:
    clip = get_object_or_404(Clip, id=clip_id, study=study_id)
    return audio_response(request, clip.file)


# ── Actions ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@researcher_required
@require_POST
def study_separate(request: HttpRequest, study_id: UUID) -> HttpResponse:
    """Separate the excerpts that lack a stem."""
    study = get_object_or_404(Study, id=study_id)
    jobs = services.excerpts_separate(study=study)
    text = ngettext("%(count)s separation was queued.", "%(count)s separations were queued.", len(jobs))
    notices.success(request, text % {"count": len(jobs)}, extra_tags="good")
    return redirect("study", study.id)


@researcher_required
@require_POST
def study_open(request: HttpRequest, study_id: UUID) -> HttpResponse:
    return _act(request, study_id, lambda study: services.study_open(study=study))


@researcher_required
@require_POST
def study_stop(request: HttpRequest, study_id: UUID) -> HttpResponse:
    return _act(request, study_id, lambda study: services.study_preparation_stop(study=study))


@researcher_required
@require_POST
def study_close(request: HttpRequest, study_id: UUID) -> HttpResponse:
    return _act(request, study_id, lambda study: services.study_close(study=study))


@researcher_required
@require_POST
def study_reopen(request: HttpRequest, study_id: UUID) -> HttpResponse:
    return _act(request, study_id, lambda study: services.study_reopen(study=study))


@researcher_required
@require_POST
def study_duplicate(request: HttpRequest, study_id: UUID) -> HttpResponse:
    study = get_object_or_404(Study, id=study_id)
    copy = services.study_duplicate(study=study, created_by=request.user)  # type: ignore[arg-type]
    notices.success(request, _("This is the copy. It has no ratings yet."))
    return redirect("study", copy.id)


@researcher_required
@require_POST
def study_version(request: HttpRequest, study_id: UUID) -> HttpResponse:
    """A draft of what comes after a study whose design is frozen."""
    study = get_object_or_404(Study, id=study_id)
    try:
        later = services.study_new_version(study=study, created_by=request.user)  # type: ignore[arg-type]
    except StudyRefused as refusal:
        notices.error(request, messages.sentence(refusal.code, refusal.params), extra_tags="bad")
        return redirect("study", study.id)
    notices.success(request, _("This is version %(number)s. It has no ratings yet.") % {"number": later.version})
    return redirect("study", later.id)


@researcher_required
@require_POST
def study_delete(request: HttpRequest, study_id: UUID) -> HttpResponse:
    study = get_object_or_404(Study, id=study_id)
    try:
        services.study_delete(study=study, typed_name=request.POST.get("typed_name", ""))
    except StudyRefused as refusal:
        notices.error(request, messages.sentence(refusal.code, refusal.params), extra_tags="bad")
        return redirect("study", study.id)
    notices.success(request, _("“%(name)s” was deleted.") % {"name": study.name}, extra_tags="good")
    return redirect("studies")


def _act(request: HttpRequest, study_id: UUID, act: Callable[[Study], Study]) -> HttpResponse:
    """Do it, or say why not; either way the study's page shows how things stand."""
    study = get_object_or_404(Study, id=study_id)
    try:
        act(study)
    except StudyRefused as refusal:
        notices.error(request, messages.sentence(refusal.code, refusal.params), extra_tags="bad")
    return redirect("study", study.id)
