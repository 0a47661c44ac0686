"""What a researcher's own programs, and the results page itself, may read of results, as JSON."""

from __future__ import annotations

from uuid import UUID

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analysis import dataset
from analysis.selectors import study_report
from analysis.serializers import ReportSerializer, ResultsStateSerializer
from listening_test.models import Study


@extend_schema(tags=["researcher"])
class Results(APIView):
    """The whole report of a study as its ratings stand now."""

    @extend_schema(responses=ReportSerializer)
    def get(self, request: Request, study_id: UUID) -> Response:
        return Response(ReportSerializer(study_report(get_object_or_404(Study, id=study_id))).data)


@extend_schema(tags=["researcher"])
class ResultsState(APIView):
    """Whether there is anything new."""

    @extend_schema(responses=ResultsStateSerializer)
    def get(self, request: Request, study_id: UUID) -> Response:
        return Response(ResultsStateSerializer(dataset.state(get_object_or_404(Study, id=study_id))).data)
