"""Whole numbers as people type them, or as forged forms hold them: no text is too long or too strange to be asked."""

from __future__ import annotations

MOST_DIGITS = 6


def whole_number(text: str) -> int | None:
    """The number that `text` is, in digits of any script; None for anything else, and for more than six digits."""
    return int(text) if text.isdecimal() and len(text) <= MOST_DIGITS else None
