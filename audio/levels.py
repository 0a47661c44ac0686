"""The level of clips that are compared, by one of three rules.

- `CLIP`: every clip is brought to the target by itself, so nobody rates loudness. What a system loses in level is lost.
- `MIXTURE`: one gain for all clips of an excerpt, the one that brings the mixture to the target: each clip is as loud
  as in the song.
- `NONE`: as the system gave it.

By every rule the true peak stays below a ceiling, and nothing is limited or compressed: where a clip would pass it, the
gain is smaller; of all clips of the excerpt, where they share one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from audio.loudness import CEILING_DBTP, QUIETEST_LUFS, TARGET_LUFS, TooQuiet, integrated_loudness, true_peak
from audio.reading import Audio

CLIP, MIXTURE, NONE = "clip", "mixture", "none"
RULES = (CLIP, MIXTURE, NONE)


@dataclass(frozen=True)
class Level:
    """Of a sound: integrated loudness in LUFS (BS.1770) and true peak in dBTP."""

    loudness_lufs: float
    true_peak_dbtp: float

    def after(self, gain_db: float) -> Level:
        return Level(self.loudness_lufs + gain_db, self.true_peak_dbtp + gain_db)


def level_of(samples: Audio) -> Level:
    """The level of `[channels, n]` at 44.1 kHz. Raises `TooQuiet` below -60 LUFS: by no rule is silence compared."""
    loudness = integrated_loudness(samples)
    if not loudness >= QUIETEST_LUFS:
        raise TooQuiet(loudness)
    return Level(loudness, true_peak(samples))


def gains_db(
    rule: str,
    clips: Sequence[Level],
    mixture: Level | None = None,
    *,
    target_lufs: float = TARGET_LUFS,
    ceiling_dbtp: float = CEILING_DBTP,
) -> list[float]:
    """The gain in dB of each clip of one excerpt. `mixture` is the excerpt of the song, which `MIXTURE` asks for.

    Raises `ValueError` for another rule, and where `MIXTURE` has no mixture.
    """
    room = [ceiling_dbtp - clip.true_peak_dbtp for clip in clips]
    if rule == CLIP:
        return [min(target_lufs - clip.loudness_lufs, each) for clip, each in zip(clips, room, strict=True)]
    if rule == NONE:
        return [min([0.0, *room])] * len(clips)
    if rule == MIXTURE and mixture is not None:
        return [min([target_lufs - mixture.loudness_lufs, *room])] * len(clips)
    raise ValueError(f"no gain by the rule {rule!r} " + ("without a mixture" if rule == MIXTURE else ""))
