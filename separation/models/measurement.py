"""Objective metrics of stems against the true ones."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from separation.models.separation_job import SeparationJob
from separation.models.song import Source
from separation.models.work import Work


class Measurement(Work):
    """All sources of one separation, measured together against the song's true stems, over one span of it."""

    job = models.ForeignKey(SeparationJob, on_delete=models.CASCADE, related_name="measurements")
    start = models.PositiveBigIntegerField()  # samples
    end = models.PositiveBigIntegerField()
    method = models.JSONField(default=dict, blank=True)  # names, settings and package versions of what measured

    class Meta(Work.Meta):
        verbose_name = _("measurement")
        verbose_name_plural = _("measurements")
        constraints = [
            *Work.Meta.constraints,
            models.UniqueConstraint(fields=["job", "start", "end"], name="one_measurement_per_job_and_span"),
            models.CheckConstraint(condition=models.Q(start__lt=models.F("end")), name="measurement_has_a_length"),
        ]


class SourceMeasurement(models.Model):
    """What was found for one source. Decibels; None where the metric is not defined, and `notes` say why."""

    measurement = models.ForeignKey(Measurement, on_delete=models.CASCADE, related_name="sources")
    source = models.CharField(_("source"), max_length=20, choices=Source.choices)
    sdr = models.FloatField(null=True)  # medians over the frames of one second, BSS Eval v4
    isr = models.FloatField(null=True)
    sir = models.FloatField(null=True)
    sar = models.FloatField(null=True)
    si_sdr = models.FloatField(null=True)  # over the whole span
    frames = models.JSONField(default=dict)  # {"sdr": [one value, or null, for each second], "isr": …}
    notes = models.JSONField(default=list, blank=True)  # codes, e.g. "reference_silent", see messages

    class Meta:
        ordering = ["measurement", "source"]
        constraints = [
            models.UniqueConstraint(fields=["measurement", "source"], name="one_row_per_measurement_and_source")
        ]
