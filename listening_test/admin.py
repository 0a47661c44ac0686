"""The stock admin: everything can be looked at; what listeners gave cannot be changed there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from listening_test.models import Clip, Excerpt, Listener, ListeningSession, Rating, Study, StudyText, Trial

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
    list_display = ("name", "state", "is_demo", "created_at", "opened_at", "closed_at")
    list_filter = ("state", "is_demo")
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
    list_display = ("study", "number", "language", "step", "started_at", "completed_at")
    list_filter = ("step", "language", "study")
    list_select_related = ("study",)
    exclude = ("token",)


@admin.register(Trial)
class TrialAdmin(LookOnly):
    list_display = ("session", "position", "clip", "heard_at", "finished_at", "plays")
    list_select_related = ("session__study", "clip")
    list_filter = ("session__study",)


@admin.register(Rating)
class RatingAdmin(LookOnly):
    list_display = ("trial", "scale", "value", "given_at", "changes")
    list_filter = ("scale", "value", "trial__session__study")
    list_select_related = ("trial__session__study",)
