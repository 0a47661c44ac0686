"""The rows of excerpts in the form of a study."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.forms import BaseFormSet, formset_factory
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from listening_test import messages
from listening_test.services.studies import Span, StudyContent, StudyRefused, span_checked
from separation.models import Song


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


def spans_initial(content: StudyContent) -> list[dict[str, Any]]:
    return [{"song": span.song.pk, "start": round(span.start, 2), "end": round(span.end, 2)} for span in content.spans]
