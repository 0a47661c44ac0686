"""Rows of the listening test: studies, clips, listeners and their trials."""

from listening_test.models.clip import Clip
from listening_test.models.listener import Answer, Listener, ListeningSession
from listening_test.models.study import Excerpt, Study, StudyText
from listening_test.models.trial import CalibrationHeard, Rating, Trial

__all__ = [
    "Answer",
    "CalibrationHeard",
    "Clip",
    "Excerpt",
    "Listener",
    "ListeningSession",
    "Rating",
    "Study",
    "StudyText",
    "Trial",
]
