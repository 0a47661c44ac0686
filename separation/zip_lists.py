"""What a ZIP archive says of its list of contents, before the list is read: PKWARE APPNOTE 6.3.10, 4.3.14–16. Pure."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import IO

END = struct.Struct("<4s4H2LH")
END64 = struct.Struct("<4sQ2H2L4Q")
LOCATOR64 = struct.Struct("<4sLQL")
END_SIGNATURE, END64_SIGNATURE, LOCATOR64_SIGNATURE = b"PK\5\6", b"PK\6\6", b"PK\6\7"
LONGEST_COMMENT = 2**16


def announced(path: Path) -> tuple[int, int]:
    """The number of entries and the bytes of the list; zeros where there is no end of a list.

    It is looked for where `zipfile` looks, so that nothing else is read afterwards than what is announced here.
    """
    with path.open("rb") as file:
        place = _end(file, path.stat().st_size)
        if place is None:
            return 0, 0
        file.seek(place)
        entries, length = END.unpack(file.read(END.size))[4:6]
        return _in_zip64(file, place) or (entries, length)


def _end(file: IO[bytes], size: int) -> int | None:
    """Where the record begins: at the very end, or before a comment."""
    file.seek(max(0, size - END.size))
    last = file.read()
    if len(last) == END.size and last.startswith(END_SIGNATURE) and last.endswith(b"\0\0"):
        return size - END.size
    start = max(0, size - END.size - LONGEST_COMMENT)
    file.seek(start)
    place = start + file.read().rfind(END_SIGNATURE)
    return place if start <= place <= size - END.size else None


def _in_zip64(file: IO[bytes], place: int) -> tuple[int, int] | None:
    """The same of a large archive, whose record stands right before the other one."""
    if place < END64.size + LOCATOR64.size:
        return None
    file.seek(place - END64.size - LOCATOR64.size)
    record, locator = file.read(END64.size), file.read(LOCATOR64.size)
    if not (record.startswith(END64_SIGNATURE) and locator.startswith(LOCATOR64_SIGNATURE)):
        return None
    entries, length = END64.unpack(record)[7:9]
    return entries, length
