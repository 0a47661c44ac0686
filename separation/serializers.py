"""Songs, jobs and stems as JSON."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from separation import messages
from separation.models import SeparationJob, Song, Stem
from separation.selectors import separator_name, stems_sorted


class StemSerializer(serializers.ModelSerializer[Stem]):
    source_name = serializers.CharField(source="get_source_display", help_text="In the language of the request.")
    system = serializers.SerializerMethodField(help_text='The separator\'s key, or "reference" for the true stem.')
    start = serializers.IntegerField(help_text="Its first sample in the song.")
    samples = serializers.IntegerField(allow_null=True, help_text="Its length; null: the whole song.")
    audio = serializers.SerializerMethodField(help_text="Address of the FLAC file.")

    class Meta:
        model = Stem
        fields = [
            "id", "song", "job", "system", "source", "source_name", "start", "samples", "gain", "sha256", "origin",
            "audio",
        ]  # fmt: skip

    def get_system(self, stem: Stem) -> str:
        return stem.job.separator if stem.job else "reference"

    def get_audio(self, stem: Stem) -> str:
        return reverse("stem_audio", args=[stem.pk])


class ErrorSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    params = serializers.DictField()
    sentence = serializers.CharField(help_text="For a person, in the language of the request.")


class JobSerializer(serializers.ModelSerializer[SeparationJob]):
    separator_name = serializers.SerializerMethodField()
    state_name = serializers.CharField(source="get_state_display", help_text="In the language of the request.")
    attempts = serializers.SerializerMethodField(help_text="How many attempts a job has before it fails.")
    error = serializers.SerializerMethodField(help_text="Of a failed job, else null.")
    spans = serializers.ListField(
        child=serializers.ListField(child=serializers.IntegerField(), min_length=2, max_length=2),
        help_text="The parts of the song, [first sample, first one after it] each; empty: the whole song.",
    )
    stems = StemSerializer(many=True, read_only=True)

    class Meta:
        model = SeparationJob
        fields = [
            "id", "song", "separator", "separator_name", "weights", "spans", "state", "state_name", "is_live",
            "progress", "attempt", "attempts", "error", "ran", "queued_at", "started_at", "finished_at", "stems",
        ]  # fmt: skip

    def get_separator_name(self, job: SeparationJob) -> str:
        return separator_name(job.separator)

    def get_attempts(self, job: SeparationJob) -> int:
        return int(settings.JOB_MAX_ATTEMPTS)

    @extend_schema_field(ErrorSerializer(allow_null=True))
    def get_error(self, job: SeparationJob) -> dict[str, Any] | None:
        if not job.error_code:
            return None
        sentence = messages.sentence(job.error_code, job.error_params)
        return {"code": job.error_code, "params": job.error_params, "sentence": sentence}


class SongSerializer(serializers.ModelSerializer[Song]):
    seconds = serializers.FloatField(read_only=True)
    notes = serializers.SerializerMethodField(help_text="What was done to the song on its way in, as sentences.")
    note_codes = serializers.ListField(source="notes", child=serializers.CharField())
    audio = serializers.SerializerMethodField(help_text="Address of the mixture as FLAC.")
    jobs = JobSerializer(many=True, read_only=True)
    references = StemSerializer(many=True, read_only=True, help_text="The true stems, where the song has them.")

    class Meta:
        model = Song
        fields = [
            "id", "title", "artist", "style", "seconds", "samples", "original_name", "original_sha256",
            "original_format", "original_sample_rate", "original_channels", "mixture_gain", "notes", "note_codes",
            "is_demo", "synthesis_seed", "created_at", "audio", "jobs", "references",
        ]  # fmt: skip

    def get_notes(self, song: Song) -> list[str]:
        return messages.note_sentences(song)

    def get_audio(self, song: Song) -> str:
        return reverse("song_audio", args=[song.pk])

    def to_representation(self, instance: Song) -> dict[str, Any]:
        shown = super().to_representation(instance)
        order = [str(stem.pk) for stem in stems_sorted(list(instance.references))]  # type: ignore[attr-defined]
        shown["references"].sort(key=lambda stem: order.index(stem["id"]))
        return shown
