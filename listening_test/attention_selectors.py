"""What a session has rated lately, as the signs of attention are read from it."""

from __future__ import annotations

from listening_test.attention import Rated
from listening_test.models import ListeningSession, Trial

LATELY = 24  # trials that a kind word may be about


def rated_lately(session: ListeningSession) -> list[Rated]:
    """The session's last finished trials, in order."""
    finished = session.trials.filter(finished_at__isnull=False).prefetch_related("ratings")
    return [_rated(trial) for trial in reversed(finished.order_by("-position")[:LATELY])]


def _rated(trial: Trial) -> Rated:
    ratings = list(trial.ratings.all())
    last = max((rating.given_at for rating in ratings), default=None)
    return Rated(
        values={rating.scale: rating.value for rating in ratings},
        seconds=(last - trial.heard_at).total_seconds() if last and trial.heard_at else None,
        instructed=trial.instructed,
    )
