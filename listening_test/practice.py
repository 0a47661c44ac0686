"""What is said to an answer of the practice. The right answers come from how a practice clip was made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from listening_test.scales import HIGHEST, LOWEST, Scale

FITS, LOWER, HIGHER, FREE = "fits", "lower", "higher", "free"


@dataclass(frozen=True)
class Feedback:
    """To one answer: on which scale, what was chosen, from where to where answers fit, and how it lies to them.

    `kind`: "fits", "lower" or "higher" than what fits, "free" where the clip was not made for this scale.
    """

    scale: Scale
    value: int
    least: int
    most: int
    kind: str


def feedback(
    expected: Mapping[str, tuple[int, int]], values: Mapping[str, int], scales: Mapping[str, Scale]
) -> list[Feedback]:
    """To all answers to one clip, in their order. `expected`: scale -> [lowest, highest] that fits."""
    return [_feedback(scales[scale], expected.get(scale), value) for scale, value in values.items()]


def _feedback(scale: Scale, fitting: tuple[int, int] | None, value: int) -> Feedback:
    if fitting is None:
        return Feedback(scale, value, LOWEST, HIGHEST, FREE)
    least, most = fitting
    kind = LOWER if value < least else HIGHER if value > most else FITS
    return Feedback(scale, value, least, most, kind)


def expected_value(fitting: tuple[int, int] | None) -> int:
    """An answer that fits."""
    least, most = fitting or (LOWEST, HIGHEST)
    return (least + most) // 2
