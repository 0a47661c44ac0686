"""The page on which stems of other systems are imported, and what can be done with imported ones."""

from __future__ import annotations

import logging
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages as notices
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST

from separation import messages, selectors
from separation.access import researcher_required
from separation.import_forms import ImportForm, system_names
from separation.import_pages import result_row, song_told_apart
from separation.models import ImportedSystem, SeparationJob, Song
from separation.services.import_uploads import Sent, uploads_import
from separation.services.imported_systems import imported_stems_delete, system_delete
from separation.services.imports import Imported
from separation.services.songs import UploadRefused
from separation.uploads import LimitedUploadHandler

log = logging.getLogger(__name__)


@csrf_exempt  # checked below: the check reads the form, and how files are received must be said before that
@researcher_required
@require_http_methods(["GET", "HEAD", "POST"])
def stems_import(request: HttpRequest) -> HttpResponseBase:
    handler = LimitedUploadHandler(request, limit=settings.IMPORT_MAX_BYTES)
    request.upload_handlers = [handler]
    return _stems_import(request, handler)


@csrf_protect
def _stems_import(request: HttpRequest, handler: LimitedUploadHandler) -> HttpResponse:
    if request.method != "POST":
        form = ImportForm(
            label_suffix="", initial={"song": request.GET.get("song"), "system": request.GET.get("system")}
        )
        return _page(request, form, {})
    form = ImportForm(request.POST, request.FILES, label_suffix="")
    outcome = _outcome(request, form, handler)
    if request.headers.get("X-Requested-With") == "XMLHttpRequest":
        return render(request, "separation/_import_results.html", outcome)
    return _page(request, form, outcome)


def _outcome(request: HttpRequest, form: ImportForm, handler: LimitedUploadHandler) -> dict[str, Any]:
    """What the results show."""
    errors = [f"{name}: {_too_much(code)}" for name, code in handler.refused]
    if not form.is_valid():
        return {"errors": errors + [str(error) for of in form.errors.values() for error in of]}
    if errors:  # a set with a hole would be taken for what the model gives
        return {"errors": errors}
    try:
        imported = _imported(request, form)
    except UploadRefused as refusal:
        return {"errors": [messages.refusal_sentence(refusal.code, refusal.params)]}
    except Exception:
        log.exception("an import failed")
        return {"errors": [messages.sentence("import_failed")]}
    rows = [result_row(result) for result in imported.results]
    choosing = any(row["state"] == "choice" for row in rows)
    songs = [(song.pk, song_told_apart(song)) for song in Song.objects.order_by("title", "id")] if choosing else []
    return {"results": rows, "imported": imported, "songs": songs}


def _imported(request: HttpRequest, form: ImportForm) -> Imported:
    post = request.POST
    wish = form.wish(post.getlist("map_folder"), post.getlist("map_song"), post.getlist("only"))
    return uploads_import(sent=sent_files(request), wish=wish, by=request.user)


def sent_files(request: HttpRequest) -> list[Sent]:
    """Each file with the path that the browser says it was chosen from, where it says so."""
    files = request.FILES.getlist("stems")
    paths = request.POST.getlist("paths")
    return [(path or file.name or "", file) for path, file in zip(paths + [""] * len(files), files, strict=False)]


def _too_much(code: str) -> str:
    return messages.sentence(code, {"limit_mb": settings.IMPORT_MAX_BYTES // 2**20})


def _page(request: HttpRequest, form: ImportForm, outcome: dict[str, Any]) -> HttpResponse:
    context = {
        "section": "songs",
        "form": form,
        "systems": selectors.imported_systems(),
        "names": system_names(),
        "any_song": Song.objects.exists(),
        "limit_bytes": settings.IMPORT_MAX_BYTES,
        "limit_mb": settings.IMPORT_MAX_BYTES // 2**20,
        "too_big": _too_much("too_big"),
        **outcome,
    }
    return render(request, "separation/stems_import.html", context)


@researcher_required
@require_POST
def imported_system_delete(request: HttpRequest, key: str) -> HttpResponse:
    system = get_object_or_404(ImportedSystem, pk=key)
    try:
        system_delete(system=system)
    except UploadRefused as refusal:
        notices.error(request, messages.sentence(refusal.code, refusal.params), extra_tags="bad")
    else:
        text = _("“%(name)s” and all its stems were deleted.") % {"name": system.name}
        notices.success(request, text, extra_tags="good")
    return redirect("stems_import")


@researcher_required
@require_POST
def imported_delete(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """One song's stems of an imported system."""
    job = get_object_or_404(SeparationJob, pk=job_id)
    name, song_id = selectors.separator_name(job.separator), job.song_id
    try:
        imported_stems_delete(job=job)
    except UploadRefused as refusal:
        notices.error(request, messages.sentence(refusal.code, refusal.params), extra_tags="bad")
    else:
        text = _("The stems of “%(name)s” were deleted from this song.") % {"name": name}
        notices.success(request, text, extra_tags="good")
    return redirect("song", song_id)
