"""The contract every separator keeps: a mixture goes in, one stem per source comes out, with what ran.

Django-free, and free of torch and TensorFlow: importing this module costs nothing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

SAMPLE_RATE = 44_100
"""Hz. Every separator takes and returns audio at this rate."""

Audio = npt.NDArray[np.float32]
"""float32 `[channels, samples]`; full scale is ±1, but values beyond it are kept, never clipped."""

Progress = Callable[[float], None]
"""Called with the share done, 0.0–1.0, never backwards. It may raise to stop the work (cancellation)."""


class SeparatorError(Exception):
    """A separation that cannot be done. `code` is stable and short; the message is for the log.

    `permanent` errors are never retried: trying again cannot help. `params` fill the sentence that the
    person reads (see `separation.messages`).
    """

    code = "separation_failed"
    permanent = True

    def __init__(self, message: str, **params: str) -> None:
        super().__init__(message)
        self.params = params


class WeightsMissing(SeparatorError):
    """A weights file is not there. params: `file`, `folder`, `how` (the command that brings it)."""

    code = "weights_missing"


class WeightsMismatch(SeparatorError):
    """A weights file is there but is not the one named (hash, names, shapes). params: as `WeightsMissing`."""

    code = "weights_mismatch"


class BadMixture(SeparatorError):
    """The mixture is not float32 `[2, samples]`, is too short, or holds NaN or infinity."""

    code = "bad_mixture"


@dataclass(frozen=True)
class SeparatorSpec:
    """One row of the registry: a pretrained model variant that can be run."""

    key: str  # e.g. "umxhq", "spleeter:4stems", "htdemucs", "htdemucs:demo"
    name: str  # what a person reads, e.g. "Open-Unmix umxhq"
    family: str  # "openunmix" | "spleeter" | "demucs"
    weights: str  # "published" | "demo"
    sources: tuple[str, ...]  # e.g. ("vocals", "drums", "bass", "other")
    implementation: str  # dotted path "package.module:Class", imported on first use

    @property
    def is_demo(self) -> bool:
        return self.weights == "demo"


@dataclass(frozen=True)
class Ran:
    """What ran, kept with the job so that the numbers can be repeated."""

    separator: str
    package: str
    package_version: str
    weights: str  # "published" | "demo"
    weights_origin: str  # where the files came from: a folder of this installation or a URL
    weights_sha256: dict[str, str]  # file name -> sha256 of the whole file
    device: str  # "cpu" or "cuda:0 (NVIDIA …)"
    seconds: float  # wall time of the separation alone, without loading the weights

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Separation:
    stems: dict[str, Audio]  # source -> [2, samples], as long as the mixture
    ran: Ran


class Separator(ABC):
    """A loaded model. Made once per worker process and kept (see `registry.get`)."""

    def __init__(self, spec: SeparatorSpec) -> None:
        self.spec = spec

    @abstractmethod
    def separate(self, mixture: Audio, progress: Progress = lambda done: None) -> Separation:
        """Separate one mixture.

        `mixture`: float32 `[2, samples]` at 44.1 kHz, at least 0.1 s long. Returns one float32
        `[2, samples]` array for each of `spec.sources`. The same mixture gives the same stems.
        Raises `BadMixture` for anything else, and whatever `progress` raises.
        """
