"""CSV as this service writes it: UTF-8, a header, one order, the same bytes for the same data, in any language.

Text cells that a spreadsheet would run as a formula get an apostrophe in front (OWASP ASVS 1.2.10). Numbers stay
numbers with all their digits; truth is `true` or `false`; what is not known is empty; times are UTC.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

RUN_BY_SPREADSHEETS = ("=", "+", "-", "@", "\t", "\r", "\n")


def cell(value: Any) -> str:
    """One cell's text. Only text can be harmful: numbers, truth and times cannot be formulas."""
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(RUN_BY_SPREADSHEETS) else value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return repr(value)


def lines(rows: Iterable[Iterable[str]]) -> bytes:
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows(rows)
    return file.getvalue().encode()
