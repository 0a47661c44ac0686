"""Attention checks of a session that are spoken: which recording stands for which planned clip, in which language."""

from __future__ import annotations

from collections.abc import Sequence

from listening_test.models import Clip, ListeningSession, Trial
from listening_test.services.traps import is_spoken
from listening_test.session_selectors import current_trial


def recordings(session: ListeningSession) -> list[Clip]:
    """In the listener's language; without any, the checks are written."""
    if not is_spoken(session.study):
        return []
    spoken = session.study.clips.filter(purpose=Clip.Purpose.TRAP, language=session.language)
    return list(spoken.order_by("created_at", "id"))


def check_speak(trial: Trial, recorded: Sequence[Clip]) -> None:
    """`trial`, an attention check, plays one of these in place of its planned clip; without any, it is written."""
    planned = trial.stands_for_id or trial.clip_id
    if recorded:
        trial.clip, trial.stands_for_id = recorded[(trial.instructed or 0) % len(recorded)], planned
        trial.instructed = next(answer for answer, _highest in trial.clip.expected.values())
    else:
        trial.clip_id, trial.stands_for_id = planned, None


def checks_translate(*, session: ListeningSession) -> None:
    """In the language that the listener reads now. What the browser may have been given already stays as it is: the
    current trial and the next."""
    if not is_spoken(session.study):
        return
    checks = session.trials.filter(instructed__isnull=False, opened_at__isnull=True, finished_at__isnull=True)
    current = current_trial(session)
    given = -1 if current is None else current.position + 1
    recorded = recordings(session)
    for trial in checks.filter(position__gt=given):
        check_speak(trial, recorded)
        trial.save(update_fields=["clip", "stands_for", "instructed"])
