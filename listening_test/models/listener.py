"""Listeners, their sessions, and what they answered about themselves (kept apart from ratings)."""

from __future__ import annotations

import secrets
import uuid

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from listening_test.models.study import Study, languages

CODE_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # nothing that is mistaken for something else


def new_invitation_token() -> str:
    return secrets.token_urlsafe(12)


def new_session_token() -> str:
    return secrets.token_urlsafe(32)


def new_personal_code() -> str:
    """What a listener keeps: it finds their answers again from any browser. 80 bits, in groups that can be read out."""
    places = "".join(secrets.choice(CODE_ALPHABET) for _place in range(16))
    return "-".join(places[at : at + 4] for at in range(0, 16, 4))


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


class Invitation(models.Model):
    """A link for one listener, or a researcher's link to try the study, whose sessions never count."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="invitations")
    token = models.CharField(max_length=32, unique=True, default=new_invitation_token, editable=False)
    is_test = models.BooleanField(default=False)
    label = models.CharField(max_length=200, blank=True)  # the researcher's own word for whom it is
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["study", "created_at", "id"]
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")

    def __str__(self) -> str:
        return self.label or str(self.id)


class ListeningSession(models.Model):
    """One listener's visit to one study."""

    class Step(models.TextChoices):
        CONSENT = "consent", _("Consent")
        EQUIPMENT = "equipment", _("Sound check")
        QUESTIONNAIRE = "questionnaire", _("Questionnaire")
        INSTRUCTIONS = "instructions", _("Instructions")
        CALIBRATION = "calibration", _("Calibration")
        PRACTICE = "practice", _("Practice")
        TRIALS = "trials", _("Clips")
        CLOSING = "closing", _("Last questions")
        DONE = "done", _("Done")
        ENDED = "ended", _("Ended before the rating")  # a check that the study makes a condition was not passed

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="sessions")
    listener = models.ForeignKey(Listener, on_delete=models.CASCADE, related_name="sessions")
    number = models.PositiveIntegerField()  # in order of arrival, 0 first
    slot = models.PositiveIntegerField(null=True, blank=True)  # place in the design, 0 first; null for a test link
    is_test = models.BooleanField(default=False)  # by a test link of the researcher's: never counted
    personal_code = models.CharField(max_length=20, unique=True, null=True, editable=False)  # see `new_personal_code`
    invitation = models.OneToOneField(
        "listening_test.Invitation", null=True, blank=True, on_delete=models.SET_NULL, related_name="session"
    )
    platform = models.JSONField(default=dict, blank=True)  # parameters of the recruiting platform's link
    seen_at = models.DateTimeField(default=timezone.now)  # last sign of life
    given_up_at = models.DateTimeField(null=True, blank=True)  # its slot went to somebody else; its ratings stay
    ended_reason = models.CharField(max_length=40, blank=True)  # code: why it ended before the rating
    calibrated_at = models.DateTimeField(null=True, blank=True)  # last time that the examples were heard through
    warned_at = models.DateTimeField(null=True, blank=True)  # told, once and kindly, to take the time to listen
    token = models.CharField(max_length=64, unique=True, default=new_session_token, editable=False)
    language = models.CharField(max_length=10, choices=languages)
    step = models.CharField(max_length=14, choices=Step.choices, default=Step.CONSENT)
    consented_at = models.DateTimeField(null=True, blank=True)
    consent_sha256 = models.CharField(max_length=64, blank=True)  # of the text that was agreed to
    quality_first = models.BooleanField()  # order of the two scales on the page
    device = models.JSONField(default=dict, blank=True)  # what the browser says of itself: rate, latency, name
    completion_code = models.CharField(max_length=12, unique=True, default=new_completion_code, editable=False)
    started_at = models.DateTimeField(default=timezone.now, editable=False)
    completed_at = models.DateTimeField(null=True, blank=True)
    # So that asking whether a study has new ratings costs no count of all of them:
    rating_count = models.PositiveIntegerField(default=0, editable=False)  # stored ratings of clips, repeats too
    rating_changes = models.PositiveIntegerField(default=0, editable=False)  # ratings given or changed, trials finished

    class Meta:
        ordering = ["study", "number"]
        verbose_name = _("session")
        verbose_name_plural = _("sessions")
        indexes = [
            models.Index(
                fields=["study", "seen_at"],
                condition=models.Q(given_up_at__isnull=True, completed_at__isnull=True),
                name="sessions_under_way",
            ),
            # With all that its condition asks for, so that SQLite counts the places held without the table.
            models.Index(
                fields=["study", "slot", "given_up_at"],
                condition=models.Q(given_up_at__isnull=True, slot__isnull=False),
                name="places_held",
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["study", "number"], name="one_session_per_number"),
            models.UniqueConstraint(
                fields=["study", "slot"],
                condition=models.Q(given_up_at__isnull=True, slot__isnull=False),
                name="one_session_per_slot",
            ),
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


class EquipmentCheck(models.Model):
    """One attempt at one check of the listener's equipment, judged on the server.

    `asked` holds what each item played and what the right answers are; it never leaves the server.
    """

    class Kind(models.TextChoices):
        SIDES = "sides", _("Left and right")
        ANTIPHASE = "antiphase", _("Headphones: tones in antiphase")
        HUGGINS = "huggins", _("Headphones: Huggins pitch")
        LEVEL = "level", _("Volume set")
        QUIET = "quiet", _("Quiet place")

    session = models.ForeignKey(ListeningSession, on_delete=models.CASCADE, related_name="equipment_checks")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    attempt = models.PositiveSmallIntegerField(default=0)
    asked = models.JSONField(default=list)
    answers = models.JSONField(default=list, blank=True)
    passed = models.BooleanField(null=True)  # null while it is under way
    began_at = models.DateTimeField(default=timezone.now)
    judged_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["session", "kind", "attempt"]
        constraints = [
            models.UniqueConstraint(fields=["session", "kind", "attempt"], name="one_check_per_kind_and_attempt")
        ]

    def __str__(self) -> str:
        return f"{self.session} · {self.kind}"
