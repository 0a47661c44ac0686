"""Songs, jobs and stems in the administration: to look at. What would break the truth is done on their own pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse

from separation import messages
from separation.models import ImportedSystem, Measurement, SeparationJob, Song, Stem

if TYPE_CHECKING:  # generic for the type checker only
    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = admin.ModelAdmin


class LookedAt(ModelAdmin):
    """Rows belong to files on disk, so they are neither added, changed nor deleted here."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Song)
class SongAdmin(LookedAt):
    """Title, artist and style may change; all else says what the file is."""

    list_display = ["title", "artist", "style", "seconds", "original_format", "is_demo", "created_at"]
    list_filter = ["is_demo", "style"]
    search_fields = ["title", "artist", "original_name", "original_sha256"]
    fields = (
        "title", "artist", "style", "original_name", "original_format", "original_sample_rate", "original_channels",
        "original_sha256", "samples", "mixture_gain", "notes", "is_demo", "synthesis_seed", "uploaded_by", "created_at",
    )  # fmt: skip
    readonly_fields = fields[3:]

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return ModelAdmin.has_change_permission(self, request, obj)

    def view_on_site(self, song: Song) -> str:
        return reverse("song", args=[song.pk])


@admin.register(SeparationJob)
class SeparationJobAdmin(LookedAt):
    list_display = ["song", "separator", "weights", "state", "attempt", "progress", "queued_at", "finished_at"]
    list_filter = ["state", "separator", "weights"]
    list_select_related = ["song"]
    search_fields = ["song__title", "separator"]
    fields = (
        "song", "separator", "weights", "state", "attempt", "progress", "error", "error_code", "error_params", "ran",
        "queued_at", "sent_at", "started_at", "finished_at", "lease_until",
    )  # fmt: skip
    readonly_fields = fields

    @admin.display(description="error")
    def error(self, job: SeparationJob) -> str:
        return messages.sentence(job.error_code, job.error_params) if job.error_code else ""


@admin.register(Stem)
class StemAdmin(LookedAt):
    list_display = ["song", "source", "job", "gain", "created_at"]
    list_filter = ["source", "job__separator"]
    list_select_related = ["song", "job__song"]
    search_fields = ["song__title", "sha256"]
    fields = ("song", "job", "source", "gain", "sha256", "created_at")
    readonly_fields = fields


@admin.register(Measurement)
class MeasurementAdmin(LookedAt):
    list_display = ["song", "system", "start", "end", "state", "attempt", "progress", "finished_at"]
    list_filter = ["state", "job__separator"]
    list_select_related = ["job__song"]
    search_fields = ["job__song__title", "job__separator"]
    fields = (
        "song", "system", "job", "start", "end", "state", "attempt", "progress", "error", "figures", "method",
        "queued_at", "sent_at", "started_at", "finished_at", "lease_until",
    )  # fmt: skip
    readonly_fields = fields

    @admin.display(description="song")
    def song(self, measurement: Measurement) -> str:
        return str(measurement.job.song)

    @admin.display(description="system")
    def system(self, measurement: Measurement) -> str:
        return measurement.job.separator

    @admin.display(description="error")
    def error(self, measurement: Measurement) -> str:
        code, params = measurement.error_code, measurement.error_params
        return messages.measurement_sentence(code, params) if code else ""

    @admin.display(description="dB")
    def figures(self, measurement: Measurement) -> str:
        names = ("sdr", "isr", "sir", "sar", "si_sdr")
        return "\n".join(
            f"{found.source}: " + ", ".join(f"{name} {getattr(found, name)}" for name in names)
            for found in measurement.sources.all()
        )


@admin.register(ImportedSystem)
class ImportedSystemAdmin(LookedAt):
    list_display = ["name", "key", "created_at"]
    search_fields = ["name", "key"]
    fields = ("name", "key", "description", "created_at")
    readonly_fields = fields
