"""The sentence that a listener reads where something cannot be done: what happened, what is safe, what to do."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from listening_test.refusal import Refused

RELOAD = _("Something has changed in the meantime. Your answers are safe. Please reload the page.")

ATTENTION = _("There is no hurry: please take the time to listen to each clip before you answer. Thank you!")
CHOOSE = _("For this clip, please choose %(value)s, however it sounds.")
CHOOSE_ON_BOTH = _("For this clip, please choose %(value)s on both scales, however it sounds.")

SENTENCES: dict[str, Promise] = {
    "study_not_open": _("This listening test has not begun yet. Please try again later."),
    "study_closed": _("This listening test has closed in the meantime. What you had rated is saved. Thank you!"),
    "study_full": _("This listening test has all its listeners."),
    "link_used": _("This link has been used already."),
    "link_needed": _("This listening test is by invitation: each listener has a link of their own."),
    "no_session": _("This page no longer knows who is listening. Please open the link of the listening test again."),
    "session_done": _("This listening test is finished already, and your answers are saved."),
    "step_incomplete": _("Something on this page is still missing."),
    "not_heard": _("Please listen to the clip to its end first."),
    "not_opened": _("Please listen to the clip to its end first."),
    "too_soon": _("Please listen to the clip to its end first."),
    "not_rated": _("Please answer what is asked about this clip first."),
    "trial_finished": _("This clip is rated already, and its answers are saved."),
    "too_many": _("That was more than a person can send. What was saved is safe; please wait a moment and go on."),
    "bad_request": _("What the page sent makes no sense here. Your answers are safe. Please reload the page."),
    "bad_rating": _("An answer is one of the five steps of the scale."),
    "check_needed": _("This check belongs to the listening test and cannot be left out."),
    "answer_bad": _("Please answer every question of this check."),
    "answer_missing": _("Please answer this question."),
}


def sentence(refusal: Refused) -> str:
    return str(SENTENCES.get(refusal.code, RELOAD))
