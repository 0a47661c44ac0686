"""A listener without a browser: asks for what the page asks for, waits as long as the sound lasts, and rates."""

from __future__ import annotations

import html
import http.client
import json
import re
import time
import uuid
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode, urlsplit

SCALES = ("quality", "contamination")
MOST_TRIES = 50


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def text(self) -> str:
        return self.body.decode()


@dataclass
class Visitor:
    """One listener with one connection that is kept open, and a list of how long each answer took."""

    base: str
    token: str
    timings: list[tuple[str, float]] = field(default_factory=list)  # door, seconds
    turned_away: int = 0  # 429
    cookies: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.connection = http.client.HTTPConnection(urlsplit(self.base).netloc, timeout=60)
        self.page, self.api = f"/s/{self.token}/", f"/api/v1/listen/{self.token}/"

    # ── asking ───────────────────────────────────────────────────────────────────────────────────────

    def ask(self, method: str, path: str, body: bytes | None = None, kind: str = "", door: str = "page") -> Answer:
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        headers |= {"Accept-Language": "en", "X-CSRFToken": self.cookies.get("csrftoken", "")}
        headers |= {"Content-Type": kind} if kind else {}
        began = time.perf_counter()
        response = self._response(method, path, body, headers)
        answer = Answer(response.status, dict(response.getheaders()), response.read())
        self.timings.append((door, time.perf_counter() - began))
        for line in response.headers.get_all("Set-Cookie") or []:
            self.cookies |= {name: morsel.value for name, morsel in SimpleCookie(line).items()}
        return answer

    def _response(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> http.client.HTTPResponse:
        """Once more where the server has closed the connection that was kept open, as a browser does."""
        try:
            self.connection.request(method, path, body, headers)
            return self.connection.getresponse()
        except (http.client.RemoteDisconnected, ConnectionError):
            self.connection.close()
            self.connection.request(method, path, body, headers)
            return self.connection.getresponse()

    def send(self, method: str, rest: str, body: Any = None, door: str = "api") -> Answer:
        """To the API; what comes too soon or too often is asked again, as the page does it."""
        data = b"" if body is None else json.dumps(body).encode()
        for _try in range(MOST_TRIES):
            answer = self.ask(method, self.api + rest, data, "application/json", door)
            if answer.status == 429:
                self.turned_away += 1
                self.timings.pop()
                time.sleep(float(answer.headers.get("Retry-After", 1)))
            elif answer.status == 409 and answer.json()["code"] == "too_soon":
                time.sleep(answer.json()["wait"] + 0.01)
            else:
                break
        if answer.status >= 400:
            raise RuntimeError(f"{method} {rest}: {answer.status} {answer.text()[:200]}")
        return answer

    def post(self, address: str, fields: dict[str, str]) -> Answer:
        data = urlencode({"csrfmiddlewaretoken": self.cookies.get("csrftoken", ""), **fields}).encode()
        answer = self.ask("POST", address, data, "application/x-www-form-urlencoded")
        if answer.status != 302:
            raise RuntimeError(f"{address}: {answer.status} {answer.text()[:2000]}")
        return answer

    # ── the visit ────────────────────────────────────────────────────────────────────────────────────

    def visit(self, value: int = 3, trials: int | None = None) -> str:
        """From the link to the completion code; or no further than `trials` trials."""
        while True:
            page = self.ask("GET", self.page).text()
            if code := re.search(r'id="completion-code">\s*([A-Z2-9]+)', page):
                return code[1]
            if 'id="trial"' in page:
                self.rate_all(value, trials)
                if trials is not None:
                    return ""
            else:
                self.listen_to_examples(page)
                self.post(self.step_address(page), answers(page))

    def step_address(self, page: str) -> str:
        """Where the form of the step leads."""
        found = re.findall(rf'<form[^>]* action="({re.escape(self.page)}[a-z]+/)"', page)
        if not found:
            raise RuntimeError(f"no way on from {re.sub(r'<[^>]*>', ' ', page)[:2000]}")
        return str(found[0])

    def listen_to_examples(self, page: str) -> None:
        for clip, heard in re.findall(r'data-clip="([^"]+)" data-heard-url="([^"]+)"', page):
            self.ask("GET", clip, door="clip")
            self.send("POST", heard.removeprefix(self.api))

    def rate_all(self, value: int, most: int | None) -> None:
        state = self.send("GET", "").json()
        self.ask("GET", state["trial"]["clip"], door="clip")
        done = 0
        while state["trial"] and done != most:
            state = self.rate(state["trial"], value)
            done += 1

    def rate(self, trial: dict[str, Any], value: int) -> dict[str, Any]:
        address, seconds = f"trials/{trial['position']}/", trial["seconds"]
        self.send("POST", address + "opened/", door="opened")
        began = time.monotonic()
        if trial["next_clip"]:
            self.ask("GET", trial["next_clip"], door="clip")  # while this one plays
        time.sleep(max(0.0, seconds - (time.monotonic() - began)))
        self.send("POST", address + "heard/", {"seconds": seconds, "plays": 1}, door="heard")
        for scale in trial.get("scales", SCALES):
            body = {"value": trial_value(trial, value), "key": str(uuid.uuid4()), "changes": 0}
            self.send("PUT", f"{address}ratings/{scale}/", body, door="rating")
        answer: dict[str, Any] = self.send("POST", address + "finish/", {}, door="finish").json()
        return answer


def trial_value(trial: dict[str, Any], value: int) -> int:
    return 1 + (value + trial["position"]) % 5


def answers(page: str) -> dict[str, str]:
    """The hidden fields of the step's form, and the first choice of every question with choices."""
    fields: dict[str, str] = {}
    for tag in re.findall(r"<input[^>]*>", page):
        given = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        if given.get("type") in ("hidden", "radio") and given.get("name") not in (None, "csrfmiddlewaretoken", "next"):
            fields.setdefault(html.unescape(given["name"]), html.unescape(given.get("value", "")))
    return fields
