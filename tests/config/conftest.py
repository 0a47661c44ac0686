"""A PostgreSQL server for the tests that are marked `postgres`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.config.postgres import postgres, programs
from tests.needs import absent


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    folder = programs()
    if folder is None:
        absent("PostgreSQL's server programs are not installed here")
    with postgres(folder) as url:
        yield url
