"""What the three separators share: weights verified before they are loaded, input checked, time taken, the run told."""

from __future__ import annotations

import time
from abc import abstractmethod
from importlib.metadata import version
from typing import ClassVar

from separation.separators.base import Audio, Progress, Ran, Separation, Separator, SeparatorSpec
from separation.separators.mixture import checked_mixture
from separation.separators.weights import WeightsSet


class PackagedSeparator(Separator):
    """A separator whose model and code come from a package, and whose weights lie in files."""

    package: ClassVar[str]

    def __init__(self, spec: SeparatorSpec, weights: WeightsSet) -> None:
        """Raises `WeightsMissing` or `WeightsMismatch`."""
        super().__init__(spec)
        self._weights = weights
        self._sha256 = weights.verify()
        self._device = self._load()

    def separate(self, mixture: Audio, progress: Progress = lambda done: None) -> Separation:
        checked = checked_mixture(mixture)
        progress(0.0)
        began = time.perf_counter()
        stems = self._stems(checked, progress)
        seconds = time.perf_counter() - began
        progress(1.0)
        return Separation({source: stems[source] for source in self.spec.sources}, self._ran(seconds))

    @abstractmethod
    def _load(self) -> str:
        """Load the verified weights and return the device, "cpu" or "cuda:0 (NVIDIA …)". Raises `WeightsMismatch`."""

    @abstractmethod
    def _stems(self, mixture: Audio, progress: Progress) -> dict[str, Audio]:
        """The stems of a mixture that was found good; `progress` is called between 0 and 1 where possible."""

    def _ran(self, seconds: float) -> Ran:
        return Ran(
            separator=self.spec.key,
            package=self.package,
            package_version=version(self.package),
            weights=self.spec.weights,
            weights_origin=self._weights.origin,
            weights_sha256=self._sha256,
            device=self._device,
            seconds=seconds,
        )
