"""A listener's pages: one address shows whatever step the session is at; each step posts to an address of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from listening_test import equipment, equipment_words, recruiting, session_selectors
from listening_test.arrival import (
    Arrival,
    arrival_forget,
    arrival_in_address,
    arrival_keep,
    arrival_kept,
    invitation_of,
    is_of,
    session_awaiting,
)
from listening_test.listener_access import (
    browser_forget,
    cookie_name,
    cookie_set,
    is_own,
    language_now,
    languages,
    session_of,
)
from listening_test.listener_forms import QuestionsForm
from listening_test.models import ListeningSession, Study
from listening_test.models.listener import new_session_token
from listening_test.outline_selectors import study_outline
from listening_test.recruiting_selectors import another_may_begin, entry_refusal
from listening_test.scales import ScaleKey, scales_in
from listening_test.services.recruiting import session_enter
from listening_test.services.sessions import session_answers_save, session_consent, session_step_forward
from listening_test.sound_serving import sealed_response
from listening_test.texts import Key, consent_sha256, study_text
from listening_test.views.listener_checks import calibration_page, equipment_page, practice_page
from listening_test.views.listener_page import listener_page, render_step, step_post, unavailable

Step = ListeningSession.Step


# ── The one address ─────────────────────────────────────────────────────────────────────────────────────────────────


@listener_page
def listen(request: HttpRequest, study: Study, session: ListeningSession | None) -> HttpResponseBase:
    """The page of the session's step. A session begins with consent: looking at the link takes nobody's place."""
    arrived = arrival_in_address(request, study)
    if arrived.says_something or request.GET.get("lang") in languages():
        return _arrived(request, study, session, arrived)
    if session is None or session.step == Step.CONSENT:
        return _enter(request, study, session)
    if session_selectors.is_shut(session):
        return _shut(request, study, session.platform, under_way=True)
    response = STEP_PAGES[session_selectors.step_shown(session)](request, session)
    cookie_set(request, response, session, own=is_own(request, session))  # another 30 days
    return response


def _arrived(
    request: HttpRequest, study: Study, session: ListeningSession | None, arrived: Arrival
) -> HttpResponseRedirect:
    """Remember what the link said, and go on without it in the address."""
    response = redirect("listen", token=study.token)
    if request.GET.get("lang") in languages():
        _language_choose(response, request.GET["lang"])
    if arrived.says_something:
        arrival_keep(request, response, study, arrived)
        awaiting = session_awaiting(study, arrived)
        if awaiting is not None:
            cookie_set(request, response, awaiting, own=is_own(request, awaiting))
        elif session is not None and not is_of(session, arrived):  # somebody else at the same browser
            response.delete_cookie(cookie_name(study), samesite="Lax")
    return response


def _language_choose(response: HttpResponseRedirect, code: str) -> None:
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        code,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        samesite="Lax",
        secure=settings.HTTPS,
    )


def _shut(request: HttpRequest, study: Study, platform: Mapping[str, str], *, under_way: bool = False) -> HttpResponse:
    state = "closed" if study.state == Study.State.CLOSED else "not_open"
    back = recruiting.address(study.platform, recruiting.FULL, platform) if state == "closed" else None
    return unavailable(request, state, status=403, study=study, under_way=under_way, back=back)


# ── Consent ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _enter(request: HttpRequest, study: Study, session: ListeningSession | None) -> HttpResponse:
    """The text to agree to, or why this link lets nobody in. Who has a session (the service was stopped in the middle
    of their agreeing) is in already."""
    arrived = arrival_kept(request, study)
    if not study.is_open:
        return _shut(request, study, arrived.platform)
    refusal = None if session else entry_refusal(study, invitation_of(study, arrived))
    if refusal is None:
        response = _consent(request, study)
        arrival_keep(request, response, study, arrived)
        return response
    back = recruiting.address(study.platform, recruiting.FULL, arrived.platform) if refusal == "study_full" else None
    return unavailable(request, refusal, status=403, study=study, back=back)


def _consent(request: HttpRequest, study: Study) -> HttpResponse:
    return render_step(
        request,
        study,
        "consent",
        Step.CONSENT,
        text=study_text(study, Key.CONSENT, language_now()),
        sha256=consent_sha256(study, language_now()),
        outline=study_outline(study),
        headphones_needed=equipment.needs_headphones(study.equipment),
    )


@listener_page
def listen_consent(request: HttpRequest, study: Study, session: ListeningSession | None) -> HttpResponseBase:
    """Agreeing makes the session. What is agreed to is the text that was shown, in its language, or nothing."""
    shown = request.POST.get("sha256") == consent_sha256(study, language_now())
    if request.method != "POST" or not shown or (session and session.step != Step.CONSENT):
        return redirect("listen", token=study.token)
    arrived = arrival_kept(request, study)
    token = arrived.entry or new_session_token()
    session = session or _session_enter(study, arrived, token)
    session_consent(session=session)
    response = redirect("listen", token=study.token)
    cookie_set(request, response, session, own=session.token == token or is_own(request, session))
    arrival_forget(response, study)
    return response


def _session_enter(study: Study, arrived: Arrival, token: str) -> ListeningSession:
    invitation = invitation_of(study, arrived)
    return session_enter(
        study=study, language=language_now(), invitation=invitation, platform=arrived.platform, token=token
    )


# ── Questions ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _questionnaire(request: HttpRequest, session: ListeningSession, form: QuestionsForm | None = None) -> HttpResponse:
    form = form or QuestionsForm(session_selectors.opening_questions(session.study))
    return render_step(request, session.study, "questionnaire", Step.QUESTIONNAIRE, form=form)


@step_post(Step.QUESTIONNAIRE)
def listen_questionnaire(request: HttpRequest, session: ListeningSession) -> HttpResponseBase:
    form = QuestionsForm(session_selectors.opening_questions(session.study), request.POST)
    return _answered(session, form) or _questionnaire(request, session, form)


def _closing(request: HttpRequest, session: ListeningSession, form: QuestionsForm | None = None) -> HttpResponse:
    form = form or QuestionsForm(session_selectors.closing_questions(session.study))
    return render_step(request, session.study, "closing", Step.CLOSING, form=form)


@step_post(Step.CLOSING)
def listen_closing(request: HttpRequest, session: ListeningSession) -> HttpResponseBase:
    form = QuestionsForm(session_selectors.closing_questions(session.study), request.POST)
    return _answered(session, form) or _closing(request, session, form)


def _answered(session: ListeningSession, form: QuestionsForm) -> HttpResponseRedirect | None:
    """On to the next step; None where the form has to be shown again."""
    if not form.is_valid():
        return None
    session_answers_save(session=session, answers=form.answers)
    session_step_forward(session=session)
    return redirect("listen", token=session.study.token)


# ── Instructions ────────────────────────────────────────────────────────────────────────────────────────────────────


def _instructions(request: HttpRequest, session: ListeningSession) -> HttpResponse:
    text = study_text(session.study, Key.INSTRUCTIONS, language_now())
    return render_step(request, session.study, "instructions", Step.INSTRUCTIONS, text=text)


@step_post(Step.INSTRUCTIONS)
def listen_instructions(request: HttpRequest, session: ListeningSession) -> HttpResponseBase:
    session_step_forward(session=session)
    return redirect("listen", token=session.study.token)


# ── Trials and the end ──────────────────────────────────────────────────────────────────────────────────────────────


def _trials(request: HttpRequest, session: ListeningSession) -> HttpResponse:
    order = (ScaleKey.QUALITY, ScaleKey.CONTAMINATION) if session.quality_first else tuple(reversed(ScaleKey))
    words = scales_in(session.study.contamination_words)
    scales, place = [words[scale] for scale in order], session_selectors.place_of(session)
    return render_step(request, session.study, "trial", Step.TRIALS, session=session, scales=scales, place=place)


def _done(request: HttpRequest, session: ListeningSession) -> HttpResponse:
    text = study_text(session.study, Key.THANKS, language_now())
    context = {
        "session": session,
        "text": text,
        "back": recruiting.return_address(session),
        "own": is_own(request, session),
        "another": another_may_begin(session),
    }
    return render_step(request, session.study, "done", Step.DONE, **context)


@step_post(Step.DONE)
def listen_leave(request: HttpRequest, session: ListeningSession) -> HttpResponseBase:
    """Somebody else is at this browser: it forgets who was here, and what they gave stays."""
    response = redirect("listen", token=session.study.token)
    if another_may_begin(session):
        browser_forget(response, session.study)
    return response


def _ended(request: HttpRequest, session: ListeningSession) -> HttpResponse:
    reason = equipment_words.ended_words(session.ended_reason)
    back = recruiting.return_address(session)
    return render_step(request, session.study, "ended", Step.ENDED, session=session, reason=reason, back=back)


STEP_PAGES: dict[str, Callable[[HttpRequest, ListeningSession], HttpResponse]] = {
    Step.EQUIPMENT: equipment_page,
    Step.QUESTIONNAIRE: _questionnaire,
    Step.INSTRUCTIONS: _instructions,
    Step.CALIBRATION: calibration_page,
    Step.PRACTICE: practice_page,
    Step.TRIALS: _trials,
    Step.CLOSING: _closing,
    Step.DONE: _done,
    Step.ENDED: _ended,
}


@require_safe
def listen_clip(request: HttpRequest, token: str, name: str) -> HttpResponseBase:
    """The sound itself, for the one session that may hear it now. Anything else is not there."""
    study = Study.objects.filter(token=token).first()
    session = session_of(request, study) if study else None
    clip = session_selectors.clip_for(session, name) if session else None
    if clip is None:
        raise Http404
    return sealed_response(request, clip.file, name=name, size=clip.sent_bytes)
