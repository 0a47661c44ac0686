"""The answers that listeners gave about themselves, as a table of their own: no rating is in it.

`session` and `listener` are those of the ratings' table, for an analysis that needs both.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from listening_test import session_selectors
from listening_test.models import Answer, Study
from listening_test.rights_selectors import answer_words
from separation import csv_text

COLUMNS = ("study", "session", "listener", "simulated", "completed", "question", "about", "value", "words", "given_at")

Row = dict[str, Any]


def answer_rows(study: Study) -> Iterator[Row]:
    """By session and question. Trial runs by test links are left out; an answer of several values keeps them all."""
    asked = [*session_selectors.opening_questions(study), *session_selectors.closing_questions(study)]
    questions = {question.key: question for question in asked}
    answers = Answer.objects.filter(session__study=study, session__is_test=False).select_related("session__listener")
    for answer in answers.order_by("session__number", "question").iterator(chunk_size=2000):
        question = questions.get(answer.question)
        yield {
            "study": str(study.id),
            "session": answer.session.number,
            "listener": str(answer.session.listener_id),
            "simulated": answer.session.listener.simulated,
            "completed": answer.session.completed_at is not None,
            "question": answer.question,
            "about": question.about if question else "",
            "value": answer.value,
            "words": answer_words(question, answer.value),
            "given_at": answer.given_at,
        }


def answers_csv(study: Study) -> bytes:
    rows = ([_cell(row[name]) for name in COLUMNS] for row in answer_rows(study))
    return csv_text.lines([list(COLUMNS), *rows])


def _cell(value: Any) -> str:
    return csv_text.cell("; ".join(map(str, value)) if isinstance(value, list) else value)
