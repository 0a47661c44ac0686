"""Who types wrong personal codes one after the other has to wait.

A code has 80 bits, so guessing is hopeless; this keeps it from being tried. What is remembered, in the process's
memory and for `WINDOW` seconds, is a keyed hash of the address, never the address.
"""

from __future__ import annotations

from django.core.cache import cache
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

WINDOW = 600
MOST_WRONG = 20


def must_wait(request: HttpRequest) -> bool:
    return int(cache.get(_key(request), 0)) >= MOST_WRONG


def wrong_code(request: HttpRequest) -> None:
    cache.add(_key(request), 0, WINDOW)
    cache.incr(_key(request))


def _key(request: HttpRequest) -> str:
    address = request.META.get("HTTP_X_FORWARDED_FOR") or request.META.get("REMOTE_ADDR", "")
    return f"wrong-codes-{salted_hmac('listening_test.guessing', address).hexdigest()}"
