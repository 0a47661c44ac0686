"""What was decided about a study, in words: its page shows it when the form can no longer be opened."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.utils.formats import number_format
from django.utils.translation import get_language, get_language_info, ngettext
from django.utils.translation import gettext as _

from listening_test import equipment, questionnaire, recruiting
from listening_test.models import Study
from listening_test.systems import system_name

CAPITALISED = ("en", "de")
"""Languages that write the names of languages with a capital."""


def options_in_words(study: Study) -> list[tuple[str, str]]:
    """(what, how) for each option, in the order of the form."""
    return [(what, how) for part in (_session, _attention, _people) for what, how in part(study)]


def _yes(flag: bool) -> str:
    return _("yes") if flag else _("no")


def _session(study: Study) -> Iterator[tuple[str, str]]:
    yield _("Controls"), ", ".join(map(system_name, study.controls)) or _("none")
    yield _("The two scales"), str(study.get_scale_layout_display())
    yield _("The words of Contamination"), str(study.get_contamination_words_display())
    yield _("Loudness"), str(study.get_loudness_rule_display())
    heard = _("the whole clip")
    if study.minimum_seconds is not None:
        heard = f"{number_format(study.minimum_seconds)} s"
    yield _("To hear before rating"), heard
    yield _("A part may be repeated"), _yes(study.loop_allowed)
    offered = _("listeners may hear it") if study.show_mixture else _("not offered to listeners")
    yield _("Original mixture"), offered
    yield _("Practice"), _yes(study.practice)
    count = study.block_trials or 0
    clips = ngettext("%(count)s clip", "%(count)s clips", count) % {"count": count}
    yield _("Pause offered after"), clips if count else "—"


def _attention(study: Study) -> Iterator[tuple[str, str]]:
    yield _("Clips that come back"), str(study.repeats_per_listener)
    traps = str(study.traps_per_listener)
    if study.traps_per_listener:
        traps = f"{traps} · {study.get_trap_kind_display()}"
    yield _("Attention checks"), traps
    checks = [str(kind.label) for kind in equipment.kinds_asked(study.equipment)]
    yield _("Sound check"), ", ".join(checks) or _("none")


def _people(study: Study) -> Iterator[tuple[str, str]]:
    asked = study.questions if study.questions is not None else questionnaire.usual()
    own = _("StemMOS’s own choice") if study.questions is None else _("chosen by the researcher")
    yield _("Questionnaire"), f"{len(asked)} · {own}"
    yield _("Links"), str(study.get_links_display())
    yield _("Listeners wanted"), str(study.quota) if study.quota else _("no limit")
    kind = study.platform.get("kind", "")
    yield (
        _("Recruiting platform"),
        {recruiting.PROLIFIC: "Prolific", recruiting.OTHER: _("Another one")}.get(kind, _("none")),
    )
    days = study.retention_days or 0
    kept = ngettext("%(days)s day", "%(days)s days", days) % {"days": days} if days else _("until erased")
    yield _("Personal data are kept"), kept


def languages_in_words() -> str:
    """Those that listeners may choose, as in "Spanish, Guarani or English"."""
    names = [str(get_language_info(code)["name_translated"]) for code, _name in settings.LANGUAGES]
    here = get_language() or ""
    *most, last = names if here.startswith(CAPITALISED) else map(str.lower, names)
    return _("%(most)s or %(last)s") % {"most": ", ".join(most), "last": last} if most else last


def endings_in_words(study: Study) -> list[tuple[str, str]]:
    """(when, where to) a listener is sent back to the recruiting platform."""
    words = {
        recruiting.COMPLETED: _("Finished"),
        recruiting.SCREENED_OUT: _("Ended by a sound check"),
        recruiting.FULL: _("Study full"),
    }
    return [(words[ending], study.platform[ending]) for ending in recruiting.ENDINGS if study.platform.get(ending)]
