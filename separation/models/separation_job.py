"""One separation of one song, or of parts of it, by one separator."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from separation.models.song import Song
from separation.models.work import Work


class SeparationJob(Work):
    """The truth about one separation. Without `spans` it is of the whole song.

    The done job of imported stems (`weights` = "imported") never ran here: it says where the stems came from.
    """

    song = models.ForeignKey(Song, on_delete=models.CASCADE, related_name="jobs")
    separator = models.CharField(_("separator"), max_length=60)  # registry key, or the key of an imported system
    weights = models.CharField(max_length=20)  # as in the spec; "unpinned" where hashes were not compared; "imported"
    spans = models.JSONField(
        default=list, blank=True
    )  # [[start, end], …] in samples, ascending, apart; [] is all of it
    spans_key = models.CharField(max_length=64, blank=True)  # what makes jobs of one song and separator different
    work_key = models.CharField(max_length=64, blank=True, db_index=True)  # sha256 of audio, weights and settings
    ran = models.JSONField(default=dict, blank=True)  # separators.base.Ran

    class Meta(Work.Meta):
        verbose_name = _("separation job")
        verbose_name_plural = _("separation jobs")
        constraints = [
            *Work.Meta.constraints,
            models.UniqueConstraint(
                fields=["song", "separator", "spans_key"],
                condition=models.Q(state__in=["queued", "running", "done"]),
                name="one_good_job_per_song_separator_and_spans",
            ),
            models.CheckConstraint(
                condition=models.Q(spans=[], spans_key="") | (~models.Q(spans=[]) & ~models.Q(spans_key="")),
                name="job_of_spans_has_a_key",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.song} · {self.separator}"

    @property
    def is_whole(self) -> bool:
        return not self.spans

    @property
    def is_imported(self) -> bool:
        return self.weights == "imported"

    def parts(self) -> list[tuple[int, int]]:
        """The spans of the song that it separates, in samples."""
        spans: list[Any] = self.spans or [[0, self.song.samples]]
        return [(start, end) for start, end in spans]
