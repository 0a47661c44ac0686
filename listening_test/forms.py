"""The form a study is made and changed with: everything but its excerpts, which are in `excerpt_forms`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, cast

from django import forms
from django.conf import settings
from django.forms import BoundField
from django.utils.translation import gettext_lazy as _

from listening_test import equipment, messages, questionnaire, recruiting, selectors
from listening_test.controls import CONTROLS
from listening_test.models import Study, StudyText
from listening_test.refusal import Refused
from listening_test.scales import ContaminationWords
from listening_test.selectors import Offer
from listening_test.services.studies import OPTIONS, Span, StudyContent
from listening_test.systems import system_name
from listening_test.texts import DEFAULTS, default_text
from separation.models import Source

LONG_TEXTS = {StudyText.Key.CONSENT: 8, StudyText.Key.INSTRUCTIONS: 8, StudyText.Key.THANKS: 4}  # rows on the page
DEFAULT = {each.name: each.default for each in fields(StudyContent) if each.default is not MISSING}
MOST_RETENTION_DAYS = 36_500
CONSEQUENCES = [
    (equipment.OFF, _("Not checked")),
    (equipment.RECORD, _("Recorded, and nothing is said")),
    (equipment.WARN, _("Who fails is told, may try again, and goes on")),
    (equipment.END, _("Who fails may try again; failing again ends the session politely")),
]


@dataclass(frozen=True)
class Choices:
    """(key, name) of what may be ticked."""

    systems: list[tuple[str, str]]
    sources: list[tuple[str, str]]


def _many(label: Any, help_text: Any = "", choices: Any = ()) -> forms.MultipleChoiceField:
    widget = forms.CheckboxSelectMultiple
    return forms.MultipleChoiceField(label=label, required=False, widget=widget, help_text=help_text, choices=choices)


def _one(label: Any, choices: Any, help_text: Any = "") -> forms.ChoiceField:
    widget = forms.RadioSelect
    return forms.ChoiceField(label=label, required=False, widget=widget, choices=choices, help_text=help_text)


def _whole(label: Any, least: int, most: int, help_text: Any = "") -> forms.IntegerField:
    return forms.IntegerField(label=label, required=False, min_value=least, max_value=most, help_text=help_text)


def _tick(label: Any, help_text: Any = "") -> forms.BooleanField:
    return forms.BooleanField(label=label, required=False, help_text=help_text)


def _address(label: Any, help_text: Any = "") -> forms.CharField:
    attrs = {"inputmode": "url", "autocomplete": "off", "spellcheck": "false", "placeholder": "https://"}
    widget = forms.TextInput(attrs)
    most = recruiting.ADDRESS_MAX_LENGTH
    return forms.CharField(label=label, required=False, max_length=most, widget=widget, help_text=help_text)


class StudyForm(forms.Form):
    """A draft may be saved half made: what is missing is said when it is to be opened."""

    name = forms.CharField(label=_("Name"), max_length=200, help_text=_("For you. Listeners see the title."))
    systems = _many(
        _("Systems"),
        _("What is compared. Separators that have not finished with a song can still separate its excerpts."),
    )
    sources = _many(_("Sources"), _("What listeners rate: sources that every chosen system gives."))
    controls = _many(
        _("Controls"),
        _(
            "Clips whose answer is known, hidden among the others: they show who listens and how far the scales are "
            "used. Each is heard like one more system. The true stem is there only for songs that have true stems."
        ),
        lambda: [(key, system_name(key)) for key in CONTROLS],
    )
    # The session
    trials_per_listener = _whole(_("Clips per listener"), 1, 1000, _("Left empty, every listener rates every clip."))
    scale_layout = _one(
        _("The two scales"),
        Study.ScaleLayout.choices,
        _(
            "Together is quicker, and the usual way (P.835). Apart, each clip is heard twice, in two halves, and no "
            "answer leads the other. Which scale comes first changes from listener to listener."
        ),
    )
    contamination_words = _one(
        _("The words of Contamination"),
        ContaminationWords.choices,
        _("They go with the question. Whichever are chosen, 5 means that no other instrument is heard."),
    )
    block_trials = _whole(
        _("Clips before a pause is offered"), 1, 1000, _("About 12 is usual. Left empty, no pause is offered.")
    )
    show_mixture = _tick(
        _("Listeners may hear the original mixture"),
        _("A button under the player plays the same excerpt before separation."),
    )
    minimum_seconds = forms.FloatField(
        label=_("Seconds to hear before rating"),
        required=False,
        min_value=0.5,
        max_value=30.0,
        widget=forms.NumberInput(attrs={"step": "0.5", "inputmode": "decimal"}),
        help_text=_("Left empty, the whole clip has to be heard once. The server checks it against its own clock."),
    )
    loop_allowed = _tick(
        _("Listeners may repeat a part of the clip"), _("They choose it on the player. How often is recorded.")
    )
    loudness_rule = _one(
        _("Loudness"),
        Study.LoudnessRule.choices,
        _("Equally loud (−23 LUFS, BS.1770) keeps the louder system from winning by being louder."),
    )
    practice = _tick(
        _("Practice before the rating"),
        _("A few clips over the whole range of both scales, with feedback. Their answers are no ratings."),
    )
    # Attention
    repeats_per_listener = _whole(
        _("Clips that come back"), 0, 50, _("A few clips are heard twice, far apart: they show how steady each one is.")
    )
    traps_per_listener = _whole(
        _("Attention checks"),
        0,
        20,
        _("Now and then a clip asks for a certain answer. About one in twelve clips is usual. None is ever deleted."),
    )
    trap_kind = _one(_("How they ask"), Study.TrapKind.choices)
    # Questionnaire
    questions = forms.CharField(label=_("Questionnaire"), required=False, widget=forms.Textarea(attrs={"rows": 6}))
    # Recruiting
    links = _one(
        _("Links"),
        Study.Links.choices,
        _("Links for single listeners are made on the study’s page once it is open, as many as are needed."),
    )
    quota = _whole(
        _("Listeners wanted"), 1, 100_000, _("Who comes later is told so, politely. Left empty, there is no limit.")
    )
    give_up_minutes = _whole(
        _("Minutes after which a silent listener’s place is given away"),
        5,
        30_000,
        _("So that every clip gets its ratings although some leave. What they had rated is kept."),
    )
    platform_kind = _one(
        _("Recruiting platform"),
        [("", _("None")), (recruiting.PROLIFIC, "Prolific"), (recruiting.OTHER, _("Another one"))],
        _("Its parameters in the link are stored with the session, and whoever comes twice goes on where they were."),
    )
    platform_names = forms.CharField(
        label=_("Parameters of its links"),
        required=False,
        max_length=300,
        help_text=_("Names with commas, as in: participant, batch. The first one says who takes part."),
    )
    platform_completed = _address(
        _("Where listeners go when they have finished"),
        _("Such as https://app.prolific.com/submissions/complete?cc=C1A2B3. {code} stands for the completion code."),
    )
    platform_screened_out = _address(
        _("Where they go when a sound check ends the session"), _("Left empty, they are only thanked.")
    )
    platform_full = _address(
        _("Where they go when the study has all its listeners"), _("Left empty, they are only thanked.")
    )
    # Data
    retention_days = _whole(
        _("Days that personal data are kept"),
        1,
        MOST_RETENTION_DAYS,
        _(
            "That long after a visit the answers about the person, the device, the parameters of the platform, the "
            "personal code and the link are removed by themselves, and the standard consent text says so. Ratings, "
            "times, sound checks and the version agreed to stay, under a number that nobody knows. Left empty, "
            "everything stays until the study is deleted or the listener erases it."
        ),
    )

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, choices: Choices, initial: dict[str, Any] | None = None
    ) -> None:
        super().__init__(data, initial=initial, label_suffix="")
        cast(forms.MultipleChoiceField, self.fields["systems"]).choices = choices.systems
        cast(forms.MultipleChoiceField, self.fields["sources"]).choices = choices.sources
        for kind in equipment.KINDS:
            field = forms.ChoiceField(label=kind.label, required=False, choices=CONSEQUENCES)
            self.fields[f"equipment_{kind}"] = field
        for language, _name in settings.LANGUAGES:
            for key in StudyText.Key:
                self.fields[f"{key}_{language}"] = _text_field(key, language)

    # ── For the page

    def titles(self) -> Iterator[tuple[str, BoundField]]:
        """(language code, its field): what listeners read first."""
        for language, _name in settings.LANGUAGES:
            yield language, self[f"{StudyText.Key.TITLE}_{language}"]

    def texts_by_language(self) -> Iterator[tuple[str, list[BoundField]]]:
        """(language code, its other fields) for the page."""
        for language, _name in settings.LANGUAGES:
            yield language, [self[f"{key}_{language}"] for key in DEFAULTS]

    def equipment_fields(self) -> list[BoundField]:
        return [self[f"equipment_{kind}"] for kind in equipment.KINDS]

    # ── What was sent

    def clean_questions(self) -> list[dict[str, Any]] | None:
        text = self.cleaned_data["questions"].strip()
        if not text:
            return None
        try:
            given = json.loads(text)
        except ValueError:
            raise _invalid(Refused("questions_bad", most=questionnaire.MOST_QUESTIONS)) from None
        try:
            return questionnaire.questions_checked(given, [code for code, _name in settings.LANGUAGES])
        except Refused as refusal:
            raise _invalid(refusal) from None

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        try:
            data["platform"] = recruiting.platform_checked(_platform_given(data))
        except Refused as refusal:
            field = f"platform_{refusal.params['ending']}" if "ending" in refusal.params else "platform_names"
            self.add_error(field, _invalid(refusal))
        return data

    def content(self, spans: list[Span]) -> StudyContent:
        data = self.cleaned_data
        chosen = {kind: data[f"equipment_{kind}"] or equipment.OFF for kind in equipment.KINDS}
        composed = {
            "equipment": {str(kind): value for kind, value in chosen.items() if value != equipment.OFF},
            "platform": data["platform"],
        }
        return StudyContent(
            **{name: _or_default(name, data[name]) for name in OPTIONS if name not in composed},
            **composed,
            texts={
                (language, key): data[f"{key}_{language}"]
                for language, _name in settings.LANGUAGES
                for key in StudyText.Key
            },
            spans=spans,
        )


MAY_BE_EMPTY = ("trials_per_listener", "block_trials", "minimum_seconds", "questions", "quota", "retention_days")


def _or_default(name: str, value: Any) -> Any:
    """What was left empty is what a new study has, unless empty means something."""
    return DEFAULT[name] if value in (None, "") and name not in MAY_BE_EMPTY else value


def _platform_given(data: Mapping[str, Any]) -> dict[str, Any]:
    names = [name.strip() for name in data.get("platform_names", "").split(",") if name.strip()]
    endings = {ending: data.get(f"platform_{ending}", "") for ending in recruiting.ENDINGS}
    return {"kind": data.get("platform_kind", ""), "names": names, **endings}


def _invalid(refusal: Refused) -> forms.ValidationError:
    return forms.ValidationError(messages.sentence(refusal.code, refusal.params))


def _text_field(key: StudyText.Key, language: str) -> forms.CharField:
    own = default_text(key, language) if key in DEFAULTS else _("The name of the study")
    attrs: dict[str, Any] = {"placeholder": own, "lang": language}
    if key in LONG_TEXTS:
        attrs["rows"] = LONG_TEXTS[key]
    widget = forms.Textarea(attrs) if key in LONG_TEXTS else forms.TextInput(attrs)
    return forms.CharField(label=key.label, required=False, max_length=20_000, widget=widget)


# ── What the form shows of a study ──────────────────────────────────────────────────────────────────────────────────


def content_new() -> StudyContent:
    """What a study begins with, unless its researcher decides otherwise."""
    return StudyContent(name="", equipment=dict(equipment.DEFAULT))


def study_initial(content: StudyContent) -> dict[str, Any]:
    platform = content.platform
    questions = "" if content.questions is None else json.dumps(content.questions, ensure_ascii=False)
    return {
        **{name: getattr(content, name) for name in OPTIONS if name not in ("equipment", "platform", "questions")},
        **{f"equipment_{kind}": content.equipment.get(kind, equipment.OFF) for kind in equipment.KINDS},
        "questions": questions,
        "platform_kind": platform.get("kind", ""),
        "platform_names": ", ".join(platform.get("names", ())) if platform.get("kind") == recruiting.OTHER else "",
        **{f"platform_{ending}": platform.get(ending, "") for ending in recruiting.ENDINGS},
        **{f"{key}_{language}": text for (language, key), text in content.texts.items()},
    }


def study_choices(offer: Offer, content: StudyContent) -> Choices:
    """What is offered, and what the study has already, even when its jobs are gone."""
    systems = list(dict.fromkeys([*selectors.systems_offered(offer), *content.systems]))
    sources = {*selectors.sources_offered(offer), *content.sources}
    return Choices(
        systems=[(key, system_name(key)) for key in systems],
        sources=[(source.value, str(source.label)) for source in Source if source.value in sources],
    )
