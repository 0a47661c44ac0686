"""Addresses of songs, jobs and stems."""

from __future__ import annotations

from django.urls import path

from separation import api, import_api, import_views, measurement_api, measurement_views, views

urlpatterns = [
    path("songs/", views.songs, name="songs"),
    path("songs/add/", views.song_add, name="song_add"),
    path("songs/<uuid:song_id>/", views.song, name="song"),
    path("songs/<uuid:song_id>/edit/", views.song_edit, name="song_edit"),
    path("songs/<uuid:song_id>/delete/", views.song_delete, name="song_delete"),
    path("songs/<uuid:song_id>/separate/", views.song_separate, name="song_separate"),
    path("songs/<uuid:song_id>/mixture.flac", views.song_audio, name="song_audio"),
    path("stems/<uuid:stem_id>.flac", views.stem_audio, name="stem_audio"),
    path("systems/", views.systems, name="systems"),
    path("jobs/<uuid:job_id>/cancel/", views.job_cancel, name="job_cancel"),
    path("jobs/<uuid:job_id>/retry/", views.job_retry, name="job_retry"),
    path("jobs/<uuid:job_id>/again/", views.job_again, name="job_again"),
    path("songs/import/", import_views.stems_import, name="stems_import"),
    path("systems/imported/<str:key>/delete/", import_views.imported_system_delete, name="imported_system_delete"),
    path("jobs/<uuid:job_id>/delete/", import_views.imported_delete, name="imported_delete"),
    path("api/v1/imports/", import_api.ImportList.as_view(), name="api_imports"),
    path("api/v1/imported-systems/", import_api.ImportedSystemList.as_view(), name="api_imported_systems"),
    path("api/v1/imported-systems/<str:key>/", import_api.ImportedSystemDetail.as_view(), name="api_imported_system"),
    path("api/v1/songs/", api.SongList.as_view(), name="api_songs"),
    path("api/v1/songs/<uuid:pk>/", api.SongDetail.as_view(), name="api_song"),
    path("api/v1/jobs/", api.JobList.as_view(), name="api_jobs"),
    path("api/v1/jobs/<uuid:pk>/", api.JobDetail.as_view(), name="api_job"),
    path("songs/<uuid:song_id>/references/add/", measurement_views.references_add, name="references_add"),
    path("songs/<uuid:song_id>/references/delete/", measurement_views.references_delete, name="references_delete"),
    path("songs/<uuid:song_id>/measure/", measurement_views.song_measure, name="song_measure"),
    path("songs/measurements.csv", measurement_views.measurements_file, name="measurements_csv"),
    path("songs/measurements-per-second.csv", measurement_views.seconds_file, name="measurement_seconds_csv"),
    path("api/v1/songs/<uuid:pk>/references/", measurement_api.SongReferences.as_view(), name="api_song_references"),
    path("api/v1/measurements/", measurement_api.MeasurementList.as_view(), name="api_measurements"),
    path("api/v1/measurements/<uuid:pk>/", measurement_api.MeasurementDetail.as_view(), name="api_measurement"),
    path("api/v1/stems/", api.StemList.as_view(), name="api_stems"),
]
