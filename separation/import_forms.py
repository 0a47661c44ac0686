"""What a researcher fills in to import stems."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from separation.forms import ManyFilesField, ManyFilesInput
from separation.models import ImportedSystem, Song
from separation.services.import_matching import ANY_FOLDER
from separation.services.imports import Wish
from separation.services.songs import SUFFIXES


class StemFilesField(ManyFilesField):
    widget = ManyFilesInput(attrs={"accept": ",".join((".zip", *SUFFIXES)) + ",audio/*"})


class ImportForm(forms.Form):
    system = forms.CharField(
        label=_("System"),
        max_length=100,
        required=False,  # the service says what is missing
        help_text=_("What results will call it: the model's name, such as Band-Split RNN, D3Net, or your own."),
        widget=forms.TextInput(attrs={"list": "systems", "autocomplete": "off"}),
    )
    description = forms.CharField(
        label=_("Description"),
        required=False,
        max_length=2_000,
        help_text=_("For you: which weights, run how, by whom. May be left empty."),
    )
    stems = StemFilesField(label=_("Stems"), required=False)
    song = forms.ModelChoiceField(
        label=_("Song"),
        queryset=Song.objects.order_by("title", "id"),
        required=False,
        empty_label=_("As the folders say"),
        help_text=_("To be chosen where files are of one song and its name does not stand on their folder."),
    )
    convert = forms.BooleanField(label=_("Convert other sample rates to 44100 Hz"), required=False)
    replace = forms.BooleanField(label=_("Replace stems that these songs have of this system"), required=False)

    def wish(self, folders: list[str], songs: list[str], only: list[str]) -> Wish:
        """`folders` and `songs`: the songs that were chosen for folders, one beside the other."""
        data: dict[str, Any] = self.cleaned_data
        told = {ANY_FOLDER: str(data["song"].pk)} if data["song"] else {}
        chosen = {folder: song for folder, song in zip(folders, songs, strict=False) if song}
        return Wish(
            system=data["system"],
            description=data["description"],
            song_map={**told, **chosen},
            only=only,
            convert=data["convert"],
            replace=data["replace"],
        )


def system_names() -> list[str]:
    return list(ImportedSystem.objects.order_by("name").values_list("name", flat=True))
