"""PostgreSQL by `DATABASE_URL`: the same migrations, constraints, services and server as on SQLite."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.config.running import ROOT, RunningServer

pytestmark = pytest.mark.postgres

# What writes, counts, locks and constrains; pages and sounds do not care which database is below.
SUBSET = ("tests/separation", "tests/listening_test")
PURE = "archives objective pace stem_names stem_writing"
PAGES = "import_doors measurement_pages serving systems_page upload weights_command"
OWN_PROCESSES = "real_separators survival"
LISTENING_PURE = "attention design device flow pauses questionnaire sealing simulation stimulus"
LISTENING_SOUNDS = "blindness controls demo examples loudness_rule suggestion"
LISTENING_PAGES = "forged_requests languages listener_pages questions_asked researcher_pages study_options"
LEFT_OUT = [
    "tests/separation/separators",
    *(f"tests/separation/test_{name}.py" for name in f"{PURE} {PAGES} {OWN_PROCESSES}".split()),
    *(
        f"tests/listening_test/test_{name}.py"
        for name in f"{LISTENING_PURE} {LISTENING_SOUNDS} {LISTENING_PAGES}".split()
    ),
]


def run(*command: str, url: str, home: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "DATABASE_URL": url, "STEMMOS_HOME": str(home)}
    return subprocess.run([sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True)


def test_every_migration_applies_and_leaves_nothing_to_do(postgres_url: str, tmp_path: Path) -> None:
    migrated = run("manage.py", "migrate", "--verbosity", "0", url=postgres_url, home=tmp_path)
    assert migrated.returncode == 0, migrated.stderr
    assert run("manage.py", "migrate", "--check", url=postgres_url, home=tmp_path).returncode == 0


@pytest.mark.timeout(1800)  # each is a whole run of tests
@pytest.mark.parametrize("subset", SUBSET)
def test_services_and_constraints_hold(postgres_url: str, tmp_path: Path, subset: str) -> None:
    assert all((ROOT / place).exists() for place in LEFT_OUT)
    ignored = [f"--ignore={place}" for place in LEFT_OUT]
    done = run(
        *("-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not browser and not postgres", *ignored, subset),
        url=postgres_url,
        home=tmp_path,
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert " passed" in done.stdout.splitlines()[-1]


def test_the_whole_service_runs_on_it(postgres_url: str, tmp_path: Path) -> None:
    server = RunningServer(tmp_path, environment={"DATABASE_URL": postgres_url})
    try:
        server.wait_until_ready()
        assert server.get("/health/")[0] == 200
        assert not (tmp_path / "db.sqlite3").exists()
    finally:
        assert server.stop() == 0
