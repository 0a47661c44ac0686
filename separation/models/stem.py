"""What comes out of a separation."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from separation.models.separation_job import SeparationJob
from separation.models.song import Song, Source


def stem_path(stem: Stem, filename: str) -> str:
    """One folder per attempt, so that a killed attempt leaves nothing that a later one could mistake for its own."""
    if stem.job is None:
        return f"songs/{stem.song_id}/reference/{stem.source}.flac"
    part = "" if stem.job.is_whole else f"-{stem.start}"
    return f"stems/{stem.job_id}/{stem.job.attempt}/{stem.source}{part}.flac"


class Stem(models.Model):
    """One separated source of one song, or of one part of it, by one job, or (no job) the song's true stem.

    Equal work is done once, so stems of two jobs may have one file: `services.files` deletes it with the last of them.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    song = models.ForeignKey(Song, on_delete=models.CASCADE, related_name="stems")
    job = models.ForeignKey(SeparationJob, null=True, blank=True, on_delete=models.CASCADE, related_name="stems")
    source = models.CharField(_("source"), max_length=20, choices=Source.choices)
    start = models.PositiveBigIntegerField(default=0)  # samples from the song's start
    samples = models.PositiveBigIntegerField(null=True, blank=True)  # its length; None: all of the song
    file = models.FileField(upload_to=stem_path, max_length=255, db_index=True)
    gain = models.FloatField(default=1.0)  # what the samples were multiplied by to fit; divide to get them back
    sha256 = models.CharField(max_length=64)
    origin = models.JSONField(default=dict, blank=True)  # of a file a person brought: its name, sha256, lag, notes
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["song", "source", "start", "id"]
        verbose_name = _("stem")
        verbose_name_plural = _("stems")
        constraints = [
            models.UniqueConstraint(fields=["job", "source", "start"], name="one_stem_per_job_source_and_start"),
            models.UniqueConstraint(
                fields=["song", "source"], condition=models.Q(job__isnull=True), name="one_true_stem_per_source"
            ),
            models.CheckConstraint(
                condition=models.Q(samples__isnull=False) | models.Q(start=0), name="stem_of_a_part_has_a_length"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.song} · {self.source}"

    @property
    def is_reference(self) -> bool:
        return self.job_id is None

    def covers(self, start: int, end: int) -> bool:
        """Whether it holds the song from sample `start` to `end`."""
        return self.samples is None or (self.start <= start and end <= self.start + self.samples)
