"""Practice: clips whose right answers are known, and what is said to the answers. They are no ratings."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction

from listening_test import session_selectors
from listening_test.models import Clip, ListeningSession, PracticeAnswer
from listening_test.refusal import BadValue, Refused
from listening_test.scales import HIGHEST, LOWEST, SCALES
from listening_test.services.sessions import session_lock

Step = ListeningSession.Step


@transaction.atomic
def practice_answer(*, session: ListeningSession, name: str, values: Mapping[str, int]) -> Clip:
    """One answer on each scale to the practice clip that this listener knows by `name`; the first ones stay.

    Raises `BadValue("bad_rating")`, and `Refused("not_now")` outside of the practice or for another name.
    """
    session_lock(session)
    clip = session_selectors.named(session, session_selectors.practice_clips(session.study), name)
    if session.step != Step.PRACTICE or clip is None:
        raise Refused("not_now")
    if set(values) != set(SCALES) or not all(_is_rating(value) for value in values.values()):
        raise BadValue("bad_rating", lowest=LOWEST, highest=HIGHEST)
    for scale, value in values.items():
        PracticeAnswer.objects.get_or_create(session=session, clip=clip, scale=scale, defaults={"value": value})
    return clip


def _is_rating(value: object) -> bool:
    return type(value) is int and LOWEST <= value <= HIGHEST
