"""Addresses that listeners meet. They hold random names only."""

from __future__ import annotations

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from listening_test import api
from listening_test.views import listener, listener_checks, rights


class Token(StringConverter):
    """In the alphabet of `secrets.token_urlsafe`. Anything else is nobody's name, and need not reach the database."""

    regex = "[-0-9A-Za-z_]+"


register_converter(Token, "token")

PAGE = "s/<token:token>/"
API = "api/v1/listen/<token:token>/"
TRIAL = API + "trials/<int:position>/"

urlpatterns = [
    path("me/", rights.me, name="me"),
    path("me/download/", rights.me_download, name="me_download"),
    path("me/erase/", rights.me_erase, name="me_erase"),
    path("me/resume/", rights.me_resume, name="me_resume"),
    path(PAGE + "code/", rights.listen_code, name="listen_code"),
    path(PAGE, listener.listen, name="listen"),
    path(PAGE + "consent/", listener.listen_consent, name="listen_consent"),
    path(PAGE + "questionnaire/", listener.listen_questionnaire, name="listen_questionnaire"),
    path(PAGE + "instructions/", listener.listen_instructions, name="listen_instructions"),
    path(PAGE + "equipment/", listener_checks.listen_equipment, name="listen_equipment"),
    path(PAGE + "calibration/", listener_checks.listen_calibration, name="listen_calibration"),
    path(PAGE + "practice/", listener_checks.listen_practice, name="listen_practice"),
    path(PAGE + "closing/", listener.listen_closing, name="listen_closing"),
    path(PAGE + "leave/", listener.listen_leave, name="listen_leave"),
    path(PAGE + "clip/<token:name>.flac", listener.listen_clip, name="listen_clip"),
    path(PAGE + "sound/<token:name>.flac", listener_checks.listen_sound, name="listen_sound"),
    path(API, api.Current.as_view(), name="api_listen"),
    path(API + "device/", api.Device.as_view(), name="api_listen_device"),
    path(API + "calibration/<token:name>/heard/", api.CalibrationClipHeard.as_view(), name="api_listen_calibration"),
    path(TRIAL + "opened/", api.TrialOpened.as_view(), name="api_listen_opened"),
    path(TRIAL + "heard/", api.TrialHeard.as_view(), name="api_listen_heard"),
    path(TRIAL + "ratings/<str:scale>/", api.TrialRating.as_view(), name="api_listen_rating"),
    path(TRIAL + "finish/", api.TrialFinished.as_view(), name="api_listen_finish"),
]
