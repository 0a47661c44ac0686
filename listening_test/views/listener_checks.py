"""What comes before the rating: checks of the equipment, the examples, and practice with feedback."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_safe

from listening_test import equipment, listener_messages, practice, session_selectors
from listening_test.check_sounds import sound_file, sound_name
from listening_test.clip_names import clip_name
from listening_test.equipment_words import WORDS
from listening_test.listener_access import session_of
from listening_test.models import Clip, EquipmentCheck, ListeningSession, Study
from listening_test.refusal import BadValue, Refused
from listening_test.scales import SCALES, ScaleKey, scales_in
from listening_test.services.equipment import check_answer, check_open, check_skip
from listening_test.services.practice import practice_answer
from listening_test.services.sessions import session_calibrated_again, session_step_forward
from listening_test.sound_serving import sound_response
from listening_test.typed_numbers import whole_number
from listening_test.views.listener_page import render_step, step_post

Step = ListeningSession.Step
Role = Clip.Role

CALIBRATION_ROLES = {
    ScaleKey.QUALITY: (Role.CLEAN, Role.DISTORTED),
    ScaleKey.CONTAMINATION: (Role.ALONE, Role.CONTAMINATED),
}


# ── Equipment ───────────────────────────────────────────────────────────────────────────────────────────────────────


def equipment_page(request: HttpRequest, session: ListeningSession, trouble: str = "") -> HttpResponse:
    if not session_selectors.checks_left(session):  # nobody is kept at a page that has nothing to ask
        session_step_forward(session=session)
        return redirect("listen", token=session.study.token)
    check = check_open(session=session)
    asked = session_selectors.checks_asked(session.study)
    consequence = equipment.consequence(session.study.equipment, check.kind)
    context = {
        "session": session,
        "check": check,
        "words": WORDS[check.kind],
        "sounds": _sounds(session, check),
        "number": asked.index(check.kind) + 1,
        "total": len(asked),
        "skippable": equipment.may_be_skipped(consequence),
        "trouble": trouble,
    }
    return render_step(request, session.study, "equipment", Step.EQUIPMENT, **context)


def _sounds(session: ListeningSession, check: EquipmentCheck) -> list[str | None]:
    """The address of what each item plays; None where there is nothing to hear."""
    token = session.study.token
    if check.kind == equipment.Kind.QUIET:
        return [None]
    if check.kind == equipment.Kind.LEVEL:
        clip = session_selectors.level_clip(session.study)
        return [reverse("listen_clip", args=[token, clip_name(session, clip)])] if clip else [None]
    return [reverse("listen_sound", args=[token, sound_name(check, place)]) for place in range(len(check.asked))]


@step_post(Step.EQUIPMENT)
def listen_equipment(request: HttpRequest, session: ListeningSession) -> HttpResponseBase:
    try:
        check = _check_sent(request, session)
    except BadValue as refusal:
        return equipment_page(request, session, trouble=listener_messages.sentence(refusal))
    except Refused as refusal:
        if refusal.code == "not_now":
            raise
        return equipment_page(request, session, trouble=listener_messages.sentence(refusal))
    if _is_to_be_told(session, check):
        messages.warning(request, str(WORDS[check.kind].failed), extra_tags="warn")
    return redirect("listen", token=session.study.token)


def _check_sent(request: HttpRequest, session: ListeningSession) -> EquipmentCheck:
    kind, attempt = request.POST.get("kind", ""), whole_number(request.POST.get("attempt", ""))
    if attempt is None or kind not in equipment.RULES:
        raise Refused("not_now")
    if "skip" in request.POST:
        return check_skip(session=session, kind=kind, attempt=attempt)
    answers = [request.POST.get(f"answer-{place}", "") for place in range(equipment.RULES[kind].items)]
    return check_answer(session=session, kind=kind, attempt=attempt, answers=answers)


def _is_to_be_told(session: ListeningSession, check: EquipmentCheck) -> bool:
    """Where a failed check only warns, and cannot be tried again."""
    warns = equipment.consequence(session.study.equipment, check.kind) == equipment.WARN
    return warns and not check.passed and check.attempt + 1 >= equipment.MOST_ATTEMPTS


@require_safe
def listen_sound(request: HttpRequest, token: str, name: str) -> HttpResponseBase:
    """The sound of one item, for the one session that is asked about it now. Anything else is not there."""
    study = Study.objects.filter(token=token).first()
    session = session_of(request, study) if study else None
    item = _item(session, name) if session else None
    if item is None:
        raise Http404
    data, size = sound_file(*item)
    response = sound_response(data, name=name, size=size)
    response["Cache-Control"] = "no-store"
    return response


def _item(session: ListeningSession, name: str) -> tuple[str, str, list[int]] | None:
    """(kind, what it plays, its seed) of the item that this listener's browser knows by this name."""
    if session.step != Step.EQUIPMENT or session_selectors.is_shut(session):
        return None
    for check in session.equipment_checks.filter(passed__isnull=True):
        for place, item in enumerate(check.asked):
            if sound_name(check, place) == name:
                return check.kind, item["right"], item["seed"]
    return None


# ── Calibration ─────────────────────────────────────────────────────────────────────────────────────────────────────


def calibration_page(request: HttpRequest, session: ListeningSession) -> HttpResponse:
    clips = {clip.role: clip for clip in session_selectors.calibration_clips(session.study)}
    left = set(session_selectors.calibration_left(session).values_list("pk", flat=True))
    shown = {role: (clip_name(session, clip), role, clip.pk not in left) for role, clip in clips.items()}
    scales = scales_in(session.study.contamination_words)
    groups = [
        (scales[scale], [shown[role] for role in roles if role in shown]) for scale, roles in CALIBRATION_ROLES.items()
    ]
    again = session_selectors.calibration_due(session)
    context = {
        "session": session,
        "groups": groups,
        "ready": not left,
        "again": again,
        "volume_set": not again and equipment.Kind.LEVEL in session_selectors.checks_asked(session.study),
        "practice_follows": Step.PRACTICE not in session_selectors.unused_steps(session.study),
    }
    return render_step(request, session.study, "calibration", Step.CALIBRATION, **context)


@step_post(Step.CALIBRATION)
def listen_calibration(request: HttpRequest, session: ListeningSession) -> HttpResponseBase:
    if session_selectors.calibration_due(session):
        session_calibrated_again(session=session)
    else:
        session_step_forward(session=session)
    return redirect("listen", token=session.study.token)


# ── Practice ────────────────────────────────────────────────────────────────────────────────────────────────────────


def practice_page(request: HttpRequest, session: ListeningSession, trouble: str = "") -> HttpResponse:
    """The next practice clip to be answered; after the last one, the way on."""
    clip = session_selectors.practice_left(session).first()
    return _practice(request, session, clip, trouble=trouble)


def _practice(request: HttpRequest, session: ListeningSession, clip: Clip | None, **context: Any) -> HttpResponse:
    total = session_selectors.practice_clips(session.study).count()
    left = session_selectors.practice_left(session).count()
    common = {
        "session": session,
        "clip": clip,
        "name": clip_name(session, clip) if clip else "",
        "scales": [scales_in(session.study.contamination_words)[scale] for scale in _order(session)],
        "total": total,
        "left": left,
        "done": total - left,
    }
    return render_step(request, session.study, "practice", Step.PRACTICE, **common, **context)


@step_post(Step.PRACTICE)
def listen_practice(request: HttpRequest, session: ListeningSession) -> HttpResponseBase:
    """The answers to one clip are told what fits; without a clip it is the wish to go on."""
    name = request.POST.get("clip", "")
    if not name:
        session_step_forward(session=session)
        return redirect("listen", token=session.study.token)
    sent = {scale: whole_number(request.POST.get(scale, "")) for scale in SCALES}
    values = {scale: value for scale, value in sent.items() if value is not None}
    try:
        clip = practice_answer(session=session, name=name, values=values)
    except BadValue:
        return practice_page(request, session, trouble=listener_messages.sentence(Refused("not_rated")))
    stored = dict(session.practice_answers.filter(clip=clip).values_list("scale", "value"))
    given = {scale.value: stored[scale] for scale in _order(session)}
    scales = scales_in(session.study.contamination_words)
    return _practice(request, session, clip, told=practice.feedback(clip.expected, given, scales))


def _order(session: ListeningSession) -> tuple[ScaleKey, ScaleKey]:
    """Of the two scales, as this listener meets them."""
    first, second = ScaleKey.QUALITY, ScaleKey.CONTAMINATION
    return (first, second) if session.quality_first else (second, first)
