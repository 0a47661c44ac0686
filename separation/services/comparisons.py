"""Which true stems a system's stems are measured against: the ways to take a mixture apart.

museval's rule for MUSDB18 (`museval.eval_mus_track`): vocals and accompaniment are one way, the single sources another,
and where a system has both, its vocals are measured in the first. What is true of the accompaniment is the sum of all
that is not vocals.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from separation.models import Source

VOCALS, OTHER, ACCOMPANIMENT = Source.VOCALS.value, Source.OTHER.value, Source.ACCOMPANIMENT.value
WITHIN_OTHER = (Source.PIANO.value, Source.GUITAR.value)
"""What is part of the other instruments for those who do not separate it."""


@dataclass(frozen=True)
class Comparison:
    """True stems that together are the mixture, each the sum of the named ones, and what is measured against them."""

    references: dict[str, tuple[str, ...]]
    estimates: tuple[str, ...]
    notes: dict[str, list[str]] = field(default_factory=dict)


def comparisons(references: Collection[str], estimates: Collection[str]) -> Iterator[Comparison]:
    """`references`: sources of the song's true stems; `estimates`: sources of the system's. In the order of sources."""
    known = [source for source in Source.values if source in references]
    parts = [source for source in known if source != ACCOMPANIMENT]
    two_way = _two_way(known, parts) if ACCOMPANIMENT in estimates else {}
    measured = tuple(source for source in two_way if source in estimates)
    if measured:
        yield Comparison(two_way, measured)
    rest = [source for source in estimates if source not in measured and source != ACCOMPANIMENT]
    single = _single(known, parts, estimates)
    wanted = tuple(source for source in single if source in rest)
    if wanted:
        yield Comparison(single, wanted, _notes(single, wanted, estimates))


def unmatched(references: Collection[str], estimates: Collection[str]) -> list[str]:
    """The system's sources that have no true stem."""
    found = {source for comparison in comparisons(references, estimates) for source in comparison.estimates}
    return [source for source in Source.values if source in estimates and source not in found]


def _two_way(known: list[str], parts: list[str]) -> dict[str, tuple[str, ...]]:
    instruments = tuple(source for source in parts if source != VOCALS)
    whole = (ACCOMPANIMENT,) if ACCOMPANIMENT in known else instruments
    ways = {VOCALS: (VOCALS,) if VOCALS in known else (), ACCOMPANIMENT: whole}
    return {source: summed for source, summed in ways.items() if summed}


def _single(known: list[str], parts: list[str], estimates: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Piano and guitar belong to the other instruments of a system that does not separate them."""
    if parts == [VOCALS]:  # all that is not vocals is known in one piece only
        parts = known
    inside = tuple(source for source in WITHIN_OTHER if source in parts and source not in estimates)
    if OTHER not in parts or not inside:
        return {source: (source,) for source in parts}
    return {source: (source, *inside) if source == OTHER else (source,) for source in parts if source not in inside}


def _notes(
    single: dict[str, tuple[str, ...]], wanted: tuple[str, ...], estimates: Collection[str]
) -> dict[str, list[str]]:
    if OTHER not in wanted:
        return {}
    apart = [source for source in WITHIN_OTHER if source in estimates and source not in single]
    notes = ["reference_summed"] if len(single[OTHER]) > 1 else []
    return {OTHER: [*notes, *(["reference_wider"] if apart else [])]}
