"""A listener's visit, step by step, for tests of what happens in it; and a clock that can be moved."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.utils import timezone

from listening_test import session_selectors
from listening_test.clip_names import clip_name
from listening_test.listener_access import cookie_name, session_of
from listening_test.models import Clip, ListeningSession, Study, Trial
from listening_test.questionnaire import Question
from listening_test.services import ratings, sessions

CLIP_SECONDS = 0.5  # of the clips that factories make


class Clock:
    """The server's clock: it stands still, and tests move it forward instead of waiting."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.time = timezone.now()
        monkeypatch.setattr(timezone, "now", lambda: self.time)

    def forward(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


# ── By the services ─────────────────────────────────────────────────────────────────────────────────────────────────


def answers_to(questions: list[Question]) -> dict[str, Any]:
    """An answer to everything that is required."""
    return {question.key: question.values[0] for question in questions if question.required}


def session_at(study: Study, step: str) -> ListeningSession:
    """A session that has come as far as `step`, by a short cut: what lies before it is not on record."""
    session = sessions.session_start(study=study, language="en")
    session.step, session.consented_at = step, timezone.now()
    session.save()
    return session


def trial_now(session: ListeningSession) -> Trial:
    session.refresh_from_db()
    trial = session_selectors.current_trial(session)
    assert trial is not None
    trial.session = session
    return trial


def trial_hear(trial: Trial, clock: Clock) -> None:
    ratings.trial_open(trial=trial)
    clock.forward(CLIP_SECONDS)
    ratings.trial_heard(trial=trial, seconds=CLIP_SECONDS)


def trial_do(session: ListeningSession, clock: Clock, value: int = 3) -> None:
    trial = trial_now(session)
    trial_hear(trial, clock)
    for scale in ("quality", "contamination"):
        ratings.rating_save(trial=trial, scale=scale, value=value, key=uuid.uuid4())
    ratings.trial_finish(trial=trial)


# ── By the browser ──────────────────────────────────────────────────────────────────────────────────────────────────


class Browser:
    """What a listener's browser does, with its cookie of one session."""

    def __init__(self, study: Study, session: ListeningSession | None = None, client: Client | None = None) -> None:
        self.study = study
        self.client = client or Client(headers={"Accept-Language": "en"})
        if session is not None:
            self.client.cookies[cookie_name(study)] = session.token

    @property
    def page(self) -> str:
        return f"/s/{self.study.token}/"

    @property
    def api(self) -> str:
        return f"/api/v1/listen/{self.study.token}/"

    @property
    def session(self) -> ListeningSession:
        request = RequestFactory().get(self.page)
        request.COOKIES = {name: cookie.value for name, cookie in self.client.cookies.items()}
        session = session_of(request, self.study)
        assert session is not None
        return session

    def get(self, rest: str = "") -> HttpResponse:
        return self.client.get(self.page + rest)

    def post(self, rest: str, data: dict[str, Any] | None = None) -> HttpResponse:
        return self.client.post(self.page + rest, data or {})

    def name_of(self, clip: Clip, place: int | None = None) -> str:
        return clip_name(self.session, clip, place)

    def state(self) -> dict[str, Any]:
        return self.client.get(self.api).json()

    def send(self, method: str, rest: str, body: Any = None) -> HttpResponse:
        data = "" if body is None else json.dumps(body)
        return self.client.generic(method, self.api + rest, data, content_type="application/json")

    def trial(self, method: str, rest: str, body: Any = None, position: int = 0) -> HttpResponse:
        return self.send(method, f"trials/{position}/{rest}", body)

    def rate(self, scale: str = "quality", position: int = 0, **body: Any) -> HttpResponse:
        content = {"value": 4, "key": str(uuid.uuid4()), "changes": 0, **body}
        return self.trial("PUT", f"ratings/{scale}/", content, position)

    def agree(self) -> HttpResponse:
        shown = self.get()
        assert shown.context is not None
        return self.post("consent/", {"sha256": shown.context["sha256"]})
