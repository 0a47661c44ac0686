"""One kind word in a session, at most: noted when it is due; the next trial's page says it."""

from __future__ import annotations

from django.utils import timezone

from listening_test.attention import is_to_be_told
from listening_test.attention_selectors import rated_lately
from listening_test.models import ListeningSession


def attention_note(session: ListeningSession) -> None:
    """After a finished trial, inside its transaction. Simulated listeners are told nothing."""
    if session.warned_at is None and not session.listener.simulated and is_to_be_told(rated_lately(session)):
        session.warned_at = timezone.now()
        session.save(update_fields=["warned_at"])
