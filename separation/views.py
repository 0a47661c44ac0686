"""The researcher's pages of songs."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages as notices
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_POST, require_safe

from separation import messages, selectors
from separation import systems as systems_page
from separation.access import researcher_required
from separation.forms import SeparatorsForm, SongForm, UploadForm
from separation.import_pages import imported_card
from separation.measurement_pages import measurement_context
from separation.measurement_selectors import any_measured
from separation.models import SeparationJob, Song, Stem
from separation.separators import registry
from separation.separators.base import SeparatorError
from separation.services import jobs as job_services
from separation.services import songs as song_services
from separation.services.done_jobs import StemsInUse, stems_are_there, studies_of
from separation.services.songs import SongInUse, UploadRefused
from separation.services.stem_songs import is_stem_name, song_add_stem_file
from separation.serving import audio_response
from separation.uploads import LimitedUploadHandler

State = SeparationJob.State

log = logging.getLogger(__name__)


@researcher_required
@require_safe
def songs(request: HttpRequest) -> HttpResponse:
    cards = [_job_cards(song) for song in selectors.songs_with_jobs()]
    context = {"section": "songs", "songs": cards, "any_measured": any_measured()}
    return render(request, "separation/songs.html", context)


@researcher_required
@require_safe
def systems(request: HttpRequest) -> HttpResponse:
    return render(request, "separation/systems.html", systems_page.page())


# ── uploading ────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Uploaded:
    """What became of one file."""

    name: str
    song: Song | None = None
    error: str = ""

    def as_json(self) -> dict[str, str | None]:
        address = reverse("song", args=[self.song.pk]) if self.song else None
        return {"name": self.name, "url": address, "title": self.song.title if self.song else None, "error": self.error}


@csrf_exempt  # checked below: the check reads the form, and how files are received must be said before that
@researcher_required
def song_add(request: HttpRequest) -> HttpResponseBase:
    handler = LimitedUploadHandler(request)
    request.upload_handlers = [handler]
    return _song_add(request, handler)


@csrf_protect
def _song_add(request: HttpRequest, handler: LimitedUploadHandler) -> HttpResponse:
    if request.method != "POST":
        return _upload_page(request, UploadForm(label_suffix=""), [])
    form = UploadForm(request.POST, request.FILES, label_suffix="")
    results = [Uploaded(name, error=_limit_sentence(code)) for name, code in handler.refused]
    if form.is_valid():
        results += [_take_in(file, form.cleaned_data, request.user) for file in form.cleaned_data["sounds"]]
        results = results or [Uploaded("", error=messages.sentence("no_file"))]
    if "application/json" in request.headers.get("Accept", ""):
        return JsonResponse({"results": [result.as_json() for result in results], "errors": form.errors})
    return _after_upload(request, form, results)


def _limit_sentence(code: str) -> str:
    return messages.sentence(code, {"limit_mb": settings.UPLOAD_MAX_BYTES // 2**20})


def _take_in(file: UploadedFile[Any], data: dict[str, Any], user: Any) -> Uploaded:
    name = song_services.shown_name(file.name or "")
    try:
        add = song_add_stem_file if is_stem_name(name) else song_services.song_add
        song = add(file=file, style=data["style"], uploaded_by=user)
    except UploadRefused as refusal:
        return Uploaded(name, error=messages.sentence(refusal.code, refusal.params))
    except Exception:
        log.exception("the upload of %r failed", name)
        return Uploaded(name, error=messages.sentence("upload_failed"))
    for separator in data["separators"]:
        job_services.job_start(song=song, separator=separator)
    return Uploaded(name, song)


def _after_upload(request: HttpRequest, form: UploadForm, results: list[Uploaded]) -> HttpResponse:
    added = [result.song for result in results if result.song]
    if not form.is_valid() or len(added) < len(results):
        return _upload_page(request, form, results)
    for song in added:
        notices.success(request, _("“%(title)s” was added.") % {"title": song.title}, extra_tags="good")
    return redirect("song", added[0].pk) if len(added) == 1 else redirect("songs")


def _upload_page(request: HttpRequest, form: UploadForm, results: list[Uploaded]) -> HttpResponse:
    choices = selectors.separator_choices()
    ready = _first_of_each_family(choices)
    context = {
        "section": "songs",
        "form": form,
        "results": results,
        "choices": _explained(choices),
        "checked": form["separators"].value() or [] if form.is_bound else ready,
        "styles": selectors.styles_used(),
        "limit_bytes": settings.UPLOAD_MAX_BYTES,
        "limit_mb": settings.UPLOAD_MAX_BYTES // 2**20,
        "limit_minutes": settings.SONG_MAX_SECONDS // 60,
        "too_big": _limit_sentence("too_big"),
    }
    return render(request, "separation/song_add.html", context)


USUAL = {"umxhq", "spleeter:4stems", "htdemucs"}


def _first_of_each_family(choices: list[selectors.Choice]) -> list[str]:
    """Of the published systems that can run: all of them at once would take hours."""
    first: dict[str, str] = {}
    for choice in sorted(choices, key=lambda choice: choice.key not in USUAL):
        if choice.is_ready and not choice.is_demo:
            first.setdefault(choice.family, choice.key)
    return list(first.values())


def _explained(choices: list[selectors.Choice]) -> list[dict[str, Any]]:
    """Choices, those that can run first, with the sentence and the command for the others."""
    ordered = sorted(choices, key=lambda choice: not choice.is_ready)
    return [
        {
            "choice": choice,
            "why": messages.explanation(choice.problem.code, choice.problem.params) if choice.problem else "",
            "how": messages.command(choice.problem.params) if choice.problem else "",
        }
        for choice in ordered
    ]


# ── one song ─────────────────────────────────────────────────────────────────────────────────────────


@researcher_required
@require_safe
def song(request: HttpRequest, song_id: UUID) -> HttpResponse:
    return _song_page(request, get_object_or_404(selectors.songs_with_jobs(), pk=song_id))


def _song_page(request: HttpRequest, song: Song, form: SongForm | None = None) -> HttpResponse:
    good = [job for job in song.jobs.all() if job.is_live or (job.state == State.DONE and stems_are_there(job))]
    taken = {job.separator for job in good if job.is_whole}
    choices = [choice for choice in selectors.separator_choices() if choice.key not in taken]
    shown = _job_cards(song)
    for card in shown["cards"]:
        card["studies"] = ", ".join(studies_of(card["job"]))
    context = {
        "section": "songs",
        **shown,
        "references": selectors.stems_sorted(list(song.references)),  # type: ignore[attr-defined]
        "notes": messages.note_sentences(song),
        "length": messages.duration(song.seconds),
        "choices": _explained(choices),
        "any_ready": any(choice.is_ready for choice in choices),
        "any_fast": any(choice.is_ready and registry.fast_key(choice.key) for choice in choices),
        "precision": SeparatorsForm(label_suffix="")["fast"],
        "form": form or SongForm(instance=song, label_suffix=""),
        "editing": form is not None,
        "styles": selectors.styles_used(),
        **measurement_context(song, list(song.references)),  # type: ignore[attr-defined]
    }
    return render(request, "separation/song.html", context)


TONES = {"done": "good", "running": "accent", "failed": "bad", "cancelled": "warn"}


def _job_cards(song: Song) -> dict[str, Any]:
    """A song with what its pages show of each job."""
    cards = [
        {
            "job": job,
            "name": selectors.separator_name(job.separator),
            "tone": TONES.get(job.state, ""),
            "percent": round(100 * job.progress),
            "weights": messages.WEIGHTS.get(job.weights, job.weights),
            "way": messages.WAYS.get(job.ran.get("way", ""), ""),
            "parts": [messages.span(start, end) for start, end in job.spans],
            "stems": [_with_part(stem) for stem in selectors.stems_sorted(list(job.stems.all()))],
            "why": messages.explanation(job.error_code, job.error_params) if job.error_code else "",
            "how": messages.command(job.error_params),
            "attempts": settings.JOB_MAX_ATTEMPTS,
            **imported_card(job),
        }
        for job in song.jobs.all()
    ]
    return {"song": song, "cards": cards, "length": messages.duration(song.seconds)}


def _with_part(stem: Stem) -> Stem:
    """The stem of a part says of which."""
    stem.part = "" if stem.samples is None else messages.span(stem.start, stem.start + stem.samples)  # type: ignore[attr-defined]
    return stem


@researcher_required
@require_POST
def song_edit(request: HttpRequest, song_id: UUID) -> HttpResponse:
    song = get_object_or_404(selectors.songs_with_jobs(), pk=song_id)
    form = SongForm(request.POST, instance=song, label_suffix="")
    if not form.is_valid():
        song.refresh_from_db(fields=["title", "artist", "style"])
        return _song_page(request, song, form)
    song_services.song_update(song=song, **form.cleaned_data)
    notices.success(request, _("The changes were saved."), extra_tags="good")
    return redirect("song", song.pk)


@researcher_required
@require_POST
def song_delete(request: HttpRequest, song_id: UUID) -> HttpResponse:
    song = get_object_or_404(Song, pk=song_id)
    try:
        song_services.song_delete(song=song)
    except SongInUse as refusal:
        notices.error(request, messages.sentence(refusal.code), extra_tags="bad")
        return redirect("song", song_id)
    notices.success(request, _("“%(title)s” and its stems were deleted.") % {"title": song.title}, extra_tags="good")
    return redirect("songs")


@researcher_required
@require_POST
def song_separate(request: HttpRequest, song_id: UUID) -> HttpResponse:
    song = get_object_or_404(Song, pk=song_id)
    form = SeparatorsForm(request.POST)
    chosen = form.keys() if form.is_valid() else []
    if not chosen:
        notices.warning(request, _("Nothing was started: no separator was chosen."), extra_tags="warn")
    for separator in chosen:
        _started(request, job_services.job_start, song=song, separator=separator)
    return redirect("song", song_id)


def _started(request: HttpRequest, start: Callable[..., SeparationJob], **what: Any) -> None:
    """Start a job, or say why there is none."""
    try:
        start(**what)
    except (SeparatorError, StemsInUse) as refusal:
        notices.error(request, messages.sentence(refusal.code, refusal.params), extra_tags="bad")


@researcher_required
@require_POST
def job_cancel(request: HttpRequest, job_id: UUID) -> HttpResponse:
    job = get_object_or_404(SeparationJob, pk=job_id)
    job_services.job_cancel(job=job)
    return redirect("song", job.song_id)


@researcher_required
@require_POST
def job_retry(request: HttpRequest, job_id: UUID) -> HttpResponse:
    job = get_object_or_404(SeparationJob, pk=job_id)
    _started(request, job_services.job_retry, job=job)
    return redirect("song", job.song_id)


@researcher_required
@require_POST
def job_again(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """What is done is separated once more, in its place."""
    job = get_object_or_404(SeparationJob, pk=job_id)
    _started(request, job_services.job_again, job=job)
    return redirect("song", job.song_id)


# ── sound ────────────────────────────────────────────────────────────────────────────────────────────


@researcher_required
@require_safe
def song_audio(request: HttpRequest, song_id: UUID) -> HttpResponseBase:
    return audio_response(request, get_object_or_404(Song, pk=song_id).mixture)


@researcher_required
@require_safe
def stem_audio(request: HttpRequest, stem_id: UUID) -> HttpResponseBase:
    return audio_response(request, get_object_or_404(Stem, pk=stem_id).file)
