"""Controls: conditions whose answer is known before anybody listens. They are systems of a study, made by the project.

The hidden reference is the true stem and should get 5 on both scales; the mixture presented as the stem is the worst
Contamination; the degraded stem the worst Quality (BS.1534's reasons for a hidden reference and anchors).
"""

from __future__ import annotations

from separation.selectors import REFERENCE

MIXTURE_ANCHOR = "anchor:mixture"
DEGRADED_ANCHOR = "anchor:degraded"
CONTROLS = (REFERENCE, MIXTURE_ANCHOR, DEGRADED_ANCHOR)
"""System keys, in the order in which they are shown."""


def is_control(system: str) -> bool:
    return system in CONTROLS
