"""The sentence that a person reads for each error code of the listening test's researcher side.

Rows keep a code and its parameters, never a sentence: so everyone reads it in their own language. A sentence says what
happened, what is safe and what to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from listening_test.systems import system_name
from separation.models import Source

SENTENCES: dict[str, Promise] = {
    "not_draft": _("This study is no longer a draft, so it cannot be changed. A copy of it can."),
    "not_open": _("This study is not open."),
    "not_frozen": _("This study has not been opened yet: it can be changed as it is, without a new version."),
    "not_closed": _("This study is not closed."),
    "not_preparing": _("This study is not being prepared."),
    "simulated_stays_closed": _(
        "This study holds simulated listeners. It stays closed, so that they never mix with real ones."
    ),
    "name_needed": _(
        "This study holds ratings of real listeners, which would be lost for good. To delete it, type its name exactly."
    ),
    "no_excerpts": _("No excerpt has been chosen. Choose at least one song and a passage of it."),
    "no_sources": _("No source has been chosen. Choose what listeners will rate: vocals, drums…"),
    "no_systems": _("No system has been chosen. Choose the separators to compare."),
    "one_system": _("Only one system is compared. A listening test says more with at least two."),
    "stems_missing": _("Some songs have not been separated by every chosen system. They are listed below."),
    "long_excerpts": _("At least one excerpt is longer than 12 s. Listeners compare best what lasts about 10 s."),
    "long_session": _(
        "A session takes about {minutes} minutes. Attention fades after 20: consider fewer clips per listener."
    ),
    "uneven_clips": _(
        "{clips} clips per listener cannot be shared out evenly among {systems} systems. {better} would be."
    ),
    "one_group": _(
        "Each listener hears one excerpt and source only, so different listeners never meet in a clip, and their "
        "ratings cannot be told apart from the clips’. Give each listener at least {better} clips."
    ),
    "no_title": _("There is no title in {languages}. Listeners read the study’s name instead: “{name}”."),
    "no_reference": _(
        "These songs lack true stems of some source, so they have no hidden reference there: {songs}. It is better "
        "where all have it: true stems can be added on the song’s page."
    ),
    "no_trap_recordings": _(
        "Spoken attention checks need recordings in {languages}. They are added on the study’s page; until then the "
        "checks are written."
    ),
    "questions_bad": _("The list of questions could not be read. It has at most {most} questions."),
    "question_bad": _("Question {number} could not be read. Remove it and add it again."),
    "question_twice": _("Question {number} is in the list already."),
    "question_without_words": _("Question {number} needs words in every language, and so does each of its options."),
    "question_long": _("Question {number} has a text of more than {most} characters."),
    "question_options": _("Question {number} needs between {least} and {most} options."),
    "question_steps": _("The scale of question {number} needs between {least} and {most} steps."),
    "question_bounds": _("Question {number}: the lowest number must be below the highest."),
    "platform_unknown": _("This recruiting platform is not known."),
    "platform_name_bad": _(
        "Names of parameters have letters, digits, - and _, begin with a letter, differ from one another, and are at "
        "most six. “lang”, “code” and “i” mean something else here."
    ),
    "platform_address_bad": _("This is no address that listeners can be sent to: it must begin with https://."),
    "platform_placeholder_bad": _(
        "The address has {{{name}}}, which nothing can fill in. Names of the link’s parameters and {{code}} can."
    ),
    "retention_longer": _(
        "Listeners have agreed that it is {days} days: in this study it can be shorter, and not longer. A copy can "
        "have another one."
    ),
    "study_not_open": _("The study is not open, so there is nothing to try yet."),
    "invitations_many": _("Between 1 and {most} links can be made at a time."),
    "invitation_label_long": _("A label has at most {most} characters."),
    "trap_no_file": _("No recording was chosen. Choose an audio file and send it again."),
    "invitation_used": _("Somebody has used this link, so it stays."),
    "excerpt_outside": _("The excerpt must lie inside the song, which lasts {seconds} s."),
    "excerpt_short": _("An excerpt lasts at least {least} s."),
    "excerpt_long": _("An excerpt lasts at most {most} s."),
    "excerpt_twice": _("This excerpt is in the study already."),
    "stem_too_quiet": _(
        "“{song}”, {start}–{end} s: {source} by {system} is practically silent there. Nothing is lost: "
        "choose another excerpt of the song, or leave that source out, and open the study again."
    ),
    "stem_too_short": _(
        "“{song}”, {start}–{end} s: {source} by {system} ends before the excerpt does. Choose an earlier excerpt, "
        "or separate the song again, and open the study again."
    ),
    "stem_gone": _(
        "“{song}”, {start}–{end} s: the stem with {source} by {system} is no longer there. Separate the song again, "
        "and open the study again."
    ),
    "reference_nowhere": _(
        "The hidden reference is the true stem, and no song of this study has true stems. Add them to a song, or leave "
        "this control out."
    ),
    "trap_answer": _("A recording asks for one of the five steps of the scale."),
    "trap_language": _("This is not one of the languages of the listening test."),
    "trap_too_quiet": _("The recording is practically silent. Nothing was stored: record it again, closer and louder."),
    "trap_too_long": _(
        "The recording “{name}” lasts {seconds} s, longer than the clips ({limit} s), which would give it away. "
        "Nothing is lost: replace it by a shorter one, and open the study again."
    ),
    "mixture_too_quiet": _(
        "“{song}”, {start}–{end} s: the song itself is practically silent there. Nothing is lost: choose another "
        "excerpt and open the study again."
    ),
    "mixture_too_short": _(
        "“{song}”, {start}–{end} s: the song ends before the excerpt does. Choose an earlier excerpt and open the "
        "study again."
    ),
    "mixture_gone": _("“{song}”: the song’s file is no longer there. Upload the song again."),
    "preparation_lost": _(
        "The clips could not be prepared: the worker stopped {attempts} times while making them. "
        "The study is a draft again and nothing is lost. See that the machine has enough memory, and open it again."
    ),
    "preparation_disk_full": _(
        "The clips could not be stored: the disk is full. The study is a draft again and nothing is lost. Make room, "
        "and open it again."
    ),
    "preparation_failed": _(
        "The clips could not be prepared because of an error in the server ({error}). The study is a draft again and "
        "nothing is lost. Open it again; if it happens again, the worker’s log says more."
    ),
}


def sentence(code: str, params: Mapping[str, Any] | None = None) -> str:
    """The translated sentence for `code`, filled in; a code that nobody knows is shown as it is."""
    template = SENTENCES.get(code)
    if template is None:
        return gettext("Something went wrong (%(code)s).") % {"code": code}
    return str(template).format_map(_readable(params or {}))


def sentences(error: Mapping[str, Any]) -> list[str]:
    """The sentences of a study's stored error; none where nothing went wrong."""
    return [sentence(refusal["code"], refusal["params"]) for refusal in error.get("refusals", [])]


def source_name(key: str) -> str:
    return str(Source(key).label) if key in Source.values else key


def _readable(params: Mapping[str, Any]) -> dict[str, Any]:
    """Keys of sources and systems become their names."""
    words = dict(params)
    if "source" in words:
        words["source"] = source_name(words["source"])
    if "system" in words:
        words["system"] = system_name(words["system"])
    return words
