"""The stock admin: everything can be looked at; what listeners gave cannot be changed there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from listening_test.models import (
    Clip,
    EquipmentCheck,
    Excerpt,
    Invitation,
    Listener,
    ListeningSession,
    Rating,
    Study,
    StudyText,
    Trial,
)

if TYPE_CHECKING:  # generic for the type checker only
    ModelAdmin = admin.ModelAdmin[Any]
    TabularInline = admin.TabularInline[Any, Study]
else:
    ModelAdmin, TabularInline = admin.ModelAdmin, admin.TabularInline


class LookOnly(ModelAdmin):
    """Rows that only the service itself writes: studies are changed on their own pages, ratings never."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class LookOnlyInline(TabularInline):
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class ExcerptInline(LookOnlyInline):
    model = Excerpt


class TextInline(LookOnlyInline):
    model = StudyText


@admin.register(Study)
class StudyAdmin(LookOnly):
    list_display = ("name", "version", "state", "is_demo", "quota", "retention_days", "opened_at", "closed_at")
    list_filter = ("state", "is_demo", "links", "scale_layout", "loudness_rule")
    readonly_fields = ("version", "design_digest")
    search_fields = ("name",)
    inlines = (ExcerptInline, TextInline)


@admin.register(Clip)
class ClipAdmin(LookOnly):
    list_display = ("study", "purpose", "excerpt", "source", "system", "role", "loudness_lufs", "gain_db")
    list_filter = ("purpose", "source", "system")
    list_select_related = ("study", "excerpt__song")


@admin.register(Listener)
class ListenerAdmin(LookOnly):
    list_display = ("id", "simulated", "created_at")
    list_filter = ("simulated",)


@admin.register(ListeningSession)
class SessionAdmin(LookOnly):
    list_display = (
        "study",
        "number",
        "slot",
        "language",
        "step",
        "is_test",
        "started_at",
        "completed_at",
        "given_up_at",
    )
    list_filter = ("step", "is_test", "language", "study")
    list_select_related = ("study",)
    exclude = ("token", "personal_code")  # these open the session: they are the listener's own


@admin.register(Invitation)
class InvitationAdmin(LookOnly):
    list_display = ("study", "label", "is_test", "created_at")
    list_filter = ("is_test", "study")
    list_select_related = ("study",)
    exclude = ("token",)


@admin.register(EquipmentCheck)
class EquipmentCheckAdmin(LookOnly):
    list_display = ("session", "kind", "attempt", "passed", "judged_at")
    list_filter = ("kind", "passed", "session__study")
    list_select_related = ("session__study",)


@admin.register(Trial)
class TrialAdmin(LookOnly):
    list_display = ("session", "position", "scale", "clip", "repeat", "instructed", "heard_at", "finished_at", "plays")
    list_select_related = ("session__study", "clip")
    list_filter = ("repeat", "session__study")


@admin.register(Rating)
class RatingAdmin(LookOnly):
    list_display = ("trial", "scale", "value", "given_at", "changes")
    list_filter = ("scale", "value", "trial__session__study")
    list_select_related = ("trial__session__study",)
