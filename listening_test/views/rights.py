"""A listener's own data: seen, downloaded, erased, or gone on with in another browser, by the personal code.

The code is only ever sent in the body of a request, so no address, log or history holds it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from listening_test import equipment_words, guessing, rights_selectors, texts
from listening_test.listener_access import browser_forget, cookie_set, is_own, language_now, session_of
from listening_test.models import ListeningSession, Study
from listening_test.services.rights import session_erase

PAGES = "listening_test/listener"
CodeView = Callable[[HttpRequest, ListeningSession], HttpResponseBase]


def with_code(view: CodeView) -> Callable[[HttpRequest], HttpResponseBase]:
    """A view of the session whose personal code was sent; else the page that asks for it says what is wrong."""

    @wraps(view)
    def coded(request: HttpRequest) -> HttpResponseBase:
        if guessing.must_wait(request):
            return _ask(request, _("That were many wrong codes. Please wait ten minutes and try again."), status=429)
        session = rights_selectors.session_by_code(request.POST.get("code", ""))
        if session is None:
            guessing.wrong_code(request)
            wrong = _("There are no data under this code. Please check it: four groups of four letters or digits.")
            return _ask(request, wrong, status=404)
        return view(request, session)

    return never_cache(require_POST(coded))


def _ask(request: HttpRequest, error: str = "", *, status: int = 200) -> HttpResponse:
    return render(
        request, f"{PAGES}/me.html", {"error": error, "typed": request.POST.get("code", "")[:40]}, status=status
    )


@never_cache
def me(request: HttpRequest) -> HttpResponseBase:
    """Asks for the code; shows what is stored under it."""
    return _data(request) if request.method == "POST" else _ask(request)


@with_code
def _data(request: HttpRequest, session: ListeningSession) -> HttpResponseBase:
    record = rights_selectors.session_record(session)
    title = texts.study_title(session.study, language_now())
    over = session.step in rights_selectors.OVER or not session.study.is_open
    words = equipment_words.ended_words(session.ended_reason)
    context = {"session": session, "record": record, "study_name": title, "ended_words": words, "can_go_on": not over}
    return render(request, f"{PAGES}/me_data.html", context)


@with_code
def me_download(request: HttpRequest, session: ListeningSession) -> HttpResponseBase:
    record = rights_selectors.session_record(session)
    answer = JsonResponse(record, json_dumps_params={"ensure_ascii": False, "indent": 2})
    answer["Content-Disposition"] = 'attachment; filename="my-data.json"'
    return answer


@with_code
def me_erase(request: HttpRequest, session: ListeningSession) -> HttpResponseBase:
    """Only with the box ticked: there is no way back."""
    if request.POST.get("sure") != "yes":
        return _data(request)
    study = session.study
    session_erase(session=session)
    response = render(request, f"{PAGES}/me_erased.html", {"study_name": texts.study_title(study, language_now())})
    browser_forget(response, study)
    return response


@with_code
def me_resume(request: HttpRequest, session: ListeningSession) -> HttpResponseBase:
    """This browser is the session's from now on, as the one before still is."""
    response = redirect("listen", token=session.study.token)
    cookie_set(request, response, session, own=True)
    return response


@never_cache
@require_safe
def listen_code(request: HttpRequest, token: str) -> HttpResponseBase:
    """The personal code of the session that this browser holds, if it is the listener's own."""
    study = Study.objects.prefetch_related("texts").filter(token=token).first()
    session = session_of(request, study) if study else None
    if study is None or session is None or not session.personal_code or not is_own(request, session):
        return redirect("me")
    context = {"study": study, "title": texts.study_title(study, language_now()), "session": session}
    return render(request, f"{PAGES}/my_code.html", context)
