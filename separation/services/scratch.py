"""What is too large for memory, in files without a name: whatever kills the process, nothing of them stays."""

from __future__ import annotations

import os
import tempfile
from typing import IO

import numpy as np
from django.conf import settings

from audio.reading import Audio


def scratch_file() -> IO[bytes]:
    """A file without a name on the disk of the data."""
    return tempfile.TemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR)


def scratch_array(shape: tuple[int, ...]) -> Audio:
    """An array in a file without a name, on the disk of the data, with its room taken at once: memory that is mapped to
    a disk which turns out to be full would end the process. Raises `OSError`."""
    with scratch_file() as scratch:
        _take_room(scratch.fileno(), 4 * int(np.prod(shape)))
        array: Audio = np.memmap(scratch, dtype=np.float32, mode="r+", shape=shape)
    return array


def _take_room(handle: int, size: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(handle, 0, size)
        return
    zeros = bytes(2**20)
    for start in range(0, size, len(zeros)):
        os.pwrite(handle, zeros[: size - start], start)
