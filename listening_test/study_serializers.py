"""A study as a researcher's own program sends it: the options of the form, checked by the same rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from django.conf import settings
from rest_framework import serializers

from listening_test import equipment, messages, questionnaire, recruiting, selectors
from listening_test.controls import CONTROLS
from listening_test.forms import MOST_RETENTION_DAYS
from listening_test.models import Study, StudyText
from listening_test.refusal import Refused, StudyRefused
from listening_test.scales import ContaminationWords
from listening_test.services.studies import OPTIONS, Span, StudyContent, span_checked
from separation.models import Song, Source


def _choice(values: Any) -> serializers.ChoiceField:
    return serializers.ChoiceField(choices=list(values))


def _list(of: Any) -> serializers.ListField:
    return serializers.ListField(child=_choice(of))


class SpanSerializer(serializers.Serializer[Any]):
    song = serializers.PrimaryKeyRelatedField(queryset=Song.objects.all())
    start = serializers.FloatField(help_text="seconds")
    end = serializers.FloatField(help_text="seconds")

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        try:
            data["start"], data["end"] = span_checked(**data)
        except StudyRefused as refusal:
            raise _invalid(refusal) from None
        return data


class StudyChangeSerializer(serializers.Serializer[Any]):
    """What is not sent stays as it is; of a new study, as the form would begin with."""

    name = serializers.CharField(max_length=200)
    sources = _list(Source.values)
    systems = serializers.ListField(child=serializers.CharField(max_length=80))
    controls = _list(CONTROLS)
    trials_per_listener = serializers.IntegerField(min_value=1, max_value=1000, allow_null=True)
    show_mixture = serializers.BooleanField()
    repeats_per_listener = serializers.IntegerField(min_value=0, max_value=50)
    traps_per_listener = serializers.IntegerField(min_value=0, max_value=20)
    trap_kind = _choice(Study.TrapKind.values)
    block_trials = serializers.IntegerField(min_value=1, max_value=1000, allow_null=True)
    scale_layout = _choice(Study.ScaleLayout.values)
    contamination_words = _choice(ContaminationWords.values)
    loudness_rule = _choice(Study.LoudnessRule.values)
    minimum_seconds = serializers.FloatField(min_value=0.5, max_value=30.0, allow_null=True)
    loop_allowed = serializers.BooleanField()
    equipment = serializers.DictField(child=_choice(equipment.CONSEQUENCES), help_text="check -> consequence")
    practice = serializers.BooleanField()
    questions = serializers.JSONField(allow_null=True, help_text="null: StemMOS’s own choice")
    links = _choice(Study.Links.values)
    quota = serializers.IntegerField(min_value=1, max_value=100_000, allow_null=True)
    platform = serializers.DictField(help_text="kind, names, completed, screened_out, full; empty: none")
    give_up_minutes = serializers.IntegerField(min_value=5, max_value=30_000)
    retention_days = serializers.IntegerField(min_value=1, max_value=MOST_RETENTION_DAYS, allow_null=True)
    excerpts = SpanSerializer(many=True)
    texts = serializers.DictField(
        child=serializers.DictField(child=serializers.CharField(max_length=20_000, allow_blank=True)),
        help_text="language -> key (title, consent, instructions, thanks) -> text",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.required = name == "name" and not self.partial

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        unknown = sorted(set(self.initial_data) - set(self.fields))
        if unknown:
            raise serializers.ValidationError(dict.fromkeys(unknown, "There is no such option."))
        return data

    def validate_systems(self, systems: list[str]) -> list[str]:
        offered = {*selectors.systems_offered(selectors.systems_by_song()), *self.context["content"].systems}
        if unknown := [key for key in systems if key not in offered]:
            raise serializers.ValidationError(f"There is no system {', '.join(unknown)}.")
        return systems

    def validate_equipment(self, chosen: Mapping[str, str]) -> dict[str, str]:
        if unknown := sorted(set(chosen) - set(equipment.KINDS)):
            raise serializers.ValidationError(f"There is no check {', '.join(unknown)}.")
        return {kind: value for kind, value in chosen.items() if value != equipment.OFF}

    def validate_questions(self, given: Any) -> Any:
        languages = [code for code, _name in settings.LANGUAGES]
        return None if given is None else _refusing(lambda: questionnaire.questions_checked(given, languages))

    def validate_platform(self, given: Mapping[str, Any]) -> Any:
        return _refusing(lambda: recruiting.platform_checked(given))

    def validate_texts(self, texts: Mapping[str, Mapping[str, str]]) -> dict[tuple[str, str], str]:
        languages = dict(settings.LANGUAGES)
        flat = {(language, key): text for language, by_key in texts.items() for key, text in by_key.items()}
        for language, key in flat:
            if language not in languages or key not in StudyText.Key.values:
                raise serializers.ValidationError(f"There is no text {language}.{key}.")
        return flat

    def content(self) -> StudyContent:
        """The study as it shall be."""
        before: StudyContent = self.context["content"]
        data = self.validated_data
        changes = {name: data[name] for name in OPTIONS if name in data}
        if "texts" in data:
            changes["texts"] = {**before.texts, **data["texts"]}
        if "excerpts" in data:
            changes["spans"] = [Span(each["song"], each["start"], each["end"]) for each in data["excerpts"]]
        return replace(before, **changes)


def _refusing(check: Callable[[], Any]) -> Any:
    try:
        return check()
    except Refused as refusal:
        raise _invalid(refusal) from None


def _invalid(refusal: Refused | StudyRefused) -> serializers.ValidationError:
    return serializers.ValidationError(messages.sentence(refusal.code, refusal.params), code=refusal.code)
