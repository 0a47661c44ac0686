"""The real service computes the results of a large study behind the page, and adds what new listeners say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.config.running import ROOT, UNWANTED, RunningServer, until

PATIENCE = 180.0


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    running = RunningServer(tmp_path / "home")
    try:
        running.wait_until_ready()
        yield running
    finally:
        running.stop()


def filler(server: RunningServer, *what: str) -> dict[str, str]:
    environment = {name: value for name, value in os.environ.items() if name not in UNWANTED}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.analysis.large_study", *what],
        cwd=ROOT,
        env={**environment, "STEMMOS_HOME": str(server.home), "LOG_LEVEL": "ERROR"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_results_of_a_large_study_come_and_follow_new_ratings(server: RunningServer) -> None:
    made = filler(server, "fill")
    headers = {"Cookie": f"sessionid={made['session']}", "Accept-Language": "en"}

    def get(path: str) -> str:
        asked = urllib.request.Request(server.base_url + path, headers=headers)
        with urllib.request.urlopen(asked, timeout=30) as answer:
            body: str = answer.read().decode()
        return body

    def page() -> str:
        return get(f"/studies/{made['study']}/results/")

    def state() -> dict[str, Any]:
        found: dict[str, Any] = json.loads(get(f"/api/v1/studies/{made['study']}/results/state/"))
        return found

    assert "The results are being computed" in page()
    until(lambda: state()["shown"] != "", seconds=PATIENCE, what=f"a first report\n{server.report()}")
    assert "Which system sounds best" in page() and "3024 ratings from 84 sessions" in page()
    filler(server, "listener", made["study"])
    assert state()["news"] == "36 new ratings are being added." and "3024 ratings" in page()
    until(lambda: state()["news"] == "", seconds=PATIENCE, what=f"the new ratings\n{server.report()}")
    assert "3060 ratings from 85 sessions" in page()
