"""Addresses of songs, jobs and stems."""

from __future__ import annotations

from django.urls import path

from separation import api, views

urlpatterns = [
    path("songs/", views.songs, name="songs"),
    path("songs/add/", views.song_add, name="song_add"),
    path("songs/<uuid:song_id>/", views.song, name="song"),
    path("songs/<uuid:song_id>/edit/", views.song_edit, name="song_edit"),
    path("songs/<uuid:song_id>/delete/", views.song_delete, name="song_delete"),
    path("songs/<uuid:song_id>/separate/", views.song_separate, name="song_separate"),
    path("songs/<uuid:song_id>/mixture.flac", views.song_audio, name="song_audio"),
    path("stems/<uuid:stem_id>.flac", views.stem_audio, name="stem_audio"),
    path("jobs/<uuid:job_id>/cancel/", views.job_cancel, name="job_cancel"),
    path("jobs/<uuid:job_id>/retry/", views.job_retry, name="job_retry"),
    path("api/v1/songs/", api.SongList.as_view(), name="api_songs"),
    path("api/v1/songs/<uuid:pk>/", api.SongDetail.as_view(), name="api_song"),
    path("api/v1/jobs/", api.JobList.as_view(), name="api_jobs"),
    path("api/v1/jobs/<uuid:pk>/", api.JobDetail.as_view(), name="api_job"),
    path("api/v1/stems/", api.StemList.as_view(), name="api_stems"),
]
