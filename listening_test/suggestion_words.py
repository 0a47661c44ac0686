"""What is said for and against a suggested excerpt."""

from __future__ import annotations

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from listening_test.messages import source_name
from listening_test.suggestion import Reason, Suggestion, Suggestions

SENTENCES: dict[str, Promise] = {
    "all_sound": _("everything that is rated sounds nearly all the time"),
    "sounds_partly": _("{source}: {share} percent of the time"),
    "level": _("level {db} dBFS"),
    "not_clipped": _("no clipping"),
    "silent": _("{source}: practically silent"),
    "hardly_sounds": _("{source}: only {share} percent of the time"),
    "clipped": _("the song is clipped there"),
}
LOOKED_AT: dict[str, Promise] = {
    "true_stems": _("Judged by the true stems."),
    "separated": _("Judged by the stems that have been separated."),
    "mixture": _("Judged by the song alone: nothing has been separated yet."),
}


def reason_words(reason: Reason) -> str:
    words = dict(reason.params)
    if "source" in words:
        words["source"] = source_name(words["source"]) if words["source"] else gettext("The song")
    if "share" in words:
        words["share"] = round(100 * words["share"])
    return str(SENTENCES[reason.code]).format_map(words)


def suggestions_json(found: Suggestions) -> dict[str, Any]:
    """What the page gets: the best window, all that are offered, those refused, each with its reasons in words."""
    best = found.offered[0]
    return {
        "start": best.start,
        "end": best.end,
        "offered": [_window(each) for each in found.offered],
        "refused": [_window(each) for each in found.refused],
        "looked_at": str(LOOKED_AT[found.looked_at]),
    }


def _window(suggestion: Suggestion) -> dict[str, Any]:
    reasons = "; ".join(map(reason_words, suggestion.reasons))
    return {"start": suggestion.start, "end": suggestion.end, "good": suggestion.is_good, "reasons": reasons}
