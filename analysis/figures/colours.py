"""Colour and marker of each system, the same in every chart and table. Colour-blind eyes can tell them apart.

Colours: Okabe and Ito (2008), "Color Universal Design". A known system keeps its own in every study; an unknown one
takes the first that its study has left. Beyond eight, colours come again with other markers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from listening_test.controls import DEGRADED_ANCHOR, MIXTURE_ANCHOR
from separation.selectors import REFERENCE

PALETTE = {
    "blue": "#0072B2",
    "orange": "#E69F00",
    "green": "#009E73",
    "sky": "#56B4E9",
    "vermillion": "#D55E00",
    "purple": "#CC79A7",
    "yellow": "#F0E442",
    "grey": "#8C8C8C",  # Okabe and Ito's black, lightened so that it is seen on dark pages too
}
OWN = {
    "umxhq": "blue",
    "spleeter:4stems": "orange",
    "htdemucs": "green",
    "umx:demo": "sky",
    "spleeter:demo": "vermillion",
    "htdemucs:demo": "purple",
    REFERENCE: "grey",
    MIXTURE_ANCHOR: "grey",
    DEGRADED_ANCHOR: "grey",
}
MARKERS = ("circle", "square", "diamond", "triangle", "down", "pentagon", "cross", "star")
CONTROL_MARKERS = {REFERENCE: "star", MIXTURE_ANCHOR: "cross", DEGRADED_ANCHOR: "down"}
"""Controls share one colour: they are no systems to choose between."""


@dataclass(frozen=True)
class Look:
    """`name` is a key of `PALETTE`, which style sheets know as a class; `marker` one of `MARKERS`."""

    name: str
    marker: str

    @property
    def hex(self) -> str:
        return PALETTE[self.name]


def looks(systems: Iterable[str]) -> dict[str, Look]:
    """Colour and marker of every system of a study, given in the study's order."""
    keys = list(dict.fromkeys(systems))
    taken = {OWN[key] for key in keys if key in OWN}
    free = [name for name in PALETTE if name not in taken] or list(PALETTE)
    others = [key for key in keys if key not in OWN]
    names = {key: free[place % len(free)] for place, key in enumerate(others)}
    places = list(PALETTE)
    found = {}
    for key in keys:
        name = OWN.get(key) or names[key]
        again = others.index(key) // len(free) if key in names else 0
        found[key] = Look(name, CONTROL_MARKERS.get(key) or MARKERS[(places.index(name) + again) % len(MARKERS)])
    return found
