"""What a study asks of its listeners, in numbers, before a single clip is made. Pure.

A listener hears all systems and controls of the excerpts and sources they get, so clips come in groups of that size.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

SECONDS_TO_RATE = 14.0  # per clip with both scales, beside listening to it once; a second hearing now and then
SECONDS_TO_RATE_ONE = 9.0  # the same where one scale is asked
MINUTES_TO_BEGIN = 2.0  # consent, instructions
MINUTES_OF_EXAMPLES = 1.0
MINUTES_OF_PRACTICE = 1.5
SECONDS_OF_QUESTION = 7.0
SECONDS_OF_CHECK = 40.0
SECONDS_OF_PAUSE = 30.0
ENOUGH_LISTENERS = 16  # what is counted with where a study wants no certain number


def seconds_to_rate(*, one_scale: bool) -> float:
    return SECONDS_TO_RATE_ONE if one_scale else SECONDS_TO_RATE


@dataclass(frozen=True)
class Outline:
    """`seconds`: the length of each excerpt; `conditions`: systems and controls; `questions`: asked in all."""

    seconds: tuple[float, ...] = ()
    sources: int = 0
    conditions: int = 0
    trials_per_listener: int | None = None
    repeats: int = 0
    traps: int = 0
    apart: bool = False
    block_trials: int | None = None
    practice: bool = False
    checks: int = 0
    questions: int = 0
    quota: int | None = None
    left_out: int = 0  # rated clips that cannot be: the hidden reference of songs without true stems

    @property
    def rated_clips(self) -> int:
        return len(self.seconds) * self.sources * self.conditions - self.left_out

    @property
    def clips_per_listener(self) -> int:
        return min(self.trials_per_listener or self.rated_clips, self.rated_clips)

    @property
    def presented(self) -> int:
        """Trials of a session: a clip is heard once for each scale where these are apart."""
        return self.clips_per_listener * (2 if self.apart else 1) + self.repeats + self.traps

    @property
    def minutes(self) -> int:
        """About how long a session takes."""
        if not self.rated_clips:
            return 0
        length = sum(self.seconds) / len(self.seconds)
        each = length + seconds_to_rate(one_scale=self.apart)
        pauses = max(0, math.ceil(self.presented / self.block_trials) - 1) if self.block_trials else 0
        around = self.questions * SECONDS_OF_QUESTION + self.checks * SECONDS_OF_CHECK + pauses * SECONDS_OF_PAUSE
        fixed = MINUTES_TO_BEGIN + MINUTES_OF_EXAMPLES + (MINUTES_OF_PRACTICE if self.practice else 0.0)
        return round(fixed + (self.presented * each + around) / 60.0)

    @property
    def listeners(self) -> int:
        return self.quota or ENOUGH_LISTENERS

    @property
    def ratings_per_clip(self) -> tuple[int, int]:
        """(fewest, most) of so many listeners, as the planner spreads them: by at most one apart."""
        if not self.rated_clips:
            return 0, 0
        mean = self.listeners * self.clips_per_listener / self.rated_clips
        return math.floor(mean), math.ceil(mean)

    @property
    def even_clips(self) -> int:
        """The number of clips nearest to what is asked for that is whole groups."""
        return max(1, round(self.clips_per_listener / self.conditions)) * self.conditions if self.conditions else 0

    @property
    def is_uneven(self) -> bool:
        return bool(self.conditions) and self.clips_per_listener % self.conditions != 0

    @property
    def never_links(self) -> bool:
        """Whether sessions have one group only of several: no two listeners then share some clips and not others."""
        groups = len(self.seconds) * self.sources
        return groups > 1 and 0 < self.clips_per_listener <= self.conditions
