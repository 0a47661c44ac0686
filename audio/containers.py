"""What kind of file this is, by its bytes and not by its name, and whether its own structure says it was cut off.

Decoders forgive: most of them read a half file without a word. The structure does not: a chunk, page or box that
claims more bytes than there are is the evidence that the rest of the song is missing.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from audio import mpeg

SLACK_BYTES = 1024
"""Writers disagree about padding by a few bytes; less than this is never heard."""

IMPLAUSIBLE_BYTES = 2**40
"""No recording claims a terabyte."""

PAGE_BYTES = 65_307
"""The largest Ogg page (RFC 3533, section 6)."""


@dataclass(frozen=True)
class Evidence:
    """`cut_off`: bytes are missing at the end. `implausible`: a size in the header is no real size."""

    cut_off: bool = False
    implausible: bool = False


def kind(path: Path) -> str | None:
    """`WAV`, `AIFF`, `FLAC`, `OGG`, `M4A`, `MP3`, or None for anything else."""
    with path.open("rb") as file:
        head = file.read(12)
        if head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE":
            return "WAV"
        if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
            return "AIFF"
        if head[4:8] == b"ftyp":
            return "M4A"
        if head[:4] == b"OggS":
            return "OGG"
        return _kind_behind_tags(file)


def _kind_behind_tags(file: BinaryIO) -> str | None:
    """FLAC and MP3 may both carry an ID3v2 tag in front."""
    file.seek(0)
    data = file.read()
    if data[mpeg.after_tags(data) :][:4] == b"fLaC":
        return "FLAC"
    return "MP3" if mpeg.walk(data) is not None else None


def evidence(path: Path, container: str) -> Evidence:
    """What the structure of a `container` file says of its completeness. FLAC tells only when it is decoded."""
    inspect = {"WAV": _chunks, "AIFF": _chunks, "OGG": _pages, "M4A": _boxes}.get(container)
    if inspect is None:
        return Evidence()
    with path.open("rb") as file:
        return inspect(file, os.path.getsize(path))


def _chunks(file: BinaryIO, size: int) -> Evidence:
    """RIFF (little-endian) and IFF (big-endian) chunks up to the one that holds the samples."""
    order: str = "big" if file.read(4) == b"FORM" else "little"
    at, wide = 12, 0
    while at + 8 <= size:
        file.seek(at)
        name, length = file.read(4), int.from_bytes(file.read(4), order)  # type: ignore[arg-type]
        if name == b"ds64":  # RF64: 64-bit sizes (EBU Tech 3306)
            file.seek(8, os.SEEK_CUR)
            wide = int.from_bytes(file.read(8), "little")
        if name in (b"data", b"SSND"):
            return _claim(wide if wide and length == 0xFFFFFFFF else length, size - at - 8)
        at += 8 + length + length % 2
    return Evidence(cut_off=True)  # no samples at all


def _claim(claimed: int, there: int) -> Evidence:
    if claimed in (0, 0xFFFFFFFF, 0x7FFFFFFF):  # written to a pipe: the writer could not know
        return Evidence()
    if claimed > IMPLAUSIBLE_BYTES:
        return Evidence(implausible=True)
    return Evidence(cut_off=claimed > there + SLACK_BYTES)


def _pages(file: BinaryIO, size: int) -> Evidence:
    """The last Ogg page must be whole and carry the end-of-stream flag (RFC 3533, section 6)."""
    start = max(0, size - 2 * PAGE_BYTES)
    file.seek(start)
    tail = file.read()
    at = tail.rfind(b"OggS")
    while at >= 0 and len(tail) - at < 27:  # less than a page header: the one before tells more, and it is cut anyway
        return Evidence(cut_off=True)
    if at < 0:
        return Evidence(cut_off=True)
    segments = tail[at + 26]
    table = tail[at + 27 : at + 27 + segments]
    whole = len(table) == segments and at + 27 + segments + sum(table) <= len(tail)
    return Evidence(cut_off=not whole or not tail[at + 5] & 4)


def _boxes(file: BinaryIO, size: int) -> Evidence:
    """Top-level boxes of an MP4 file (ISO/IEC 14496-12, section 4.2): none may reach beyond the file, moov is there."""
    at, names = 0, set()
    while at + 8 <= size:
        file.seek(at)
        length, name = int.from_bytes(file.read(4), "big"), file.read(4)
        if length == 1:
            length = int.from_bytes(file.read(8), "big")
        if length == 0:  # to the end of the file
            length = size - at
        if length < 8 or at + length > size + SLACK_BYTES:
            return Evidence(cut_off=True)
        names.add(name)
        at += length
    return Evidence(cut_off=b"moov" not in names)
