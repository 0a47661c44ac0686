"""What researchers fill in about songs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from separation.models import Song
from separation.selectors import separator_choices
from separation.services.songs import SUFFIXES


class ManyFilesInput(forms.FileInput):
    allow_multiple_selected = True


class ManyFilesField(forms.FileField):
    """Several files at once. Empty ones pass: each file gets its own sentence from the service."""

    widget = ManyFilesInput(attrs={"accept": ",".join(SUFFIXES) + ",audio/*"})

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile[Any]]:
        return list(data or [])


def ready_separators() -> list[tuple[str, str]]:
    return [(choice.key, choice.name) for choice in separator_choices() if choice.is_ready]


class SeparatorsForm(forms.Form):
    separators = forms.MultipleChoiceField(
        label=_("Separate with"), choices=ready_separators, required=False, widget=forms.CheckboxSelectMultiple
    )


class UploadForm(SeparatorsForm):
    sounds = ManyFilesField(label=_("Sound files"), required=False)
    style = forms.CharField(
        label=_("Style"),
        required=False,
        max_length=100,
        help_text=_("Musical style, as listeners are asked about it: rock, tango, jazz…"),
        widget=forms.TextInput(attrs={"list": "styles", "autocomplete": "off"}),
    )


if TYPE_CHECKING:  # generic for the type checker only
    SongModelForm = forms.ModelForm[Song]
else:
    SongModelForm = forms.ModelForm


class SongForm(SongModelForm):
    class Meta:
        model = Song
        fields = ["title", "artist", "style"]
        widgets = {"style": forms.TextInput(attrs={"list": "styles", "autocomplete": "off"})}
