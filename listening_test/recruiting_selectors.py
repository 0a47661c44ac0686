"""Questions about who comes by which link. Nothing here writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet
from django.db.models.fields.json import KeyTransform

from listening_test import recruiting
from listening_test.models import Invitation, ListeningSession, Study

DONE, ENDED = ListeningSession.Step.DONE, ListeningSession.Step.ENDED


@dataclass(frozen=True)
class Recruited:
    """How many of an open study's listeners are where."""

    begun: int = 0
    completed: int = 0
    given_up: int = 0
    ended: int = 0  # before the rating, by a check
    tests: int = 0  # by test links: in none of the others


def recruited(study: Study) -> Recruited:
    real, ended = Q(is_test=False), Q(step=ENDED)
    gone = Q(given_up_at__isnull=False, completed_at__isnull=True)
    counts = study.sessions.order_by().aggregate(
        begun=Count("id", filter=real),
        completed=Count("id", filter=real & Q(completed_at__isnull=False)),
        given_up=Count("id", filter=real & gone & ~ended),
        ended=Count("id", filter=real & ended),
        tests=Count("id", filter=~real),
    )
    return Recruited(**counts)


def invitation_of(study: Study, token: str) -> Invitation | None:
    return study.invitations.filter(token=token).first() if token else None


def invitations(study: Study) -> QuerySet[Invitation]:
    """Links for one listener each, oldest first, each with its session where it has been used."""
    return study.invitations.filter(is_test=False).select_related("session").order_by("created_at", "id")


def is_used(invitation: Invitation) -> bool:
    return ListeningSession.objects.filter(invitation=invitation).exists()


def session_of_participant(study: Study, parameters: Mapping[str, str]) -> ListeningSession | None:
    """The session that the platform's participant has in this study already."""
    name = recruiting.participant_name(study.platform)
    if name is None or not parameters.get(name):
        return None
    told = study.sessions.annotate(participant=KeyTransform(name, "platform"))
    return told.filter(participant=parameters[name], is_test=False).order_by("-number").first()


def is_full(study: Study) -> bool:
    """Whether as many have finished, or are still at it, as the study wants."""
    if study.quota is None:
        return False
    gone = Q(given_up_at__isnull=False, completed_at__isnull=True)  # who came back all the same and finished counts
    return study.sessions.filter(is_test=False).exclude(gone).exclude(step=ENDED).count() >= study.quota


def entry_refusal(study: Study, invitation: Invitation | None) -> str | None:
    """Why somebody cannot enter by this link (None: by the study's own), as far as can be told before they agree."""
    if invitation is not None and is_used(invitation):
        return "link_used"
    if invitation is not None and invitation.is_test:
        return None
    if study.links == Study.Links.SINGLE and invitation is None:
        return "link_needed"
    return "study_full" if is_full(study) else None


def another_may_begin(session: ListeningSession) -> bool:
    """Whether, in the browser of who is through, somebody else could begin by the study's own link."""
    recruited_here = session.invitation_id is not None or bool(session.platform)
    if session.step != DONE or recruited_here or not session.study.is_open:
        return False
    return entry_refusal(session.study, None) is None
