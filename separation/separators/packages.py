"""Separators that other installed packages bring: entry points of the group `stemmos.separators`.

An entry point names a `SeparatorSpec`, several of them, or something that gives them when it is called. One that is
broken, or whose key is taken, is left out with its reason, and never keeps the others from running.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from separation.separators.base import EXACT, SAMPLE_RATE, SeparatorSpec

GROUP = "stemmos.separators"
WEIGHTS = "package"
"""What `SeparatorSpec.weights` says of them."""

KEY = re.compile(r"[a-z0-9][a-z0-9_.:-]{0,49}")
RESERVED = re.compile(r"import(:|$)|reference$|hidden_reference$|.*anchor")
"""Keys of systems that are no separators."""
KNOWN_SOURCES = {"vocals", "drums", "bass", "other", "piano", "guitar", "accompaniment"}

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class BrokenPackage:
    """What could not be used."""

    package: str  # as installed, e.g. "stemmos-thirds 1.0"
    entry_point: str  # "name = module:attribute"
    why: str  # for the researcher, in English, as Python says it where the package failed


@dataclass(frozen=True)
class Found:
    specs: tuple[SeparatorSpec, ...]
    broken: tuple[BrokenPackage, ...]


@cache
def found(taken: frozenset[str]) -> Found:
    """The separators of all installed packages, looked for once in a process. `taken`: keys that are not to be had."""
    specs: dict[str, SeparatorSpec] = {}
    broken = []
    for point in sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value)):
        try:
            fresh = _checked(point, taken | specs.keys())
        except Exception as error:  # whatever somebody else's code raises
            broken.append(_broken(point, error))
        else:
            specs |= {spec.key: spec for spec in fresh}
    return Found(tuple(specs.values()), tuple(broken))


def _broken(point: EntryPoint, error: Exception) -> BrokenPackage:
    package = f"{point.dist.name} {point.dist.version}" if point.dist else "?"
    why = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
    log.warning("the separator %r of the package %s is left out: %s", point.name, package, why, exc_info=error)
    return BrokenPackage(package, f"{point.name} = {point.value}", why)


def _checked(point: EntryPoint, taken: Iterable[str]) -> list[SeparatorSpec]:
    given = point.load()
    if callable(given):
        given = given()
    specs = [given] if isinstance(given, SeparatorSpec) else list(given)
    if not specs:
        raise ValueError("it gives no separator")
    keys = set(taken)
    for spec in specs:
        if fault := next(_faults(spec, keys), None):
            raise ValueError(fault)
        keys.add(spec.key)
    return specs


def _faults(spec: object, taken: set[str]) -> Iterator[str]:
    """What is wrong with one row; nothing where it can be used."""
    if not isinstance(spec, SeparatorSpec):
        yield f"{spec!r} is no SeparatorSpec"
        return
    if not KEY.fullmatch(spec.key) or RESERVED.match(spec.key):
        yield f"the key {spec.key!r} cannot be used: 1 to 50 of a-z 0-9 _ . : -, and no name of another system"
    if spec.key in taken:
        yield f"the key {spec.key!r} is taken"
    if spec.weights != WEIGHTS:
        yield f"its weights must be {WEIGHTS!r}, not {spec.weights!r}"
    if not spec.sources or len({*spec.sources}) < len(spec.sources) or not KNOWN_SOURCES.issuperset(spec.sources):
        yield f"its sources {list(spec.sources)} must be some of {sorted(KNOWN_SOURCES)}, each once"
    if not re.fullmatch(r"[\w.]+:\w+", spec.implementation):
        yield f"its implementation {spec.implementation!r} must be written 'package.module:Class'"
    if spec.precision != EXACT or not 0 < spec.bandwidth <= SAMPLE_RATE // 2:
        yield f"its precision must be {EXACT!r}, and its bandwidth at most {SAMPLE_RATE // 2} Hz"
