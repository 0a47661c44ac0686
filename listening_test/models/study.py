"""A study: which excerpts, sources and systems are compared, and in which words."""

from __future__ import annotations

import secrets
import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from separation.models import Song


def new_token() -> str:
    """An address that cannot be guessed, short enough to be typed."""
    return secrets.token_urlsafe(9)


def new_seed() -> int:
    return secrets.randbelow(2**31)


class Study(models.Model):
    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PREPARING = "preparing", _("Preparing clips")
        OPEN = "open", _("Open")
        CLOSED = "closed", _("Closed")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    token = models.CharField(max_length=32, unique=True, default=new_token, editable=False)
    name = models.CharField(_("name"), max_length=200, help_text=_("For you. Listeners see the title below."))
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    seed = models.PositiveBigIntegerField(default=new_seed, editable=False)  # of every random choice in the study
    sources = models.JSONField(default=list)  # source keys, in order
    systems = models.JSONField(default=list)  # system keys, in order; a separator's registry key is its system key
    trials_per_listener = models.PositiveSmallIntegerField(
        _("clips per listener"),
        null=True,
        blank=True,
        help_text=_("Leave empty to let every listener rate every clip."),
    )
    show_mixture = models.BooleanField(
        _("listeners may hear the original mixture"),
        default=False,
        help_text=_("A button under the player plays the same excerpt before separation."),
    )
    is_demo = models.BooleanField(default=False)  # its songs or weights are the project's own, its numbers teach only
    preparation_until = models.DateTimeField(null=True, blank=True)  # lease of the worker that makes the clips
    preparation_sent_at = models.DateTimeField(null=True, blank=True)  # when its task was last sent
    preparation_attempt = models.PositiveSmallIntegerField(default=0)  # workers that have begun since it was opened
    preparation_error = models.JSONField(default=dict, blank=True)  # {"refusals": [{"code": …, "params": {…}}]}
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    opened_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "id"]
        verbose_name = _("study")
        verbose_name_plural = _("studies")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=["draft", "preparing", "open", "closed"]), name="study_state_known"
            ),
            models.CheckConstraint(
                condition=~models.Q(state="open") | models.Q(opened_at__isnull=False), name="open_study_has_a_date"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_editable(self) -> bool:
        return self.state == self.State.DRAFT

    @property
    def is_open(self) -> bool:
        return self.state == self.State.OPEN


class StudyText(models.Model):
    """A text in the researcher's own words. Where there is none, the product's own stands."""

    class Key(models.TextChoices):
        TITLE = "title", _("Title")
        CONSENT = "consent", _("Consent")
        INSTRUCTIONS = "instructions", _("Instructions")
        THANKS = "thanks", _("Thanks")

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="texts")
    language = models.CharField(max_length=10, choices=settings.LANGUAGES)
    key = models.CharField(max_length=20, choices=Key.choices)
    text = models.TextField()

    class Meta:
        ordering = ["study", "language", "key"]
        constraints = [
            models.UniqueConstraint(fields=["study", "language", "key"], name="one_text_per_study_language_and_key")
        ]

    def __str__(self) -> str:
        return f"{self.study} · {self.language} · {self.key}"


class Excerpt(models.Model):
    """A start and an end in a song, in seconds."""

    MIN_SECONDS, MAX_SECONDS = 1.0, 30.0

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="excerpts")
    song = models.ForeignKey(Song, on_delete=models.PROTECT, related_name="excerpts")
    start = models.FloatField(_("start (s)"))
    end = models.FloatField(_("end (s)"))

    class Meta:
        ordering = ["study", "id"]
        verbose_name = _("excerpt")
        verbose_name_plural = _("excerpts")
        constraints = [
            models.UniqueConstraint(fields=["study", "song", "start", "end"], name="excerpt_once_per_study"),
            models.CheckConstraint(
                condition=models.Q(start__gte=0.0, end__gt=models.F("start")), name="excerpt_ends_after_its_start"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.song} {self.start:g}–{self.end:g} s"

    @property
    def seconds(self) -> float:
        return self.end - self.start

    @property
    def span(self) -> tuple[int, int]:
        """Its first sample in the song, and the first one after it."""
        return round(self.start * settings.SAMPLE_RATE), round(self.end * settings.SAMPLE_RATE)
