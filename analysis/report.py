"""StudyReport: everything that is said of a study's ratings, in keys and numbers. Page, CSV, figures and API show it.

`report_make.py` makes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

from analysis.dataset import Sessions
from analysis.statistics.intervals import LEVEL, Interval
from separation.selectors import REFERENCE

CONTROLS = frozenset({REFERENCE})  # shown beside the systems, never ranked among them
ALPHA = 0.05
METHODS = (
    "mos_p800",
    "these_clips_listener_means_t",
    "any_song_henderson_1_satterthwaite_t",
    "paired_differences",
    "holm",
)
GROUPINGS: dict[str, tuple[str, ...]] = {
    "system": ("system",),
    "source": ("source",),
    "song": ("song",),
    "system_source": ("system", "source"),
    "system_song": ("system", "song"),
}


@dataclass(frozen=True)
class Counts:
    """What is in the numbers, and what is not."""

    stored: int = 0
    counted: int = 0
    not_final: int = 0
    repeats: int = 0
    simulated_left_out: int = 0
    listeners: int = 0
    songs: int = 0
    fewest_per_clip: int = 0  # counted ratings on one scale
    most_per_clip: int = 0
    simulated: bool = False  # the counted ratings are those of simulated listeners
    demo: bool = False  # a counted rating is of a demo study, song or system


@dataclass(frozen=True)
class MosRow:
    """One line of the MOS tables. `system`, `source` and `song` are "" where the line is over all of them."""

    scale: str
    grouping: str
    system: str
    source: str
    song: str
    ratings: int
    listeners: int
    mos: float
    sd: float | None
    listener_mean: float
    listener_sd: float | None
    these_clips: Interval | None
    these_clips_reason: str  # why there is no interval: "too_few_listeners", "no_spread"; else ""
    any_song: Interval | None
    any_song_reason: str  # as above, or "one_song", "too_few_listeners_for_songs", "too_few_songs", "not_crossed"


@dataclass(frozen=True)
class Difference:
    """A mean difference with its test; `reason` says why there is none."""

    interval: Interval | None = None
    p: float | None = None
    p_holm: float | None = None  # adjusted over all pairs of the scale
    reason: str = ""

    def turned(self) -> Difference:
        if self.interval is None:
            return self
        now = self.interval
        return replace(self, interval=replace(now, low=-now.high, high=-now.low, centre=-now.centre))

    @property
    def is_lead(self) -> bool:
        """Above 0, beyond chance."""
        return (
            self.interval is not None and self.interval.centre > 0 and self.p_holm is not None and self.p_holm < ALPHA
        )


@dataclass(frozen=True)
class PairRow:
    """Two systems on one scale: first minus second, on what the same listener said of the same excerpt and source."""

    scale: str
    first: str
    second: str
    pairs: int
    listeners: int
    songs: int
    these_clips: Difference
    any_song: Difference

    def seen_from(self, system: str) -> PairRow:
        """The same pair with `system` as the first."""
        if system == self.first:
            return self
        return replace(
            self,
            first=self.second,
            second=self.first,
            these_clips=self.these_clips.turned(),
            any_song=self.any_song.turned(),
        )


@dataclass(frozen=True)
class StudyReport:
    study_id: UUID | None
    name: str
    version: str
    is_demo: bool
    systems: tuple[str, ...]  # in the study's order; so are sources and songs
    sources: tuple[str, ...]
    songs: tuple[str, ...]
    sessions: Sessions
    counts: Counts
    rows: tuple[MosRow, ...]
    pairs: tuple[PairRow, ...]
    weights: Mapping[str, str] = field(default_factory=dict)  # of each system: "published", "demo", "imported", …
    demo_systems: frozenset[str] = frozenset()  # with a rating that is demo by its study, its song or its weights
    digest: str = ""  # sha256 of ratings.csv
    level: float = LEVEL
    methods: tuple[str, ...] = METHODS
    versions: Mapping[str, str] = field(default_factory=dict)

    def select(self, scale: str, grouping: str) -> list[MosRow]:
        return [row for row in self.rows if (row.scale, row.grouping) == (scale, grouping)]

    def weights_of(self, system: str) -> str:
        return self.weights.get(system, "")

    def is_demo_row(self, system: str) -> bool:
        """Whether numbers of this system ("" = of all) hold anything that is the project's own."""
        return system in self.demo_systems if system else self.counts.demo

    def pairs_of(self, scale: str) -> list[PairRow]:
        return [pair for pair in self.pairs if pair.scale == scale]
