"""What is noted of the device."""

from __future__ import annotations

import math

import pytest

from listening_test.device import browser_family, latency_or_none

MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)"
CHROME = f"{MAC} AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"


@pytest.mark.parametrize(
    ("user_agent", "family"),
    [
        (CHROME, "chrome"),
        (f"{CHROME} Edg/130.0.0.0", "edge"),
        (f"{CHROME} OPR/115.0.0.0", "opera"),
        (f"{MAC} AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15", "safari"),
        ("Mozilla/5.0 (iPhone) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/130.0 Mobile Safari/604.1", "chrome"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0", "firefox"),
        ("Mozilla/5.0 (Android) Chrome/130 SamsungBrowser/26.0 Mobile Safari/537.36", "samsung"),
        ("curl/8", "other"),
        ("", "other"),
    ],
)
def test_browsers_are_told_by_family(user_agent: str, family: str) -> None:
    assert browser_family(user_agent) == family


@pytest.mark.parametrize(("value", "kept"), [(0.023456, 0.0235), (0, None), (None, None), (math.nan, None)])
def test_an_unknown_delay_is_none(value: float | None, kept: float | None) -> None:
    assert latency_or_none(value) == kept
