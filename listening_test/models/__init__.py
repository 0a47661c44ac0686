"""Rows of the listening test: studies, clips, listeners and their trials."""

from listening_test.models.clip import Clip
from listening_test.models.listener import Answer, EquipmentCheck, Invitation, Listener, ListeningSession
from listening_test.models.preparation import Preparation
from listening_test.models.study import Excerpt, Study, StudyText
from listening_test.models.trial import CalibrationHeard, PracticeAnswer, Rating, Trial

__all__ = [
    "Answer",
    "CalibrationHeard",
    "Clip",
    "EquipmentCheck",
    "Excerpt",
    "Invitation",
    "Listener",
    "ListeningSession",
    "PracticeAnswer",
    "Preparation",
    "Rating",
    "Study",
    "StudyText",
    "Trial",
]
