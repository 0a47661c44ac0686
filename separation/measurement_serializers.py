"""Measurements as JSON."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from separation import messages
from separation.measurement_selectors import is_whole
from separation.measurement_words import NOTES
from separation.models import Measurement, SourceMeasurement
from separation.selectors import separator_name
from separation.serializers import ErrorSerializer

FIGURES = ["sdr", "isr", "sir", "sar", "si_sdr"]


class SourceMeasurementSerializer(serializers.ModelSerializer[SourceMeasurement]):
    """Decibels; null where the metric is not defined. SDR, ISR, SIR, SAR: medians over seconds (BSS Eval v4)."""

    source_name = serializers.CharField(source="get_source_display", help_text="In the language of the request.")
    note_sentences = serializers.SerializerMethodField(help_text="The notes in the language of the request.")

    class Meta:
        model = SourceMeasurement
        fields = ["source", "source_name", *FIGURES, "notes", "note_sentences"]

    def get_note_sentences(self, found: SourceMeasurement) -> list[str]:
        return [str(NOTES[note]) for note in found.notes if note in NOTES]


class FramesSerializer(serializers.Serializer[Any]):
    sdr = serializers.ListField(child=serializers.FloatField(allow_null=True), help_text="One value for each second.")
    isr = serializers.ListField(child=serializers.FloatField(allow_null=True))
    sir = serializers.ListField(child=serializers.FloatField(allow_null=True))
    sar = serializers.ListField(child=serializers.FloatField(allow_null=True))


class SourceFramesSerializer(SourceMeasurementSerializer):
    frames = serializers.SerializerMethodField()

    class Meta(SourceMeasurementSerializer.Meta):
        fields = [*SourceMeasurementSerializer.Meta.fields, "frames"]

    @extend_schema_field(FramesSerializer)
    def get_frames(self, found: SourceMeasurement) -> dict[str, Any]:
        frames: dict[str, Any] = found.frames
        return frames


class MeasurementSerializer(serializers.ModelSerializer[Measurement]):
    song = serializers.UUIDField(source="job.song_id", read_only=True)
    system = serializers.CharField(source="job.separator", read_only=True)
    system_name = serializers.SerializerMethodField()
    start_seconds = serializers.SerializerMethodField()
    end_seconds = serializers.SerializerMethodField()
    whole_song = serializers.SerializerMethodField()
    state_name = serializers.CharField(source="get_state_display", help_text="In the language of the request.")
    error = serializers.SerializerMethodField(help_text="Of a failed measurement, else null.")
    sources: serializers.BaseSerializer[Any] = SourceMeasurementSerializer(many=True, read_only=True)

    class Meta:
        model = Measurement
        fields = [
            "id", "song", "job", "system", "system_name", "start", "end", "start_seconds", "end_seconds", "whole_song",
            "state", "state_name", "is_live", "progress", "attempt", "error", "method", "queued_at", "started_at",
            "finished_at", "sources",
        ]  # fmt: skip

    def get_system_name(self, measurement: Measurement) -> str:
        return separator_name(measurement.job.separator)

    def get_start_seconds(self, measurement: Measurement) -> float:
        return measurement.start / float(settings.SAMPLE_RATE)

    def get_end_seconds(self, measurement: Measurement) -> float:
        return measurement.end / float(settings.SAMPLE_RATE)

    def get_whole_song(self, measurement: Measurement) -> bool:
        return is_whole(measurement)

    @extend_schema_field(ErrorSerializer(allow_null=True))
    def get_error(self, measurement: Measurement) -> dict[str, Any] | None:
        code, params = measurement.error_code, measurement.error_params
        if not code:
            return None
        return {"code": code, "params": params, "sentence": messages.measurement_sentence(code, params)}


class MeasurementDetailSerializer(MeasurementSerializer):
    """With the values of every second."""

    sources = SourceFramesSerializer(many=True, read_only=True)


class MeasureSerializer(serializers.Serializer[Any]):
    """What to measure: all that a separation has separated, or a part of it."""

    job = serializers.UUIDField(help_text="A done separation of a song with true stems.")
    start = serializers.IntegerField(required=False, min_value=0, help_text="First sample; the start, if not given.")
    end = serializers.IntegerField(required=False, min_value=1, help_text="The sample after the last; else the end.")
