"""Addresses that listeners meet. They hold random names only."""

from __future__ import annotations

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from listening_test import api
from listening_test.views import listener


class Token(StringConverter):
    """What `secrets.token_urlsafe` gives. Anything else is nobody's name, and need not reach the database."""

    regex = "[-0-9A-Za-z_]+"


register_converter(Token, "token")

PAGE = "s/<token:token>/"
API = "api/v1/listen/<token:token>/"
TRIAL = API + "trials/<int:position>/"

urlpatterns = [
    path(PAGE, listener.listen, name="listen"),
    path(PAGE + "consent/", listener.listen_consent, name="listen_consent"),
    path(PAGE + "questionnaire/", listener.listen_questionnaire, name="listen_questionnaire"),
    path(PAGE + "instructions/", listener.listen_instructions, name="listen_instructions"),
    path(PAGE + "calibration/", listener.listen_calibration, name="listen_calibration"),
    path(PAGE + "closing/", listener.listen_closing, name="listen_closing"),
    path(PAGE + "clip/<token:clip_token>.flac", listener.listen_clip, name="listen_clip"),
    path(API, api.Current.as_view(), name="api_listen"),
    path(API + "device/", api.Device.as_view(), name="api_listen_device"),
    path(
        API + "calibration/<token:clip_token>/heard/", api.CalibrationClipHeard.as_view(), name="api_listen_calibration"
    ),
    path(TRIAL + "opened/", api.TrialOpened.as_view(), name="api_listen_opened"),
    path(TRIAL + "heard/", api.TrialHeard.as_view(), name="api_listen_heard"),
    path(TRIAL + "ratings/<str:scale>/", api.TrialRating.as_view(), name="api_listen_rating"),
    path(TRIAL + "finish/", api.TrialFinished.as_view(), name="api_listen_finish"),
]
