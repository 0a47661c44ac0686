"""Addresses of the app: the researcher's here, the listener's in `listener_urls`."""

from __future__ import annotations

from django.urls import path

from listening_test import listener_urls, researcher_api
from listening_test.views import researcher, study_form, study_people

STUDY = "studies/<uuid:study_id>/"

urlpatterns = [
    path("studies/", researcher.studies, name="studies"),
    path("studies/new/", study_form.study_add, name="study_add"),
    path("studies/outline/", study_form.study_outline, name="study_outline"),
    path("songs/<uuid:song_id>/excerpt/", study_form.excerpt_suggestion, name="excerpt_suggestion"),
    path(STUDY, researcher.study, name="study"),
    path(STUDY + "edit/", study_form.study_edit, name="study_edit"),
    path(STUDY + "recruiting/", study_form.study_recruiting, name="study_recruiting"),
    path(STUDY + "separate/", researcher.study_separate, name="study_separate"),
    path(STUDY + "open/", researcher.study_open, name="study_open"),
    path(STUDY + "stop/", researcher.study_stop, name="study_stop"),
    path(STUDY + "close/", researcher.study_close, name="study_close"),
    path(STUDY + "reopen/", researcher.study_reopen, name="study_reopen"),
    path(STUDY + "copy/", researcher.study_duplicate, name="study_duplicate"),
    path(STUDY + "version/", researcher.study_version, name="study_version"),
    path(STUDY + "delete/", researcher.study_delete, name="study_delete"),
    path(STUDY + "links/", study_people.links_add, name="study_links_add"),
    path(STUDY + "links.csv", study_people.links_csv, name="study_links_csv"),
    path(STUDY + "links/<uuid:link_id>/remove/", study_people.link_remove, name="study_link_remove"),
    path(STUDY + "try/", study_people.study_try, name="study_try"),
    path(STUDY + "listeners/", study_people.listeners, name="study_listeners"),
    path(STUDY + "listeners/<uuid:session_id>.json", study_people.listener_data, name="study_listener_data"),
    path(STUDY + "listeners/<uuid:session_id>/erase/", study_people.listener_erase, name="study_listener_erase"),
    path(STUDY + "answers.csv", study_people.answers_csv, name="study_answers_csv"),
    path(STUDY + "answers.json", study_people.answers_json, name="study_answers_json"),
    path(STUDY + "recordings/", study_people.trap_add, name="study_recording_add"),
    path(STUDY + "recordings/<uuid:clip_id>/remove/", study_people.trap_remove, name="study_recording_remove"),
    path(STUDY + "clips/<uuid:clip_id>.flac", researcher.clip_audio_preview, name="clip_audio_preview"),
    path("api/v1/studies/", researcher_api.StudyList.as_view(), name="api_studies"),
    path("api/v1/studies/<uuid:study_id>/", researcher_api.StudyDetail.as_view(), name="api_study"),
    path("api/v1/studies/<uuid:study_id>/links/", researcher_api.StudyLinks.as_view(), name="api_study_links"),
    path("api/v1/studies/<uuid:study_id>/sessions/", researcher_api.StudySessions.as_view(), name="api_study_sessions"),
    *listener_urls.urlpatterns,
]
