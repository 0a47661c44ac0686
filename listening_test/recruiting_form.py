"""The form for what may change of a study while listeners come."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from django import forms
from django.forms import BoundField

from listening_test import messages, recruiting
from listening_test.forms import StudyForm
from listening_test.models import Study
from listening_test.refusal import Refused, StudyRefused
from listening_test.services.studies import study_recruiting_change

NUMBERS = ("quota", "give_up_minutes", "retention_days")


class RecruitingForm(forms.Form):
    """The fields are those of the draft's form. Addresses are asked only of a study with a platform, whose parameters
    stay: listeners were told of them."""

    def __init__(self, data: Mapping[str, Any] | None = None, *, study: Study) -> None:
        self._study = study
        self._endings = recruiting.ENDINGS if study.platform else ()
        before = {name: getattr(study, name) for name in NUMBERS}
        before |= {f"platform_{ending}": study.platform.get(ending, "") for ending in self._endings}
        super().__init__(data, initial=before, label_suffix="")
        for name in before:
            self.fields[name] = deepcopy(StudyForm.base_fields[name])
        self.fields["give_up_minutes"].required = True

    def numbers(self) -> list[BoundField]:
        return [self[name] for name in NUMBERS]

    def addresses(self) -> list[BoundField]:
        return [self[f"platform_{ending}"] for ending in self._endings]

    def save(self) -> bool:
        """False where it was refused: the errors say why."""
        endings = {ending: self.cleaned_data[f"platform_{ending}"] for ending in self._endings}
        numbers = {name: self.cleaned_data[name] for name in NUMBERS}
        try:
            study_recruiting_change(study=self._study, endings=endings, **numbers)
        except (Refused, StudyRefused) as refusal:
            self.add_error(_field_of(refusal), messages.sentence(refusal.code, refusal.params))
            return False
        return True


def _field_of(refusal: Refused | StudyRefused) -> str | None:
    if refusal.code == "retention_longer":
        return "retention_days"
    return f"platform_{refusal.params['ending']}" if "ending" in refusal.params else None
