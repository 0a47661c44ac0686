"""Every separator that can be run, by key. Importing this costs nothing; a model is loaded when first asked for.

Three kinds of rows: the published variants, their demo forms, and what other installed packages bring through the
entry-point group `stemmos.separators` (see `docs/own_separator.md`).
"""

from __future__ import annotations

import gc
import importlib
import os
from dataclasses import replace
from threading import Lock
from typing import Any

from separation.separators import packages
from separation.separators.base import FAST, Separator, SeparatorError, SeparatorSpec
from separation.separators.packages import BrokenPackage
from separation.separators.variants import DEMOS, SOURCES, VARIANTS
from separation.separators.weights import weights_of

__all__ = [
    "SOURCES",
    "UnknownSeparator",
    "all_specs",
    "available",
    "broken_packages",
    "fast_key",
    "get",
    "spec",
    "weights_sha256",
]

FAST_FAMILIES = {"demucs"}
"""Families whose models also run in a fast precision, under the key with `@fast`."""

_SPECS = {spec.key: spec for spec in (*VARIANTS, *DEMOS)}

_loaded: dict[str, Separator] = {}  # the one that was asked for last stands last
_loading = Lock()


class UnknownSeparator(SeparatorError):
    """No separator has this key. params: `key`."""

    code = "unknown_separator"


def all_specs() -> tuple[SeparatorSpec, ...]:
    """Every separator in exact precision: published weights first, then demo weights, then other packages'."""
    return (*_SPECS.values(), *packages.found(frozenset(_SPECS)).specs)


def broken_packages() -> tuple[BrokenPackage, ...]:
    """What could not be taken from installed packages, and why."""
    return packages.found(frozenset(_SPECS)).broken


def spec(key: str) -> SeparatorSpec:
    """The row of `key`, which may end in `@fast`. Raises `UnknownSeparator`."""
    base, at, precision = key.partition("@")
    known = _SPECS.get(base) or next((one for one in all_specs() if one.key == base), None)
    if known is None or (at and not (precision == FAST and _has_fast(known))):
        keys = ", ".join(one.key for one in all_specs())
        raise UnknownSeparator(f"no separator is called {key!r}; there are {keys}", key=key)
    return replace(known, key=key, name=f"{known.name} ({FAST})", precision=FAST) if at else known


def fast_key(key: str) -> str | None:
    """The key of the same model in fast precision, where it has one."""
    return f"{key}@{FAST}" if _has_fast(spec(key)) else None


def _has_fast(known: SeparatorSpec) -> bool:
    """A package may call its family as ours; the module that makes it fast is ours alone."""
    return known.family in FAST_FAMILIES and known.weights != packages.WEIGHTS


def available(key: str) -> SeparatorError | None:
    """None where the weights of `key` lie in place, else what is missing. Looks at names and sizes only."""
    asked = spec(key)
    try:
        if asked.weights != packages.WEIGHTS:
            weights_of(asked).check_present()
    except SeparatorError as error:
        return error
    return None


def weights_sha256(key: str) -> dict[str, str]:
    """Of every file that `key` would run with now, by name, without loading anything; empty where that is not known."""
    try:
        asked = spec(key)
        return {} if asked.weights == packages.WEIGHTS else weights_of(asked).sha256()
    except SeparatorError:
        return {}


def get(key: str) -> Separator:
    """The separator, loaded at the first call of this process and kept, until `STEMMOS_LOADED_MODELS` others (3) have
    been asked for since: then it leaves before the next one is loaded.

    Raises `UnknownSeparator`, `WeightsMissing` or `WeightsMismatch`; after a failure the next call tries again.
    """
    asked = spec(key)
    with _loading:
        separator = _loaded.pop(key, None)
        if separator is None:
            _make_room(max(1, int(os.environ.get("STEMMOS_LOADED_MODELS", "3"))) - 1)
            separator = _made(asked)
        _loaded[key] = separator
        return separator


def _make_room(kept: int) -> None:
    """Let go of all but the `kept` that were asked for last."""
    for key in list(_loaded)[: max(0, len(_loaded) - kept)]:
        del _loaded[key]
        gc.collect()  # models refer to themselves


def _made(asked: SeparatorSpec) -> Separator:
    """A separator of another package is made from its row alone: it answers for its weights itself."""
    module, name = asked.implementation.split(":")
    implementation: Any = getattr(importlib.import_module(module), name)
    made: Separator = (
        implementation(asked) if asked.weights == packages.WEIGHTS else implementation(asked, weights_of(asked))
    )
    return made
