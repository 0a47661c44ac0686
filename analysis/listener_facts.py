"""The only reader of listeners' answers for the analysis. What a person said stays apart from what they rated, until a
question about groups of listeners needs both."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q

from listening_test.models import Answer, Study
from listening_test.question_pieces import FAMILIARITY

CHOICES = ("experience", "musical_training", "equipment")  # questions with a few answers to choose from
STEPS = ("attention",)


@dataclass(frozen=True)
class ListenerFacts:
    """`answers`: question → listener → what they chose; `familiarity`: listener → song's id → 1 to 5."""

    answers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    familiarity: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


def listener_facts(study: Study) -> ListenerFacts:
    """Of every listener of the study but researchers who tried it."""
    asked = Q(question__in=[*CHOICES, *STEPS]) | Q(question__startswith=f"{FAMILIARITY}:")
    rows = Answer.objects.filter(asked, session__study=study, session__is_test=False)
    answers: dict[str, dict[str, Any]] = defaultdict(dict)
    familiarity: dict[str, dict[str, int]] = defaultdict(dict)
    for listener, question, value in rows.order_by("id").values_list("session__listener_id", "question", "value"):
        name, _colon, song = question.partition(":")
        if name == FAMILIARITY:
            familiarity[str(listener)][song] = value
        else:
            answers[name][str(listener)] = value
    return ListenerFacts(dict(answers), dict(familiarity))
