"""What is known of how a study was held, beside its ratings: for the methods paragraph. Reads, and never guesses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db.models import QuerySet

from listening_test import equipment, selectors
from listening_test.models import Answer, EquipmentCheck, ListeningSession, Study

EQUIPMENT, EXPERIENCE, AGES = "equipment", "experience", "age_band"
ASKED = (EQUIPMENT, EXPERIENCE, AGES)
"""Questions whose answers a paper reports."""


@dataclass(frozen=True)
class StudyFacts:
    """A table that is no study of this service has none of this, and each field says so by being empty."""

    seed: int | None = None
    design_digest: str = ""
    design_version: int = 1
    first_day: date | None = None  # on which a session that counts began
    last_day: date | None = None
    excerpt_seconds: tuple[float, ...] = ()
    clips: int | None = None
    clips_per_listener: int | None = None
    controls: tuple[str, ...] = ()
    apart: bool | None = None
    loudness_rule: str = ""
    minimum_seconds: float | None = None
    whole_clip: bool | None = None  # had to be heard
    show_mixture: bool | None = None
    practice: bool | None = None
    repeats: int = 0
    traps: int = 0
    block_trials: int | None = None
    languages: Mapping[str, int] = field(default_factory=dict)  # sessions by language
    checks: Mapping[str, tuple[int, int]] = field(default_factory=dict)  # kind -> (listeners who passed, who tried)
    answers: Mapping[str, Mapping[str, int]] = field(default_factory=dict)  # question -> answer -> listeners


def study_facts(study: Study) -> StudyFacts:
    sessions = ListeningSession.objects.filter(study=study, is_test=False)
    real = sessions.filter(listener__simulated=False)
    people = real if real.exists() else sessions
    days = [day for day in people.values_list("started_at", flat=True) if day]
    return StudyFacts(
        seed=study.seed,
        design_digest=study.design_digest,
        design_version=study.version,
        first_day=_day(min(days)) if days else None,
        last_day=_day(max(days)) if days else None,
        excerpt_seconds=tuple(excerpt.seconds for excerpt in study.excerpts.all()),
        clips=study.clips.filter(purpose="test").count(),
        clips_per_listener=study.trials_per_listener or selectors.clips_per_listener(study),
        controls=tuple(study.controls),
        apart=study.scale_layout == Study.ScaleLayout.APART,
        loudness_rule=study.loudness_rule,
        minimum_seconds=study.minimum_seconds,
        whole_clip=study.minimum_seconds is None,
        show_mixture=study.show_mixture,
        practice=study.practice,
        repeats=study.repeats_per_listener,
        traps=study.traps_per_listener,
        block_trials=study.block_trials,
        languages=dict(sorted(Counter(people.values_list("language", flat=True)).items())),
        checks=_checks(study, people),
        answers=_answers(people),
    )


def _day(moment: datetime) -> date:
    return moment.date()


def _checks(study: Study, people: QuerySet[ListeningSession]) -> dict[str, tuple[int, int]]:
    """By the checks that the study asks for; a listener passes with any of their attempts."""
    passed: dict[tuple[str, Any], bool] = {}
    rows = EquipmentCheck.objects.filter(session__in=people, passed__isnull=False)
    for kind, session, right in rows.values_list("kind", "session_id", "passed"):
        passed[kind, session] = passed.get((kind, session), False) or bool(right)
    found = {}
    for kind in equipment.kinds_asked(study.equipment):
        own = [right for (which, _session), right in passed.items() if which == kind]
        found[str(kind)] = (sum(own), len(own))
    return found


def _answers(people: QuerySet[ListeningSession]) -> dict[str, dict[str, int]]:
    rows = Answer.objects.filter(session__in=people, question__in=ASKED).values_list("question", "value")
    found: dict[str, dict[str, int]] = {}
    for question, value in sorted((question, str(value)) for question, value in rows):
        counts = found.setdefault(question, {})
        counts[value] = counts.get(value, 0) + 1
    return found
