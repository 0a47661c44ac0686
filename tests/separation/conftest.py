from __future__ import annotations

import pytest
from celery import current_app


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the jobs whose message went out."""
    ids: list[str] = []
    monkeypatch.setattr(current_app, "send_task", lambda name, args, **options: ids.extend(args))
    return ids
