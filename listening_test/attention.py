"""Signs that somebody does not listen, and when to say a kind word. Nothing is dropped: what counts against a listener
is for the analysis to say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from listening_test.controls import DEGRADED_ANCHOR, MIXTURE_ANCHOR
from listening_test.scales import ScaleKey

SAME_ANSWERS = 16  # eight clips in a row alike on both scales, or sixteen on one, are no coincidence
FAST_SECONDS = 0.6  # for each answer: reading five words and choosing takes longer
FAST_OF, FAST_MOST = 5, 3  # of the last five clips, so many fast ones: one may be a network that held answers back

ANCHORED: Mapping[str, str] = {MIXTURE_ANCHOR: ScaleKey.CONTAMINATION, DEGRADED_ANCHOR: ScaleKey.QUALITY}
"""The scale on which an anchor is the worst there can be."""


@dataclass(frozen=True)
class Rated:
    """One finished trial.

    `values`: scale -> answer. `seconds`: from the end of the first hearing to the last answer, by the server's clock;
    None where that is not known. `instructed`: the answer that an attention check asked for.
    """

    values: Mapping[str, int]
    seconds: float | None = None
    instructed: int | None = None

    @property
    def is_fast(self) -> bool:
        return self.seconds is not None and self.seconds < FAST_SECONDS * len(self.values)

    @property
    def is_trap(self) -> bool:
        return self.instructed is not None

    @property
    def failed_trap(self) -> bool:
        return self.is_trap and any(value != self.instructed for value in self.values.values())


def is_to_be_told(rated: Sequence[Rated]) -> bool:
    """Whether it is time, after the last of these, to ask the listener kindly to take the time to listen.

    A low reference or a high anchor is no reason: whoever hears it so is right to say so.
    """
    if not rated:
        return False
    clips = [trial for trial in rated if not trial.is_trap]
    alike = _runs(clips)[-1] * len(clips[-1].values) if clips else 0
    fast = sum(trial.is_fast for trial in rated[-FAST_OF:])
    return rated[-1].failed_trap or alike >= SAME_ANSWERS or fast >= FAST_MOST


def _runs(clips: Sequence[Rated]) -> list[int]:
    """For each clip, how many up to it have had its very answers, on the scales that both were asked on."""
    runs: list[int] = []
    for place, trial in enumerate(clips):
        same = place > 0 and dict(clips[place - 1].values) == dict(trial.values)
        runs.append(runs[-1] + 1 if same else 1)
    return runs
