"""An HTTP server that gives files the way real ones fail: it drops connections, ignores ranges, is busy."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Server:
    """`drops`: for one request after the other, how many bytes to send before the connection is closed."""

    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    drops: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)  # answers before the first real one
    ignores_range: bool = False
    says_length: bool = True
    requests: list[str] = field(default_factory=list)  # "path range"


@contextmanager
def running_server() -> Iterator[Server]:
    server = Server()

    class Handler(_Handler):
        state = server

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        server.address = f"http://127.0.0.1:{http.server_port}"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield server
        http.shutdown()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    state: Server
    protocol_version = "HTTP/1.0"  # the end of the connection is the end of the answer

    def do_GET(self) -> None:
        wanted = self.headers.get("Range", "")
        self.state.requests.append(f"{self.path} {wanted}".strip())
        if self.state.statuses:
            self.send_error(self.state.statuses.pop(0))
        elif self.path not in self.state.files:
            self.send_error(404)
        else:
            self._give(self.state.files[self.path], wanted)

    def _give(self, content: bytes, wanted: str) -> None:
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and not self.state.ignores_range else 0
        if wanted and not self.state.ignores_range and start >= len(content):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(content)}")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        if self.state.says_length:
            self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        rest = content[start:]
        self.wfile.write(rest[: self.state.drops.pop(0)] if self.state.drops else rest)

    def log_message(self, *arguments: object) -> None:
        pass
