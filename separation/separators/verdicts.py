"""Whether a separator can run, in one word."""

from __future__ import annotations

from separation.separators.base import SeparatorError, SeparatorSpec
from separation.separators.weights import weights_of
from separation.separators.weights.verifying import state_of


def verdict_of(spec: SeparatorSpec, problem: SeparatorError | None) -> str:
    """ "ready" where there is no problem (`registry.available`), else "missing", "partial" or "wrong"."""
    if problem is None:
        return "ready"
    return "missing" if spec.is_demo else state_of(weights_of(spec))
