"""A bad network between a browser and the service: it drops, delays, breaks and loses, by a seeded choice, and counts.

It stands outside of the browser, so that what the page meets is what a page meets: connections that end.
"""

from __future__ import annotations

import http.client
import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import closing, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

DROPPED, ERROR, LOST, HALF, SLOW = "dropped request", "error 500", "lost response", "half a response", "slow"
SLOW_SECONDS = (0.3, 1.2)
HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}  # of this connection, not of the message


class BadNetwork:
    """`faults`: share of the API's requests that meet each of them; `delay`: seconds for every request there is.
    `offline` ends every connection."""

    def __init__(self, port: int, *, faults: Mapping[str, float], seed: int, delay: float = 0.0) -> None:
        self.port, self.faults, self.delay = port, dict(faults), delay
        self.offline = False
        self.met: Counter[str] = Counter()
        self.requests = 0
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def base_url(self) -> str:
        return f"http://localhost:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def fault(self, path: str) -> str:
        """What happens to this request; empty: nothing."""
        if not path.startswith("/api/"):
            return ""
        with self._lock:
            self.requests += 1
            chosen = self._chosen()
            if chosen:
                self.met[chosen] += 1
        return chosen

    def _chosen(self) -> str:
        if self.offline:
            return "offline"
        at = self._random.random()
        for name, share in self.faults.items():
            at -= share
            if at < 0:
                return name
        return ""

    def slowness(self) -> float:
        with self._lock:
            return self._random.uniform(*SLOW_SECONDS)


def _handler(network: BadNetwork) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            self.close_connection = True  # a browser repeats by itself what fails on a connection used before
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            fault = network.fault(self.path)
            time.sleep(network.delay + (network.slowness() if fault == SLOW else 0.0))
            if network.offline or fault in ("offline", DROPPED):
                return self.cut()
            if fault == ERROR:
                return self.answer(500, [("Content-Type", "text/plain")], b"trouble")
            try:
                status, headers, content = self.forwarded(body)
            except (OSError, http.client.HTTPException):
                network.met["server away"] += 1
                return self.cut()
            if fault == LOST or network.offline:
                return self.cut()
            try:
                return self.answer(status, headers, content, half=fault == HALF)
            except OSError:
                return None  # the page is gone

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = handle_any

        def forwarded(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
            with closing(http.client.HTTPConnection("127.0.0.1", network.port, timeout=30)) as connection:
                headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP}
                connection.request(self.command, self.path, body or None, headers)
                answer = connection.getresponse()
                return answer.status, answer.getheaders(), answer.read()

        def answer(self, status: int, headers: list[tuple[str, str]], content: bytes, *, half: bool = False) -> None:
            self.send_response_only(status)
            for name, value in headers:
                if name.lower() not in HOP:
                    self.send_header(name, value)
            if status != 204:
                self.send_header("Content-Length", str(len(content)))
            self.send_header("Connection", "close")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content[: len(content) // 2] if half else content)

        def cut(self) -> None:
            with suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: the test prints its figures."""

    return Handler
