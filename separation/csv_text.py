"""CSV as this service writes it: UTF-8, a header, one order, the same bytes for the same data, in any language.

Text cells that a spreadsheet would run as a formula get an apostrophe in front (OWASP ASVS 1.2.10), and so do those
that look as if they had got one, so that `plain` gives every text back. Numbers stay numbers with all their digits;
truth is `true` or `false`; what is not known is empty; times are UTC.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

RUN_BY_SPREADSHEETS = ("=", "+", "-", "@", "\t", "\r", "\n")


def cell(value: Any) -> str:
    """One cell's text. Only text can be harmful: numbers, truth and times cannot be formulas."""
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if _looks_run(value) else value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return repr(value)


def plain(text: str) -> str:
    """The text of which `cell` made this one."""
    return text[1:] if text.startswith("'") and _looks_run(text) else text


def _looks_run(text: str) -> bool:
    return text.lstrip("'").startswith(RUN_BY_SPREADSHEETS)


def lines(rows: Iterable[Iterable[str]]) -> bytes:
    """Each row ends with a line feed; cells that hold one, or a carriage return, stand in quotes."""
    written: list[str] = []
    file = SimpleNamespace(write=written.append)
    csv.writer(file, lineterminator="\r\n").writerows(rows)  # quotes what its line ends are made of
    return "".join(f"{line[:-2]}\n" for line in written).encode()
