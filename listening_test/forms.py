"""The form a study is made and changed with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.conf import settings
from django.forms import BaseFormSet, BoundField, formset_factory
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from listening_test import messages, selectors
from listening_test.models import StudyText
from listening_test.selectors import Offer
from listening_test.services.studies import Span, StudyContent, StudyRefused, span_checked
from listening_test.systems import system_name
from listening_test.texts import DEFAULTS, default_text
from separation.models import Song, Source

LONG_TEXTS = {StudyText.Key.CONSENT: 8, StudyText.Key.INSTRUCTIONS: 8, StudyText.Key.THANKS: 4}  # rows on the page


@dataclass(frozen=True)
class Choices:
    """(key, name) of what may be ticked."""

    systems: list[tuple[str, str]]
    sources: list[tuple[str, str]]


class SongSelect(forms.Select):
    """Each song says what the page's script needs: where it can be heard and how long it is."""

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option = super().create_option(name, value, *args, **kwargs)
        song = getattr(value, "instance", None)
        if song is not None:
            option["attrs"]["data-audio"] = reverse("song_audio", args=[song.id])
            option["attrs"]["data-seconds"] = f"{song.seconds:.3f}"
        return option


class ExcerptForm(forms.Form):
    song = forms.ModelChoiceField(
        label=_("Song"), queryset=Song.objects.all(), widget=SongSelect, empty_label=_("Choose a song…")
    )
    start = forms.FloatField(
        label=_("Start (s)"), min_value=0.0, widget=forms.NumberInput(attrs={"step": "0.01", "inputmode": "decimal"})
    )
    end = forms.FloatField(
        label=_("End (s)"), min_value=0.0, widget=forms.NumberInput(attrs={"step": "0.01", "inputmode": "decimal"})
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if {"song", "start", "end"} <= data.keys():
            try:
                data["start"], data["end"] = span_checked(song=data["song"], start=data["start"], end=data["end"])
            except StudyRefused as refusal:
                raise forms.ValidationError(messages.sentence(refusal.code, refusal.params)) from None
        return data


if TYPE_CHECKING:  # generic for the type checker only
    ExcerptForms = BaseFormSet[ExcerptForm]
else:
    ExcerptForms = BaseFormSet


class BaseExcerptFormSet(ExcerptForms):
    """Rows that were left or made empty are no excerpts; the same excerpt twice is a slip."""

    def clean(self) -> None:
        spans = [(span.song.pk, span.start, span.end) for span in self.spans()]
        if len(set(spans)) < len(spans):
            raise forms.ValidationError(messages.sentence("excerpt_twice"))

    def spans(self) -> list[Span]:
        filled = [form.cleaned_data for form in self.forms if form.is_valid() and form.has_changed()]
        return [Span(data["song"], data["start"], data["end"]) for data in filled]

    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        return {**super().get_form_kwargs(index), "label_suffix": ""}


def excerpt_forms(
    data: Mapping[str, Any] | None = None, initial: list[dict[str, Any]] | None = None
) -> BaseExcerptFormSet:
    made = formset_factory(ExcerptForm, formset=BaseExcerptFormSet, extra=0, max_num=200)
    return cast(BaseExcerptFormSet, made(data, initial=initial, prefix="excerpt"))


class StudyForm(forms.Form):
    """Everything but the excerpts. A draft may be saved half made: what is missing is said when it is to be opened."""

    name = forms.CharField(
        label=_("Name"), max_length=200, help_text=_("For you. Listeners see the title, further down.")
    )
    systems = forms.MultipleChoiceField(
        label=_("Systems"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("What is compared. Separators that have not finished with a song can still separate its excerpts."),
    )
    sources = forms.MultipleChoiceField(
        label=_("Sources"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("What listeners rate: sources that every chosen system gives."),
    )
    trials_per_listener = forms.IntegerField(
        label=_("Clips per listener"),
        required=False,
        min_value=1,
        max_value=1000,
        help_text=_("Left empty, every listener rates every clip."),
    )
    show_mixture = forms.BooleanField(
        label=_("Listeners may hear the original mixture"),
        required=False,
        help_text=_("A button under the player plays the same excerpt before separation."),
    )

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, choices: Choices, initial: dict[str, Any] | None = None
    ) -> None:
        super().__init__(data, initial=initial, label_suffix="")
        cast(forms.MultipleChoiceField, self.fields["systems"]).choices = choices.systems
        cast(forms.MultipleChoiceField, self.fields["sources"]).choices = choices.sources
        for language, _name in settings.LANGUAGES:
            for key in StudyText.Key:
                self.fields[f"{key}_{language}"] = _text_field(key, language)

    def texts_by_language(self) -> Iterator[tuple[str, list[BoundField]]]:
        """(language code, its fields) for the page."""
        for language, _name in settings.LANGUAGES:
            yield language, [self[f"{key}_{language}"] for key in StudyText.Key]

    def content(self, spans: list[Span]) -> StudyContent:
        data = self.cleaned_data
        return StudyContent(
            name=data["name"],
            sources=data["sources"],
            systems=data["systems"],
            trials_per_listener=data["trials_per_listener"],
            show_mixture=data["show_mixture"],
            texts={
                (language, key): data[f"{key}_{language}"]
                for language, _name in settings.LANGUAGES
                for key in StudyText.Key
            },
            spans=spans,
        )


def _text_field(key: StudyText.Key, language: str) -> forms.CharField:
    own = default_text(key, language) if key in DEFAULTS else _("The name of the study")
    attrs: dict[str, Any] = {"placeholder": own, "lang": language}
    if key in LONG_TEXTS:
        attrs["rows"] = LONG_TEXTS[key]
    widget = forms.Textarea(attrs) if key in LONG_TEXTS else forms.TextInput(attrs)
    return forms.CharField(label=key.label, required=False, max_length=20_000, widget=widget)


def study_initial(content: StudyContent) -> dict[str, Any]:
    """What the form shows of a study."""
    return {
        "name": content.name,
        "systems": content.systems,
        "sources": content.sources,
        "trials_per_listener": content.trials_per_listener,
        "show_mixture": content.show_mixture,
        **{f"{key}_{language}": text for (language, key), text in content.texts.items()},
    }


def spans_initial(content: StudyContent) -> list[dict[str, Any]]:
    return [{"song": span.song.pk, "start": round(span.start, 2), "end": round(span.end, 2)} for span in content.spans]


def study_choices(offer: Offer, content: StudyContent) -> Choices:
    """What is offered, and what the study has already, even when its jobs are gone."""
    systems = list(dict.fromkeys([*selectors.systems_offered(offer), *content.systems]))
    sources = {*selectors.sources_offered(offer), *content.sources}
    return Choices(
        systems=[(key, system_name(key)) for key in systems],
        sources=[(source.value, str(source.label)) for source in Source if source.value in sources],
    )
