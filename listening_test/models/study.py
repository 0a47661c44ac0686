"""A study: which excerpts, sources and systems are compared, and in which words."""

from __future__ import annotations

import secrets
import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from listening_test.scales import ContaminationWords
from separation.models import Song


def new_token() -> str:
    """An address that cannot be guessed (71 bits), short enough to be typed. Letters and digits: a dash in front would
    be an option on a command line."""
    return secrets.token_urlsafe(9).replace("-", "A").replace("_", "B")


def new_seed() -> int:
    """Too many to be tried out by who knows the planner; whole in every JSON reader."""
    return secrets.randbelow(2**53)


def languages() -> list[tuple[str, str]]:
    """Asked for when they are needed: one language more is a file more, and no change of the database."""
    return [(code, str(name)) for code, name in settings.LANGUAGES]


class Study(models.Model):
    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PREPARING = "preparing", _("Preparing clips")
        OPEN = "open", _("Open")
        CLOSED = "closed", _("Closed")

    class ScaleLayout(models.TextChoices):
        TOGETHER = "together", _("Both scales for each clip")
        APART = "apart", _("All clips on one scale, then all on the other")

    class LoudnessRule(models.TextChoices):
        CLIP = "clip", _("Every clip equally loud")
        MIXTURE = "mixture", _("As loud as in the song: one gain for all clips of an excerpt")
        NONE = "none", _("As the system gave it")

    class TrapKind(models.TextChoices):
        WRITTEN = "written", _("Written on the page")
        SPOKEN = "spoken", _("Spoken, from recordings of the researcher")

    class Links(models.TextChoices):
        OPEN = "open", _("One link for everybody")
        SINGLE = "single", _("One link for each listener")

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
    controls = models.JSONField(_("controls"), default=list, blank=True)  # system keys of `listening_test.controls`
    repeats_per_listener = models.PositiveSmallIntegerField(_("clips that come back"), default=0)
    traps_per_listener = models.PositiveSmallIntegerField(_("attention checks"), default=0)
    trap_kind = models.CharField(max_length=8, choices=TrapKind.choices, default=TrapKind.WRITTEN)
    block_trials = models.PositiveSmallIntegerField(
        _("clips before a pause is offered"), null=True, blank=True, default=12
    )
    scale_layout = models.CharField(max_length=8, choices=ScaleLayout.choices, default=ScaleLayout.TOGETHER)
    contamination_words = models.CharField(
        max_length=8, choices=ContaminationWords.choices, default=ContaminationWords.AMOUNT
    )
    loudness_rule = models.CharField(max_length=8, choices=LoudnessRule.choices, default=LoudnessRule.CLIP)
    minimum_seconds = models.FloatField(
        _("seconds to hear before rating"), null=True, blank=True
    )  # empty: the whole clip
    loop_allowed = models.BooleanField(_("listeners may repeat a part of the clip"), default=False)
    equipment = models.JSONField(default=dict, blank=True)  # check -> consequence, see `listening_test.equipment`
    practice = models.BooleanField(_("practice with feedback before the rating"), default=True)
    questions = models.JSONField(null=True, blank=True)  # what the questionnaire asks; null: the product's own choice
    links = models.CharField(max_length=8, choices=Links.choices, default=Links.OPEN)
    quota = models.PositiveIntegerField(
        _("listeners wanted"), null=True, blank=True
    )  # complete sessions; null: no limit
    platform = models.JSONField(default=dict, blank=True)  # of recruiting, see `listening_test.recruiting`
    give_up_minutes = models.PositiveSmallIntegerField(
        _("minutes after which a silent listener's place is given away"), default=60
    )
    retention_days = models.PositiveIntegerField(_("days that answers are kept"), null=True, blank=True)
    version = models.PositiveSmallIntegerField(
        default=1, editable=False
    )  # a design is frozen when it opens; a change is a new one
    earlier = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="later")
    design_digest = models.CharField(
        max_length=64, blank=True, editable=False
    )  # sha256 of the design, from its opening
    design_form = models.PositiveSmallIntegerField(
        default=2, editable=False
    )  # what the digest is made of, see `listening_test.design_selectors`
    is_demo = models.BooleanField(default=False)  # its songs or weights are the project's own, its numbers teach only
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
    language = models.CharField(max_length=10, choices=languages)
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
