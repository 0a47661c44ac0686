"""Making, changing, opening, closing and deleting studies."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, fields, replace
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from listening_test import recruiting, selectors, texts
from listening_test.models import Excerpt, Listener, ListeningSession, Study, StudyText
from listening_test.refusal import Refused
from listening_test.refusal import StudyRefused as StudyRefused
from listening_test.scales import ContaminationWords
from listening_test.services import clips, preparation, traps
from listening_test.systems import system_is_demo
from separation.models import SeparationJob, Song
from separation.services.jobs import job_start

END_SLACK_SECONDS = 0.01  # a song's length is shown in hundredths: an end within one of it means the end

Texts = Mapping[tuple[str, str], str]  # (language, key) -> text; an empty one means the product's own


@dataclass(frozen=True)
class Span:
    """An excerpt before it is one: a song, a start and an end in seconds."""

    song: Song
    start: float
    end: float


@dataclass(frozen=True)
class StudyContent:
    """What a researcher decides about a study."""

    name: str
    sources: list[str] = field(default_factory=list)
    systems: list[str] = field(default_factory=list)
    trials_per_listener: int | None = None
    show_mixture: bool = False
    texts: Texts = field(default_factory=dict)
    spans: list[Span] = field(default_factory=list)
    controls: list[str] = field(default_factory=list)
    repeats_per_listener: int = 0
    traps_per_listener: int = 0
    trap_kind: str = Study.TrapKind.WRITTEN
    block_trials: int | None = 12
    scale_layout: str = Study.ScaleLayout.TOGETHER
    contamination_words: str = ContaminationWords.AMOUNT
    loudness_rule: str = Study.LoudnessRule.CLIP
    minimum_seconds: float | None = None
    loop_allowed: bool = False
    equipment: dict[str, str] = field(default_factory=dict)
    practice: bool = True
    questions: list[dict[str, Any]] | None = None
    links: str = Study.Links.OPEN
    quota: int | None = None
    platform: dict[str, Any] = field(default_factory=dict)
    give_up_minutes: int = 60
    retention_days: int | None = None


OPTIONS = tuple(each.name for each in fields(StudyContent) if each.name not in ("texts", "spans"))
"""What is a field of the study's row by the same name."""


# ── Drafts ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def study_add(*, content: StudyContent, created_by: AbstractBaseUser | None = None, seed: int | None = None) -> Study:
    """A new draft. `seed` only where the study must come out the same again; else it is drawn."""
    study = Study(name=content.name, created_by=created_by)  # type: ignore[misc]
    study.seed = study.seed if seed is None else seed
    study.save()
    _fill(study, content)
    return study


@transaction.atomic
def study_update(*, study: Study, content: StudyContent) -> Study:
    study = _draft(study)
    _fill(study, content)
    return study


def _fill(study: Study, content: StudyContent) -> None:
    for name in OPTIONS:
        setattr(study, name, getattr(content, name))
    study.preparation_error = {}  # it spoke of the study as it was
    study.save()
    _texts_set(study, content.texts)
    _spans_set(study, content.spans)
    _demo_mark(study)


def _texts_set(study: Study, texts: Texts) -> None:
    study.texts.all().delete()
    StudyText.objects.bulk_create(
        StudyText(study=study, language=language, key=key, text=text.strip())
        for (language, key), text in texts.items()
        if text.strip()
    )


def _spans_set(study: Study, spans: Iterable[Span]) -> None:
    """The study's excerpts become these; one that stays keeps its row, one given twice counts once."""
    wanted = {(span.song.pk, span.start, span.end): span for span in map(_checked, spans)}
    for excerpt in study.excerpts.all():
        if wanted.pop((excerpt.song_id, excerpt.start, excerpt.end), None) is None:
            excerpt.delete()
    for span in wanted.values():
        Excerpt.objects.create(study=study, song=span.song, start=span.start, end=span.end)


def span_checked(*, song: Song, start: float, end: float) -> tuple[float, float]:
    """Start and end as they are kept; raises `StudyRefused` where they are no excerpt of the song."""
    end = song.seconds if song.seconds < end <= song.seconds + END_SLACK_SECONDS else end
    if not (math.isfinite(start) and math.isfinite(end) and 0.0 <= start < song.seconds and end <= song.seconds):
        raise StudyRefused("excerpt_outside", seconds=f"{math.floor(song.seconds * 100) / 100:g}")
    if end - start < Excerpt.MIN_SECONDS - 1e-6:
        raise StudyRefused("excerpt_short", least=f"{Excerpt.MIN_SECONDS:g}")
    if end - start > Excerpt.MAX_SECONDS + 1e-6:
        raise StudyRefused("excerpt_long", most=f"{Excerpt.MAX_SECONDS:g}")
    return start, end


def _checked(span: Span) -> Span:
    start, end = span_checked(song=span.song, start=span.start, end=span.end)
    return Span(span.song, start, end)


def _demo_mark(study: Study) -> None:
    """A study is demo as soon as one of its systems or songs is."""
    of_systems = any(map(system_is_demo, study.systems))
    study.is_demo = of_systems or study.excerpts.filter(song__is_demo=True).exists()
    study.save(update_fields=["is_demo"])


def study_content(study: Study) -> StudyContent:
    """What `study_update` would need to leave the study as it is."""
    return StudyContent(
        **{name: deepcopy(getattr(study, name)) for name in OPTIONS},
        texts=texts.own_texts(study),
        spans=[Span(excerpt.song, excerpt.start, excerpt.end) for excerpt in study.excerpts.select_related("song")],
    )


def _texts_keep(study: Study) -> None:
    """What listeners read and agree to stays as it is now, whatever a later version of the product would say."""
    for language, _name in settings.LANGUAGES:
        for key in texts.DEFAULTS:
            text = texts.study_text(study, key, language)
            StudyText.objects.get_or_create(study=study, language=language, key=key, defaults={"text": text})


def study_duplicate(*, study: Study, created_by: AbstractBaseUser | None = None) -> Study:
    """A draft with the same content, a seed of its own, and nobody's ratings."""
    name = _("%(name)s (copy)") % {"name": study.name}
    most = Study._meta.get_field("name").max_length or 0
    return _copy(study, name[:most], created_by)


@transaction.atomic
def study_new_version(*, study: Study, created_by: AbstractBaseUser | None = None) -> Study:
    """A draft of what comes after a study whose design is frozen: the same content, a seed of its own, and the number
    of the next version. The earlier one stays as it was frozen, with its ratings, and ratings of the two never mix.
    """
    study = _locked(study)
    if study.state not in (Study.State.OPEN, Study.State.CLOSED):
        raise StudyRefused("not_frozen")
    later = _copy(study, study.name, created_by)
    later.version, later.earlier = study.version + 1, study
    later.save(update_fields=["version", "earlier"])
    return later


@transaction.atomic
def _copy(study: Study, name: str, created_by: AbstractBaseUser | None) -> Study:
    copy = study_add(content=replace(study_content(study), name=name), created_by=created_by)
    traps.trap_recordings_copy(source=study, target=copy)
    return copy


# ── Stems that are not there yet ────────────────────────────────────────────────────────────────────────────────────


def excerpts_separate(*, study: Study) -> list[SeparationJob]:
    """Ask for what the study's excerpts lack, and for no more: a job for each song and system, of the excerpts only."""
    return [
        job_start(song=gap.song, separator=gap.system, spans=[excerpt.span for excerpt in gap.excerpts])
        for gap in selectors.stems_missing(study)
        if gap.can_be_separated
    ]


# ── Opening and closing ─────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def study_open(*, study: Study) -> Study:
    """Begin to prepare the clips; the study opens when they are made. Refuses a study that cannot be prepared."""
    study = _draft(study)
    for problem in selectors.study_problems(study):
        raise StudyRefused(problem.code, **problem.params)
    _demo_mark(study)
    _texts_keep(study)
    study.state, study.preparation_error = Study.State.PREPARING, {}
    study.save()
    preparation.preparation_start(study=study)
    return study


@transaction.atomic
def study_preparation_stop(*, study: Study) -> Study:
    """Back to draft; the worker notices at its next step."""
    study = _in_state(study, Study.State.PREPARING, "not_preparing")
    study.state = Study.State.DRAFT
    study.save()
    preparation.preparation_cancel(study=study)
    clips.clips_remove(study_id=study.id)
    return study


@transaction.atomic
def study_close(*, study: Study) -> Study:
    study = _in_state(study, Study.State.OPEN, "not_open")
    study.state, study.closed_at = Study.State.CLOSED, timezone.now()
    study.save()
    return study


@transaction.atomic
def study_recruiting_change(
    *, study: Study, quota: int | None, give_up_minutes: int, endings: Mapping[str, str], retention_days: int | None
) -> Study:
    """What may change while listeners come: none of it decides what is heard or read, and who has agreed is kept to.

    `endings`: the platform's addresses, see `recruiting.ENDINGS`; a study without a platform gets none. Raises
    `Refused`: `platform_address_bad` and the like, `retention_longer` where data would be kept for longer than agreed.
    """
    study = _in_state(study, Study.State.OPEN, "not_open")
    if study.retention_days is not None and (retention_days is None or retention_days > study.retention_days):
        raise Refused("retention_longer", days=study.retention_days)
    study.platform = recruiting.platform_checked({**study.platform, **endings})
    study.quota, study.give_up_minutes, study.retention_days = quota, give_up_minutes, retention_days
    study.save(update_fields=["quota", "give_up_minutes", "retention_days", "platform"])
    return study


@transaction.atomic
def study_reopen(*, study: Study) -> Study:
    study = _in_state(study, Study.State.CLOSED, "not_closed")
    if selectors.has_simulated(study):
        raise StudyRefused("simulated_stays_closed")
    study.state, study.closed_at = Study.State.OPEN, None
    study.save()
    return study


@transaction.atomic
def study_delete(*, study: Study, typed_name: str = "") -> None:
    """The study, its clips, sessions and ratings. Ratings of real listeners ask for the study's name."""
    study = _locked(study)
    if deleting_needs_name(study) and typed_name.strip() != study.name:
        raise StudyRefused("name_needed")
    only_here = Listener.objects.filter(sessions__study=study).exclude(sessions__in=_sessions_elsewhere(study))
    listeners = list(only_here.values_list("id", flat=True))
    study.sessions.all().delete()
    Listener.objects.filter(id__in=listeners).delete()
    clips.clips_remove(study_id=study.id)
    study.delete()


def deleting_needs_name(study: Study) -> bool:
    return selectors.has_real_ratings(study) and not study.is_demo


def _sessions_elsewhere(study: Study) -> QuerySet[ListeningSession]:
    return ListeningSession.objects.exclude(study=study)


def _draft(study: Study) -> Study:
    return _in_state(study, Study.State.DRAFT, "not_draft")


def _in_state(study: Study, state: Study.State, refusal: str) -> Study:
    study = _locked(study)
    if study.state != state:
        raise StudyRefused(refusal)
    return study


def _locked(study: Study) -> Study:
    """The row as it is now, ours until the transaction ends."""
    return Study.objects.select_for_update().get(pk=study.pk)
