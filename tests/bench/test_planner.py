"""The bench of the planner finds what the planner keeps, and notices one that does not keep it."""

from __future__ import annotations

from typing import Any

import pytest

from bench import planner
from listening_test.design import Design, PlannedTrial

STUDIES = 15


def test_what_the_table_says_holds_for_a_few_studies() -> None:
    found = planner.simulation(STUDIES)
    assert found["sessions"] == STUDIES * planner.SESSIONS
    assert found["max_imbalance"] <= 1
    assert found["max_imbalance_dropouts"] <= 2
    assert found["max_imbalance_settled"] <= 1
    assert found["max_position_imbalance"] <= 1
    assert found["adjacent_same_excerpt"] == found["adjacent_same_group"] == 0
    assert found["sessions_until_connected_beyond_earliest"] == 0
    assert "1,000 seeded" not in planner.tables({**found, "machine": "here"})


def test_a_planner_with_one_set_for_all_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def first_groups(design: Design, *, seed: int, slot: int) -> list[Any]:
        return design.groups()[:2]

    monkeypatch.setattr(planner, "slot_groups", first_groups)
    study = planner.Simulated(Design(planner.clips_of(4, 1, 2), 4), seed=1, is_even=True)
    found = planner.numbers_found(study)
    assert found["max_imbalance"] == study.passes
    assert found["sessions_until_connected"] == study.passes + 1 > found["earliest"]


def test_a_planner_without_an_order_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def as_they_come(design: Design, *, seed: int, slot: int) -> list[PlannedTrial]:
        return [PlannedTrial(clip) for clip in design.clips]

    monkeypatch.setattr(planner, "plan", as_they_come)
    study = planner.Simulated(Design(planner.clips_of(4, 1, 3)), seed=1, is_even=True)
    found = planner.order_found(study)
    assert found["adjacent_same_excerpt"] == found["adjacent_same_group"] == 8 * planner.SESSIONS
    assert found["max_position_imbalance"] == planner.SESSIONS


@pytest.mark.parametrize(
    ("groups", "size", "sessions"),
    [(4, 4, 1), (4, 3, 2), (4, 2, 3), (40, 4, 13), (6, 2, 5), (7, 3, 3), (5, 1, 0)],
)
def test_how_early_everything_can_hang_together(groups: int, size: int, sessions: int) -> None:
    """Counted by hand: 40 groups by fours are ten sessions with nothing in common, and three more link four each."""
    assert planner.earliest(groups, size) == sessions
