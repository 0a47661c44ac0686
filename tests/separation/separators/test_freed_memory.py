"""Freed memory: kept while it is wanted, given back when it is asked for. In a process of its own each."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only glibc gives every large array back at once")

CHILD = """
import ctypes, resource, sys
from pathlib import Path
from separation.separators.freed_memory import give_back, keep_freed

libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.malloc.argtypes, libc.free.argtypes = [ctypes.c_size_t], [ctypes.c_void_p]
SIZE = 64 * 2**20

def use():
    place = libc.malloc(SIZE)
    ctypes.memset(place, 1, SIZE)
    libc.free(place)

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()

if sys.argv[1] == "keep":
    keep_freed()
use()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    use()
faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
kept = resident()
give_back()
print(faults, kept - resident())
"""


def measured(how: str) -> tuple[int, int]:
    """Page faults of five arrays of 64 MB, and the bytes that were given back afterwards."""
    done = subprocess.run([sys.executable, "-c", CHILD, how], check=True, capture_output=True, text=True)
    faults, given = done.stdout.split()
    return int(faults), int(given)


def test_the_same_pages_serve_the_next_array_and_go_back_in_the_end() -> None:
    pages = 64 * 2**20 // 4096
    faults, given = measured("keep")
    assert faults < pages / 10
    assert given > 60 * 2**20
    assert measured("leave")[0] > pages
