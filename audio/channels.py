"""Channel orders of the formats, and the mix-down to stereo."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

MINUS_3_DB = 0.5**0.5

STEREO_GAINS: dict[str, tuple[float, float]] = {
    "FL": (1.0, 0.0),
    "FR": (0.0, 1.0),
    "FC": (MINUS_3_DB, MINUS_3_DB),
    "LFE": (0.0, 0.0),
    "SL": (MINUS_3_DB, 0.0),
    "SR": (0.0, MINUS_3_DB),
    "BL": (MINUS_3_DB, 0.0),
    "BR": (0.0, MINUS_3_DB),
    "BC": (0.5, 0.5),
}
"""What each loudspeaker gives to (left, right).

Rec. ITU-R BS.775-4, annex 4, table 2, 3/2 to 2/0: L' = L + 0.7071·C + 0.7071·Ls, R' = R + 0.7071·C + 0.7071·Rs;
the low-frequency channel is left out. The second pair of 7.1 is treated as the first. One back centre is first spread
over both surrounds with constant power: 0.7071 · 0.7071 = 0.5.
"""

_WAVE_ORDER = {
    1: ("FC",),
    2: ("FL", "FR"),
    3: ("FL", "FR", "FC"),
    4: ("FL", "FR", "BL", "BR"),
    5: ("FL", "FR", "FC", "BL", "BR"),
    6: ("FL", "FR", "FC", "LFE", "BL", "BR"),
    7: ("FL", "FR", "FC", "LFE", "BC", "SL", "SR"),
    8: ("FL", "FR", "FC", "LFE", "BL", "BR", "SL", "SR"),
}
"""Channels of FLAC (RFC 9639, section 9.1.3), and of WAV and AIFF by custom."""

_VORBIS_ORDER = {
    **_WAVE_ORDER,
    3: ("FL", "FC", "FR"),
    5: ("FL", "FC", "FR", "BL", "BR"),
    6: ("FL", "FC", "FR", "BL", "BR", "LFE"),
    7: ("FL", "FC", "FR", "SL", "SR", "BC", "LFE"),
    8: ("FL", "FC", "FR", "SL", "SR", "BL", "BR", "LFE"),
}
"""Channels of Vorbis (Vorbis I specification, section 4.3.9) and Opus (RFC 7845, section 5.1.1.2)."""


def positions(channels: int, container: str) -> tuple[str, ...]:
    """Loudspeaker names, in order, of `channels` channels in a file of `container`; empty where unknown."""
    order = _VORBIS_ORDER if container == "OGG" else _WAVE_ORDER
    return order.get(channels, ())


def stereo_matrix(places: tuple[str, ...]) -> npt.NDArray[np.float32] | None:
    """float32 `[channels, 2]` that turns frames `[n, channels]` into stereo; None where a place is unknown.

    Mono is put on both sides as it is: no gain is lost or won.
    """
    if len(places) == 1:
        return np.ones((1, 2), dtype=np.float32)
    if not places or any(place not in STEREO_GAINS for place in places):
        return None
    return np.array([STEREO_GAINS[place] for place in places], dtype=np.float32)
