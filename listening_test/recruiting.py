"""Recruiting platforms: what comes in with a listener's link, and where the listener is sent back to.

`study.platform` is empty, or holds

    {"kind": "prolific" | "other", "names": ["PROLIFIC_PID", …], "completed": "https://…", "screened_out": "https://…",
     "full": "https://…"}

`names` are the parameters of the link that are kept; the first says who takes part, so that somebody who comes twice
goes on instead of beginning another session. In an address `{code}` stands for the completion code and `{NAME}` for a
parameter that came in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlsplit

from listening_test.models.listener import ListeningSession
from listening_test.refusal import Refused

PROLIFIC, OTHER = "prolific", "other"
KINDS = (PROLIFIC, OTHER)
PROLIFIC_NAMES = ("PROLIFIC_PID", "STUDY_ID", "SESSION_ID")

COMPLETED, SCREENED_OUT, FULL = "completed", "screened_out", "full"
ENDINGS = (COMPLETED, SCREENED_OUT, FULL)

INVITATION = "i"  # the parameter of a link for one listener
TAKEN = {INVITATION, "lang", "code"}  # names that mean something else here
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")
MOST_NAMES, VALUE_MAX_LENGTH, ADDRESS_MAX_LENGTH = 6, 200, 500
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")

Parameters = Mapping[str, str]


# ── What comes in ───────────────────────────────────────────────────────────────────────────────────────────────────


def parameters_of(platform: Mapping[str, Any], query: Mapping[str, Any]) -> dict[str, str]:
    """The parameters of the link that the study keeps, as far as they are there and of a sensible length."""
    given = {name: str(query.get(name, "")).strip() for name in platform.get("names", ())}
    return {name: value for name, value in given.items() if value and len(value) <= VALUE_MAX_LENGTH}


def participant_name(platform: Mapping[str, Any]) -> str | None:
    """The parameter that says who takes part."""
    return next(iter(platform.get("names", ())), None)


def entry_link(platform: Mapping[str, Any], link: str) -> str:
    """The study's link as it is pasted into the platform, which fills in its parameters."""
    names = platform.get("names", ())
    if not names:
        return link
    blank = "{{{{%{}%}}}}" if platform.get("kind") == PROLIFIC else "[{}]"
    return f"{link}?{'&'.join(f'{name}={blank.format(name)}' for name in names)}"


# ── Where they go back to ───────────────────────────────────────────────────────────────────────────────────────────


def return_address(session: ListeningSession) -> str | None:
    """Where this listener's platform awaits them; None before the end, for a trial run, or where there is none.

    The server says that a session is done only when it has everything, so nobody leaves before.
    """
    ending = {ListeningSession.Step.DONE: COMPLETED, ListeningSession.Step.ENDED: SCREENED_OUT}.get(
        ListeningSession.Step(session.step)
    )
    if ending is None or session.is_test:
        return None
    return address(session.study.platform, ending, session.platform, code=session.completion_code)


def address(platform: Mapping[str, Any], ending: str, parameters: Parameters, code: str = "") -> str | None:
    """The platform's address for this ending, filled in."""
    values = {**parameters, "code": code}
    template = platform.get(ending, "")
    return PLACEHOLDER.sub(lambda found: quote(values.get(found[1], ""), safe=""), template) or None


# ── What a researcher sends ─────────────────────────────────────────────────────────────────────────────────────────


def platform_checked(given: Mapping[str, Any]) -> dict[str, Any]:
    """As it is stored; empty where there is no platform. Raises `Refused` with a code of `messages`."""
    if not given or not given.get("kind"):
        return {}
    if given["kind"] not in KINDS:
        raise Refused("platform_unknown")
    names = list(PROLIFIC_NAMES) if given["kind"] == PROLIFIC else _names_checked(given.get("names", ()))
    endings = {ending: _address_checked(ending, str(given.get(ending) or "").strip(), names) for ending in ENDINGS}
    return {"kind": given["kind"], "names": names, **endings}


def _names_checked(names: Sequence[Any]) -> list[str]:
    if isinstance(names, str) or not all(isinstance(name, str) and NAME.fullmatch(name) for name in names):
        raise Refused("platform_name_bad")
    if len(set(names)) < len(names) or TAKEN & set(names) or len(names) > MOST_NAMES:
        raise Refused("platform_name_bad")
    return list(names)


def _address_checked(ending: str, text: str, names: Sequence[str]) -> str:
    """Only https, to a host, with placeholders that can be filled in, and none of them in the host."""
    if not text:
        return ""
    try:
        parts = urlsplit(text)
        usable = parts.scheme == "https" and bool(parts.hostname) and parts.username is None and parts.port != 0
    except ValueError:
        usable = False
    if not usable or len(text) > ADDRESS_MAX_LENGTH or not text.isprintable() or re.search(r"[\s\"'<>\\]", text):
        raise Refused("platform_address_bad", ending=ending)
    unknown = set(PLACEHOLDER.findall(text)) - {*names, "code"}
    if unknown or "{" in parts.netloc or "{" in PLACEHOLDER.sub("", text) or "}" in PLACEHOLDER.sub("", text):
        raise Refused("platform_placeholder_bad", ending=ending, name=next(iter(sorted(unknown)), "{}"))
    return text
