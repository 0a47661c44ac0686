"""A listener's rights over what is stored of them: to have it erased, and to be forgotten when its time is over."""

from __future__ import annotations

import logging

from django.db import transaction
from django.utils import timezone

from listening_test import rights_selectors
from listening_test.models import Listener, ListeningSession, Study
from listening_test.models.listener import new_completion_code, new_session_token

log = logging.getLogger(__name__)


@transaction.atomic
def session_erase(*, session: ListeningSession) -> None:
    """The visit with its ratings, answers and checks, and the listener where this was their only one.

    Its place in the design is free again. The study's row is locked, as it is when a place is given.
    """
    Study.objects.select_for_update().get(pk=session.study_id)
    listener = session.listener_id
    ListeningSession.objects.filter(pk=session.pk).delete()
    Listener.objects.filter(pk=listener, sessions__isnull=True).delete()


@transaction.atomic
def personal_data_remove(*, session: ListeningSession) -> None:
    """What could lead back to a person goes; ratings stay, under a number that nobody has any more.

    Removed: answers about themselves, device, parameters of the platform, invitation, personal code, completion code
    and cookie. Left: ratings, what was heard and when, results of the sound checks, time and version of consent,
    language. A visit that was not finished cannot be gone on with.
    """
    session.refresh_from_db(from_queryset=ListeningSession.objects.select_for_update())
    session.answers.all().delete()
    session.device, session.platform, session.invitation, session.personal_code = {}, {}, None, None
    session.token, session.completion_code = new_session_token(), new_completion_code()
    if session.completed_at is None and session.given_up_at is None:
        session.given_up_at = timezone.now()
    session.save()


def retention_sweep() -> int:
    """Carry out the retention of every study; returns how many visits it was due for."""
    due = list(rights_selectors.sessions_due())
    for session in due:
        personal_data_remove(session=session)
    if due:
        log.info("retention: personal data of %d visits removed", len(due))
    return len(due)
