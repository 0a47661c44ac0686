"""Who is listening: the cookie that ties a browser to its session, and the language that it reads.

The cookie of the browser in which somebody agreed, or typed the personal code, holds the session's token. A browser
that was only brought here by a platform's link holds a pass: participants' names can be guessed, so it goes on with
the session but is never shown the personal code.
"""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.http import HttpRequest, HttpResponseBase
from django.utils import translation
from django.utils.crypto import constant_time_compare

from listening_test.arrival import arrival_forget, arrival_kept
from listening_test.models import ListeningSession, Study
from listening_test.services.sessions import session_language_set

COOKIE_DAYS = 30


def cookie_name(study: Study) -> str:
    """One cookie per study: somebody may take part in several."""
    return f"listen_{study.token}"


def session_of(request: HttpRequest, study: Study) -> ListeningSession | None:
    """By the browser's cookie; or by the one with which it agreed, where the answer to that never arrived."""
    held = request.COOKIES.get(cookie_name(study), "")
    return _by_token(study, held) or _by_pass(study, held) or _by_token(study, arrival_kept(request, study).entry)


def is_own(request: HttpRequest, session: ListeningSession) -> bool:
    """Whether the listener agreed in this browser or typed the personal code here."""
    held = request.COOKIES.get(cookie_name(session.study), "")
    tokens = (held, arrival_kept(request, session.study).entry)
    return any(constant_time_compare(token, session.token) for token in tokens)


def cookie_set(request: HttpRequest, response: HttpResponseBase, session: ListeningSession, *, own: bool) -> None:
    """`own`: with everything, else to go on only."""
    response.set_cookie(
        cookie_name(session.study),
        session.token if own else _signer(session).sign(str(session.pk)),
        max_age=COOKIE_DAYS * 24 * 3600,
        httponly=True,
        samesite="Lax",
        secure=settings.HTTPS or request.is_secure(),
    )


def browser_forget(response: HttpResponseBase, study: Study) -> None:
    """Whoever comes next in this browser is somebody else."""
    response.delete_cookie(cookie_name(study), samesite="Lax")
    arrival_forget(response, study)


def _by_token(study: Study, token: str) -> ListeningSession | None:
    return study.sessions.select_related("listener").filter(token=token).first() if token else None


def _by_pass(study: Study, held: str) -> ListeningSession | None:
    """A pass is of no more use once the session's token has been replaced."""
    try:
        session = study.sessions.select_related("listener").filter(pk=UUID(held.partition(":")[0])).first()
        return session if session and _signer(session).unsign(held) else None
    except (ValueError, BadSignature):
        return None


def _signer(session: ListeningSession) -> Signer:
    return Signer(salt=f"pass {session.token}")


def languages() -> list[str]:
    return [code for code, _name in settings.LANGUAGES]


def language_now() -> str:
    current = translation.get_language() or settings.LANGUAGE_CODE
    return current if current in languages() else settings.LANGUAGE_CODE


def language_follow(request: HttpRequest, session: ListeningSession) -> None:
    """Who has chosen a language reads it, and the session remembers; who comes back without a choice reads the same."""
    if request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME) not in languages():
        translation.activate(session.language)
        request.LANGUAGE_CODE = session.language
    elif session.language != language_now():
        session_language_set(session=session, language=language_now())
