"""What happens to memory that is freed: kept while a song is separated, given back to the system afterwards.

A network asks for arrays of up to a hundred megabytes at every layer. The C library (glibc) takes each of them from the
system and gives it back when it is freed, so that the system clears its pages anew every time: measured as a tenth of
HTDemucs's processor time. Kept, the same pages serve the next layer. Where the C library is another one (macOS, musl),
nothing is changed. Source of the numbers: mallopt(3).
"""

from __future__ import annotations

import ctypes
import sys
from typing import Any

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX = -1, -2, -4
MOST = 2**31 - 1
STEP = 64 * 2**20
"""Bytes by which the heap grows at least: fewer calls of the system, and little that is asked for in vain."""


def keep_freed() -> None:
    """From now on, large arrays come from the heap, and what is freed of it stays with the process."""
    if glibc := _glibc():
        glibc.mallopt(M_MMAP_MAX, 0)
        glibc.mallopt(M_TRIM_THRESHOLD, MOST)
        glibc.mallopt(M_TOP_PAD, STEP)


def give_back() -> None:
    """Everything that is free goes back to the system now."""
    if glibc := _glibc():
        glibc.malloc_trim(0)


def _glibc() -> Any:
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None
