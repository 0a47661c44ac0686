"""The facts of attention as they are on record: computed from what is stored, whenever they are asked for."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from listening_test.attention import Attention, Rated, attention
from listening_test.models import ListeningSession, Study, Trial

LATELY = 24  # trials that a kind word may be about


def rated_lately(session: ListeningSession) -> list[Rated]:
    """The session's last finished trials, in order."""
    last_first = _finished(session.trials.all()).order_by("-position")
    return [_rated(trial) for trial in reversed(last_first[:LATELY])]


def study_attention(study: Study) -> dict[UUID, Attention]:
    """Of every session with a finished trial, by its id; trial runs of the researcher's are left out."""
    rated: dict[UUID, list[Rated]] = {}
    for trial in _finished(Trial.objects.filter(session__study=study, session__is_test=False)):
        rated.setdefault(trial.session_id, []).append(_rated(trial))
    return {session: attention(trials) for session, trials in rated.items()}


def _finished(trials: QuerySet[Trial]) -> QuerySet[Trial]:
    finished = trials.filter(finished_at__isnull=False)
    return finished.select_related("clip").prefetch_related("ratings").order_by("session__number", "position")


def _rated(trial: Trial) -> Rated:
    ratings = list(trial.ratings.all())
    last = max((rating.given_at for rating in ratings), default=None)
    return Rated(
        values={rating.scale: rating.value for rating in ratings},
        seconds=(last - trial.heard_at).total_seconds() if last and trial.heard_at else None,
        instructed=trial.instructed,
        system=trial.clip.system,
    )
