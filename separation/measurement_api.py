"""Measurements and true stems for a researcher's own programs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, inline_serializer
from rest_framework import serializers, status
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from separation import messages
from separation.api import OF_SONG, Pages
from separation.measurement_selectors import measurements_of
from separation.measurement_serializers import MeasurementDetailSerializer, MeasurementSerializer, MeasureSerializer
from separation.models import Measurement, SeparationJob, Song, Source
from separation.selectors import stems_sorted
from separation.serializers import ErrorSerializer, StemSerializer
from separation.services import references
from separation.services.measurements import MeasurementRefused, measurement_start
from separation.services.songs import UploadRefused
from separation.uploads import LimitedUploadHandler, limit_params

OF_SYSTEM = OpenApiParameter("system", str, description="Only of the system with this key.")
REFUSED = OpenApiResponse(ErrorSerializer, "Nothing was changed; the sentence says why.")
STEM_FILES = inline_serializer("StemFiles", {source: serializers.FileField(required=False) for source in Source.values})


class MeasurementList(ListAPIView[Measurement]):
    serializer_class = MeasurementSerializer
    pagination_class = Pages

    def get_queryset(self) -> QuerySet[Measurement]:
        asked = self.request.query_params
        return measurements_of(song=asked.get("song"), system=asked.get("system"))

    @extend_schema(
        tags=["measurements"],
        summary="Objective metrics of separated stems, by song, system and span",
        parameters=[OF_SONG, OF_SYSTEM],
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    @extend_schema(
        tags=["measurements"],
        summary="Measure a separation, or a part of it",
        description="Answers with the measurement of just this span: a done one, one under way, or a new one.",
        request=MeasureSerializer,
        responses={202: MeasurementDetailSerializer, 409: REFUSED},
    )
    def post(self, request: Request) -> Response:
        asked = MeasureSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        wanted: dict[str, Any] = dict(asked.validated_data)
        job = get_object_or_404(SeparationJob.objects.select_related("song"), pk=wanted.pop("job"))
        try:
            measurement = measurement_start(job=job, **wanted)
        except MeasurementRefused as refusal:
            return refused(refusal.code, {}, status.HTTP_409_CONFLICT)
        return Response(MeasurementDetailSerializer(measurement).data, status.HTTP_202_ACCEPTED)


@extend_schema(tags=["measurements"], summary="One measurement, with the values of every second")
class MeasurementDetail(RetrieveAPIView[Measurement]):
    serializer_class = MeasurementDetailSerializer

    def get_queryset(self) -> QuerySet[Measurement]:
        return measurements_of()


class SongReferences(APIView):
    parser_classes = [MultiPartParser]

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        """How files are received must be said before anything reads the form."""
        self.receiver = LimitedUploadHandler(request)
        request.upload_handlers = [self.receiver]
        return super().initialize_request(request, *args, **kwargs)

    @extend_schema(
        tags=["songs"],
        summary="The song's true stems: upload them all, in the place of those it has",
        parameters=[OpenApiParameter("id", OpenApiTypes.UUID, OpenApiParameter.PATH)],
        request={"multipart/form-data": STEM_FILES},
        responses={201: StemSerializer(many=True), 400: REFUSED, 409: REFUSED},
    )
    def post(self, request: Request, pk: UUID) -> Response:
        song = get_object_or_404(Song, pk=pk)
        files: dict[str, UploadedFile[Any]] = dict(request.FILES.items())
        if self.receiver.refused:
            name, code = self.receiver.refused[0]
            return refused(code, {"file": name, **limit_params()})
        try:
            stems = references.references_add(song=song, files=files)
        except UploadRefused as refusal:
            return refused(refusal.code, refusal.params)
        return Response(StemSerializer(stems_sorted(stems), many=True).data, status.HTTP_201_CREATED)

    @extend_schema(
        tags=["songs"],
        summary="Remove the song's true stems, and what was measured against them",
        parameters=[OpenApiParameter("id", OpenApiTypes.UUID, OpenApiParameter.PATH)],
        responses={204: None, 409: REFUSED},
    )
    def delete(self, request: Request, pk: UUID) -> Response:
        try:
            references.references_delete(song=get_object_or_404(Song, pk=pk))
        except UploadRefused as refusal:
            return refused(refusal.code, refusal.params)
        return Response(status=status.HTTP_204_NO_CONTENT)


def refused(code: str, params: dict[str, Any], answer: int | None = None) -> Response:
    known = status.HTTP_409_CONFLICT if code == "references_in_use" else status.HTTP_400_BAD_REQUEST
    sentence = messages.refusal_sentence(code, params)
    return Response({"code": code, "params": params, "sentence": sentence}, answer or known)
