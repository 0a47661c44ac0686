"""Addresses of the app."""

from __future__ import annotations

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from analysis import api, file_views, planning_views, views

RESULTS = "studies/<uuid:study_id>/results/"


class FileName(StringConverter):
    """Of a file that is no figure."""

    regex = r"[A-Za-z][A-Za-z0-9-]*\.(?:csv|xlsx|tex|txt|json|py|R)"


register_converter(FileName, "file_name")

urlpatterns = [
    path(RESULTS, views.results, name="results"),
    path(RESULTS + "package.zip", file_views.results_package, name="results_package"),
    path(RESULTS + "<file_name:name>", file_views.results_file, name="results_file"),
    path(RESULTS + "<slug:chart>.<slug:format>", views.results_chart, name="results_chart"),
    path("planning/", planning_views.planning, name="planning"),
    path("studies/<uuid:study_id>/planning/", planning_views.study_planning, name="study_planning"),
    path("studies/<uuid:study_id>/planning/forecast/", planning_views.study_forecast, name="study_forecast"),
    path("api/v1/studies/<uuid:study_id>/results/", api.Results.as_view(), name="api_results"),
    path("api/v1/studies/<uuid:study_id>/results/state/", api.ResultsState.as_view(), name="api_results_state"),
]
