"""Who needs stems: what stands to the right of separation says so here, since separation imports nothing from there."""

from __future__ import annotations

from collections.abc import Callable, Collection
from uuid import UUID

Uses = Callable[[str, Collection[UUID] | None], list[str]]
"""Takes a system's key and songs (None: any song), and answers the names of what uses its stems of these."""

_askers: list[Uses] = []


def register(uses: Uses) -> None:
    """To be called once, when the app is ready."""
    if uses not in _askers:
        _askers.append(uses)


def users_of(system: str, songs: Collection[UUID] | None = None) -> list[str]:
    """Names for a person: studies."""
    return [name for uses in _askers for name in uses(system, songs)]
