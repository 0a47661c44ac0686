"""Questions about one session: where it stands, and what its listener may hear now. Nothing here writes."""

from __future__ import annotations

import math
from dataclasses import dataclass

from django.conf import settings
from django.db.models import QuerySet

from listening_test import flow, questionnaire
from listening_test.models import Clip, ListeningSession, Study, Trial
from listening_test.questionnaire import Question, SongAsked
from listening_test.selectors import SECONDS_TO_RATE
from separation.models import Song

Step = ListeningSession.Step
Purpose = Clip.Purpose


@dataclass(frozen=True)
class Place:
    """Where a session stands among its trials, and the clips that may be heard there."""

    trial: Trial
    total: int
    upcoming: Clip | None  # of the next trial: fetched while this one is rated
    mixture: Clip | None
    minutes_left: int

    @property
    def clips(self) -> list[Clip]:
        return [clip for clip in (self.trial.clip, self.upcoming, self.mixture) if clip]


def is_shut(session: ListeningSession) -> bool:
    """Whether the study has closed before its listener was through."""
    return not session.study.is_open and not flow.works_when_closed(session.step)


# ── Questions asked ─────────────────────────────────────────────────────────────────────────────────────────────────


def songs_asked(study: Study) -> list[SongAsked]:
    songs = Song.objects.filter(excerpts__study=study).distinct()
    return [SongAsked(str(song.id), song.title, song.style) for song in songs]


def opening_questions(study: Study) -> list[Question]:
    return questionnaire.opening(songs_asked(study))


def session_facts(session: ListeningSession) -> flow.Facts:
    answered = frozenset(session.answers.values_list("question", flat=True))
    return flow.Facts(
        consented=session.consented_at is not None,
        opening_left=questionnaire.required_keys(opening_questions(session.study)) - answered,
        calibration_left=calibration_clips(session.study).exclude(heard_in__session=session).count(),
        trials_left=session.trials.filter(finished_at__isnull=True).count(),
        closing_left=questionnaire.required_keys(questionnaire.closing()) - answered,
    )


# ── Clips and trials ────────────────────────────────────────────────────────────────────────────────────────────────


def clip_seconds(clip: Clip) -> float:
    return clip.samples / settings.SAMPLE_RATE


def calibration_clips(study: Study) -> QuerySet[Clip]:
    return study.clips.filter(purpose=Purpose.CALIBRATION).order_by("role")


def current_trial(session: ListeningSession) -> Trial | None:
    """The first that is not finished; None before the first and after the last."""
    if session.step != Step.TRIALS:
        return None
    waiting = session.trials.filter(finished_at__isnull=True).order_by("position")
    return waiting.select_related("clip").prefetch_related("ratings").first()


def place_of(session: ListeningSession) -> Place | None:
    trial = current_trial(session)
    if trial is None:
        return None
    total = session.trials.count()
    following = session.trials.filter(position=trial.position + 1).select_related("clip").first()
    return Place(
        trial=trial,
        total=total,
        upcoming=following.clip if following else None,
        mixture=_mixture(session.study, trial.clip),
        minutes_left=minutes_left(total - trial.position, clip_seconds(trial.clip)),
    )


def _mixture(study: Study, clip: Clip) -> Clip | None:
    if not study.show_mixture:
        return None
    return study.clips.filter(purpose=Purpose.MIXTURE, excerpt=clip.excerpt_id).first()


def minutes_left(trials: int, seconds: float) -> int:
    """For so many trials with clips of so many seconds."""
    return max(1, math.ceil(trials * (seconds + SECONDS_TO_RATE) / 60.0))


def clip_for(session: ListeningSession, token: str) -> Clip | None:
    """The clip of this name, if this listener may hear it at this moment."""
    if is_shut(session):
        return None
    if session.step == Step.CALIBRATION:
        return calibration_clips(session.study).filter(token=token).first()
    place = place_of(session)
    return next((clip for clip in place.clips if clip.token == token), None) if place else None
