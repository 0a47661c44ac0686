"""The researcher's pages about who takes part: links, trial runs, listeners, their data, and their answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages as notices
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from listening_test import answer_exports, messages, recruiting, recruiting_selectors, rights_selectors
from listening_test.models import Clip, Invitation, ListeningSession, Study
from listening_test.refusal import Refused, StudyRefused
from listening_test.services import recruiting as services
from listening_test.services import rights, traps
from listening_test.typed_numbers import whole_number
from separation import csv_text
from separation import messages as separation_messages
from separation.access import researcher_required
from separation.services.songs import UploadRefused

LINKS = "#links"


def invitation_link(request: HttpRequest, invitation: Invitation) -> str:
    address = request.build_absolute_uri(reverse("listen", args=[invitation.study.token]))
    return f"{address}?{recruiting.INVITATION}={invitation.token}"


def _done(request: HttpRequest, study: Study, act: Callable[[], str], part: str) -> HttpResponse:
    """Do it and say so, or say why not; then back to where it was asked."""
    try:
        notices.success(request, act(), extra_tags="good")
    except (Refused, StudyRefused) as refusal:
        notices.error(request, messages.sentence(refusal.code, refusal.params), extra_tags="bad")
    except UploadRefused as refusal:
        notices.error(request, separation_messages.sentence(refusal.code, refusal.params), extra_tags="bad")
    return redirect(reverse("study", args=[study.id]) + part)


# ── Links ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@researcher_required
@require_POST
def links_add(request: HttpRequest, study_id: UUID) -> HttpResponse:
    """As many links as are asked for, or one for each line of labels."""
    study = get_object_or_404(Study, id=study_id)
    labels = [line.strip() for line in request.POST.get("labels", "").splitlines() if line.strip()]
    asked = whole_number(request.POST.get("count", "").strip()) or 0

    def add() -> str:
        made = len(services.invitations_add(study=study, count=max(asked, len(labels)), labels=labels))
        return ngettext("%(count)s link was made.", "%(count)s links were made.", made) % {"count": made}

    return _done(request, study, add, LINKS)


@researcher_required
@require_POST
def link_remove(request: HttpRequest, study_id: UUID, link_id: UUID) -> HttpResponse:
    study = get_object_or_404(Study, id=study_id)
    invitation = get_object_or_404(study.invitations, id=link_id)

    def remove() -> str:
        services.invitation_remove(invitation=invitation)
        return _("The link was removed. It lets nobody in any more.")

    return _done(request, study, remove, LINKS)


@never_cache
@researcher_required
@require_GET
def links_csv(request: HttpRequest, study_id: UUID) -> HttpResponse:
    study = get_object_or_404(Study, id=study_id)
    rows = [["label", "link", "used", "completed"]]
    for invitation in recruiting_selectors.invitations(study):
        session = getattr(invitation, "session", None)
        completed = session is not None and session.completed_at is not None
        told = [invitation.label, invitation_link(request, invitation), session is not None, completed]
        rows.append([csv_text.cell(value) for value in told])
    return _download(csv_text.lines(rows), "text/csv; charset=utf-8", "links.csv")


@researcher_required
@require_POST
def study_try(request: HttpRequest, study_id: UUID) -> HttpResponse:
    """Into the study as a listener; a session of its own each time, which never counts."""
    study = get_object_or_404(Study, id=study_id)
    try:
        invitation = services.try_link_add(study=study)
    except Refused as refusal:
        notices.error(request, messages.sentence(refusal.code, refusal.params), extra_tags="bad")
        return redirect("study", study.id)
    return redirect(invitation_link(request, invitation))


# ── Listeners ───────────────────────────────────────────────────────────────────────────────────────────────────────


@researcher_required
@require_GET
def listeners(request: HttpRequest, study_id: UUID) -> HttpResponse:
    study = get_object_or_404(Study, id=study_id)
    context = {
        "section": "studies",
        "study": study,
        "sessions": study.sessions.select_related("listener", "invitation").order_by("number"),
        "recruited": recruiting_selectors.recruited(study),
        "participant_name": recruiting.participant_name(study.platform),
    }
    return render(request, "listening_test/researcher/listeners.html", context)


def _session(study_id: UUID, session_id: UUID) -> ListeningSession:
    sessions = ListeningSession.objects.select_related("study", "listener", "invitation")
    return get_object_or_404(sessions, id=session_id, study=study_id)


@never_cache
@researcher_required
@require_GET
def listener_data(request: HttpRequest, study_id: UUID, session_id: UUID) -> HttpResponse:
    """All that is stored of one listener: what they may ask for."""
    session = _session(study_id, session_id)
    record = rights_selectors.session_record(session, for_researcher=True)
    answer = JsonResponse(record, json_dumps_params={"ensure_ascii": False, "indent": 2})
    answer["Content-Disposition"] = f'attachment; filename="listener-{session.number}.json"'
    return answer


@researcher_required
@require_POST
def listener_erase(request: HttpRequest, study_id: UUID, session_id: UUID) -> HttpResponse:
    session = _session(study_id, session_id)
    rights.session_erase(session=session)
    words = _("Everything about listener %(number)s was erased. Their place is free again.")
    notices.success(request, words % {"number": session.number + 1}, extra_tags="good")
    return redirect("study_listeners", study_id)


# ── Answers ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@never_cache
@researcher_required
@require_GET
def answers_csv(request: HttpRequest, study_id: UUID) -> HttpResponse:
    study = get_object_or_404(Study, id=study_id)
    return _download(answer_exports.answers_csv(study), "text/csv; charset=utf-8", "answers.csv")


@never_cache
@researcher_required
@require_GET
def answers_json(request: HttpRequest, study_id: UUID) -> HttpResponse:
    study = get_object_or_404(Study, id=study_id)
    answer = JsonResponse(
        list(answer_exports.answer_rows(study)), safe=False, json_dumps_params={"ensure_ascii": False}
    )
    answer["Content-Disposition"] = 'attachment; filename="answers.json"'
    return answer


def _download(content: bytes, content_type: str, name: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(content, content_type=content_type, headers=headers)


# ── Spoken attention checks ─────────────────────────────────────────────────────────────────────────────────────────


@researcher_required
@require_POST
def trap_add(request: HttpRequest, study_id: UUID) -> HttpResponse:
    study = get_object_or_404(Study, id=study_id)
    file, answer = request.FILES.get("recording"), whole_number(request.POST.get("answer", ""))

    def add() -> str:
        if file is None:
            raise Refused("trap_no_file")
        language = request.POST.get("language", "")
        traps.trap_recording_add(study=study, language=language, file=file, answer=answer or 0)
        return _("The recording was stored.")

    return _done(request, study, add, "#recordings")


@researcher_required
@require_POST
def trap_remove(request: HttpRequest, study_id: UUID, clip_id: UUID) -> HttpResponse:
    study = get_object_or_404(Study, id=study_id)
    clip = get_object_or_404(study.clips, id=clip_id, purpose=Clip.Purpose.TRAP)

    def remove() -> str:
        traps.trap_recording_remove(clip=clip)
        return _("The recording was removed.")

    return _done(request, study, remove, "#recordings")


def recordings_context(study: Study) -> dict[str, Any]:
    """For the study's page: the recordings so far."""
    spoken = study.trap_kind == Study.TrapKind.SPOKEN and study.traps_per_listener > 0
    clips = study.clips.filter(purpose=Clip.Purpose.TRAP).order_by("language", "created_at", "id")
    names = dict(settings.LANGUAGES)
    rows = [(clip, names.get(clip.language, clip.language), _answer_of(clip)) for clip in clips]
    return {"recordings": rows, "spoken": spoken, "languages": settings.LANGUAGES, "steps": range(1, 6)}


def _answer_of(clip: Clip) -> Any:
    return next(iter(clip.expected.values()), ["?"])[0]
