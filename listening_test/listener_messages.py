"""The sentence that a listener reads where something cannot be done: what happened, what is safe, what to do."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from listening_test.refusal import Refused

RELOAD = _("Something has changed in the meantime. Your answers are safe. Please reload the page.")

SENTENCES: dict[str, Promise] = {
    "study_not_open": _("This listening test has not begun yet. Please try again later."),
    "study_closed": _("This listening test has closed in the meantime. What you had rated is saved. Thank you!"),
    "no_session": _("This page no longer knows who is listening. Please open the link of the listening test again."),
    "session_done": _("This listening test is finished already, and your answers are saved."),
    "step_incomplete": _("Something on this page is still missing."),
    "not_heard": _("Please listen to the clip to its end first."),
    "not_opened": _("Please listen to the clip to its end first."),
    "too_soon": _("Please listen to the clip to its end first."),
    "not_rated": _("Please answer both questions first."),
    "bad_rating": _("An answer is one of the five steps of the scale."),
    "answer_missing": _("Please answer this question."),
}


def sentence(refusal: Refused) -> str:
    return str(SENTENCES.get(refusal.code, RELOAD))
