"""What is played: an excerpt of a stem, faded, level-aligned, losslessly encoded, opaquely named."""

from __future__ import annotations

import secrets
import uuid

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from listening_test.models.study import Excerpt, Study
from separation.models import Source, Stem


def new_clip_token() -> str:
    """Random: neither the name nor its order tells a listener anything."""
    return secrets.token_urlsafe(16)


def clip_path(clip: Clip, filename: str) -> str:
    return f"clips/{clip.study_id}/{clip.token}.flac"


class Clip(models.Model):
    class Purpose(models.TextChoices):
        TEST = "test", _("Rated")
        CALIBRATION = "calibration", _("Calibration")
        PRACTICE = "practice", _("Practice")
        TRAP = "trap", _("Spoken attention check")
        LEVEL = "level", _("To set the volume")
        MIXTURE = "mixture", _("Mixture, for comparison")

    class Role(models.TextChoices):
        """What a calibration clip shows."""

        CLEAN = "clean", _("Clean: no artefacts")
        DISTORTED = "distorted", _("Strongly distorted")
        ALONE = "alone", _("Alone: no other instrument")
        CONTAMINATED = "contaminated", _("Strongly contaminated")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="clips")
    token = models.CharField(max_length=32, unique=True, default=new_clip_token, editable=False)
    purpose = models.CharField(max_length=12, choices=Purpose.choices, default=Purpose.TEST)
    role = models.CharField(max_length=14, choices=Role.choices, blank=True)  # of a calibration clip only
    excerpt = models.ForeignKey(Excerpt, null=True, blank=True, on_delete=models.PROTECT, related_name="clips")
    source = models.CharField(max_length=20, choices=Source.choices, blank=True)  # "" for a mixture
    system = models.CharField(max_length=80, blank=True)  # "" for calibration and mixture; controls have keys too
    expected = models.JSONField(default=dict, blank=True)  # scale -> [lowest, highest] right answer: practice and traps
    language = models.CharField(max_length=10, blank=True)  # of a spoken attention check
    made_by = models.JSONField(default=dict, blank=True)  # how a control, practice or calibration clip was made
    stem = models.ForeignKey(Stem, null=True, blank=True, on_delete=models.SET_NULL, related_name="clips")
    file = models.FileField(upload_to=clip_path, max_length=255)
    sha256 = models.CharField(max_length=64)
    samples = models.PositiveIntegerField()
    sent_bytes = models.PositiveIntegerField(default=0)  # as it is sent: one size for all clips of a study and length
    gain_db = models.FloatField()  # what aligned the level
    loudness_lufs = models.FloatField()  # BS.1770 integrated, after the gain
    true_peak_dbtp = models.FloatField()  # after the gain
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["study", "id"]
        verbose_name = _("clip")
        verbose_name_plural = _("clips")
        constraints = [
            models.UniqueConstraint(
                fields=["excerpt", "source", "system"],
                condition=models.Q(purpose="test"),
                name="one_clip_per_excerpt_source_and_system",
            ),
            models.UniqueConstraint(
                fields=["study", "role"],
                condition=models.Q(purpose="calibration"),
                name="one_calibration_clip_per_role",
            ),
            models.UniqueConstraint(
                fields=["excerpt"], condition=models.Q(purpose="mixture"), name="one_mixture_clip_per_excerpt"
            ),
            models.CheckConstraint(
                condition=~models.Q(purpose="test") | (models.Q(excerpt__isnull=False) & ~models.Q(system="")),
                name="rated_clip_has_excerpt_and_system",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} · {self.source} · {self.system or self.role}"
