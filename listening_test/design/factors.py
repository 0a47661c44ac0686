"""What a study compares: its clips, and what a session is made of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Candidate:
    """A clip that may be heard. `key` is the caller's own name for it; the others say what belongs together.

    A control is a system like all others.
    """

    excerpt: str
    source: str
    system: str
    key: str

    @property
    def group(self) -> tuple[str, str]:
        return self.excerpt, self.source


Group = list[Candidate]
"""The clips of one excerpt and source, one per system. Who gets a group hears all of it."""


@dataclass(frozen=True)
class Design:
    """Everything that decides who hears what, but for the study's seed.

    `clips_per_listener` counts each rated clip once (None: all of them); repeats and attention checks come on top.
    `apart`: all clips on one scale, then all on the other.
    Raises `ValueError` for a limit below 1 or a negative count.
    """

    clips: Sequence[Candidate]
    clips_per_listener: int | None = None
    repeats: int = 0
    traps: int = 0
    apart: bool = False

    def __post_init__(self) -> None:
        if self.clips_per_listener is not None and self.clips_per_listener < 1:
            raise ValueError("clips per listener are 1 or more")
        if self.repeats < 0 or self.traps < 0:
            raise ValueError("repeats and traps are 0 or more")

    def groups(self) -> list[Group]:
        """In one order, whatever order the clips come in."""
        members: dict[tuple[str, str], Group] = defaultdict(list)
        for clip in sorted(self.clips):
            members[clip.group].append(clip)
        return list(members.values())


def groups_per_session(groups: Sequence[Group], limit: int | None) -> int:
    """How many whole groups fit into `limit` clips: one at least, all of them where there is no limit.

    Where a study has two excerpts only, an odd number of groups would put clips of one of them back to back: one less.
    """
    if limit is None or not groups:
        return len(groups)
    count = min(len(groups), max(1, limit // max(map(len, groups))))
    two_excerpts = len({group[0].excerpt for group in groups}) == 2
    return count - 1 if two_excerpts and count % 2 and 1 < count < len(groups) else count
