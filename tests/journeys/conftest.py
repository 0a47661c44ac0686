"""What a journey needs: a real Chromium, and the real service with its real worker."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.config.running import RunningServer
from tests.needs import absent, chromium

# Playwright's own event loop runs in the thread of the tests from the first journey to the end of the session, and
# Django would refuse the database to every later test there.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

expect.set_options(timeout=20_000)  # ms; a busy machine is no failure, and who waits for what comes waits no longer


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """The system's Chromium, kept from looking for its maker's servers."""
    path = chromium()
    if path is None:
        absent("there is no Chromium here")
    arguments = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]
    arguments += ["--disable-quic", "--mute-audio"]
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")  # as root Chromium starts only without it
    return {**browser_type_launch_args, "executable_path": path, "args": arguments}


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """The whole service, without the demo study. `base_url`, `username` and `password` are what a researcher has."""
    failed_before = request.session.testsfailed
    running = RunningServer(tmp_path_factory.mktemp("service") / "home")
    try:
        running.wait_until_ready()
        yield running
    finally:
        status = running.stop()
        if request.session.testsfailed > failed_before:
            print(running.report())
    assert status == 0, "the service did not end in order"


@pytest.fixture
def signed_in(browser: Browser, live_server: LiveServer, researcher: User) -> Iterator[Page]:
    """A researcher's page, in English, on which no script may fail."""
    client = Client()
    client.force_login(researcher, backend="django.contrib.auth.backends.ModelBackend")
    context = browser.new_context(base_url=live_server.url, locale="en-GB")
    cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}
    context.add_cookies([cookie])  # type: ignore[list-item]
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    yield page
    context.close()
    assert errors == []
