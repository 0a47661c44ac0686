"""Links for single listeners and test links, and the entry of who comes by them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.db import transaction

from listening_test import recruiting_selectors
from listening_test.models import Invitation, ListeningSession, Study
from listening_test.refusal import Refused
from listening_test.services.sessions import session_start

MOST_AT_ONCE = 500
LABEL_MAX_LENGTH = 200


@transaction.atomic
def invitations_add(*, study: Study, count: int, labels: Sequence[str] = ()) -> list[Invitation]:
    """Links for `count` listeners, the first of them with these labels. Raises `Refused`."""
    if not 1 <= count <= MOST_AT_ONCE:
        raise Refused("invitations_many", most=MOST_AT_ONCE)
    if any(len(label) > LABEL_MAX_LENGTH for label in labels):
        raise Refused("invitation_label_long", most=LABEL_MAX_LENGTH)
    named = [*labels[:count], *[""] * (count - len(labels))]
    return Invitation.objects.bulk_create([Invitation(study=study, label=label) for label in named])


@transaction.atomic
def invitation_remove(*, invitation: Invitation) -> None:
    """The link works no more. One that brought somebody stays: it says where a session came from."""
    Invitation.objects.select_for_update().filter(pk=invitation.pk).first()
    if recruiting_selectors.is_used(invitation):
        raise Refused("invitation_used")
    invitation.delete()


def try_link_add(*, study: Study, label: str = "") -> Invitation:
    """A link to try the study as a listener: its session takes no place and never counts."""
    if not study.is_open:
        raise Refused("study_not_open")
    return Invitation.objects.create(study=study, is_test=True, label=label)


@transaction.atomic
def session_enter(
    *,
    study: Study,
    language: str,
    invitation: Invitation | None = None,
    platform: Mapping[str, str] | None = None,
    token: str | None = None,
) -> ListeningSession:
    """A session for who comes by this link. Whose browser has begun it by this `token`, or the platform's participant
    who has one already, goes on with it.

    Raises `Refused`: `study_not_open`, `study_full`, `link_needed` where the study takes only those with a link of
    their own, `link_used` where somebody has entered by it.
    """
    study = Study.objects.select_for_update().get(pk=study.pk)
    begun = study.sessions.filter(token=token).first() if token else None
    if begun is not None:
        return begun
    known = recruiting_selectors.session_of_participant(study, platform or {})
    if known is not None and not (invitation and invitation.is_test):
        return known
    if study.links == Study.Links.SINGLE and invitation is None:
        raise Refused("link_needed")
    return session_start(study=study, language=language, invitation=invitation, platform=platform, token=token)
