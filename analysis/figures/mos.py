"""MOS of each system with both intervals: in one panel, or in a panel for each source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analysis import words
from analysis.figures.base import Chart, Numbers, Value, nobody_rated, system_names
from analysis.figures.style import Style, bare, lines_down, mark, names_above, panel_title, scale_axis, shortened
from analysis.report import MosRow, StudyReport
from analysis.statistics.intervals import Interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NARROW_LETTERS = 41  # of a name and its numbers over a line


@dataclass(frozen=True)
class Mos(Chart):
    scale: str

    def title(self, report: StudyReport) -> str:
        return _("%(scale)s by system") % {"scale": words.scale_name(self.scale)}

    def heading(self, report: StudyReport, width: str, *, on_page: bool = False) -> list[str]:
        """What the intervals are, and of how many listeners."""
        count = ngettext("%(count)s listener", "%(count)s listeners", report.counts.listeners)
        values = {
            "scale": words.scale_name(self.scale),
            "listeners": count % {"count": words.whole(report.counts.listeners)},
        }
        key = self.key(report)
        lines = key.split("; ") if width == "narrow" else [key]
        return [_("%(scale)s: MOS, %(listeners)s, 95 %% intervals:") % values, *lines]

    def key(self, report: StudyReport) -> str:
        if any(row.any_song for row in report.rows if row.scale == self.scale):
            return _("these clips, any listener (thick); any song, any listener (thin)")
        return _("These clips, any listener")

    def rows(self, report: StudyReport) -> list[MosRow]:
        return report.select(self.scale, "system")

    def why_not(self, report: StudyReport) -> str:
        return "" if self.rows(report) else nobody_rated(self.scale)

    def body(self, report: StudyReport, width: str) -> float:
        systems = len(report.systems)
        return (0.47 * systems + 0.6) if width == "narrow" else (0.36 * systems + 0.6)

    def draw(self, figure: Figure, report: StudyReport, style: Style) -> None:
        """The numbers stand beside the dots."""
        rows = self.rows(report)
        axes = figure.add_subplot()
        for place, row in enumerate(rows):
            _dot(axes, place, row, style)
        scale_axis(axes, self.scale, style)
        lines_down(axes, len(rows))
        names = [style.names[row.system] for row in rows]
        if style.is_narrow:
            names_above(axes, [_name_and_numbers(name, row) for name, row in zip(names, rows, strict=True)])
        else:
            axes.set_yticks(range(len(rows)), names)
            _numbers_beside(axes, [_numbers(row) for row in rows])

    def numbers(self, report: StudyReport) -> Numbers:
        names = system_names(report)
        lines = tuple((names[row.system], *_values(row)) for row in self.rows(report))
        return Numbers((_("System"), *_headers()), lines)

    def sentence(self, report: StudyReport) -> str:
        return words.systems_alt(report, self.scale)


class MosBySource(Mos):
    """The same, one small panel per source."""

    def title(self, report: StudyReport) -> str:
        return _("%(scale)s by source and system") % {"scale": words.scale_name(self.scale)}

    def rows(self, report: StudyReport) -> list[MosRow]:
        order = {source: place for place, source in enumerate(report.sources)}
        return sorted(report.select(self.scale, "system_source"), key=lambda row: order[row.source])

    def body(self, report: StudyReport, width: str) -> float:
        lines = len(report.sources) if width == "narrow" else -(-len(report.sources) // 2)
        return (0.27 * len(report.systems) + 0.45) * lines + 0.25

    def draw(self, figure: Figure, report: StudyReport, style: Style) -> None:
        columns = 1 if style.is_narrow else 2
        lines = max(1, -(-len(report.sources) // columns))
        panels = figure.subplots(lines, columns, squeeze=False, sharex=True, sharey=True).ravel()
        rows = {(row.source, row.system): row for row in self.rows(report)}
        for panel, source in zip(panels, report.sources, strict=False):
            _panel(panel, [rows.get((source, system)) for system in report.systems], report, style)
            panel_title(panel, words.source_name(source))
            scale_axis(panel, self.scale, style, words_too=False)
        for unused in panels[len(report.sources) :]:
            unused.set_visible(False)

    def numbers(self, report: StudyReport) -> Numbers:
        names = system_names(report)
        lines = tuple((words.source_name(row.source), names[row.system], *_values(row)) for row in self.rows(report))
        return Numbers((_("Source"), _("System"), *_headers()), lines)

    def sentence(self, report: StudyReport) -> str:
        return words.sources_alt(report, self.scale)


def _headers() -> tuple[str, ...]:
    return (
        _("Ratings"),
        _("Listeners"),
        _("MOS"),
        _("These clips, from"),
        _("to"),
        _("Any song, from"),
        _("to"),
    )


def _values(row: MosRow) -> tuple[Value, ...]:
    return (row.ratings, row.listeners, row.mos, *_limits(row.these_clips), *_limits(row.any_song))


def _limits(interval: Interval | None) -> tuple[Value, Value]:
    return (interval.low, interval.high) if interval else (None, None)


def _numbers(row: MosRow) -> str:
    return f"{words.number(row.mos)}  [{words.limits_or_why(row.these_clips)}]"


def _name_and_numbers(name: str, row: MosRow) -> str:
    numbers = _numbers(row)
    return f"{shortened(name, NARROW_LETTERS - len(numbers))}   {numbers}"


def _numbers_beside(axes: Axes, numbers: list[str]) -> None:
    beside = axes.secondary_yaxis("right")
    beside.set_yticks(range(len(numbers)), numbers)
    beside.tick_params(length=0)
    beside.spines["right"].set_visible(False)


def _panel(panel: Axes, rows: list[MosRow | None], report: StudyReport, style: Style) -> None:
    for place, row in enumerate(rows):
        if row is not None:
            _dot(panel, place, row, style)
    lines_down(panel, len(rows))
    panel.set_yticks(range(len(report.systems)), [style.names[system] for system in report.systems])
    bare(panel)


def _dot(axes: Axes, place: int, row: MosRow, style: Style) -> None:
    if row.any_song:
        _line(axes, place, row.any_song, color=style.theme.soft, linewidth=1.1, cap=6)
    if row.these_clips:
        _line(axes, place, row.these_clips, color=style.looks[row.system].hex, linewidth=3.5, cap=0)
    mark(axes, row.mos, place, row.system, style)


def _line(axes: Axes, place: int, interval: Interval, *, color: str, linewidth: float, cap: int) -> None:
    ends, height = (interval.low, interval.high), (place, place)
    axes.plot(ends, height, color=color, linewidth=linewidth, solid_capstyle="butt", zorder=2)
    if cap:
        axes.plot(ends, height, "|", color=color, markersize=cap, markeredgewidth=linewidth, zorder=2)
