"""A stock Firefox, driven by its own remote protocol (Marionette): just what a bench needs of it.

Playwright drives a Firefox of its own making, which has to be downloaded from its makers, or a stock one of version 143
or later (WebDriver BiDi with `network.addDataCollector`); Debian's is an ESR. Marionette is in every Firefox and needs
no driver beside it: a TCP connection, messages of JSON with their length in front, WebDriver's commands by their names.
https://firefox-source-docs.mozilla.org/testing/marionette/Protocol.html
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the name that WebDriver gives to a reference (section 12.1)
START_SECONDS = 60.0
WAIT_SECONDS = 30.0
QUIET = {  # nothing is asked of the browser's maker, and nothing stands in the way
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "app.update.auto": False,
    "app.normandy.enabled": False,
    "services.settings.server": "data:,",
    "browser.startup.page": 0,
    "media.volume_scale": "0.0",
    "media.autoplay.default": 0,
    "media.autoplay.blocking_policy": 0,
    "intl.accept_languages": "en-GB, en",
}


class FirefoxError(RuntimeError):
    """What Firefox answered instead of a result."""


class Firefox:
    def __init__(self, connection: socket.socket) -> None:
        self._stream = connection.makefile("rwb")
        self._number = 0
        self._read()  # it says who it is
        self.version = str(self.ask("WebDriver:NewSession", {})["capabilities"]["browserVersion"])

    def ask(self, command: str, parameters: dict[str, Any]) -> Any:
        """The result of one of WebDriver's commands. Raises FirefoxError."""
        self._number += 1
        message = json.dumps([0, self._number, command, parameters]).encode()
        self._stream.write(b"%d:%s" % (len(message), message))
        self._stream.flush()
        _kind, _number, error, result = self._read()
        if error:
            raise FirefoxError(f"{command}: {error['message']}")
        return result

    def _read(self) -> Any:
        length = b""
        while (byte := self._stream.read(1)) != b":":
            if not byte:
                raise FirefoxError("the connection ended")
            length += byte
        return json.loads(self._stream.read(int(length)))

    # ── what is done with it ──

    def go(self, address: str) -> None:
        self.ask("WebDriver:Navigate", {"url": address})

    def cookie(self, name: str, value: str) -> None:
        """For the site of the page that is shown."""
        self.ask("WebDriver:AddCookie", {"cookie": {"name": name, "value": value, "path": "/"}})

    def run(self, script: str) -> Any:
        """What the function body `script` returns."""
        return self.ask("WebDriver:ExecuteScript", {"script": script, "args": []})["value"]

    def click(self, selector: str) -> None:
        """As a person does it: at its place on the screen, and with what browsers grant after a touch."""
        found = self.ask("WebDriver:FindElement", {"using": "css selector", "value": selector})["value"]
        self.ask("WebDriver:ElementClick", {"id": found[ELEMENT]})

    def until(self, condition: str) -> None:
        """Waits for an expression to be true."""
        deadline = time.monotonic() + WAIT_SECONDS
        while not self.run(f"return Boolean({condition});"):
            if time.monotonic() > deadline:
                raise FirefoxError(f"not within {WAIT_SECONDS:g} s: {condition}")
            time.sleep(0.02)


def firefox_program() -> str | None:
    return shutil.which("firefox-esr") or shutil.which("firefox")


@contextmanager
def firefox() -> Iterator[Firefox]:
    """The machine's own, without a window, with a profile of its own."""
    path = firefox_program()
    if path is None:
        raise FileNotFoundError("there is no Firefox here")
    with tempfile.TemporaryDirectory() as profile:
        port = _free_port()
        settings = {**QUIET, "marionette.port": port}
        lines = (f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in settings.items())
        (Path(profile) / "user.js").write_text("".join(lines))
        command = [path, "--headless", "--marionette", "--no-remote", "--profile", profile]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            with _connected(port, process) as connection:
                yield Firefox(connection)
        finally:
            process.terminate()
            process.wait(30)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _connected(port: int, process: subprocess.Popen[bytes]) -> socket.socket:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=120)
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.2)
