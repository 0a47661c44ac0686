"""What every piece of background work has: a state, attempts, a lease, progress, and a reason where it failed."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Work(models.Model):
    """The truth about one piece of work. A task carries only its row's id."""

    class State(models.TextChoices):
        QUEUED = "queued", _("Queued")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")

    LIVE = (State.QUEUED, State.RUNNING)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    attempt = models.PositiveSmallIntegerField(default=0)
    lease_token = models.UUIDField(null=True, blank=True)  # who works on it; a worker that lost it writes nothing
    lease_until = models.DateTimeField(null=True, blank=True)
    progress = models.FloatField(default=0.0)  # share done, 0–1
    error_code = models.CharField(max_length=40, blank=True)
    error_params = models.JSONField(default=dict, blank=True)  # fill the sentence, see messages.sentence
    not_before = models.DateTimeField(null=True, blank=True)  # of a work that is tried again: the end of its back-off
    queued_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(default=timezone.now)  # when its message last went to the queue
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True
        ordering = ["queued_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=["queued", "running", "done", "failed", "cancelled"]),
                name="%(class)s_state_known",
            ),
            models.CheckConstraint(
                condition=models.Q(progress__gte=0.0, progress__lte=1.0), name="%(class)s_progress_is_a_share"
            ),
            models.CheckConstraint(
                condition=~models.Q(state="running") | models.Q(lease_token__isnull=False, lease_until__isnull=False),
                name="running_%(class)s_has_a_lease",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="failed") | ~models.Q(error_code=""), name="failed_%(class)s_says_why"
            ),
        ]
        indexes = [models.Index(fields=["state", "lease_until"])]

    @property
    def is_live(self) -> bool:
        return self.state in self.LIVE

    def lease_expired(self, now: datetime) -> bool:
        return self.state == self.State.RUNNING and self.lease_until is not None and self.lease_until < now
