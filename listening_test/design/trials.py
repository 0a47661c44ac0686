"""What a listener meets at each place of a session, and how trials of one excerpt are kept apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from listening_test.design.factors import Candidate


@dataclass(frozen=True)
class PlannedTrial:
    """A clip at its place. `scale`: the one that is asked, "" for both. `repeat`: 1 where the clip comes back.

    `instructed`: the answer (1–5) that an attention check asks for.
    """

    clip: Candidate
    scale: str = ""
    repeat: int = 0
    instructed: int | None = None

    @property
    def key(self) -> str:
        return self.clip.key


def same_excerpt_neighbours(trials: Iterable[PlannedTrial]) -> int:
    """How often two clips of one excerpt stand back to back."""
    return sum(one.clip.excerpt == other.clip.excerpt for one, other in pairwise(trials))


def kept_apart(trials: Iterable[PlannedTrial]) -> Callable[[PlannedTrial], Hashable]:
    """What must not stand back to back: the excerpt, or, where there is one only, the group."""
    one_excerpt = len({trial.clip.excerpt for trial in trials}) < 2
    return (lambda trial: trial.clip.group) if one_excerpt else (lambda trial: trial.clip.excerpt)


def spread(trials: Sequence[PlannedTrial], after: Candidate | None = None) -> list[PlannedTrial]:
    """`trials`, or, where two that are to be kept apart stand back to back, a near order in which fewest do.

    It takes the next as planned that is of another group and excerpt than the last one (at first, than `after`); but
    an excerpt that fills more than half of what is left comes now, or it would meet itself later.
    """
    heard = [PlannedTrial(after)] if after else []
    alike = kept_apart(trials)
    if all(alike(one) != alike(other) for one, other in pairwise([*heard, *trials])):
        return list(trials)
    left, last = list(trials), after.group if after else ("", "")
    groups = Counter(trial.clip.group for trial in left)
    order = []
    while left:
        order.append(left.pop(_next(left, last, groups)))
        last = order[-1].clip.group
        groups[last] -= 1
    return order


def _next(left: Sequence[PlannedTrial], last: tuple[str, str], groups: Counter[tuple[str, str]]) -> int:
    """The place of the one to take: the first of those that break least."""
    excerpts: Counter[str] = Counter()
    for (excerpt, _source), count in groups.items():
        excerpts[excerpt] += count

    def rank(place: int) -> tuple[bool, bool, bool, int, int]:
        group = left[place].clip.group
        many = 2 * excerpts[group[0]] > len(left)
        return group == last, group[0] == last[0], not many, -groups[group] if many else 0, place

    return min(range(len(left)), key=rank)
