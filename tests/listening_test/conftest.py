"""Fixtures of the listener's tests."""

from __future__ import annotations

import pytest
from django.core.cache import cache

from listening_test.models import Study
from separation.services import leases
from tests.listening_test.factories import study_open_make
from tests.listening_test.visits import Clock


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def study(db: None) -> Study:
    """Open, with one song: 2 sources x 2 systems."""
    cache.clear()  # where requests are counted
    return study_open_make()


@pytest.fixture(autouse=True)
def quiet_keeper(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a test that holds the database in one transaction, the thread that keeps a lease would wait for its end."""
    monkeypatch.setattr(leases, "CREEP_SECONDS", 3600.0)
    monkeypatch.setattr(leases.Lease, "_renew", lambda self: None)
