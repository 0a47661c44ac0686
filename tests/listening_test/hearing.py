"""What a listener's page does with a sound that it has fetched."""

from __future__ import annotations

import io

from listening_test.sealing import unsealed


def opened(body: bytes) -> io.BytesIO:
    """The FLAC file in what the server sent."""
    return io.BytesIO(unsealed(body))
