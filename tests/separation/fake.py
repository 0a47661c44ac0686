"""A separator without a model, put in the place of the real ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from separation.separators import registry
from separation.separators.base import Audio, Progress, Ran, Separation, Separator

Behaviour = Callable[[Audio, Progress], None]


def nothing(mixture: Audio, progress: Progress) -> None:
    progress(0.5)
    progress(1.0)


class FakeSeparator(Separator):
    """Each source gets its share of the mixture. `behaviour` runs in the middle of the separation; it may raise."""

    behaviour: Behaviour = staticmethod(nothing)
    heard: list[Audio]
    weights = "ab" * 32
    origin = "here"

    def separate(self, mixture: Audio, progress: Progress = lambda done: None) -> Separation:
        self.heard = [*getattr(self, "heard", []), mixture]
        self.behaviour(mixture, progress)
        shares = np.linspace(0.4, 0.1, len(self.spec.sources)).astype(np.float32)
        stems = {source: mixture * share for source, share in zip(self.spec.sources, shares, strict=True)}
        return Separation(stems, self.ran())

    def ran(self) -> Ran:
        hashes = {"vocals.pth": self.weights}
        return Ran(self.spec.key, "fake", "1.0", self.spec.weights, self.origin, hashes, "cpu", 0.1)

    def identity(self) -> dict[str, Any]:
        return {"package": "fake", "weights": self.weights}


def fake_separator(monkeypatch: pytest.MonkeyPatch, behaviour: Behaviour = nothing) -> FakeSeparator:
    """From now on, every key of the registry gives this separator."""
    fake = FakeSeparator(registry.spec("umx:demo"))
    fake.behaviour = behaviour  # type: ignore[method-assign]
    monkeypatch.setattr(registry, "get", lambda key: fake)
    return fake
