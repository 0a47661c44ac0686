"""A listener's pages are light: 60 kB without the sound, as they come from the real web server."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.config.running import ROOT, free_port
from tests.needs import absent, chromium

pytestmark = pytest.mark.browser

MOST_BYTES = 60_000


def test_every_page_weighs_less_than_sixty_kilobytes() -> None:
    if chromium() is None:
        absent("there is no Chromium here")
    command = [sys.executable, "-m", "bench.first_page", "--weights", "--json", "--port", str(free_port())]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    pages = json.loads(done.stdout.splitlines()[-1])["pages"]
    assert len(pages) >= 10
    assert {name: page["bytes"] for name, page in pages.items() if page["bytes"] > MOST_BYTES} == {}
    assert all(page["bytes"] > 5_000 for page in pages.values())  # it is the pages that are weighed
