"""The examples and practice clips of every study: what is done to a source, and what is right to answer. Pure.

Training should hold about five clips over the whole range of each scale (Rec. ITU-T P.808, section 6.3.5; ITU-R
BS.1534-3, section 5): the two ends are played as examples, with their answers; then practice clips have both ends
again and the middle of each scale, so that an answer can be told to be far from what was done to the clip. Ranges are
wide: what is right in practice is that worst is heard as worst, and none of it enters a result.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from audio.degradations import HEAVY, MIDDLE, Distortion

OTHERS_AS_LOUD_DB = 0.0
"""Of the other sources against the source's own level: "very much"."""

OTHERS_FAINT_DB = -15.0
"""Behind the source, and heard by whoever listens for them."""


@dataclass(frozen=True)
class Example:
    """What is done to a source, and the lowest and highest answers that fit it, by scale."""

    name: str
    distortion: Distortion | None = None
    others_db: float | None = None
    expected: dict[str, list[int]] = field(default_factory=dict)


EXAMPLES = (
    Example("clean"),
    Example("distorted", distortion=HEAVY),
    Example("alone"),
    Example("contaminated", others_db=OTHERS_AS_LOUD_DB),
)
"""In the order of `Clip.Role`."""

PRACTICE = (
    Example("worst quality", distortion=HEAVY, expected={"quality": [1, 2], "contamination": [3, 5]}),
    Example("middle quality", distortion=MIDDLE, expected={"quality": [2, 4], "contamination": [3, 5]}),
    Example("best of both", expected={"quality": [4, 5], "contamination": [4, 5]}),
    Example("middle contamination", others_db=OTHERS_FAINT_DB, expected={"quality": [3, 5], "contamination": [2, 4]}),
    Example("worst contamination", others_db=OTHERS_AS_LOUD_DB, expected={"quality": [2, 5], "contamination": [1, 2]}),
)
