"""What every page of a listener begins with: the study, the session, the language, and how things stand."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache

from listening_test import flow, session_selectors
from listening_test.listener_access import language_follow, language_now, session_of
from listening_test.models import ListeningSession, Study
from listening_test.refusal import Refused
from listening_test.services.sessions import session_returned
from listening_test.texts import study_title

PageView = Callable[[HttpRequest, Study, ListeningSession | None], HttpResponseBase]
StepView = Callable[[HttpRequest, ListeningSession], HttpResponseBase]

PAGES = "listening_test/listener"


def listener_page(view: PageView) -> Callable[..., HttpResponseBase]:
    """Finds study and session, follows the language, and turns a refusal into its page."""

    @wraps(view)
    def page(request: HttpRequest, token: str) -> HttpResponseBase:
        study = Study.objects.prefetch_related("texts").filter(token=token).first()
        if study is None:
            return unavailable(request, "unknown", status=404)
        session = session_of(request, study)
        try:
            if session is not None:
                session_returned(session=session)
                session.study = study
                language_follow(request, session)
            return view(request, study, session)
        except Refused:
            return redirect("listen", token=token)  # which says how things stand

    return never_cache(page)


def step_post(step: str) -> Callable[[StepView], Callable[..., HttpResponseBase]]:
    """A view that a step's page posts to; from any other step, or by another road, it leads to the current page."""

    def decorate(view: StepView) -> Callable[..., HttpResponseBase]:
        @listener_page
        def post(request: HttpRequest, study: Study, session: ListeningSession | None) -> HttpResponseBase:
            if request.method == "POST" and session and session_selectors.step_shown(session) == step:
                return view(request, session)
            return redirect("listen", token=study.token)

        return post

    return decorate


def render_step(request: HttpRequest, study: Study, page: str, step: str, **context: Any) -> HttpResponse:
    number, steps = flow.place(step, session_selectors.unused_steps(study))
    common = {"study": study, "title": study_title(study, language_now()), "step_number": number, "steps": steps}
    return render(request, f"{PAGES}/{page}.html", {**common, **context})


def unavailable(request: HttpRequest, reason: str, *, status: int, **context: Any) -> HttpResponse:
    title = study_title(context["study"], language_now()) if "study" in context else ""
    return render(request, f"{PAGES}/unavailable.html", {**context, "reason": reason, "title": title}, status=status)
