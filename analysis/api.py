"""What a researcher's own programs, and the results page itself, may read of results, as JSON."""

from __future__ import annotations

from uuid import UUID

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analysis import services
from analysis.selectors import Shown, report_shown, shown
from analysis.serializers import ReportSerializer, ResultsStateSerializer
from listening_test.models import Study


@extend_schema(tags=["researcher"])
class Results(APIView):
    """The whole report of a study as its ratings stand now; of a large study, the last one that was computed. 202, with
    the state, while the first one of a large study is being computed."""

    @extend_schema(responses={200: ReportSerializer, 202: ResultsStateSerializer})
    def get(self, request: Request, study_id: UUID) -> Response:
        study = get_object_or_404(Study, id=study_id)
        report = report_shown(study)
        if report is None:
            return Response(ResultsStateSerializer(_shown(study)).data, status=202)
        return Response(ReportSerializer(report).data)


@extend_schema(tags=["researcher"])
class ResultsState(APIView):
    """Whether there is anything new."""

    @extend_schema(responses=ResultsStateSerializer)
    def get(self, request: Request, study_id: UUID) -> Response:
        return Response(ResultsStateSerializer(_shown(get_object_or_404(Study, id=study_id))).data)


def _shown(study: Study) -> Shown:
    """What there is; what is not up to date is asked for."""
    now = shown(study)
    if now.is_due:
        services.results_ask(study=study)
    return now
