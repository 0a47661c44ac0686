"""StudyReport: everything that is said of a study's ratings, in keys and numbers. Page, CSV, figures and API show it.

`report_make.py` makes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

from analysis.analysed import Analysed, Options
from analysis.dataset import Sessions
from analysis.groups import GroupReport
from analysis.metrics import MetricReport
from analysis.statistics.bootstrap import REPLICATES
from analysis.statistics.comparison import MARGIN
from analysis.statistics.intervals import LEVEL, Interval
from analysis.statistics.screening import RULE_NAME, Rule
from analysis.statistics.whole import ALL, Contest, MeanRow, ScaleAnalysis
from listening_test import controls
from listening_test.attention import ANCHORED, FAST_SECONDS
from listening_test.scales import ContaminationWords, Scale, scales_in
from separation.selectors import REFERENCE

CONTROLS = frozenset(controls.CONTROLS)  # shown beside the systems, never ranked among them
ALPHA = 0.05
METHODS = (
    "mos_p800",
    "these_clips_listener_means_t",
    "any_song_henderson_1_satterthwaite_t",
    "paired_differences",
    "holm",
    "benjamini_hochberg",
    "tost",
    "crossed_bootstrap",
    "clip_model_p910_shrunken",
    RULE_NAME,
    "icc_two_way",
    "krippendorff_alpha_ordinal",
    "sos",
)
RULE = Rule(fastest_seconds=FAST_SECONDS)
"""What flags a listener: the same for every study, fixed in the code. `RULE_NAME` names it among the methods, and a
change of it is a new name. What is told to a listener as too fast while rating is too fast here."""
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
    p_holm: float | None = None  # adjusted over all pairs of the scale and source
    p_bh: float | None = None
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
    """Two systems on one scale: first minus second, on what the same listener said of the same excerpt and source.

    `source`: "" where the pair is over all sources. `effect`: the mean difference in standard deviations of a single
    one. `tost_p`: of "they are at least `margin` apart", any song and any listener.
    """

    scale: str
    first: str
    second: str
    pairs: int
    listeners: int
    songs: int
    these_clips: Difference
    any_song: Difference
    source: str = ""
    wins: int = 0  # of single comparisons
    ties: int = 0
    losses: int = 0
    difference: float | None = None  # mean of the single ones, also where there is no interval
    effect: float | None = None
    margin: float = MARGIN
    tost_p: float | None = None
    notes: tuple[str, ...] = ()  # `Comparison.notes`: where there are any, nothing is claimed from `these_clips`

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
            wins=self.losses,
            losses=self.wins,
            difference=None if self.difference is None else -self.difference,
            effect=None if self.effect is None else -self.effect,
        )

    @property
    def win_rate(self) -> float | None:
        """Share of single comparisons in which the first is ahead, ties counted half."""
        return (self.wins + 0.5 * self.ties) / self.pairs if self.pairs else None

    @property
    def is_equivalent(self) -> bool:
        """No further apart than the margin, beyond chance."""
        return self.tost_p is not None and self.tost_p < ALPHA


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
    weights: Mapping[str, str] = field(default_factory=dict)  # of each system: "published", "demo", "unpinned", …
    demo_systems: frozenset[str] = frozenset()  # with a rating that is demo by its study, its song or its weights
    digest: str = ""  # sha256 of ratings.csv
    level: float = LEVEL
    methods: tuple[str, ...] = METHODS
    versions: Mapping[str, str] = field(default_factory=dict)
    contamination_words: str = ContaminationWords.AMOUNT  # as listeners read them
    analysed: Analysed | None = field(default=None, compare=False)  # None where nothing is counted
    numbers: Mapping[str, int] = field(default_factory=dict)  # listener -> what a researcher calls them, 1 first
    metrics: MetricReport | None = field(default=None, compare=False)  # None where nobody asked for it
    groups: GroupReport | None = field(default=None, compare=False)

    @property
    def scales(self) -> Mapping[str, Scale]:
        """In the words that listeners read."""
        return scales_in(self.contamination_words)

    def select(self, scale: str, grouping: str) -> list[MosRow]:
        return [row for row in self.rows if (row.scale, row.grouping) == (scale, grouping)]

    def weights_of(self, system: str) -> str:
        return self.weights.get(system, "")

    def is_demo_row(self, system: str) -> bool:
        """Whether numbers of this system ("" = of all) hold anything that is the project's own."""
        return system in self.demo_systems if system else self.counts.demo

    def pairs_of(self, scale: str, source: str = "") -> list[PairRow]:
        """Over all sources, or of one; of the only source of a study they are those over all."""
        return [pair for pair in self.pairs if (pair.scale, pair.source) == (scale, source)]

    def scale_analysis(self, scale: str) -> ScaleAnalysis | None:
        """None where nobody has rated on it."""
        found = self.analysed.found.scales if self.analysed else ()
        return next((one for one in found if self.label("scale", one.scale) == scale), None)

    def scale_without_flagged(self, scale: str) -> ScaleAnalysis | None:
        """None where nobody is flagged, or nobody else has rated."""
        without = self.analysed.without if self.analysed else None
        found = without.scales if without else ()
        return next((one for one in found if self.label("scale", one.scale) == scale), None)

    def contest(self, scale: str, source: str = "") -> Contest | None:
        """The systems against each other on one source, or over all."""
        own = self.scale_analysis(scale)
        return contest_of(self, own, source) if own else None

    def standing(self, scale: str, system: str, source: str = "") -> MeanRow | None:
        """A system's mean with letters of groups, rank interval and probability of being best."""
        found = self.contest(scale, source)
        rows = found.systems if found else ()
        return next((row for row in rows if self.label("system", row.system) == system), None)

    def label(self, column: str, code: int) -> str:
        """The name of a code in `analysed`."""
        return self.analysed.label(column, code) if self.analysed else ""


def contest_of(report: StudyReport, found: ScaleAnalysis, source: str = "") -> Contest | None:
    """Of a study with one source there is one contest, which is over all."""
    if not source:
        return found.contests[0]
    own = (one for one in found.contests if one.source != ALL and report.label("source", one.source) == source)
    return next(own, None)


MANY_LISTENERS = 4_000
REPLICATES_OF_MANY = 2_000


def study_options(*, seed: int = 0, listeners: int = 0) -> Options:
    """How every study of this service is analysed. Of very many listeners, fewer draws say as much as all of them."""
    return Options(
        seed=seed,
        replicates=REPLICATES_OF_MANY if listeners > MANY_LISTENERS else REPLICATES,
        rule=RULE,
        references=frozenset({REFERENCE}),
        anchors={key: str(scale) for key, scale in ANCHORED.items()},
    )
