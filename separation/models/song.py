"""A song: an uploaded mixture."""

from __future__ import annotations

import uuid
from pathlib import PurePath

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Source(models.TextChoices):
    """What a stem holds."""

    VOCALS = "vocals", _("Vocals")
    DRUMS = "drums", _("Drums")
    BASS = "bass", _("Bass")
    OTHER = "other", _("Other instruments")
    PIANO = "piano", _("Piano")
    GUITAR = "guitar", _("Guitar")
    ACCOMPANIMENT = "accompaniment", _("Accompaniment")


def song_path(song: Song, filename: str) -> str:
    """Where the uploaded file is kept. The person's own file name never becomes a path."""
    return f"songs/{song.id}/original{PurePath(filename).suffix.lower()}"


def mixture_path(song: Song, filename: str) -> str:
    return f"songs/{song.id}/mixture.flac"


class Song(models.Model):
    """An uploaded mixture.

    `original` is the file as it came; `mixture` is what it decodes to: 44.1 kHz stereo FLAC (24 bit),
    scaled by `mixture_gain` where float peaks beyond full scale would not have fitted.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    title = models.CharField(_("title"), max_length=200)
    artist = models.CharField(_("artist"), max_length=200, blank=True)
    style = models.CharField(
        _("style"),
        max_length=100,
        blank=True,
        help_text=_("Musical style, as listeners are asked about it: rock, tango, jazz…"),
    )
    original = models.FileField(upload_to=song_path, max_length=255)
    original_name = models.CharField(max_length=255)
    original_sha256 = models.CharField(max_length=64, db_index=True)
    original_format = models.CharField(max_length=60)
    original_sample_rate = models.PositiveIntegerField()
    original_channels = models.PositiveSmallIntegerField()
    mixture = models.FileField(upload_to=mixture_path, max_length=255)
    mixture_gain = models.FloatField(default=1.0)
    mixture_sha256 = models.CharField(max_length=64, db_index=True, blank=True)  # of the FLAC file: of what is heard
    samples = models.PositiveBigIntegerField()
    notes = models.JSONField(default=list, blank=True)  # codes of what was done on the way in, see messages.NOTES
    is_demo = models.BooleanField(default=False)
    synthesis_seed = models.PositiveIntegerField(null=True, blank=True)  # of a song the project made itself
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["created_at", "id"]
        verbose_name = _("song")
        verbose_name_plural = _("songs")
        constraints = [models.CheckConstraint(condition=models.Q(samples__gt=0), name="song_has_samples")]

    def __str__(self) -> str:
        return self.title

    @property
    def seconds(self) -> float:
        return self.samples / settings.SAMPLE_RATE
