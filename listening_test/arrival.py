"""What a listener's link said of them: kept in a signed cookie until they agree, and gone from the address.

So a language can be chosen, or the page left and opened again, before anything is stored on the server; and neither
the browser's history nor a page that is linked from here learns who was invited.

The cookie also holds the token that the session will have. So agreeing twice, as after an answer that was lost on its
way, is agreeing once, and the browser finds its session without having been told of it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponseBase

from listening_test import recruiting, recruiting_selectors
from listening_test.models import Invitation, ListeningSession, Study
from listening_test.models.listener import new_session_token

SALT = "arrival"
KEPT_SECONDS = 24 * 3600


@dataclass(frozen=True)
class Arrival:
    """The token of an invitation, the parameters of a recruiting platform, and the token of the session to be."""

    invitation: str = ""
    platform: dict[str, str] = field(default_factory=dict)
    entry: str = ""

    @property
    def says_something(self) -> bool:
        return bool(self.invitation or self.platform)


def arrival_in_address(request: HttpRequest, study: Study) -> Arrival:
    token = request.GET.get(recruiting.INVITATION, "")
    return Arrival(token[:32], recruiting.parameters_of(study.platform, request.GET.dict()))


def arrival_kept(request: HttpRequest, study: Study) -> Arrival:
    try:
        kept: Any = signing.loads(request.COOKIES.get(_cookie(study), ""), salt=SALT, max_age=KEPT_SECONDS)
        platform = recruiting.parameters_of(study.platform, kept["platform"])
        return Arrival(str(kept["invitation"]), platform, str(kept.get("entry", "")))
    except (signing.BadSignature, KeyError, TypeError, AttributeError):
        return Arrival()


def arrival_keep(request: HttpRequest, response: HttpResponseBase, study: Study, arrival: Arrival) -> None:
    """The same link opened again keeps the token; by another one somebody else may come."""
    before = arrival_kept(request, study)
    entry = before.entry if replace(before, entry="") == replace(arrival, entry="") else ""
    response.set_cookie(
        _cookie(study),
        signing.dumps(asdict(replace(arrival, entry=entry or new_session_token())), salt=SALT, compress=True),
        max_age=KEPT_SECONDS,
        httponly=True,
        samesite="Lax",
        secure=settings.HTTPS or request.is_secure(),
    )


def arrival_forget(response: HttpResponseBase, study: Study) -> None:
    response.delete_cookie(_cookie(study), samesite="Lax")


def invitation_of(study: Study, arrival: Arrival) -> Invitation | None:
    return recruiting_selectors.invitation_of(study, arrival.invitation)


def session_awaiting(study: Study, arrival: Arrival) -> ListeningSession | None:
    """The session that the platform's participant has begun already, in whatever browser."""
    return recruiting_selectors.session_of_participant(study, arrival.platform)


def is_of(session: ListeningSession, arrival: Arrival) -> bool:
    """Whether this session was begun by the same link: somebody else may use the same browser."""
    if arrival.invitation:
        return session.invitation is not None and session.invitation.token == arrival.invitation
    name = recruiting.participant_name(session.study.platform)
    return name is None or arrival.platform.get(name) in (None, session.platform.get(name))


def _cookie(study: Study) -> str:
    return f"arrive_{study.token}"
