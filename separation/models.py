"""Songs, the jobs that separate them, and the stems that come out.

Facts about one row and the constraints the database must hold; nothing here writes another row.
"""

from __future__ import annotations

import uuid
from datetime import datetime
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


def stem_path(stem: Stem, filename: str) -> str:
    """One folder per attempt, so that a killed attempt leaves nothing that a later one could mistake for its own."""
    if stem.job is None:
        return f"songs/{stem.song_id}/reference/{stem.source}.flac"
    return f"stems/{stem.job_id}/{stem.job.attempt}/{stem.source}.flac"


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


class SeparationJob(models.Model):
    """The truth about one separation of one song by one separator. A task carries only this row's id."""

    class State(models.TextChoices):
        QUEUED = "queued", _("Queued")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")

    LIVE = (State.QUEUED, State.RUNNING)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    song = models.ForeignKey(Song, on_delete=models.CASCADE, related_name="jobs")
    separator = models.CharField(_("separator"), max_length=60)  # registry key; demo weights have keys of their own
    weights = models.CharField(max_length=20)  # "published" or "demo", as the registry says
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    attempt = models.PositiveSmallIntegerField(default=0)
    lease_token = models.UUIDField(null=True, blank=True)  # who works on it; a worker that lost it writes nothing
    lease_until = models.DateTimeField(null=True, blank=True)
    progress = models.FloatField(default=0.0)  # share done, 0–1
    error_code = models.CharField(max_length=40, blank=True)
    error_params = models.JSONField(default=dict, blank=True)  # fill the sentence, see messages.sentence
    ran = models.JSONField(default=dict, blank=True)  # separators.base.Ran
    queued_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(default=timezone.now)  # when its message last went to the queue
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["queued_at", "id"]
        verbose_name = _("separation job")
        verbose_name_plural = _("separation jobs")
        constraints = [
            models.UniqueConstraint(
                fields=["song", "separator"],
                condition=models.Q(state__in=["queued", "running", "done"]),
                name="one_good_job_per_song_and_separator",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["queued", "running", "done", "failed", "cancelled"]),
                name="job_state_known",
            ),
            models.CheckConstraint(
                condition=models.Q(progress__gte=0.0, progress__lte=1.0), name="job_progress_is_a_share"
            ),
            models.CheckConstraint(
                condition=~models.Q(state="running") | models.Q(lease_token__isnull=False, lease_until__isnull=False),
                name="running_job_has_a_lease",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="failed") | ~models.Q(error_code=""), name="failed_job_says_why"
            ),
        ]
        indexes = [models.Index(fields=["state", "lease_until"])]

    def __str__(self) -> str:
        return f"{self.song} · {self.separator}"

    @property
    def is_live(self) -> bool:
        return self.state in self.LIVE

    def lease_expired(self, now: datetime) -> bool:
        return self.state == self.State.RUNNING and self.lease_until is not None and self.lease_until < now


class Stem(models.Model):
    """One separated source of one song by one job, or (no job) the song's true stem."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    song = models.ForeignKey(Song, on_delete=models.CASCADE, related_name="stems")
    job = models.ForeignKey(SeparationJob, null=True, blank=True, on_delete=models.CASCADE, related_name="stems")
    source = models.CharField(_("source"), max_length=20, choices=Source.choices)
    file = models.FileField(upload_to=stem_path, max_length=255)
    gain = models.FloatField(default=1.0)  # what the samples were multiplied by to fit; divide to get them back
    sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["song", "source", "id"]
        verbose_name = _("stem")
        verbose_name_plural = _("stems")
        constraints = [
            models.UniqueConstraint(fields=["job", "source"], name="one_stem_per_job_and_source"),
            models.UniqueConstraint(
                fields=["song", "source"], condition=models.Q(job__isnull=True), name="one_true_stem_per_source"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.song} · {self.source}"

    @property
    def is_reference(self) -> bool:
        return self.job_id is None
