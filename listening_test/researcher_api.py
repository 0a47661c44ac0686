"""What a researcher's own programs may do with studies, as JSON: read them, make and change drafts, make links.

Login as for the pages. Opening, closing and deleting are done on the study's page, where their consequences are told.
"""

from __future__ import annotations

from functools import cache
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import APIException
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from listening_test import messages, outline_selectors, recruiting, recruiting_selectors, selectors, texts
from listening_test.forms import content_new
from listening_test.models import Invitation, ListeningSession, Study
from listening_test.refusal import Refused, StudyRefused
from listening_test.services.recruiting import LABEL_MAX_LENGTH, MOST_AT_ONCE, invitations_add
from listening_test.services.studies import study_add, study_content, study_update
from listening_test.study_serializers import StudyChangeSerializer


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
    sessions_given_up = serializers.SerializerMethodField(help_text="silent for too long: their places were given away")
    sessions_ended = serializers.SerializerMethodField(help_text="ended before the rating, by a sound check")
    sessions_test = serializers.SerializerMethodField(help_text="by test links; in no other number")
    texts = serializers.SerializerMethodField(help_text="by language and key; the product’s own are left out")
    outline = serializers.SerializerMethodField(help_text="what a session asks of a listener, in a sentence")
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
            "controls",
            "repeats_per_listener",
            "traps_per_listener",
            "trap_kind",
            "block_trials",
            "scale_layout",
            "contamination_words",
            "loudness_rule",
            "minimum_seconds",
            "loop_allowed",
            "equipment",
            "practice",
            "questions",
            "links",
            "quota",
            "platform",
            "give_up_minutes",
            "retention_days",
            "version",
            "earlier",
            "design_digest",
            "design_form",
            "texts",
            "outline",
            "link",
            "clips_made",
            "clips_expected",
            "preparation_error",
            "missing",
            "sessions_started",
            "sessions_completed",
            "sessions_simulated",
            "sessions_given_up",
            "sessions_ended",
            "sessions_test",
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
        return selectors.clips_made(study)

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

    def _recruited(self, study: Study) -> recruiting_selectors.Recruited:
        recruited: recruiting_selectors.Recruited = self.context["recruited"](study)
        return recruited

    def get_sessions_given_up(self, study: Study) -> int:
        return self._recruited(study).given_up

    def get_sessions_ended(self, study: Study) -> int:
        return self._recruited(study).ended

    def get_sessions_test(self, study: Study) -> int:
        return self._recruited(study).tests

    def get_texts(self, study: Study) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        for (language, key), text in texts.own_texts(study).items():
            found.setdefault(language, {})[key] = text
        return found

    def get_outline(self, study: Study) -> str:
        return outline_selectors.outline_sentence(outline_selectors.study_outline(study))

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
            "slot",
            "language",
            "step",
            "simulated",
            "is_test",
            "invitation",
            "trials",
            "trials_finished",
            "started_at",
            "seen_at",
            "completed_at",
            "given_up_at",
            "ended_reason",
        )
        read_only_fields = fields


class NotNow(APIException):
    """The study is in no state for it: 409, with the sentence that a person would read."""

    status_code = 409

    def __init__(self, refusal: Refused | StudyRefused) -> None:
        super().__init__(messages.sentence(refusal.code, refusal.params), refusal.code)


def _shown(request: Request, study_id: UUID) -> Any:
    study = get_object_or_404(Study.objects.prefetch_related("excerpts__song", "texts"), id=study_id)
    return StudySerializer(study, context={"request": request, **_counted()}).data


def _counted() -> dict[str, Any]:
    """What is counted once for each study, however many fields ask."""
    return {"progress": cache(selectors.study_progress), "recruited": cache(recruiting_selectors.recruited)}


@extend_schema(tags=["researcher"])
class StudyList(ListAPIView[Study]):
    """Every study, newest first."""

    serializer_class = StudySerializer
    queryset = Study.objects.prefetch_related("excerpts__song", "texts")

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), **_counted()}

    @extend_schema(request=StudyChangeSerializer, responses={201: StudySerializer}, summary="Make a draft")
    def post(self, request: Request) -> Response:
        change = StudyChangeSerializer(data=request.data, context={"content": content_new()})
        change.is_valid(raise_exception=True)
        study = study_add(content=change.content(), created_by=request.user)  # type: ignore[arg-type]
        return Response(_shown(request, study.id), status=201)


@extend_schema(tags=["researcher"])
class StudyDetail(APIView):
    """One study."""

    @extend_schema(responses=StudySerializer)
    def get(self, request: Request, study_id: UUID) -> Response:
        return Response(_shown(request, study_id))

    @extend_schema(request=StudyChangeSerializer(partial=True), responses=StudySerializer, summary="Change a draft")
    def patch(self, request: Request, study_id: UUID) -> Response:
        study = get_object_or_404(Study, id=study_id)
        content = study_content(study)
        change = StudyChangeSerializer(data=request.data, partial=True, context={"content": content})
        change.is_valid(raise_exception=True)
        try:
            study_update(study=study, content=change.content())
        except StudyRefused as refusal:
            raise NotNow(refusal) from None
        return Response(_shown(request, study_id))


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


class LinkSerializer(serializers.ModelSerializer[Invitation]):
    """A link for one listener."""

    link = serializers.SerializerMethodField()
    used = serializers.SerializerMethodField()

    class Meta:
        model = Invitation
        fields = ("id", "label", "link", "used", "created_at")
        read_only_fields = fields

    def get_link(self, invitation: Invitation) -> str:
        address = self.context["request"].build_absolute_uri(reverse("listen", args=[invitation.study.token]))
        return f"{address}?{recruiting.INVITATION}={invitation.token}"

    def get_used(self, invitation: Invitation) -> bool:
        return hasattr(invitation, "session")


class LinksWantedSerializer(serializers.Serializer[Any]):
    count = serializers.IntegerField(min_value=1, max_value=MOST_AT_ONCE)
    labels = serializers.ListField(child=serializers.CharField(max_length=LABEL_MAX_LENGTH), required=False)


@extend_schema(tags=["researcher"])
class StudyLinks(APIView):
    """The links for single listeners of one study."""

    @extend_schema(responses=LinkSerializer(many=True))
    def get(self, request: Request, study_id: UUID) -> Response:
        links = recruiting_selectors.invitations(get_object_or_404(Study, id=study_id)).select_related(
            "study", "session"
        )
        return Response(LinkSerializer(links, many=True, context={"request": request}).data)

    @extend_schema(request=LinksWantedSerializer, responses={201: LinkSerializer(many=True)}, summary="Make links")
    def post(self, request: Request, study_id: UUID) -> Response:
        study = get_object_or_404(Study, id=study_id)
        wanted = LinksWantedSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        made = invitations_add(study=study, **wanted.validated_data)
        return Response(LinkSerializer(made, many=True, context={"request": request}).data, status=201)
