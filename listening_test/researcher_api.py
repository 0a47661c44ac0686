"""What a researcher's own programs may read of studies, as JSON. Login as for the pages; nothing here writes."""

from __future__ import annotations

from functools import cache
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from listening_test import messages, selectors
from listening_test.models import ListeningSession, Study


class ExcerptSerializer(serializers.Serializer[Any]):
    song = serializers.UUIDField(source="song_id")
    title = serializers.CharField(source="song.title")
    start = serializers.FloatField(help_text="seconds")
    end = serializers.FloatField(help_text="seconds")


class StudySerializer(serializers.ModelSerializer[Study]):
    """A study: what it compares and how it stands."""

    link = serializers.SerializerMethodField(help_text="the address listeners open")
    excerpts = ExcerptSerializer(many=True, read_only=True)
    clips_made = serializers.SerializerMethodField()
    clips_expected = serializers.SerializerMethodField()
    preparation_error = serializers.SerializerMethodField(help_text="sentences; empty where nothing went wrong")
    missing = serializers.SerializerMethodField(help_text="of a draft: pairs of song and system with missing stems")
    sessions_started = serializers.SerializerMethodField()
    sessions_completed = serializers.SerializerMethodField()
    sessions_simulated = serializers.SerializerMethodField(help_text="of listeners the project made; never persons")
    ratings = serializers.SerializerMethodField()
    fewest_per_clip = serializers.SerializerMethodField(help_text="finished trials of the clip that has fewest")
    most_per_clip = serializers.SerializerMethodField(help_text="finished trials of the clip that has most")

    class Meta:
        model = Study
        fields = (
            "id",
            "name",
            "state",
            "is_demo",
            "seed",
            "sources",
            "systems",
            "excerpts",
            "trials_per_listener",
            "show_mixture",
            "link",
            "clips_made",
            "clips_expected",
            "preparation_error",
            "missing",
            "sessions_started",
            "sessions_completed",
            "sessions_simulated",
            "ratings",
            "fewest_per_clip",
            "most_per_clip",
            "created_at",
            "opened_at",
            "closed_at",
        )
        read_only_fields = fields

    def _progress(self, study: Study) -> selectors.StudyProgress:
        progress: selectors.StudyProgress = self.context["progress"](study)
        return progress

    def get_link(self, study: Study) -> str:
        address = reverse("listen", args=[study.token])
        request = self.context.get("request")
        return request.build_absolute_uri(address) if request else address

    def get_clips_made(self, study: Study) -> int:
        return study.clips.count()

    def get_clips_expected(self, study: Study) -> int:
        return selectors.clips_expected(study)

    def get_preparation_error(self, study: Study) -> list[str]:
        return messages.sentences(study.preparation_error)

    def get_missing(self, study: Study) -> int:
        return len(selectors.stems_missing(study)) if study.is_editable else 0

    def get_sessions_started(self, study: Study) -> int:
        return self._progress(study).started

    def get_sessions_completed(self, study: Study) -> int:
        return self._progress(study).completed

    def get_sessions_simulated(self, study: Study) -> int:
        return self._progress(study).simulated

    def get_ratings(self, study: Study) -> int:
        return self._progress(study).ratings

    def get_fewest_per_clip(self, study: Study) -> int:
        return self._progress(study).ratings_per_clip[0]

    def get_most_per_clip(self, study: Study) -> int:
        return self._progress(study).ratings_per_clip[1]


class SessionSerializer(serializers.ModelSerializer[ListeningSession]):
    """One listener's visit. No token, no code and no answers: those are the listener's own."""

    simulated = serializers.BooleanField(source="listener.simulated")
    trials = serializers.IntegerField(source="trials_planned")
    trials_finished = serializers.IntegerField()

    class Meta:
        model = ListeningSession
        fields = (
            "id",
            "number",
            "language",
            "step",
            "simulated",
            "trials",
            "trials_finished",
            "started_at",
            "completed_at",
        )
        read_only_fields = fields


@extend_schema(tags=["researcher"])
class StudyList(ListAPIView[Study]):
    """Every study, newest first."""

    serializer_class = StudySerializer
    queryset = Study.objects.prefetch_related("excerpts__song")

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "progress": cache(selectors.study_progress)}


@extend_schema(tags=["researcher"])
class StudyDetail(APIView):
    """One study."""

    @extend_schema(responses=StudySerializer)
    def get(self, request: Request, study_id: UUID) -> Response:
        study = get_object_or_404(Study.objects.prefetch_related("excerpts__song"), id=study_id)
        context = {"request": request, "progress": cache(selectors.study_progress)}
        return Response(StudySerializer(study, context=context).data)


@extend_schema(tags=["researcher"])
class StudySessions(ListAPIView[ListeningSession]):
    """The sessions of one study, in the order in which they began."""

    serializer_class = SessionSerializer

    def get_queryset(self) -> QuerySet[ListeningSession]:
        if getattr(self, "swagger_fake_view", False):  # the schema is being drawn, there is no study
            return ListeningSession.objects.none()
        study = get_object_or_404(Study, id=self.kwargs["study_id"])
        return (
            study.sessions.select_related("listener")
            .annotate(
                trials_planned=Count("trials"),
                trials_finished=Count("trials", filter=Q(trials__finished_at__isnull=False)),
            )
            .order_by("number")
        )
