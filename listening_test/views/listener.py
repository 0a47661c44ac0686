"""A listener's pages: one address shows whatever step the session is at; each step posts to an address of its own."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from listening_test import flow, session_selectors
from listening_test.listener_access import cookie_set, language_follow, language_now, languages, session_of
from listening_test.listener_forms import QuestionsForm
from listening_test.models import Clip, ListeningSession, Study
from listening_test.questionnaire import CLOSING
from listening_test.refusal import Refused
from listening_test.scales import SCALES, ScaleKey
from listening_test.selectors import clips_per_listener, session_minutes
from listening_test.services.sessions import (
    session_answers_save,
    session_consent,
    session_start,
    session_step_forward,
)
from listening_test.texts import Key, consent_sha256, study_text, study_title
from separation.serving import audio_response

Step = ListeningSession.Step
Role = Clip.Role
PageView = Callable[[HttpRequest, Study, ListeningSession | None], HttpResponseBase]
StepView = Callable[[HttpRequest, ListeningSession], HttpResponseBase]

PAGES = "listening_test/listener"
CALIBRATION_ROLES = {
    ScaleKey.QUALITY: (Role.CLEAN, Role.DISTORTED),
    ScaleKey.CONTAMINATION: (Role.ALONE, Role.CONTAMINATED),
}


# ── What every page begins with ─────────────────────────────────────────────────────────────────────────────────────


def listener_page(view: PageView) -> Callable[..., HttpResponseBase]:
    """Finds study and session, follows the language, and turns a refusal into its page."""

    @wraps(view)
    def page(request: HttpRequest, token: str) -> HttpResponseBase:
        study = Study.objects.prefetch_related("texts").filter(token=token).first()
        if study is None:
            return _unavailable(request, "unknown", status=404)
        session = session_of(request, study)
        if session is not None:
            session.study = study
            language_follow(request, session)
        try:
            return view(request, study, session)
        except Refused:
            return redirect("listen", token=token)  # which says how things stand

    return never_cache(page)


def step_post(step: str) -> Callable[[StepView], Callable[..., HttpResponseBase]]:
    """A view that a step's page posts to; from any other step, or by another road, it leads to the current page."""

    def decorate(view: StepView) -> Callable[..., HttpResponseBase]:
        @listener_page
        def post(request: HttpRequest, study: Study, session: ListeningSession | None) -> HttpResponseBase:
            if request.method == "POST" and session is not None and session.step == step:
                return view(request, session)
            return redirect("listen", token=study.token)

        return post

    return decorate


# ── The one address ─────────────────────────────────────────────────────────────────────────────────────────────────


@listener_page
def listen(request: HttpRequest, study: Study, session: ListeningSession | None) -> HttpResponseBase:
    """The page of the session's step. A session begins with consent: looking at the link takes nobody's place."""
    if request.GET.get("lang") in languages():
        return _language_chosen(request, study)
    if session is None or session.step == Step.CONSENT:
        return _consent(request, study) if study.is_open else _shut(request, study)
    if session_selectors.is_shut(session):
        return _shut(request, study, under_way=True)
    response = STEP_PAGES[session.step](request, session)
    cookie_set(request, response, session)  # another 30 days
    return response


def _language_chosen(request: HttpRequest, study: Study) -> HttpResponseRedirect:
    response = redirect("listen", token=study.token)
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        request.GET["lang"],
        max_age=settings.LANGUAGE_COOKIE_AGE,
        samesite="Lax",
        secure=settings.HTTPS,
    )
    return response


def _shut(request: HttpRequest, study: Study, *, under_way: bool = False) -> HttpResponse:
    state = "closed" if study.state == Study.State.CLOSED else "not_open"
    return _unavailable(request, state, status=403, study=study, under_way=under_way)


def _unavailable(request: HttpRequest, reason: str, *, status: int, **context: Any) -> HttpResponse:
    title = study_title(context["study"], language_now()) if "study" in context else ""
    return render(request, f"{PAGES}/unavailable.html", {**context, "reason": reason, "title": title}, status=status)


def _render(request: HttpRequest, study: Study, page: str, step: str, **context: Any) -> HttpResponse:
    number, steps = flow.place(step)
    common = {"study": study, "title": study_title(study, language_now()), "step_number": number, "steps": steps}
    return render(request, f"{PAGES}/{page}.html", {**common, **context})


# ── Consent ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _consent(request: HttpRequest, study: Study) -> HttpResponse:
    return _render(
        request,
        study,
        "consent",
        Step.CONSENT,
        text=study_text(study, Key.CONSENT, language_now()),
        sha256=consent_sha256(study, language_now()),
        clips=clips_per_listener(study),
        minutes=session_minutes(study),
    )


@listener_page
def listen_consent(request: HttpRequest, study: Study, session: ListeningSession | None) -> HttpResponseBase:
    """Agreeing makes the session. What is agreed to is the text that was shown, in its language, or nothing."""
    shown = request.POST.get("sha256") == consent_sha256(study, language_now())
    if request.method != "POST" or not shown or (session and session.step != Step.CONSENT):
        return redirect("listen", token=study.token)
    session = session or session_start(study=study, language=language_now())
    session_consent(session=session)
    response = redirect("listen", token=study.token)
    cookie_set(request, response, session)
    return response


# ── Questions ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _questionnaire(request: HttpRequest, session: ListeningSession, form: QuestionsForm | None = None) -> HttpResponse:
    form = form or QuestionsForm(session_selectors.opening_questions(session.study))
    return _render(request, session.study, "questionnaire", Step.QUESTIONNAIRE, form=form)


@step_post(Step.QUESTIONNAIRE)
def listen_questionnaire(request: HttpRequest, session: ListeningSession) -> HttpResponseBase:
    form = QuestionsForm(session_selectors.opening_questions(session.study), request.POST)
    return _answered(session, form) or _questionnaire(request, session, form)


def _closing(request: HttpRequest, session: ListeningSession, form: QuestionsForm | None = None) -> HttpResponse:
    return _render(request, session.study, "closing", Step.CLOSING, form=form or QuestionsForm(CLOSING))


@step_post(Step.CLOSING)
def listen_closing(request: HttpRequest, session: ListeningSession) -> HttpResponseBase:
    form = QuestionsForm(CLOSING, request.POST)
    return _answered(session, form) or _closing(request, session, form)


def _answered(session: ListeningSession, form: QuestionsForm) -> HttpResponseRedirect | None:
    """On to the next step; None where the form has to be shown again."""
    if not form.is_valid():
        return None
    session_answers_save(session=session, answers=form.answers)
    session_step_forward(session=session)
    return redirect("listen", token=session.study.token)


# ── Instructions and calibration ────────────────────────────────────────────────────────────────────────────────────


def _instructions(request: HttpRequest, session: ListeningSession) -> HttpResponse:
    text = study_text(session.study, Key.INSTRUCTIONS, language_now())
    return _render(request, session.study, "instructions", Step.INSTRUCTIONS, text=text)


@step_post(Step.INSTRUCTIONS)
def listen_instructions(request: HttpRequest, session: ListeningSession) -> HttpResponseBase:
    session_step_forward(session=session)
    return redirect("listen", token=session.study.token)


def _calibration(request: HttpRequest, session: ListeningSession) -> HttpResponse:
    clips = {clip.role: clip for clip in session_selectors.calibration_clips(session.study)}
    heard = set(session.calibration_heard.values_list("clip_id", flat=True))
    groups = [
        (SCALES[scale], [(clips[role], role, clips[role].pk in heard) for role in roles if role in clips])
        for scale, roles in CALIBRATION_ROLES.items()
    ]
    ready = len(heard) >= len(clips)
    return _render(request, session.study, "calibration", Step.CALIBRATION, session=session, groups=groups, ready=ready)


@step_post(Step.CALIBRATION)
def listen_calibration(request: HttpRequest, session: ListeningSession) -> HttpResponseBase:
    session_step_forward(session=session)
    return redirect("listen", token=session.study.token)


# ── Trials and the end ──────────────────────────────────────────────────────────────────────────────────────────────


def _trials(request: HttpRequest, session: ListeningSession) -> HttpResponse:
    order = (ScaleKey.QUALITY, ScaleKey.CONTAMINATION) if session.quality_first else tuple(reversed(ScaleKey))
    scales, place = [SCALES[scale] for scale in order], session_selectors.place_of(session)
    return _render(request, session.study, "trial", Step.TRIALS, session=session, scales=scales, place=place)


def _done(request: HttpRequest, session: ListeningSession) -> HttpResponse:
    text = study_text(session.study, Key.THANKS, language_now())
    return _render(request, session.study, "done", Step.DONE, session=session, text=text)


STEP_PAGES: dict[str, Callable[[HttpRequest, ListeningSession], HttpResponse]] = {
    Step.QUESTIONNAIRE: _questionnaire,
    Step.INSTRUCTIONS: _instructions,
    Step.CALIBRATION: _calibration,
    Step.TRIALS: _trials,
    Step.CLOSING: _closing,
    Step.DONE: _done,
}


@require_safe
def listen_clip(request: HttpRequest, token: str, clip_token: str) -> HttpResponseBase:
    """The sound itself, for the one session that may hear it now. Anything else is not there."""
    study = Study.objects.filter(token=token).first()
    session = session_of(request, study) if study else None
    clip = session_selectors.clip_for(session, clip_token) if session else None
    if clip is None:
        raise Http404
    return audio_response(request, clip.file)
