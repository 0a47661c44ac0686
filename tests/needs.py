"""What some tests need from the machine, and what happens where it is not there."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import NoReturn

import pytest

BROWSERS = (
    "chromium",
    "google-chrome",
    "google-chrome-stable",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "chromium-browser",  # Ubuntu's only asks for a snap, unless that is there
)


def chromium() -> str | None:
    return next((path for path in map(shutil.which, BROWSERS) if path and starts(path)), None)


def starts(path: str) -> bool:
    return subprocess.run([path, "--version"], capture_output=True).returncode == 0


def absent(reason: str) -> NoReturn:
    """CI has to have everything; elsewhere the summary names what was skipped."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
