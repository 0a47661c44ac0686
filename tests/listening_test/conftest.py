"""Fixtures of the listener's tests."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from hypothesis import settings

from listening_test.models import Study
from tests.listening_test.factories import study_open_make
from tests.listening_test.visits import Clock

settings.register_profile("patient", deadline=None)  # a busy machine is no failure
settings.load_profile("patient")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def study(db: None) -> Study:
    """Open, with one song: 2 sources x 2 systems."""
    cache.clear()  # where requests are counted
    return study_open_make()
