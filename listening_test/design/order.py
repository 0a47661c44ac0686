"""The order of one session: which clips a listener hears, and in which order.

Clips of one excerpt and source form a *group*: one clip per system. A listener who gets a group hears all of it.

- **Which groups.** The groups stand in a circle, shuffled by the seed. Session 0 takes the first k, session 1 the next
  k, and so on around the circle; so after any number of sessions no group was given more than once more often than
  another. k is the number of whole groups that fit into `trials_per_listener`, all of them where it is None.
- **Rounds.** A session goes through its groups as many times as there are systems: a round holds one clip of every
  group. So clips of one group are never back to back, unless the session has one group only.
- **Which system in which round.** Each group follows a row of a Williams square over its systems. The row moves on with
  every time the group is given, so each system falls into each round, and after each other system, equally often.
  Groups of one session start at different rows, so a round mixes the systems.
- **Which group at which place of a round.** Rows of a Williams square over the session's groups, moving on with the
  session's number and, within a session, with the round.

The rows of the first square move on by one more each time that the square has been gone through. Without that, an even
number of systems would always meet the same half of the session numbers, and with it the same order of the two scales.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from listening_test.design.williams import williams_square

T = TypeVar("T")


@dataclass(frozen=True, order=True)
class Candidate:
    """A clip that may be heard. `key` is the caller's own name for it; the others say what belongs together."""

    excerpt: str
    source: str
    system: str
    key: str

    @property
    def group(self) -> tuple[str, str]:
        return self.excerpt, self.source


Group = list[Candidate]


def plan_session(
    clips: Iterable[Candidate], *, seed: int, number: int, trials_per_listener: int | None = None
) -> list[Candidate]:
    """The clips of the session with this number (0 first), in the order in which they are heard.

    The same clips (in whatever order they come), seed and number always give the same plan. Nobody hears more than
    `trials_per_listener` clips, except that everybody gets at least one whole group. Raises `ValueError` for a negative
    number or a limit below 1.
    """
    if number < 0 or (trials_per_listener is not None and trials_per_listener < 1):
        raise ValueError("a session's number is 0 or more, and its clips are 1 or more")
    groups = _groups(clips, seed)
    if not groups:
        return []
    count = _groups_per_session(groups, trials_per_listener)
    turns = range(number * count, (number + 1) * count)
    given = [_in_order(groups[turn % len(groups)], turn % len(groups), turn // len(groups)) for turn in turns]
    return _apart(_rounds(given, number))


def quality_first(number: int) -> bool:
    """Whether Quality stands above Contamination in the session with this number: in every other one."""
    return number % 2 == 0


def _groups(clips: Iterable[Candidate], seed: int) -> list[Group]:
    """Groups around the circle, the clips of each in one shuffled order of the systems."""
    members: dict[tuple[str, str], Group] = defaultdict(list)
    clips = sorted(clips)
    systems = _shuffled(sorted({clip.system for clip in clips}), f"systems {seed}")
    for clip in sorted(clips, key=lambda clip: systems.index(clip.system)):
        members[clip.group].append(clip)
    return [members[group] for group in _shuffled(sorted(members), f"groups {seed}")]


def _shuffled(items: Sequence[T], seed: str) -> list[T]:
    """`random()` of a seeded generator is promised to stay the same in every Python version; `shuffle()` is not."""
    generator = random.Random(seed)  # noqa: S311 (an order, no secret)
    return sorted(items, key=lambda _item: generator.random())


def _groups_per_session(groups: list[Group], trials_per_listener: int | None) -> int:
    if trials_per_listener is None:
        return len(groups)
    largest = max(map(len, groups))
    return min(len(groups), max(1, trials_per_listener // largest))


def _in_order(group: Group, place: int, times: int) -> Group:
    """The group's clips by round, where it stands at `place` of the circle and was given `times` times before."""
    rows = williams_square(len(group))
    row = rows[(times + times // len(rows) + place) % len(rows)]
    return [group[system] for system in row]


def _rounds(groups: list[Group], number: int) -> list[Candidate]:
    """Round by round, one clip of each group that still has one."""
    rows = williams_square(len(groups))
    plan = []
    for turn in range(max(map(len, groups))):
        row = rows[(number + turn) % len(rows)]
        plan += [groups[place][turn] for place in row if turn < len(groups[place])]
    return plan


def _apart(plan: list[Candidate]) -> list[Candidate]:
    """`plan`, or, where it has two of a group back to back, the nearest order that has none, if there is one.

    Taking from the group with most clips left, never the last one's, leaves no neighbours wherever that is possible.
    """
    if not any(one.group == other.group for one, other in zip(plan, plan[1:], strict=False)):
        return plan
    left = list(plan)
    order: list[Candidate] = []
    while left:
        counts = {clip.group: sum(other.group == clip.group for other in left) for clip in left}
        others = [clip for clip in left if not order or clip.group != order[-1].group]
        order.append(max(others or left, key=lambda clip: counts[clip.group]))  # the first of those, as planned
        left.remove(order[-1])
    return order
