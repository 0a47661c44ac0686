"""What is stored of one listener's visit, for themselves and for the researcher. Nothing here writes."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from listening_test import session_selectors, texts
from listening_test.equipment_words import WORDS
from listening_test.models import EquipmentCheck, ListeningSession, Study, Trial
from listening_test.models.listener import CODE_ALPHABET
from listening_test.question import Question
from listening_test.scales import ScaleKey

CODE_LENGTH, GROUP = 16, 4
OVER = (ListeningSession.Step.DONE, ListeningSession.Step.ENDED)

Record = dict[str, Any]


def session_by_code(typed: str) -> ListeningSession | None:
    """The session of a personal code, however it was typed: small letters, other separators, spaces."""
    code = code_read(typed)
    return (
        ListeningSession.objects.select_related("study", "listener").filter(personal_code=code).first()
        if code
        else None
    )


def code_read(typed: str) -> str | None:
    """The code as it is stored; None where it cannot be one."""
    places = re.sub(r"[\s\-–—_.]", "", typed).upper()
    if len(places) != CODE_LENGTH or set(places) - set(CODE_ALPHABET):
        return None
    return "-".join(places[at : at + GROUP] for at in range(0, CODE_LENGTH, GROUP))


def sessions_due(now: datetime | None = None) -> QuerySet[ListeningSession]:
    """Whose personal data have been kept for as long as their study says, from the end of the visit."""
    now = now or timezone.now()
    due = ListeningSession.objects.none()
    for study in Study.objects.filter(retention_days__isnull=False).order_by("id"):
        last = now - timedelta(days=study.retention_days or 0)
        ended = study.sessions.annotate(last=Coalesce("completed_at", "seen_at"))
        due |= ListeningSession.objects.filter(pk__in=ended.filter(last__lt=last).values("pk"))
    return due.filter(personal_code__isnull=False).order_by("pk")


# ── One visit, whole ────────────────────────────────────────────────────────────────────────────────────────────────


def session_record(session: ListeningSession, *, for_researcher: bool = False) -> Record:
    """All that is stored of a visit, as JSON takes it.

    A listener does not read which system, control or repeat a clip was, nor what is still to come, and learns whether a
    sound check was passed only when the visit is over: that would tell the next listener.
    """
    study = session.study
    record: Record = {
        "study": texts.study_title(study, session.language),
        "version": study.version,
        "personal_code": session.personal_code,
        "completion_code": session.completion_code,
        "language": session.language,
        "step": session.step,
        "started_at": session.started_at,
        "seen_at": session.seen_at,
        "completed_at": session.completed_at,
        "given_up_at": session.given_up_at,
        "ended_reason": session.ended_reason,
        "warned_at": session.warned_at,
        "calibrated_at": session.calibrated_at,
        "consent": _consent(session),
        "device": session.device,
        "platform": session.platform,
        "invitation": session.invitation.label if session.invitation else None,
        "is_test": session.is_test,
        "answers": answer_rows(session),
        "equipment_checks": _checks(session, told=for_researcher or session.step in OVER),
        "examples_heard_at": list(session.calibration_heard.values_list("heard_at", flat=True)),
        "practice": _practice(session),
        "trials": [_trial(trial, for_researcher) for trial in _trials(session) if for_researcher or trial.opened_at],
    }
    if for_researcher:
        record |= {"session": str(session.id), "number": session.number, "slot": session.slot}
    return record


def _consent(session: ListeningSession) -> Record:
    """When which text was agreed to; the text itself where it still reads the same."""
    same = session.consent_sha256 == texts.consent_sha256(session.study, session.language)
    text = texts.study_text(session.study, texts.Key.CONSENT, session.language) if same else None
    return {"at": session.consented_at, "sha256": session.consent_sha256, "text": text}


def answer_rows(session: ListeningSession) -> list[Record]:
    """Each answer with the words of its question, as far as the study still asks it."""
    study = session.study
    asked = [*session_selectors.opening_questions(study), *session_selectors.closing_questions(study)]
    by_key = {question.key: question for question in asked}
    return [
        {
            "question": answer.question,
            "words": _question_words(by_key.get(answer.question)),
            "value": answer.value,
            "value_words": answer_words(by_key.get(answer.question), answer.value),
            "given_at": answer.given_at,
        }
        for answer in session.answers.order_by("given_at", "question")
    ]


def _question_words(question: Question | None) -> str:
    if question is None:
        return ""
    return f"{question.label} ({question.about})" if question.about else str(question.label)


def answer_words(question: Question | None, value: Any) -> str:
    words = {option: str(text) for option, text in question.options} if question else {}
    values = value if isinstance(value, list) else [value]
    return ", ".join(words.get(each) or str(each) for each in values)


def _checks(session: ListeningSession, *, told: bool) -> list[Record]:
    rows = session.equipment_checks.order_by("began_at", "id")
    fields = ("kind", "attempt", "answers", "began_at", "judged_at", *(("passed",) if told else ()))
    return [{name: getattr(row, name) for name in fields} | _check_words(row) for row in rows]


def _check_words(check: EquipmentCheck) -> Record:
    options = WORDS[check.kind].options
    answers = ", ".join(str(options.get(answer, answer)) for answer in check.answers)
    return {"kind_words": check.get_kind_display(), "answer_words": answers}


def _practice(session: ListeningSession) -> list[Record]:
    rows = session.practice_answers.values("scale", "value", "given_at").order_by("id")
    return [{**row, "scale_words": str(ScaleKey(row["scale"]).label)} for row in rows]


def _trials(session: ListeningSession) -> QuerySet[Trial]:
    trials = session.trials.select_related("clip__excerpt__song", "stands_for")
    return trials.prefetch_related("ratings").order_by("position")


def _trial(trial: Trial, for_researcher: bool) -> Record:
    record: Record = {
        "place": trial.position + 1,
        "source": trial.announced.source,
        "source_words": trial.announced.get_source_display(),
        "opened_at": trial.opened_at,
        "heard_at": trial.heard_at,
        "heard_seconds": trial.heard_seconds,
        "plays": trial.plays,
        "loops": trial.loops,
        "interruptions": trial.interruptions,
        "glitches": trial.glitches,
        "finished_at": trial.finished_at,
        "ratings": {
            rating.scale: {"value": rating.value, "changes": rating.changes, "at": rating.given_at}
            for rating in trial.ratings.all()
        },
    }
    if for_researcher:
        excerpt = trial.clip.excerpt
        record |= {"system": trial.clip.system, "repeat": trial.repeat, "instructed": trial.instructed}
        record |= {"scale": trial.scale, "song": excerpt.song.title if excerpt else None}
    return record
