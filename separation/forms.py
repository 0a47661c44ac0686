"""What researchers fill in about songs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from separation.models import Song
from separation.selectors import separator_choices
from separation.separators import registry
from separation.services.songs import SUFFIXES


class ManyFilesInput(forms.FileInput):
    allow_multiple_selected = True


class ManyFilesField(forms.FileField):
    """Several files at once. Empty ones pass: each file gets its own sentence from the service."""

    widget = ManyFilesInput(attrs={"accept": ",".join([*SUFFIXES, ".mp4"]) + ",audio/*"})

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile[Any]]:
        return list(data or [])


def ready_separators() -> list[tuple[str, str]]:
    return [(choice.key, choice.name) for choice in separator_choices() if choice.is_ready]


class SeparatorsForm(forms.Form):
    separators = forms.MultipleChoiceField(
        label=_("Separate with"), choices=ready_separators, required=False, widget=forms.CheckboxSelectMultiple
    )
    fast = forms.BooleanField(
        label=_("Fast precision, where a system has one"),
        required=False,
        help_text=_(
            "HTDemucs and its relatives take less time; their stems are then a system of their own, “(fast)”, whose "
            "distance from the exact ones is measured and kept. For a study, exact is the right choice."
        ),
    )

    def keys(self) -> list[str]:
        """The chosen separators, in the chosen precision."""
        chosen: list[str] = self.cleaned_data["separators"]
        return [registry.fast_key(key) or key for key in chosen] if self.cleaned_data["fast"] else chosen


class UploadForm(SeparatorsForm):
    sounds = ManyFilesField(label=_("Sound files"), required=False)
    style = forms.CharField(
        label=_("Style"),
        required=False,
        max_length=100,
        help_text=_("Musical style, as listeners are asked about it: rock, tango, jazz…"),
        widget=forms.TextInput(attrs={"list": "styles", "autocomplete": "off"}),
    )


class MeasureForm(forms.Form):
    """All that a job separated, one of its spans (samples), or a part named in seconds."""

    job = forms.UUIDField()
    start = forms.IntegerField(min_value=0, required=False)
    end = forms.IntegerField(min_value=1, required=False)
    from_seconds = forms.FloatField(label=_("From (s)"), min_value=0.0, required=False)
    to_seconds = forms.FloatField(label=_("To (s)"), min_value=0.0, required=False)

    def wanted(self) -> dict[str, Any]:
        """The arguments of `measurement_start`, in samples."""
        given = self.cleaned_data
        places = {"start": given["start"], "end": given["end"]}
        for place, seconds in (("start", given["from_seconds"]), ("end", given["to_seconds"])):
            if seconds is not None:
                places[place] = round(seconds * settings.SAMPLE_RATE)
        return {"job": given["job"], **places}

    def first_error(self) -> str:
        return next(str(error) for errors in self.errors.values() for error in errors)


if TYPE_CHECKING:  # generic for the type checker only
    SongModelForm = forms.ModelForm[Song]
else:
    SongModelForm = forms.ModelForm


class SongForm(SongModelForm):
    class Meta:
        model = Song
        fields = ["title", "artist", "style"]
        widgets = {"style": forms.TextInput(attrs={"list": "styles", "autocomplete": "off"})}
