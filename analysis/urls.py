"""Addresses of the app."""

from __future__ import annotations

from django.urls import path

from analysis import api, views

RESULTS = "studies/<uuid:study_id>/results/"

urlpatterns = [
    path(RESULTS, views.results, name="results"),
    path(RESULTS + "ratings.csv", views.results_ratings_csv, name="results_ratings_csv"),
    path(RESULTS + "mos.csv", views.results_mos_csv, name="results_mos_csv"),
    path(RESULTS + "differences.csv", views.results_differences_csv, name="results_differences_csv"),
    path(RESULTS + "<slug:chart>.<slug:format>", views.results_chart, name="results_chart"),
    path("api/v1/studies/<uuid:study_id>/results/", api.Results.as_view(), name="api_results"),
    path("api/v1/studies/<uuid:study_id>/results/state/", api.ResultsState.as_view(), name="api_results_state"),
]
