"""What one listener met: calibration clips, trials and ratings."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from listening_test.models.clip import Clip
from listening_test.models.listener import ListeningSession
from listening_test.scales import HIGHEST, LOWEST, ScaleKey


class CalibrationHeard(models.Model):
    """A calibration clip that a listener has heard to its end."""

    session = models.ForeignKey(ListeningSession, on_delete=models.CASCADE, related_name="calibration_heard")
    clip = models.ForeignKey(Clip, on_delete=models.PROTECT, related_name="heard_in")
    heard_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["session", "id"]
        constraints = [models.UniqueConstraint(fields=["session", "clip"], name="calibration_clip_heard_once")]

    def __str__(self) -> str:
        return f"{self.session} · {self.clip}"


class Trial(models.Model):
    """One clip presented to one listener at one place in the order."""

    session = models.ForeignKey(ListeningSession, on_delete=models.CASCADE, related_name="trials")
    position = models.PositiveSmallIntegerField()  # 0 first
    clip = models.ForeignKey(Clip, on_delete=models.PROTECT, related_name="trials")
    stands_for = models.ForeignKey(  # of a spoken attention check: the planned clip as which the page announces it
        Clip, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    scale = models.CharField(max_length=14, choices=ScaleKey.choices, blank=True)  # "": both are asked
    instructed = models.PositiveSmallIntegerField(null=True, blank=True)  # an attention check: the answer it asks for
    repeat = models.PositiveSmallIntegerField(default=0)  # 1 where the clip comes back to test the listener
    opened_at = models.DateTimeField(null=True, blank=True)
    heard_at = models.DateTimeField(null=True, blank=True)  # first time that the whole clip had been heard
    heard_seconds = models.FloatField(default=0.0)  # in all, on the browser's audio clock
    plays = models.PositiveSmallIntegerField(default=0)
    finished_at = models.DateTimeField(null=True, blank=True)  # "next" was pressed; ratings no longer change
    interruptions = models.PositiveSmallIntegerField(default=0)  # a call, a hidden page, a lost output: played again
    glitches = models.PositiveSmallIntegerField(default=0)  # underruns of the audio output that the browser noticed
    loops = models.PositiveSmallIntegerField(default=0)  # times that a chosen part was repeated

    class Meta:
        ordering = ["session", "position"]
        verbose_name = _("trial")
        verbose_name_plural = _("trials")
        constraints = [
            models.UniqueConstraint(fields=["session", "position"], name="one_trial_per_place"),
            models.UniqueConstraint(
                fields=["session", "clip", "scale", "repeat"],
                condition=models.Q(instructed__isnull=True),
                name="one_trial_per_clip_scale_and_repeat",
            ),
            models.CheckConstraint(
                condition=models.Q(instructed__isnull=True) | models.Q(instructed__gte=LOWEST, instructed__lte=HIGHEST),
                name="instructed_answer_on_the_scale",
            ),
            models.CheckConstraint(
                condition=models.Q(finished_at__isnull=True) | models.Q(heard_at__isnull=False),
                name="finished_trial_was_heard",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.session} · {self.position}"

    @property
    def announced(self) -> Clip:
        """Whose source and song the page names before anything is heard."""
        return self.stands_for or self.clip


class Rating(models.Model):
    """One value on one scale for one trial.

    `key` is made by the browser for each answer, so that an answer sent twice is one rating; `changes` counts the
    answers it gave before on this scale, so that an old one that arrives late never replaces a newer one.
    """

    trial = models.ForeignKey(Trial, on_delete=models.CASCADE, related_name="ratings")
    scale = models.CharField(max_length=14, choices=ScaleKey.choices)
    value = models.PositiveSmallIntegerField()
    key = models.UUIDField(unique=True)
    changes = models.PositiveSmallIntegerField(default=0)
    given_at = models.DateTimeField(default=timezone.now)  # of the value that stands

    class Meta:
        ordering = ["trial", "scale"]
        verbose_name = _("rating")
        verbose_name_plural = _("ratings")
        constraints = [
            models.UniqueConstraint(fields=["trial", "scale"], name="one_rating_per_trial_and_scale"),
            models.CheckConstraint(
                condition=models.Q(value__gte=LOWEST, value__lte=HIGHEST), name="rating_on_the_scale"
            ),
            models.CheckConstraint(
                condition=models.Q(scale__in=["quality", "contamination"]), name="rating_scale_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.trial} · {self.scale} = {self.value}"


class PracticeAnswer(models.Model):
    """An answer to a practice clip; it is no rating and enters no number."""

    session = models.ForeignKey(ListeningSession, on_delete=models.CASCADE, related_name="practice_answers")
    clip = models.ForeignKey(Clip, on_delete=models.PROTECT, related_name="practice_answers")
    scale = models.CharField(max_length=14, choices=ScaleKey.choices)
    value = models.PositiveSmallIntegerField()
    given_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["session", "id"]
        constraints = [
            models.UniqueConstraint(fields=["session", "clip", "scale"], name="one_practice_answer_per_clip_and_scale"),
            models.CheckConstraint(
                condition=models.Q(value__gte=LOWEST, value__lte=HIGHEST), name="practice_answer_on_the_scale"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.session} · {self.clip}"
