"""What is known of the device a listener uses: enough to explain odd results, too little to recognise anyone. Pure."""

from __future__ import annotations

import math
import re
from dataclasses import asdict, dataclass
from typing import Any

# The order matters: most browsers also call themselves Chrome or Safari.
BROWSERS = (
    ("edge", re.compile(r"\bEdg(e|A|iOS)?/")),
    ("opera", re.compile(r"\b(OPR|Opera)/")),
    ("samsung", re.compile(r"\bSamsungBrowser/")),
    ("firefox", re.compile(r"\b(Firefox|FxiOS)/")),
    ("chrome", re.compile(r"\b(Chrome|CriOS|Chromium|HeadlessChrome)/")),
    ("safari", re.compile(r"\bSafari/")),
)


@dataclass(frozen=True)
class DeviceFacts:
    """Rate of the audio output in Hz, its delay in seconds (None where the browser does not say), and its family."""

    sample_rate: int
    output_latency: float | None
    browser: str

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def browser_family(user_agent: str) -> str:
    return next((name for name, pattern in BROWSERS if pattern.search(user_agent)), "other")


def latency_or_none(value: float | None) -> float | None:
    """Browsers that do not know their delay say nothing, 0, or no number."""
    return round(value, 4) if value is not None and math.isfinite(value) and value > 0 else None
