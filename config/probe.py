"""Asks the running web server for its health: `python -m config.probe [PORT]` exits 0 when everything is up."""

from __future__ import annotations

import json
import os
import sys
import urllib.error
import urllib.request

PATIENCE = 5.0  # seconds


def missing_parts(host: str, port: int) -> list[str]:
    """What is not up yet, in the words of `config.health`; nothing is missing when all is well."""
    request = urllib.request.Request(f"http://{reachable(host)}:{port}/health/", headers={"Host": allowed_host()})
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE):  # noqa: S310
            return []
    except urllib.error.HTTPError as error:
        return parts_named(error.read())
    except OSError:
        return ["web"]


def parts_named(body: bytes) -> list[str]:
    try:
        return list(json.loads(body)["missing"])
    except (ValueError, KeyError, TypeError):
        return ["web"]


def reachable(host: str) -> str:
    """An address that is bound to all interfaces is asked on this one."""
    if host in {"0.0.0.0", "::", ""}:  # noqa: S104
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def allowed_host() -> str:
    """A name that Django answers to, whatever ALLOWED_HOSTS says."""
    names = [name.strip().lstrip(".") for name in os.environ.get("ALLOWED_HOSTS", "").split(",")]
    return next((name for name in names if name and name != "*"), "localhost")


if __name__ == "__main__":
    found = missing_parts("", int(sys.argv[1]) if len(sys.argv) > 1 else 8000)
    print("missing: " + ", ".join(found) if found else "ok")
    sys.exit(bool(found))
