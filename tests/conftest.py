"""What every test stands on: its own media folder, no broker, plain static files, a researcher."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.test import Client
from django.utils import translation
from hypothesis import settings as hypothesis_settings
from pytest_django import Settings

from config.celery import app

# The same examples at every run, so that nothing fails by chance: HYPOTHESIS_PROFILE=search draws others, more of them,
# and remembers what failed. A busy machine is no failure.
hypothesis_settings.register_profile("same", deadline=None, derandomize=True)
hypothesis_settings.register_profile("search", deadline=None, max_examples=1_000)
hypothesis_settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """SQLite as a file, as it is in service: threads and processes share it, with WAL and its locks."""
    database: dict[str, Any] = django_settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        database["TEST"]["NAME"] = str(tmp_path_factory.mktemp("database") / "test.sqlite3")


@pytest.fixture(scope="session", autouse=True)
def broker() -> None:
    """Messages go into this process's memory, where nobody reads them: tests call the services themselves."""
    app.conf.broker_url = "memory://"


@pytest.fixture(autouse=True)
def media(settings: Settings, tmp_path: Path) -> Path:
    """The folder of stored files, empty at the start of each test."""
    folder, temporary, static = tmp_path / "media", tmp_path / "run", tmp_path / "static"
    for each in (folder, temporary, static):
        each.mkdir()
    settings.MEDIA_ROOT, settings.FILE_UPLOAD_TEMP_DIR, settings.STATIC_ROOT = folder, temporary, static
    settings.RESULTS_ROOT = tmp_path / "results"
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return folder


@pytest.fixture(autouse=True)
def language() -> Iterator[None]:
    """Each test starts in the default language, whatever the one before has visited."""
    translation.deactivate()
    yield
    translation.deactivate()


@pytest.fixture
def researcher(db: None) -> User:
    return User.objects.create_user("researcher", password="a long password", is_staff=True)


@pytest.fixture
def researcher_client(client: Client, researcher: User) -> Client:
    """Logged in. Pages come in Spanish unless `Accept-Language` asks for English."""
    client.force_login(researcher, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def english(researcher_client: Client) -> Client:
    researcher_client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return researcher_client
