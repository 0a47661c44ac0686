"""All pairs of systems: by how much the one in the row is ahead of the one in the column, and whether by chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from analysis import words
from analysis.figures.base import Chart, Numbers, Value, system_names
from analysis.figures.style import SMALL, Style, bare, mark, shortened
from analysis.report import ALPHA, Difference, PairRow, StudyReport
from analysis.verdict import MIN_LISTENERS_TO_CLAIM

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ANY_SONG, THESE_CLIPS = "●", "○"
CELL_LETTERS = 4.5  # times the size of the letters: how wide a number with its mark is
SMALLEST = 5.5  # points
DEEPEST = 0.45  # opacity of the largest difference: text stays readable on it


@dataclass(frozen=True)
class Matrix(Chart):
    scale: str

    def title(self, report: StudyReport) -> str:
        return _("%(scale)s: mean differences between systems, row minus column") % {
            "scale": words.scale_name(self.scale)
        }

    def key(self, report: StudyReport) -> str:
        return _(
            "Blue: the row is ahead; orange: the column. Beyond chance (p < 0.05 after Holm’s adjustment): ● for any "
            "song and any listener, ○ for these clips only."
        )

    def why_not(self, report: StudyReport) -> str:
        if any(pair.these_clips.interval for pair in report.pairs_of(self.scale)):
            return ""
        return _("There is no matrix yet: it takes two systems and two listeners who rated the same clips of both.")

    def body(self, report: StudyReport, width: str) -> float:
        return 0.36 * (len(self.systems(report)) + 1) + 0.25

    def systems(self, report: StudyReport) -> list[str]:
        compared = {system for pair in report.pairs_of(self.scale) for system in (pair.first, pair.second)}
        return [system for system in report.systems if system in compared]

    def draw(self, figure: Figure, report: StudyReport, style: Style) -> None:
        axes = figure.add_subplot()
        systems = self.systems(report)
        place = {system: number for number, system in enumerate(systems)}
        pairs = report.pairs_of(self.scale)
        size = _letters(len(systems), style)
        largest = max(abs(_difference(pair) or 0.0) for pair in pairs) or 1.0
        for pair in pairs:
            for system in (pair.first, pair.second):
                seen = pair.seen_from(system)
                _cell(axes, place[seen.second], place[seen.first], seen, largest, size, style)
        for number, system in enumerate(systems):
            for x, y in ((number, -0.85), (-0.85, number)):
                mark(axes, x, y, system, style, size=7 if len(systems) <= 8 else 5, clip_on=False)
            axes.fill(*_square(number, number), facecolor=style.theme.line, alpha=0.5, linewidth=0)
        letters = 15 if style.is_narrow else 34
        axes.set_yticks(range(len(systems)), [shortened(style.names[system], letters) for system in systems])
        axes.set_xticks([])
        axes.set(xlim=(-1.15, len(systems) - 0.45), ylim=(len(systems) - 0.45, -1.2))
        bare(axes)

    def numbers(self, report: StudyReport) -> Numbers:
        names = system_names(report)
        tests = (_("from"), _("to"), _("adjusted p"))
        headers = (
            *(_("Row"), _("Column"), _("Difference")),
            *(_("These clips, %(part)s") % {"part": part} for part in tests),
            *(_("Any song, %(part)s") % {"part": part} for part in tests),
        )
        lines = tuple(
            (
                *(names[pair.first], names[pair.second], _difference(pair)),
                *_tested(pair.these_clips),
                *_tested(pair.any_song),
            )
            for pair in report.pairs_of(self.scale)
        )
        return Numbers(headers, lines)

    def sentence(self, report: StudyReport) -> str:
        names = system_names(report)
        start = _("Mean differences between all pairs of systems, %(scale)s.") % {"scale": words.scale_name(self.scale)}
        ahead = [_leader(pair) for pair in report.pairs_of(self.scale) if sign(pair)]
        if not ahead:
            return f"{start} {_('No difference is beyond chance.')}"
        text = _("%(first)s is ahead of %(second)s by %(difference)s.")
        return " ".join([start, *(text % _said(pair, names) for pair in ahead)])


def sign(pair: PairRow) -> str:
    """What a pair is marked with; nothing is claimed of too few listeners."""
    if pair.listeners < MIN_LISTENERS_TO_CLAIM:
        return ""
    if _is_beyond_chance(pair.any_song):
        return ANY_SONG
    return THESE_CLIPS if _is_beyond_chance(pair.these_clips) and not pair.notes else ""


def _is_beyond_chance(found: Difference) -> bool:
    return found.p_holm is not None and found.p_holm < ALPHA


def _difference(pair: PairRow) -> float | None:
    return pair.these_clips.interval.centre if pair.these_clips.interval else None


def _leader(pair: PairRow) -> PairRow:
    return pair if (_difference(pair) or 0.0) >= 0.0 else pair.seen_from(pair.second)


def _said(pair: PairRow, names: dict[str, str]) -> dict[str, str]:
    return {
        "first": names[pair.first],
        "second": names[pair.second],
        "difference": words.number(_difference(pair) or 0.0),
    }


def _tested(found: Difference) -> tuple[Value, ...]:
    if found.interval is None:
        return (None, None, None)
    return (found.interval.low, found.interval.high, None if found.p_holm is None else words.p_number(found.p_holm))


def _square(column: float, row: float) -> tuple[list[float], list[float]]:
    half = 0.48
    return (
        [column - half, column + half, column + half, column - half],
        [row - half, row - half, row + half, row + half],
    )


def _letters(count: int, style: Style) -> float:
    """Points that numbers can have in the cells of `count` systems."""
    inches = 2.1 if style.is_narrow else 4.6
    return min(7.5 if style.is_narrow else 8.5, 72 * inches / (count + 0.5) / CELL_LETTERS)


def _cell(axes: Axes, column: int, row: int, pair: PairRow, largest: float, size: float, style: Style) -> None:
    value = _difference(pair)
    if value is None:
        axes.text(column, row, "—", ha="center", va="center", color=style.theme.soft)
        return
    colour = style.theme.ahead if value > 0 else style.theme.behind
    depth = DEEPEST * abs(value) / largest
    axes.fill(*_square(column, row), facecolor=colour, alpha=depth, linewidth=0, zorder=1)
    plus = "+" if round(value, 2) > 0 else ""
    said = f"{plus}{words.number(value)} {sign(pair)}".rstrip()
    if size < SMALLEST:  # the colour says how much, the table how much exactly
        said, size = sign(pair), SMALL
    axes.text(column, row, said, ha="center", va="center", fontsize=size)
