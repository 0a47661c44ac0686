"""Who is listening: the cookie that ties a browser to its session, and the language that it reads."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils import translation

from listening_test.models import ListeningSession, Study
from listening_test.services.sessions import session_language_set

COOKIE_DAYS = 30


def cookie_name(study: Study) -> str:
    """One cookie per study: somebody may take part in several."""
    return f"listen_{study.token}"


def session_of(request: HttpRequest, study: Study) -> ListeningSession | None:
    token = request.COOKIES.get(cookie_name(study), "")
    return study.sessions.select_related("listener").filter(token=token).first() if token else None


def cookie_set(request: HttpRequest, response: HttpResponseBase, session: ListeningSession) -> None:
    response.set_cookie(
        cookie_name(session.study),
        session.token,
        max_age=COOKIE_DAYS * 24 * 3600,
        httponly=True,
        samesite="Lax",
        secure=settings.HTTPS or request.is_secure(),
    )


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
