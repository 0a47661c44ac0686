"""When a listener is offered a pause."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from listening_test.pauses import Span, pause_due

BLOCKS = (12, 24)
START = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


def trials(
    count: int, *, seconds: float = 20.0, rest: float = 5.0, rest_at: dict[int, float] | None = None
) -> list[Span]:
    """Trials of `seconds` each, with `rest` seconds between them, or those of `rest_at` before a place."""
    spans: list[Span] = []
    now = START
    for place in range(count):
        if place:
            now += timedelta(seconds=(rest_at or {}).get(place, rest))
        spans.append((now, now + timedelta(seconds=seconds)))
        now = spans[-1][1]
    return spans


@pytest.mark.parametrize(("done", "due"), [(0, False), (1, False), (11, False), (12, True), (13, False), (24, True)])
def test_before_each_block(done: int, due: bool) -> None:
    assert pause_due(trials(done), BLOCKS) is due


def test_without_blocks_only_time_counts() -> None:
    assert not pause_due(trials(47))  # 47 × 20 s and 46 × 5 s: 19 min 30 s
    assert pause_due(trials(49))


def test_twenty_minutes_begin_again_after_a_pause() -> None:
    dues = [done for done in range(1, 120) if pause_due(trials(done))]
    assert dues == [49, 98]


def test_who_was_away_has_rested() -> None:
    assert not pause_due(trials(60, rest_at={30: 180.0}))
    assert pause_due(trials(79, rest_at={30: 180.0}))


def test_a_block_begins_the_time_again() -> None:
    slow = trials(14, seconds=60.0, rest=40.0)
    assert not pause_due(slow[:13], BLOCKS)
    assert pause_due(slow[:13])
