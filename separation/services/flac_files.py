"""Our own FLAC files on their way to the storage, in memory that does not grow with the audio."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from django.core.files.base import File
from django.db.models.fields.files import FieldFile

from audio.writing import flac_chunks
from separation.separators.base import Audio
from separation.services.scratch import scratch_file


def flac_saved(field: FieldFile, name: str, blocks: Iterable[Audio], gain: float) -> str:
    """Store what comes in blocks `[2, n]`, as FLAC of 24 bits, in the field of a row that is not saved here; returns
    the file's sha256. Raises `OSError`, and whatever `blocks` raises."""
    digest = hashlib.sha256()
    with scratch_file() as flac, scratch_file() as finished:
        for chunk in flac_chunks(blocks, flac, gain=gain):
            digest.update(chunk)
            finished.write(chunk)
        finished.seek(0)
        field.save(name, File(finished), save=False)
    return digest.hexdigest()
