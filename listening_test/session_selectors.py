"""Questions about one session: where it stands, and what its listener may hear now. Nothing here writes."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db.models import Count, QuerySet
from django.utils import timezone

from listening_test import equipment, flow, questionnaire
from listening_test.clip_names import clip_name
from listening_test.models import Clip, EquipmentCheck, ListeningSession, Study, Trial
from listening_test.outline import seconds_to_rate
from listening_test.questionnaire import Question, SongAsked
from listening_test.scales import SCALES
from separation.models import Song

Step = ListeningSession.Step
Purpose = Clip.Purpose

AWAY = timedelta(hours=1)  # after that the two ends of the scales are heard again (ITU-T P.808, on training)


@dataclass(frozen=True)
class Place:
    """One trial among those of its session, and what may be heard there.

    The next one belongs to it: it is fetched while this one is rated, and a listener goes on to it at once, even where
    the network is slower than they are.
    """

    trial: Trial
    total: int
    mixture: Clip | None
    upcoming: Place | None = None

    @property
    def minutes_left(self) -> int:
        each = clip_seconds(self.trial.clip) + seconds_to_rate(one_scale=bool(self.trial.scale))
        return max(1, math.ceil((self.total - self.trial.position) * each / 60.0))

    @property
    def clip_name(self) -> str:
        return clip_name(self.trial.session, self.trial.clip, self.trial.position)

    @property
    def upcoming_name(self) -> str | None:
        return self.upcoming.clip_name if self.upcoming else None

    @property
    def mixture_name(self) -> str | None:
        return clip_name(self.trial.session, self.mixture) if self.mixture else None

    @property
    def clips(self) -> dict[str, Clip]:
        """What may be heard here and at the next place, by the names that only this listener knows."""
        named = {self.clip_name: self.trial.clip, self.mixture_name: self.mixture}
        later = self.upcoming.clips if self.upcoming else {}
        return later | {name: clip for name, clip in named.items() if name and clip}


def is_shut(session: ListeningSession) -> bool:
    """Whether the study has closed before its listener was through."""
    return not session.study.is_open and not flow.works_when_closed(session.step)


# ── Questions asked ─────────────────────────────────────────────────────────────────────────────────────────────────


def songs_asked(study: Study) -> list[SongAsked]:
    songs = Song.objects.filter(excerpts__study=study).distinct()
    return [SongAsked(str(song.id), song.title, song.style) for song in songs]


def opening_questions(study: Study) -> list[Question]:
    return questionnaire.opening(songs_asked(study), study.questions)


def closing_questions(study: Study) -> list[Question]:
    return questionnaire.closing(study.questions, songs_asked(study))


# ── Steps ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def unused_steps(study: Study) -> frozenset[str]:
    """What a listener of this study passes over."""
    used = {
        Step.EQUIPMENT: bool(checks_asked(study)),
        Step.QUESTIONNAIRE: bool(opening_questions(study)),
        Step.PRACTICE: study.practice and practice_clips(study).exists(),
        Step.CLOSING: bool(closing_questions(study)),
    }
    return frozenset(step for step, is_used in used.items() if not is_used)


def session_facts(session: ListeningSession) -> flow.Facts:
    study = session.study
    answered = frozenset(session.answers.values_list("question", flat=True))
    return flow.Facts(
        unused=unused_steps(study),
        consented=session.consented_at is not None,
        equipment_left=checks_left(session),
        opening_left=questionnaire.required_keys(opening_questions(study)) - answered,
        calibration_left=calibration_left(session).count(),
        practice_left=practice_left(session).count() if study.practice else 0,
        trials_left=session.trials.filter(finished_at__isnull=True).count(),
        closing_left=questionnaire.required_keys(closing_questions(study)) - answered,
    )


# ── Equipment ───────────────────────────────────────────────────────────────────────────────────────────────────────


def checks_asked(study: Study) -> tuple[str, ...]:
    """The kinds of checks that listeners of this study meet, in order. Without its clip no volume is set."""
    kinds = equipment.kinds_asked(study.equipment)
    return tuple(kind for kind in kinds if kind != EquipmentCheck.Kind.LEVEL or level_clip(study) is not None)


def checks_left(session: ListeningSession) -> tuple[str, ...]:
    """Those that are neither passed nor tried as often as they may be."""
    judged: dict[str, list[bool]] = {}
    for kind, passed in session.equipment_checks.filter(passed__isnull=False).values_list("kind", "passed"):
        judged.setdefault(kind, []).append(bool(passed))
    return tuple(
        kind for kind in checks_asked(session.study) if not _settled(session.study, kind, judged.get(kind, []))
    )


def _settled(study: Study, kind: str, judged: list[bool]) -> bool:
    most = equipment.attempts(equipment.consequence(study.equipment, kind))
    return any(judged) or len(judged) >= most


def level_clip(study: Study) -> Clip | None:
    return study.clips.filter(purpose=Purpose.LEVEL).order_by("pk").first()


# ── Clips and trials ────────────────────────────────────────────────────────────────────────────────────────────────


def clip_seconds(clip: Clip) -> float:
    return clip.samples / settings.SAMPLE_RATE


def calibration_clips(study: Study) -> QuerySet[Clip]:
    return study.clips.filter(purpose=Purpose.CALIBRATION).order_by("role")


def calibration_left(session: ListeningSession) -> QuerySet[Clip]:
    """Examples not heard yet, or so long ago that they are to be heard again."""
    lately = timezone.now() - AWAY
    heard = session.calibration_heard.filter(heard_at__gt=lately).values("clip")
    return calibration_clips(session.study).exclude(pk__in=heard)


def calibration_due(session: ListeningSession) -> bool:
    """Whether a listener who had been away is to hear the examples again before the next clip."""
    again = session.step in (Step.PRACTICE, Step.TRIALS) and session.calibrated_at is None
    return again and session.calibration_heard.exists()


def step_shown(session: ListeningSession) -> str:
    """Whose page this listener sees: their step's, or the examples again after a long time away."""
    return Step.CALIBRATION if calibration_due(session) else session.step


def practice_clips(study: Study) -> QuerySet[Clip]:
    return study.clips.filter(purpose=Purpose.PRACTICE).order_by("pk")


def practice_left(session: ListeningSession) -> QuerySet[Clip]:
    """Practice clips without an answer on every scale."""
    answers = session.practice_answers.order_by().values("clip").annotate(scales=Count("scale"))
    return practice_clips(session.study).exclude(pk__in=answers.filter(scales=len(SCALES)).values("clip"))


def current_trial(session: ListeningSession) -> Trial | None:
    """The first that is not finished; None before the first and after the last."""
    if session.step != Step.TRIALS:
        return None
    waiting = session.trials.filter(finished_at__isnull=True).order_by("position")
    return waiting.select_related("clip", "stands_for").prefetch_related("ratings").first()


def place_of(session: ListeningSession) -> Place | None:
    current = current_trial(session)
    if current is None:
        return None
    total = session.trials.count()
    following = session.trials.filter(position=current.position + 1).select_related("clip", "stands_for").first()
    upcoming = Place(following, total, _mixture(session.study, following)) if following else None
    return Place(current, total, _mixture(session.study, current), upcoming)


def _mixture(study: Study, trial: Trial) -> Clip | None:
    if not study.show_mixture:
        return None
    return study.clips.filter(purpose=Purpose.MIXTURE, excerpt=trial.announced.excerpt_id).first()


def clip_for(session: ListeningSession, name: str) -> Clip | None:
    """The clip of this name, if this listener may hear it at this moment."""
    if is_shut(session):
        return None
    if session.step == Step.TRIALS and not calibration_due(session):
        place = place_of(session)
        return place.clips.get(name) if place else None
    return named(session, _clips_beside_trials(session), name)


def _clips_beside_trials(session: ListeningSession) -> Iterable[Clip]:
    study = session.study
    if session.step == Step.CALIBRATION or calibration_due(session):
        return calibration_clips(study)
    if session.step == Step.PRACTICE:
        return practice_clips(study)
    if session.step == Step.EQUIPMENT:
        return study.clips.filter(purpose=Purpose.LEVEL)
    return ()


def named(session: ListeningSession, clips: Iterable[Clip], name: str) -> Clip | None:
    """The one of `clips` that this listener knows by this name, outside of trials."""
    return next((clip for clip in clips if clip_name(session, clip) == name), None)


def calibration_clip(session: ListeningSession, name: str) -> Clip | None:
    return named(session, calibration_clips(session.study), name)
