"""Which groups a session gets, when a study is larger than a session.

The sessions take turns: the groups are given out in *passes*, and nobody gets a group for the (n+1)-th time before
every group was given n times. So the numbers differ by at most 1 after any number of sessions.

- Each pass has a seeded order of its own. A session that a pass cannot fill any more takes the pass's *tail* and the
  next one's *head*. The tail is drawn before all else and from the seed alone; so the share of a session follows from
  two passes, however many came before: the work does not grow with the number of sessions.
- A session takes its groups from as many excerpts as it can, always from those of which most is left, so that clips of
  one excerpt need not stand back to back.
- In the second pass a session takes groups that different sessions had in the first, as long as there are sessions
  that have nothing in common: this links all listeners and clips into one graph, nearly always as early as equal
  numbers allow it. In about 1 of 1,000 studies the lot and the spread over excerpts cost one session more, or very
  seldom two. After that every further session holds on to what is there.
- Where a session gets more than half of the groups, what is shared out in this way is what it does *not* get.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from heapq import heapify, heappop, heappush
from random import Random

from listening_test.design.chance import chance, shuffled

KEPT = 64  # passes that a process remembers: listeners who arrive one after the other share them


@dataclass(frozen=True)
class Circle:
    """What is shared out: `excerpts[i]` is the excerpt of the i-th group, `size` how many groups a session gets."""

    excerpts: tuple[str, ...]
    size: int
    seed: int

    @property
    def total(self) -> int:
        return len(self.excerpts)


def share(excerpts: Sequence[str], size: int, *, seed: int, slot: int) -> list[int]:
    """Places in `excerpts` of the groups that this slot (0 first) gets: `size` different ones, in order.

    All of them where `size` is not smaller. Raises `ValueError` for a negative slot or a size below 1.
    """
    if slot < 0 or (excerpts and size < 1):
        raise ValueError("a slot is 0 or more, and gets 1 group or more")
    everything = range(len(excerpts))
    if size >= len(excerpts):
        return list(everything)
    if 2 * size <= len(excerpts):
        return sorted(_share(Circle(tuple(excerpts), size, seed), slot))
    left_out = _share(Circle(tuple(excerpts), len(excerpts) - size, seed), slot)
    return [place for place in everything if place not in left_out]


def _share(circle: Circle, slot: int) -> list[int]:
    first = slot * circle.size
    number, place = divmod(first, circle.total)
    if place + circle.size > circle.total:
        return [*_tail(circle, number), *_head(circle, number + 1)]
    return _body(circle, number)[place // circle.size]


def _head_size(circle: Circle, number: int) -> int:
    """How many groups of this pass (0 first) go to the session that the pass before could not fill."""
    return -number * circle.total % circle.size


def _tail_size(circle: Circle, number: int) -> int:
    return (number + 1) * circle.total % circle.size


@lru_cache(KEPT)
def _tail(circle: Circle, number: int) -> list[int]:
    generator = chance(circle.seed, "tail", number)
    return _Pool(circle, range(circle.total), generator).take(_tail_size(circle, number))


def _head(circle: Circle, number: int) -> list[int]:
    return _pass(circle, number)[0]


def _body(circle: Circle, number: int) -> list[list[int]]:
    """The shares of this pass that begin in it and are filled by it, in the order of slots."""
    return _pass(circle, number)[1]


@lru_cache(KEPT)
def _pass(circle: Circle, number: int) -> tuple[list[int], list[list[int]]]:
    """The head of a pass, and its whole sessions."""
    before = _tail(circle, number - 1) if number else []
    after = _tail(circle, number)
    links = _links_of_first_pass(circle) if number == 1 else None
    pool = _Pool(
        circle, set(range(circle.total)) - set(after), chance(circle.seed, "pass", number), links or _Links([])
    )
    head = pool.take(_head_size(circle, number), beside=before)
    whole = (circle.total - len(head) - len(after)) // circle.size
    return head, [pool.take(circle.size) for _session in range(whole)]


def _links_of_first_pass(circle: Circle) -> _Links:
    return _Links([*_body(circle, 0), _tail(circle, 0)])


class _Links:
    """Which groups hang together by now, through sessions that had them both."""

    def __init__(self, sessions: Iterable[Collection[int]]) -> None:
        self.part = {group: number for number, groups in enumerate(sessions) for group in groups}
        self.all_linked = len(set(self.part.values())) < 2

    def join(self, groups: Iterable[int]) -> None:
        if self.all_linked:
            return
        joined = {self.part[group] for group in groups}
        self.part = {group: min(joined) if part in joined else part for group, part in self.part.items()}
        self.all_linked = len(set(self.part.values())) < 2

    def is_new(self, group: int, session: Iterable[int]) -> bool:
        """Whether the session would be linked to others by this group, besides those that it is linked to."""
        return not self.all_linked and self.part[group] not in {self.part[other] for other in session}


Entry = tuple[int, int, float, str]
"""An excerpt in the order of choice: how often the session has it, how little of it is left, by lot, its name."""


@dataclass
class _Pool:
    """What is left of a pass."""

    circle: Circle
    groups: Iterable[int]
    generator: Random
    links: _Links = field(default_factory=lambda: _Links([]))

    def __post_init__(self) -> None:
        self.left: dict[str, list[int]] = defaultdict(list)  # excerpt -> its groups
        for group in shuffled(sorted(self.groups), self.generator):
            self.left[self.circle.excerpts[group]].append(group)

    def take(self, count: int, beside: Collection[int] = ()) -> list[int]:
        """`count` groups for a session that has those of `beside` already, which are not taken again."""
        taken: list[int] = []
        has = Counter(self.circle.excerpts[group] for group in beside)
        queue = [(has[name], -len(groups), self.generator.random(), name) for name, groups in self.left.items()]
        heapify(queue)
        while len(taken) < count:
            taken.append(self._next(queue, {*beside, *taken}))
        if taken:
            self.links.join([*beside, *taken])
        return taken

    def _next(self, queue: list[Entry], session: set[int]) -> int:
        """The best group; among excerpts that the session has equally often, one that links it to other sessions."""
        seen: list[tuple[Entry, int]] = []
        chosen: tuple[Entry, int] | None = None
        while chosen is None and queue and (not seen or queue[0][0] == seen[0][0][0]):
            entry = heappop(queue)
            group, links = self._best(self.left[entry[-1]], session)
            if group is not None and (links or self.links.all_linked):
                chosen = entry, group
            elif group is not None:
                seen.append((entry, group))
        chosen = chosen or seen.pop(0)
        for entry, _group in seen:
            heappush(queue, entry)
        return self._out(*chosen, queue)

    def _best(self, groups: list[int], session: set[int]) -> tuple[int | None, bool]:
        """Of one excerpt's groups: the one to take, and whether it links the session to others."""
        free = [group for group in groups if group not in session]
        linking = next((group for group in free if self.links.is_new(group, session)), None)
        return (linking, True) if linking is not None else (free[0] if free else None, False)

    def _out(self, entry: Entry, group: int, queue: list[Entry]) -> int:
        times, _left, lot, excerpt = entry
        self.left[excerpt].remove(group)
        if self.left[excerpt]:
            heappush(queue, (times + 1, -len(self.left[excerpt]), lot, excerpt))
        else:
            del self.left[excerpt]
        return group
