"""The time of `session_start` in a database with many ratings: the part of `bench.planner` that needs Django.

A study as in the paper (10 songs, 4 sources, 3 systems), 24 clips per listener on two scales; a quarter as many
sessions again were given up. Rows are made in bulk; then listeners begin sessions, by the same service as always.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from bench.served import environment_set

if TYPE_CHECKING:
    from listening_test.models import ListeningSession, Study

SONGS, SOURCES, SYSTEMS = 10, ("vocals", "drums", "bass", "other"), ("umxhq", "spleeter:4stems", "htdemucs")
CLIPS_PER_LISTENER = 24
STARTS = 60  # of each kind that are timed
BATCH = 500  # sessions that are stored at once

T = TypeVar("T")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ratings", type=int, default=1_000_000)
    asked = parser.parse_args()
    environment_set(Path(os.environ["BENCH_HOME"]), database_url=os.environ.get("BENCH_DATABASE_URL", ""))
    import django

    django.setup()
    print(json.dumps(measured(asked.ratings)))


def measured(ratings: int) -> dict[str, Any]:
    from django.db import connection

    from listening_test.models import ListeningSession, Rating

    study = study_made()
    empty, _used = _many(study)
    fill(study, sessions=-(-ratings // (2 * CLIPS_PER_LISTENER)))
    with connection.cursor() as cursor:  # as PostgreSQL does by itself within a minute of so many new rows
        cursor.execute({"sqlite": "ANALYZE", "postgresql": "VACUUM (ANALYZE)"}[connection.vendor])
    new, used = _many(study)
    given_up, used_again = _many(study, _give_one_up)
    medians = {"new_ms": statistics.median(new), "given_up_ms": statistics.median(given_up)}
    return {
        **medians,
        "plan_ms": max(medians.values()),
        "p95_ms": statistics.quantiles([*new, *given_up], n=20)[-1],
        "processor_ms": statistics.median([*used, *used_again]),
        "empty_ms": statistics.median(empty),
        "ratings": Rating.objects.count(),
        "sessions": ListeningSession.objects.count(),
        "vendor": connection.vendor,
    }


def _many(study: Study, before: Callable[[Study], None] = lambda study: None) -> tuple[list[float], list[float]]:
    times = [_timed(study, before) for _start in range(STARTS)]
    return [wall for wall, _used in times], [used for _wall, used in times]


def _timed(study: Study, before: Callable[[Study], None] = lambda study: None) -> tuple[float, float]:
    """Milliseconds, and those of them in which this process had a processor: on a busy machine they differ."""
    from listening_test.services.sessions import session_start

    before(study)
    begun, used = time.perf_counter(), time.process_time()
    session_start(study=study, language="en")
    return 1000 * (time.perf_counter() - begun), 1000 * (time.process_time() - used)


def _give_one_up(study: Study) -> None:
    """The one that began last is silent for good."""
    from django.utils import timezone

    last = study.sessions.order_by("-number").filter(given_up_at=None)[1]
    last.given_up_at = timezone.now()
    last.save(update_fields=["given_up_at"])


# ── Rows ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def study_made() -> Study:
    from tests.listening_test.factories import study_open_make

    return study_open_make(
        songs=SONGS,
        sources=SOURCES,
        systems=SYSTEMS,
        trials_per_listener=CLIPS_PER_LISTENER,
        repeats_per_listener=2,
        traps_per_listener=2,
    )


TRIALS = f"""
    INSERT INTO listening_test_trial (session_id, position, clip_id, scale, repeat, opened_at, heard_at, heard_seconds,
        plays, finished_at, interruptions, glitches, loops)
    WITH RECURSIVE place(at) AS (SELECT 0 UNION ALL SELECT at + 1 FROM place WHERE at + 1 < {CLIPS_PER_LISTENER}),
        rated AS (SELECT id, ROW_NUMBER() OVER (ORDER BY id) - 1 AS number FROM listening_test_clip
            WHERE purpose = 'test'),
        finished AS (SELECT id, number, completed_at FROM listening_test_listeningsession
            WHERE completed_at IS NOT NULL)
    SELECT finished.id, at, rated.id, '', 0, completed_at, completed_at, 10.0, 1, completed_at, 0, 0, 0
    FROM finished CROSS JOIN place
    JOIN rated ON rated.number = (finished.number * {CLIPS_PER_LISTENER} + at) % {{clips}}
"""
RATINGS = """
    INSERT INTO listening_test_rating (trial_id, scale, value, "key", changes, given_at)
    SELECT id, '{scale}', 1 + position - 5 * (position / 5), {new_uuid}, 0, finished_at
    FROM listening_test_trial WHERE finished_at IS NOT NULL
"""


def fill(study: Study, *, sessions: int) -> None:
    """So many finished sessions with all their ratings, and a quarter as many that were given up at the beginning.

    Trials and ratings are made by the database itself: a million rows take seconds.
    """
    from django.db import connection

    from listening_test.models import Listener, ListeningSession

    for batch in _batches(_sessions(study, study.sessions.count(), sessions), BATCH):
        Listener.objects.bulk_create([session.listener for session in batch])
        ListeningSession.objects.bulk_create(batch)
    new_uuid = {"sqlite": "lower(hex(randomblob(16)))", "postgresql": "gen_random_uuid()"}[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(TRIALS.format(clips=study.clips.filter(purpose="test").count()))
        for scale in ("quality", "contamination"):
            cursor.execute(RATINGS.format(scale=scale, new_uuid=new_uuid))


def _sessions(study: Study, taken: int, count: int) -> Iterator[ListeningSession]:
    from django.utils import timezone

    from listening_test.models import Listener, ListeningSession

    now, number = timezone.now(), taken
    for slot in range(taken, taken + count):
        for is_given_up in (True, False) if slot % 4 == 0 else (False,):
            yield ListeningSession(
                study=study,
                listener=Listener(),
                number=number,
                slot=slot,
                language="en",
                step=ListeningSession.Step.TRIALS if is_given_up else ListeningSession.Step.DONE,
                quality_first=slot % 2 == 0,
                consented_at=now,
                completed_at=None if is_given_up else now,
                given_up_at=now if is_given_up else None,
            )
            number += 1


def _batches(items: Iterator[T], size: int) -> Iterator[list[T]]:
    while batch := list(islice(items, size)):
        yield batch


if __name__ == "__main__":
    main()
