"""Listeners, their sessions, and what they answered about themselves (kept apart from ratings)."""

from __future__ import annotations

import secrets
import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from listening_test.models.study import Study

CODE_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # nothing that is mistaken for something else


def new_session_token() -> str:
    return secrets.token_urlsafe(32)


def new_completion_code() -> str:
    return "".join(secrets.choice(CODE_ALPHABET) for _place in range(8))


class Listener(models.Model):
    """A participant. No name, no address, no IP."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    simulated = models.BooleanField(default=False)  # made by the project to show the results page; never a person
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["created_at", "id"]
        verbose_name = _("listener")
        verbose_name_plural = _("listeners")

    def __str__(self) -> str:
        return str(self.id)


class ListeningSession(models.Model):
    """One listener's visit to one study."""

    class Step(models.TextChoices):
        CONSENT = "consent", _("Consent")
        QUESTIONNAIRE = "questionnaire", _("Questionnaire")
        INSTRUCTIONS = "instructions", _("Instructions")
        CALIBRATION = "calibration", _("Calibration")
        TRIALS = "trials", _("Clips")
        CLOSING = "closing", _("Last questions")
        DONE = "done", _("Done")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="sessions")
    listener = models.ForeignKey(Listener, on_delete=models.CASCADE, related_name="sessions")
    number = models.PositiveIntegerField()  # place among the study's sessions, 0 first: what the design gives it
    token = models.CharField(max_length=64, unique=True, default=new_session_token, editable=False)
    language = models.CharField(max_length=10, choices=settings.LANGUAGES)
    step = models.CharField(max_length=14, choices=Step.choices, default=Step.CONSENT)
    consented_at = models.DateTimeField(null=True, blank=True)
    consent_sha256 = models.CharField(max_length=64, blank=True)  # of the text that was agreed to
    quality_first = models.BooleanField()  # order of the two scales on the page
    device = models.JSONField(default=dict, blank=True)  # what the browser says of itself: rate, latency, name
    completion_code = models.CharField(max_length=12, unique=True, default=new_completion_code, editable=False)
    started_at = models.DateTimeField(default=timezone.now, editable=False)
    completed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["study", "number"]
        verbose_name = _("session")
        verbose_name_plural = _("sessions")
        constraints = [
            models.UniqueConstraint(fields=["study", "number"], name="one_session_per_place"),
            models.UniqueConstraint(fields=["study", "listener"], name="one_session_per_listener_and_study"),
            models.CheckConstraint(
                condition=models.Q(step="consent") | models.Q(consented_at__isnull=False),
                name="nothing_before_consent",
            ),
            models.CheckConstraint(
                condition=~models.Q(step="done") | models.Q(completed_at__isnull=False), name="done_has_a_date"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.study} · {self.number}"


class Answer(models.Model):
    """One answer of the questionnaire. `question` is a key of `questionnaire.py`, with the song's id where per song."""

    session = models.ForeignKey(ListeningSession, on_delete=models.CASCADE, related_name="answers")
    question = models.CharField(max_length=80)
    value = models.JSONField()
    given_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["session", "question"]
        verbose_name = _("answer")
        verbose_name_plural = _("answers")
        constraints = [models.UniqueConstraint(fields=["session", "question"], name="one_answer_per_question")]

    def __str__(self) -> str:
        return f"{self.session} · {self.question}"
