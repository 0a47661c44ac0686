"""What the three separators share: weights verified before they are loaded, input checked, time taken, the run told."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any, ClassVar

import numpy as np

from separation.separators.base import (
    EXACT,
    Audio,
    Mixture,
    Progress,
    Ran,
    Separation,
    Separator,
    SeparatorSpec,
    Sink,
    Span,
)
from separation.separators.freed_memory import give_back, keep_freed
from separation.separators.mixture import ArrayMixture, CheckedMixture, checked_mixture, checked_spans
from separation.separators.weights import WeightsSet


class PackagedSeparator(Separator):
    """A separator whose model and code come from a package, and whose weights lie in files.

    It works in pieces: memory does not grow with the song, and of a part of a song only what the part needs is run.
    """

    package: ClassVar[str]
    part_way: ClassVar[str]  # how it separates a part of a song, see `base.Ran.way`

    def __init__(self, spec: SeparatorSpec, weights: WeightsSet) -> None:
        """Raises `WeightsMissing` or `WeightsMismatch`."""
        super().__init__(spec)
        self._weights = weights
        self._sha256 = weights.verify()
        keep_freed()
        self._device = self._load()

    def separate(self, mixture: Audio, progress: Progress = lambda done: None) -> Separation:
        checked = checked_mixture(mixture)
        samples = checked.shape[1]
        stems = {source: np.empty((2, samples), dtype=np.float32) for source in self.spec.sources}

        def keep(start: int, pieces: dict[str, Audio]) -> None:
            for source, piece in pieces.items():
                stems[source][:, start : start + piece.shape[1]] = piece

        return Separation(stems, self.run(ArrayMixture(checked), [(0, samples)], keep, progress))

    def run(self, mixture: Mixture, spans: Sequence[Span], sink: Sink, progress: Progress = lambda done: None) -> Ran:
        song, parts = CheckedMixture(mixture), checked_spans(spans, mixture.samples)
        given = _Timed(sink, self.spec.sources)
        progress(0.0)
        began = time.perf_counter()
        try:
            self._separate(song, parts, given, progress)
        finally:
            give_back()
        seconds = time.perf_counter() - began - given.seconds
        progress(1.0)
        return self._ran(seconds, "whole" if parts == [(0, song.samples)] else self.part_way)

    def identity(self) -> dict[str, Any]:
        return {
            "separator": self.spec.base_key,
            "package": self.package,
            "version": version(self.package),
            "weights": self._sha256,
            "precision": self._precision(),
            "device": self._device if self._precision() != EXACT else "",  # exact results agree to rounding
            "settings": self._settings(),
        }

    @abstractmethod
    def _load(self) -> str:
        """Load the verified weights and return the device, "cpu" or "cuda:0 (NVIDIA …)". Raises `WeightsMismatch`."""

    @abstractmethod
    def _separate(self, song: CheckedMixture, spans: list[Span], sink: Sink, progress: Progress) -> None:
        """Give `sink` the stems of `spans` piece by piece; `progress` is called at least every second or so."""

    def _precision(self) -> str:
        """What the samples are computed in, which is exact also where nothing is faster on this device."""
        return self.spec.precision

    def _settings(self) -> dict[str, Any]:
        """What else decides the samples, for the record. JSON."""
        return {}

    def _notes(self) -> dict[str, Any]:
        """What was found out while running, for the record. JSON."""
        return {}

    def _ran(self, seconds: float, way: str) -> Ran:
        return Ran(
            separator=self.spec.key,
            package=self.package,
            package_version=version(self.package),
            weights=self.spec.weights,
            weights_origin=self._weights.origin,
            weights_sha256=self._sha256,
            device=self._device,
            seconds=seconds,
            precision=self.spec.precision,
            way=way,
            settings={**self._settings(), **self._notes()},
        )


class _Timed:
    """A sink whose own time does not count as separation, and which is given the sources in the spec's order."""

    def __init__(self, sink: Sink, sources: tuple[str, ...]) -> None:
        self._sink, self._sources = sink, sources
        self.seconds = 0.0

    def __call__(self, start: int, stems: dict[str, Audio]) -> None:
        began = time.perf_counter()
        self._sink(start, {source: stems[source] for source in self._sources})
        self.seconds += time.perf_counter() - began
