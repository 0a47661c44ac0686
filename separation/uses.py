"""Who needs stems: what stands to the right of separation says so here, since separation imports nothing from there."""

from __future__ import annotations

from collections.abc import Callable, Collection
from uuid import UUID

Uses = Callable[[str, Collection[UUID] | None], list[str]]
"""Takes a system's key and songs (None: any song), and answers the names of what uses its stems of these."""

Plays = Callable[[Collection[UUID]], list[str]]
"""Takes stems, and answers the names of what plays sounds that were cut from them."""

_uses: list[Uses] = []
_plays: list[Plays] = []


def register(uses: Uses, plays: Plays) -> None:
    """To be called once, when the app is ready."""
    if uses not in _uses:
        _uses.append(uses)
        _plays.append(plays)


def users_of(system: str, songs: Collection[UUID] | None = None) -> list[str]:
    """Names for a person: studies."""
    return [name for uses in _uses for name in uses(system, songs)]


def players_of(stems: Collection[UUID]) -> list[str]:
    """Names for a person: studies."""
    return [name for plays in _plays for name in plays(stems)]
