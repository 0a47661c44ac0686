"""The questionnaire as a form: one field per question."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext_lazy as _

from listening_test.question import COMMENT_MAX_LENGTH, LINE_MAX_LENGTH, Answer, Kind, Question

MISSING = {"required": _("Please answer this question.")}


class QuestionsForm(forms.Form):
    def __init__(self, questions: Sequence[Question], data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, label_suffix="")
        self.questions = list(questions)
        for question in self.questions:
            self.fields[question.key] = _field(question)

    def rows(self) -> Iterator[tuple[Question, BoundField]]:
        """Each question with its field, in order: what the template shows."""
        for question in self.questions:
            yield question, self[question.key]

    def song_rows(self) -> list[tuple[Question, BoundField]]:
        """Those that are asked of each song."""
        return [row for row in self.rows() if row[0].about]

    def other_rows(self) -> list[tuple[Question, BoundField]]:
        return [row for row in self.rows() if not row[0].about]

    @property
    def answers(self) -> dict[str, Answer]:
        """What was answered, as `questionnaire.checked` takes it."""
        return {key: value for key, value in self.cleaned_data.items() if value not in (None, "", [])}


def _field(question: Question) -> forms.Field:
    common: dict[str, Any] = {"label": question.label, "required": question.required, "error_messages": MISSING}
    if question.kind == Kind.TEXT:
        return forms.CharField(**common, max_length=COMMENT_MAX_LENGTH, widget=forms.Textarea(attrs={"rows": 4}))
    if question.kind == Kind.LINE:
        return forms.CharField(**common, max_length=LINE_MAX_LENGTH)
    if question.kind == Kind.NUMBER:
        number = forms.NumberInput(attrs={"inputmode": "decimal", "step": "any"})
        return forms.FloatField(**common, min_value=question.least, max_value=question.most, widget=number)
    if question.kind == Kind.CHOICES:
        return forms.MultipleChoiceField(**common, choices=question.options, widget=forms.CheckboxSelectMultiple)
    if question.kind == Kind.STEPS:
        return forms.TypedChoiceField(**common, choices=question.options, coerce=int, widget=forms.RadioSelect)
    if question.required:
        return forms.ChoiceField(**common, choices=question.options, widget=forms.RadioSelect)
    return forms.ChoiceField(**common, choices=[("", _("No answer")), *question.options])
