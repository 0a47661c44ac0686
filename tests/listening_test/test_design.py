"""Who hears what in which order: what has to hold for every study, number and seed."""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listening_test.design import Candidate, plan_session, quality_first, williams_square

SEEDS = st.integers(0, 2**31 - 1)
NUMBERS = st.integers(0, 500)


def candidates(excerpts: int, sources: int, systems: int) -> list[Candidate]:
    return [
        Candidate(f"e{excerpt}", f"s{source}", f"y{system}", f"{excerpt}/{source}/{system}")
        for excerpt in range(excerpts)
        for source in range(sources)
        for system in range(systems)
    ]


DESIGNS = st.builds(candidates, st.integers(1, 4), st.integers(1, 3), st.integers(1, 5))


@st.composite
def uneven_designs(draw: st.DrawFn) -> list[Candidate]:
    """Designs in which some clips do not exist."""
    return draw(st.lists(st.sampled_from(candidates(4, 2, 5)), min_size=1, max_size=20, unique=True))


def back_to_back(plan: list[Candidate]) -> int:
    return sum(one.group == other.group for one, other in pairwise(plan))


@pytest.mark.parametrize("size", range(1, 10))
def test_williams_square_balances_places_and_neighbours(size: int) -> None:
    rows = williams_square(size)
    times = 1 if size % 2 == 0 else 2
    places = Counter((number, place) for row in rows for place, number in enumerate(row))
    neighbours = Counter(pair for row in rows for pair in pairwise(row))
    assert set(places.values()) == {times}
    assert len(places) == size**2
    assert set(neighbours.values()) <= {times}
    assert len(neighbours) == size * (size - 1)


@given(DESIGNS, SEEDS, NUMBERS)
def test_everybody_hears_every_clip_once(clips: list[Candidate], seed: int, number: int) -> None:
    assert sorted(plan_session(clips, seed=seed, number=number)) == sorted(clips)


@given(DESIGNS, SEEDS, NUMBERS, st.integers(1, 80))
def test_a_group_is_heard_whole_or_not_at_all(clips: list[Candidate], seed: int, number: int, limit: int) -> None:
    plan = plan_session(clips, seed=seed, number=number, trials_per_listener=limit)
    heard = {clip.group for clip in plan}
    assert sorted(plan) == sorted(clip for clip in clips if clip.group in heard)
    systems = len({clip.system for clip in clips})
    assert systems <= len(plan) <= max(limit, systems)
    if limit >= systems:
        assert len(plan) > min(limit, len(clips)) - systems  # no group more would have fitted


@given(DESIGNS, SEEDS, NUMBERS, st.none() | st.integers(1, 40))
def test_clips_of_a_group_are_never_back_to_back(
    clips: list[Candidate], seed: int, number: int, limit: int | None
) -> None:
    plan = plan_session(clips, seed=seed, number=number, trials_per_listener=limit)
    if len({clip.group for clip in plan}) > 1:
        assert back_to_back(plan) == 0


@given(uneven_designs(), SEEDS, NUMBERS)
def test_uneven_groups_are_kept_apart_where_that_is_possible(clips: list[Candidate], seed: int, number: int) -> None:
    plan = plan_session(clips, seed=seed, number=number)
    largest = max(Counter(clip.group for clip in plan).values())
    unavoidable = max(0, largest - 1 - (len(plan) - largest))
    assert sorted(plan) == sorted(clips)
    assert back_to_back(plan) == unavoidable


@given(DESIGNS, SEEDS, NUMBERS, st.randoms(use_true_random=False))
def test_the_order_in_which_clips_come_changes_nothing(
    clips: list[Candidate], seed: int, number: int, chance: random.Random
) -> None:
    mixed = list(clips)
    chance.shuffle(mixed)
    assert plan_session(mixed, seed=seed, number=number) == plan_session(clips, seed=seed, number=number)


@given(DESIGNS, SEEDS, st.integers(1, 40), st.integers(1, 60))
def test_clips_are_given_equally_often(clips: list[Candidate], seed: int, sessions: int, limit: int) -> None:
    given_out = Counter(
        clip
        for number in range(sessions)
        for clip in plan_session(clips, seed=seed, number=number, trials_per_listener=limit)
    )
    times = [given_out[clip] for clip in clips]
    assert max(times) - min(times) <= 1


@pytest.mark.parametrize(("excerpts", "sources", "systems"), [(1, 2, 2), (2, 2, 3), (3, 2, 4), (3, 1, 3), (5, 1, 2)])
def test_each_system_falls_into_each_round_equally_often(excerpts: int, sources: int, systems: int) -> None:
    """A round is the stretch in which each group comes once; no system of a group is always early or late."""
    clips, groups = candidates(excerpts, sources, systems), excerpts * sources
    sessions = len(williams_square(systems))
    rounds: Counter[tuple[str, int]] = Counter()
    for number in range(sessions):
        heard: Counter[tuple[str, str]] = Counter()
        for clip in plan_session(clips, seed=11, number=number):
            rounds[clip.key, heard[clip.group]] += 1
            heard[clip.group] += 1
    assert len(rounds) == groups * systems**2
    assert set(rounds.values()) == {sessions // systems}


@pytest.mark.parametrize(("excerpts", "sources", "systems"), [(2, 2, 3), (3, 2, 4), (2, 2, 2), (4, 1, 5)])
def test_each_system_stands_at_each_place_of_the_session_equally_often(
    excerpts: int, sources: int, systems: int
) -> None:
    clips, groups = candidates(excerpts, sources, systems), excerpts * sources
    sessions = 2 * groups * len(williams_square(systems)) ** 2
    plans = [plan_session(clips, seed=3, number=number) for number in range(sessions)]
    places = Counter((clip.system, place) for plan in plans for place, clip in enumerate(plan))
    assert set(places.values()) == {sessions // systems}


@pytest.mark.parametrize("systems", [2, 3, 4])
def test_the_order_of_scales_is_not_tied_to_the_order_of_systems(systems: int) -> None:
    clips = candidates(2, 1, systems)
    sessions = 2 * len(williams_square(systems)) ** 2
    firsts: Counter[tuple[str, bool]] = Counter()
    for number in range(sessions):
        plan = plan_session(clips, seed=3, number=number)
        for group in {clip.group for clip in plan}:
            first = next(clip for clip in plan if clip.group == group)
            firsts[first.key, quality_first(number)] += 1
    assert set(firsts.values()) == {sessions // systems // 2}


def test_scales_take_turns() -> None:
    assert [quality_first(number) for number in range(4)] == [True, False, True, False]


def test_with_a_limit_every_group_gets_its_systems_in_every_round_too() -> None:
    clips = candidates(6, 1, 2)  # 6 groups, 3 of them per session: each is in every other session
    rounds: Counter[tuple[str, int]] = Counter()
    for number in range(8):
        heard: Counter[tuple[str, str]] = Counter()
        for clip in plan_session(clips, seed=1, number=number, trials_per_listener=7):
            rounds[clip.key, heard[clip.group]] += 1
            heard[clip.group] += 1
    assert set(rounds.values()) == {2}


def test_seeds_differ() -> None:
    clips = candidates(3, 2, 3)
    orders = {tuple(clip.key for clip in plan_session(clips, seed=seed, number=0)) for seed in range(20)}
    assert len(orders) > 15


def test_a_seed_means_the_same_order_for_ever() -> None:
    """Printed by this code when it was written: studies under way rest on it."""
    plan = plan_session(candidates(2, 1, 3), seed=1234, number=7)
    assert [clip.key for clip in plan] == GOLDEN


GOLDEN = ["1/0/1", "0/0/1", "1/0/2", "0/0/0", "1/0/0", "0/0/2"]


def test_no_clips_no_plan() -> None:
    assert plan_session([], seed=1, number=0) == []


@pytest.mark.parametrize(("number", "limit"), [(-1, None), (0, 0), (0, -3)])
def test_nonsense_is_refused(number: int, limit: int | None) -> None:
    with pytest.raises(ValueError):
        plan_session(candidates(1, 1, 2), seed=1, number=number, trials_per_listener=limit)
