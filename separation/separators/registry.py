"""Every separator that can be run, by key. Importing this costs nothing; a model is loaded when first asked for."""

from __future__ import annotations

import importlib
from threading import Lock

from separation.separators.base import Separator, SeparatorError, SeparatorSpec
from separation.separators.weights import weights_of

SOURCES = ("vocals", "drums", "bass", "other")

_OPENUNMIX = "separation.separators.openunmix:OpenUnmixSeparator"
_SPLEETER = "separation.separators.spleeter:SpleeterSeparator"
_DEMUCS = "separation.separators.demucs:DemucsSeparator"

_SPECS = {
    spec.key: spec
    for spec in (
        SeparatorSpec("umxhq", "Open-Unmix umxhq", "openunmix", "published", SOURCES, _OPENUNMIX),
        SeparatorSpec("spleeter:4stems", "Spleeter 4stems", "spleeter", "published", SOURCES, _SPLEETER),
        SeparatorSpec("htdemucs", "HTDemucs", "demucs", "published", SOURCES, _DEMUCS),
        SeparatorSpec("umx:demo", "Open-Unmix demo", "openunmix", "demo", SOURCES, _OPENUNMIX),
        SeparatorSpec("spleeter:demo", "Spleeter demo", "spleeter", "demo", SOURCES, _SPLEETER),
        SeparatorSpec("htdemucs:demo", "HTDemucs demo", "demucs", "demo", SOURCES, _DEMUCS),
    )
}

_loaded: dict[str, Separator] = {}
_loading = Lock()


class UnknownSeparator(SeparatorError):
    """No separator has this key. params: `key`."""

    code = "unknown_separator"


def all_specs() -> tuple[SeparatorSpec, ...]:
    """Every separator, published weights first."""
    return tuple(_SPECS.values())


def spec(key: str) -> SeparatorSpec:
    """Raises `UnknownSeparator`."""
    if key not in _SPECS:
        raise UnknownSeparator(f"no separator is called {key!r}; there are {', '.join(_SPECS)}", key=key)
    return _SPECS[key]


def available(key: str) -> SeparatorError | None:
    """None where the weights of `key` lie in place, else what is missing. Looks at names and sizes only."""
    try:
        weights_of(spec(key)).check_present()
    except SeparatorError as error:
        return error
    return None


def get(key: str) -> Separator:
    """The separator, loaded at the first call of this process and kept.

    Raises `UnknownSeparator`, `WeightsMissing` or `WeightsMismatch`; after a failure the next call tries again.
    """
    asked = spec(key)
    with _loading:
        if key not in _loaded:
            module, name = asked.implementation.split(":")
            implementation = getattr(importlib.import_module(module), name)
            _loaded[key] = implementation(asked, weights_of(asked))
        return _loaded[key]
