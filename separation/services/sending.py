"""Messages to the workers: one queue for each family, and a time limit that grows with the audio."""

from __future__ import annotations

import logging

from celery import current_app
from django.conf import settings
from kombu.exceptions import OperationalError as BrokerAway

from separation.models import SeparationJob
from separation.separators import registry
from separation.separators.base import SeparatorError
from separation.services.leases import GRACE_SECONDS

TASK = "separation.tasks.separate"

log = logging.getLogger(__name__)


def job_send(job: SeparationJob) -> None:
    """Tell the workers. If the broker is away, the sweep will tell them."""
    queue, longest = queue_of(_family(job.separator)), round(time_limit(job) + 2 * GRACE_SECONDS)
    try:
        current_app.send_task(TASK, args=[str(job.pk)], queue=queue, time_limit=longest, retry=False)
    except BrokerAway:
        log.warning("job %s waits for the broker", job.pk, exc_info=True)


def queue_of(family: str) -> str:
    """So that machines can be dedicated to the family they run best."""
    queues: dict[str, str] = settings.SEPARATION_QUEUES
    return queues.get(family, queues["other"])


def time_limit(job: SeparationJob) -> float:
    """Seconds that an attempt may take: an allowance for the start, and so much for each second of the song.

    Of the whole song even where a part is asked for: recurrent models have to hear all of it.
    """
    factors: dict[str, int] = settings.JOB_TIME_FACTORS
    factor = factors.get(_family(job.separator), factors["other"])
    return float(settings.JOB_TIME_START_SECONDS + factor * job.song.seconds)


def _family(separator: str) -> str:
    try:
        return registry.spec(separator).family
    except SeparatorError:  # a package that was removed; the job will fail with the reason
        return "other"
