"""The order of a session's clips.

- **Rounds.** A session goes through its groups as many times as there are systems: a round holds one clip of every
  group, always in the same circular order, in which groups of one excerpt are not neighbours where that is possible.
  So two clips of a group stand as far apart as they can, and never back to back unless there is only one group.
- **Which system when.** Each group follows a row of a Williams square. In a *turn*, as many slots as there are systems,
  each place of the session meets each system once: at place j of the circle the row is shifted by X + P(j), where X is
  another one in each slot of the turn, and P in each of as many places, so that a round mixes the systems too. Squares
  of odd size want every row backwards as well: so half of the places have it, and the other half two turns later.
- **Scales.** Two turns that follow each other have the same rows, met by the two orders of the scales.

X, P and which system is which are drawn anew every four turns, and the circle for every slot: from their own order
nobody can tell another's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from listening_test.design.chance import chance, shuffled
from listening_test.design.factors import Candidate, Group
from listening_test.design.williams import williams_row

TURNS = 4  # with the same rows


def order(
    groups: Sequence[Group], *, seed: int, slot: int, part: str = "", after: Candidate | None = None
) -> list[Candidate]:
    """All clips of these groups, as the slot (0 first) hears them.

    `part` names an order of its own (of one scale); `after` is what was heard last.
    """
    circle = _begun_after(_circle(groups, seed, slot, part), after)
    sizes = {len(group): _Rows(len(group), groups, seed, slot, part) for group in groups}
    rows = [sizes[len(group)].row(group, place) for place, group in enumerate(circle)]
    longest = max(map(len, rows), default=0)
    return [row[turn] for turn in range(longest) for row in rows if turn < len(row)]


def quality_first(slot: int) -> bool:
    """Whether Quality comes before Contamination in this slot: in every other one."""
    return slot % 2 == 0


def _circle(groups: Sequence[Group], seed: int, slot: int, part: str) -> list[Group]:
    """The groups around a circle, by lot, but no two of one excerpt side by side wherever that is possible.

    The excerpt with most groups comes first, each on every other place: it meets itself only where it has more than
    half, and no other excerpt does.
    """
    generator = chance(seed, "circle", part, slot)
    count = Counter(group[0].excerpt for group in groups)
    rank = {excerpt: (-count[excerpt], generator.random()) for excerpt in sorted(count)}
    mixed = sorted(shuffled(groups, generator), key=lambda group: rank[group[0].excerpt])
    half = (len(mixed) + 1) // 2
    circle = [mixed[place // 2 + (half if place % 2 else 0)] for place in range(len(mixed))]
    return _turned(circle, int(generator.random() * len(circle)))


def _begun_after(circle: list[Group], last: Candidate | None) -> list[Group]:
    """Turned until it begins with another excerpt than the last clip's, or at least with another group."""
    if last is None:
        return circle
    other_excerpt = [place for place, group in enumerate(circle) if group[0].excerpt != last.excerpt]
    other_group = [place for place, group in enumerate(circle) if group[0].group != last.group]
    return _turned(circle, next(iter(other_excerpt + other_group), 0))


def _turned(circle: list[Group], by: int) -> list[Group]:
    return circle[by:] + circle[:by]


class _Rows:
    """The rows of the square for groups of one size, as one slot has them."""

    def __init__(self, size: int, groups: Sequence[Group], seed: int, slot: int, part: str) -> None:
        turns, place = divmod(slot, size)
        drawn, self.turn = divmod(turns, TURNS)
        generator = chance(seed, "rows", part, size, drawn)
        of_slot, self.of_place = (shuffled(range(size), generator) for _ in range(2))
        # In the next turn of an even size each row comes a slot earlier; of an odd one the scales change by themselves.
        self.of_slot = of_slot[(place + self.turn % 2 * (1 - size % 2)) % size]
        systems = {clip.system for group in groups for clip in group}
        self.lots = {system: chance(seed, "system", part, size, drawn, system).random() for system in systems}
        self.size = size

    def row(self, group: Group, place: int) -> Group:
        """The group's clips in their order, where it stands at `place` of the circle."""
        backwards = self.size % 2 == 1 and (place + self.turn // 2) % 2 == 1
        row = williams_row(self.size, self.of_slot + self.of_place[place % self.size], backwards=backwards)
        clips = sorted(group, key=lambda clip: self.lots[clip.system])
        return [clips[number] for number in row]
