"""Listeners who arrive at the same moment."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection, connections

from listening_test.models import ListeningSession, Study, Trial
from listening_test.services import ratings, sessions
from tests.listening_test.factories import session_make, study_open_make

ARRIVALS = 8


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


@pytest.mark.django_db(transaction=True)
def test_listeners_who_arrive_together_get_places_of_their_own() -> None:
    study = study_open_make()
    visits = together(lambda _number: sessions.session_start(study=study, language="es").number, ARRIVALS)
    assert sorted(visits) == list(range(ARRIVALS))  # type: ignore[type-var]
    assert Trial.objects.count() == ARRIVALS * 4
    assert Study.objects.get().sessions.filter(quality_first=True).count() == ARRIVALS // 2


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
    assert connection.vendor in ("sqlite", "postgresql")
