"""What a researcher does on a song's page with true stems and measurements, and the downloads."""

from __future__ import annotations

import logging
from typing import Any
from uuid import UUID

from django.contrib import messages as notices
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_POST, require_safe

from separation import messages
from separation.access import researcher_required
from separation.forms import MeasureForm
from separation.measurement_exports import measurements_csv, seconds_csv
from separation.measurement_selectors import measurements_of
from separation.models import SeparationJob, Song
from separation.services import references
from separation.services.measurements import MeasurementRefused, measurement_start
from separation.services.songs import UploadRefused, shown_name
from separation.stem_names import source_of
from separation.uploads import LimitedUploadHandler, limit_params

log = logging.getLogger(__name__)


# ── true stems ───────────────────────────────────────────────────────────────────────────────────────


@csrf_exempt  # checked below: the check reads the form, and how files are received must be said before that
@researcher_required
@require_POST
def references_add(request: HttpRequest, song_id: UUID) -> HttpResponseBase:
    handler = LimitedUploadHandler(request)
    request.upload_handlers = [handler]
    return _references_add(request, song_id, handler)


@csrf_protect
def _references_add(request: HttpRequest, song_id: UUID, handler: LimitedUploadHandler) -> HttpResponse:
    song = get_object_or_404(Song, pk=song_id)
    try:
        references.references_add(song=song, files=_by_source(request.FILES.getlist("stems"), handler))
    except UploadRefused as refusal:
        _say_refused(request, refusal)
    except Exception:
        log.exception("the true stems of %s were not taken in", song_id)
        notices.error(request, messages.sentence("upload_failed"), extra_tags="bad")
    else:
        notices.success(
            request, _("The true stems were added. What was separated is measured against them."), extra_tags="good"
        )
    return redirect("song", song_id)


def _by_source(files: list[Any], handler: LimitedUploadHandler) -> dict[str, UploadedFile[Any]]:
    """Each file under the source that its name names. Raises `UploadRefused`."""
    if handler.refused:
        name, code = handler.refused[0]
        raise UploadRefused(code, {"file": name, **limit_params()})
    found: dict[str, UploadedFile[Any]] = {}
    for file in files:
        name = shown_name(file.name or "")
        source = source_of(name)
        if source is None:
            raise UploadRefused("source_unnamed", {"file": name})
        if source in found:
            raise UploadRefused("source_twice", {"source": source})
        found[source] = file
    return found


@researcher_required
@require_POST
def references_delete(request: HttpRequest, song_id: UUID) -> HttpResponse:
    try:
        references.references_delete(song=get_object_or_404(Song, pk=song_id))
    except UploadRefused as refusal:
        _say_refused(request, refusal)
    else:
        notices.success(request, _("The true stems were removed."), extra_tags="good")
    return redirect("song", song_id)


def _say_refused(request: HttpRequest, refusal: UploadRefused) -> None:
    notices.error(request, messages.refusal_sentence(refusal.code, refusal.params), extra_tags="bad")


# ── measuring ────────────────────────────────────────────────────────────────────────────────────────


@researcher_required
@require_POST
def song_measure(request: HttpRequest, song_id: UUID) -> HttpResponse:
    """A part of a separation, or one whose measurement failed once more."""
    song = get_object_or_404(Song, pk=song_id)
    form = MeasureForm(request.POST)
    if not form.is_valid():
        notices.warning(request, _("Nothing was measured: %(why)s") % {"why": form.first_error()}, extra_tags="warn")
        return redirect("song", song.pk)
    wanted = form.wanted()
    job = get_object_or_404(SeparationJob.objects.select_related("song"), pk=wanted.pop("job"), song=song)
    try:
        measurement_start(job=job, **wanted)
    except MeasurementRefused as refusal:
        notices.error(request, messages.sentence(refusal.code), extra_tags="bad")
    return redirect("song", song.pk)


# ── downloads ────────────────────────────────────────────────────────────────────────────────────────


@researcher_required
@require_safe
def measurements_file(request: HttpRequest) -> HttpResponseBase:
    return _file("measurements.csv", measurements_csv(_asked(request)))


@researcher_required
@require_safe
def seconds_file(request: HttpRequest) -> HttpResponseBase:
    return _file("measurements-per-second.csv", seconds_csv(_asked(request)))


def _asked(request: HttpRequest) -> Any:
    return measurements_of(song=request.GET.get("song"), system=request.GET.get("system"))


def _file(name: str, pieces: Any) -> HttpResponseBase:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(pieces, content_type="text/csv; charset=utf-8", headers=headers)
