"""Listeners who arrive at the same moment, on SQLite; `tests/config/test_postgres.py` runs the same on PostgreSQL."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection, connections
from django.utils import timezone

from listening_test.models import Invitation, ListeningSession, Study, Trial
from listening_test.refusal import Refused
from listening_test.services import ratings, sessions, slots
from tests.listening_test.factories import session_make, study_open_make

ARRIVALS = 50


def together(work: object, count: int) -> list[object]:
    """`work(number)` in as many threads, let loose at once; each with a database connection of its own."""
    start = Barrier(count)

    def run(number: int) -> object:
        try:
            start.wait(timeout=30)
            return work(number)  # type: ignore[operator]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(run, range(count)))


def arrive(study: Study, **fields: object) -> ListeningSession | None:
    try:
        return sessions.session_start(study=study, language="es", **fields)  # type: ignore[arg-type]
    except Refused:
        return None


@pytest.mark.django_db(transaction=True)
def test_listeners_who_arrive_together_get_places_of_their_own() -> None:
    study = study_open_make(songs=2, trials_per_listener=4)  # 4 groups, of which each listener gets 2
    visits = together(lambda _number: arrive(study), ARRIVALS)
    assert sorted(visit.slot for visit in visits) == list(range(ARRIVALS))  # type: ignore[attr-defined,type-var]
    assert sorted(visit.number for visit in visits) == list(range(ARRIVALS))  # type: ignore[attr-defined,type-var]
    assert study.sessions.filter(quality_first=True).count() == ARRIVALS // 2
    given = Counter(Trial.objects.values_list("clip", flat=True))
    assert len(given) == 8
    assert set(given.values()) == {ARRIVALS // 2}
    assert connection.vendor in ("sqlite", "postgresql")


@pytest.mark.django_db(transaction=True)
def test_given_up_places_are_filled_once_while_their_listeners_come_back() -> None:
    """A place is either taken back or filled again, never both."""
    study = study_open_make()
    early = [arrive(study) for _visit in range(10)]
    study.sessions.update(seen_at=timezone.now() - timedelta(hours=2))

    def come(number: int) -> None:
        if number < len(early):
            sessions.session_returned(session=ListeningSession.objects.get(pk=early[number].pk))  # type: ignore[union-attr]
        elif number % 5 == 0:
            slots.slots_sweep()
        else:
            arrive(study)

    together(come, 30)
    held = study.sessions.filter(given_up_at__isnull=True).values_list("slot", flat=True)
    assert len(held) == len(set(held))
    assert study.sessions.count() == 10 + 16
    assert len(held) >= 16


@pytest.mark.django_db(transaction=True)
def test_a_quota_holds_when_all_come_at_once() -> None:
    study = study_open_make(quota=7)
    visits = together(lambda _number: arrive(study), 20)
    assert sum(visit is not None for visit in visits) == 7
    assert sorted(study.sessions.values_list("slot", flat=True)) == list(range(7))  # type: ignore[type-var]


@pytest.mark.django_db(transaction=True)
def test_a_link_for_one_listener_opened_in_many_windows_brings_one() -> None:
    study = study_open_make()
    link = Invitation.objects.create(study=study)
    visits = together(lambda _number: arrive(study, invitation=link), 8)
    assert sum(visit is not None for visit in visits) == 1
    assert study.sessions.count() == 1


@pytest.mark.django_db(transaction=True)
def test_next_pressed_in_many_windows_goes_on_once() -> None:
    study = study_open_make()
    session = session_make(study)
    first = session.trials.select_related("clip").order_by("position")[0]
    Trial.objects.filter(pk=first.pk).update(heard_at=session.started_at)
    for number, scale in enumerate(("quality", "contamination")):
        first.ratings.create(scale=scale, value=3, key=f"00000000-0000-4000-8000-00000000000{number}")

    def press(_number: int) -> None:
        ratings.trial_finish(trial=Trial.objects.get(pk=first.pk))

    together(press, 4)
    assert list(session.trials.filter(finished_at__isnull=False)) == [first]
    assert ListeningSession.objects.get().step == "trials"
