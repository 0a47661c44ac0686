"""Quality × Contamination: where each system lies on both scales, with the ellipses of its means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from django.utils.translation import gettext as _

from analysis import words
from analysis.figures.base import Chart, Numbers, Value, nobody_rated, once, system_names
from analysis.figures.style import MARGIN, Style, legend_height, mark, systems_legend
from analysis.report import MosRow, StudyReport
from analysis.statistics.arrays import Floats, NotEnough
from analysis.statistics.ellipses import Ellipse, crossed_ellipse, mean_ellipse
from analysis.statistics.mos import listener_means
from analysis.statistics.whole import Ratings
from listening_test.scales import HIGHEST, LOWEST, ScaleKey

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ACROSS, UP = ScaleKey.QUALITY, ScaleKey.CONTAMINATION


@dataclass(frozen=True)
class Point:
    """A system on both scales. `reason`: why it has no ellipse of these clips."""

    system: str
    across: MosRow
    up: MosRow
    these_clips: Ellipse | None
    any_song: Ellipse | None
    reason: str


class Map(Chart):
    def title(self, report: StudyReport) -> str:
        return _("Quality and Contamination together: each system’s mean and its ellipse of 95 %")

    def key(self, report: StudyReport) -> str:
        found = points(report)
        if any(point.any_song for point in found):
            return _("Filled: these clips, any listener (listeners’ means). Thin line: any song, any listener.")
        if any(point.these_clips for point in found):
            return _("Filled: these clips, any listener (listeners’ means).")
        return _("Without ellipses: it takes at least five listeners, who do not all agree.")

    def why_not(self, report: StudyReport) -> str:
        for scale in (ACROSS, UP):
            if not report.select(scale, "system"):
                return nobody_rated(scale)
        return "" if points(report) else _("No system was rated on both scales, so there is no map.")

    def body(self, report: StudyReport, width: str) -> float:
        return (2.8 if width == "narrow" else 4.9) + legend_height(system_names(report), width)

    def draw(self, figure: Figure, report: StudyReport, style: Style) -> None:
        axes = figure.add_subplot()
        found = points(report)
        for point in found:
            _ellipses(axes, point, style)
        for point in found:
            mark(axes, point.across.mos, point.up.mos, point.system, style, size=7.5, zorder=4)
        _axes(axes, style)
        systems_legend(figure, [point.system for point in found], style)

    def numbers(self, report: StudyReport) -> Numbers:
        names = system_names(report)
        headers = (
            _("System"),
            words.scale_name(ACROSS),
            words.scale_name(UP),
            *(_("± Quality"), _("± Contamination"), _("Correlation of the means")),
            *(_("± Quality, any song"), _("± Contamination, any song")),
        )
        return Numbers(headers, tuple(_line(point, names) for point in points(report)), _notes(points(report)))

    def sentence(self, report: StudyReport) -> str:
        names = system_names(report)
        start = _("Each system’s mean Quality (to the right is better) and mean Contamination (up: others heard less).")
        values = [
            _("%(system)s: Quality %(across)s, Contamination %(up)s.")
            % {
                "system": names[point.system],
                "across": words.number(point.across.mos),
                "up": words.number(point.up.mos),
            }
            for point in points(report)
        ]
        return " ".join([start, *values])


def points(report: StudyReport) -> list[Point]:
    return once(report, "_map_points", _points)


def _points(report: StudyReport) -> list[Point]:
    across, up = ({row.system: row for row in report.select(scale, "system")} for scale in (ACROSS, UP))
    pairs = _Pairs.of(report)
    found = []
    for system in report.systems:
        if system in across and system in up:
            near, far, reason = pairs.ellipses(system) if pairs else (None, None, "not_crossed")
            found.append(Point(system, across[system], up[system], near, far, reason))
    return found


@dataclass(frozen=True)
class _Pairs:
    """What one listener said of one clip on both scales, `[pairs]`."""

    across: Floats
    up: Floats
    ratings: Ratings  # of the first scale, in the same order

    @classmethod
    def of(cls, report: StudyReport) -> _Pairs | None:
        if report.analysed is None:
            return None
        ratings = report.analysed.ratings
        one, two = (_on(ratings, scale) for scale in (ACROSS, UP))
        width = ratings.count("clip")
        first, second = (part.listeners * width + part.clips for part in (one, two))
        _both, here, there = np.intersect1d(first, second, return_indices=True)
        chosen = np.zeros(one.scores.size, dtype=bool)
        chosen[here] = True
        order = np.argsort(here)
        return cls(one.scores[here[order]], two.scores[there[order]], one.where(chosen))

    def ellipses(self, system: str) -> tuple[Ellipse | None, Ellipse | None, str]:
        own = self.ratings.systems == np.flatnonzero(self.ratings.names["system"] == system)[0]
        who, what = self.ratings.listeners[own], self.ratings.songs[own]
        zeros = np.zeros_like(who)
        try:
            across, up = (listener_means(part[own], who, zeros).means for part in (self.across, self.up))
            near = mean_ellipse(across, up)
        except NotEnough as error:
            return None, None, error.reason
        try:
            return near, crossed_ellipse(self.across[own], self.up[own], who, what), ""
        except NotEnough:
            return near, None, ""


def _on(ratings: Ratings, scale: str) -> Ratings:
    return ratings.where(np.asarray(ratings.names["scale"] == scale)[ratings.scales])


def _line(point: Point, names: dict[str, str]) -> tuple[Value, ...]:
    near = (*point.these_clips.reach, point.these_clips.correlation) if point.these_clips else (None, None, None)
    far = point.any_song.reach if point.any_song else (None, None)
    return (names[point.system], point.across.mos, point.up.mos, *near, *far)


def _notes(found: list[Point]) -> str:
    reasons = dict.fromkeys(point.reason for point in found if point.reason)
    return " ".join(str(words.REASONS.get(reason, "")) for reason in reasons).strip()


def _ellipses(axes: Axes, point: Point, style: Style) -> None:
    colour = style.looks[point.system].hex
    if point.any_song:
        axes.plot(*point.any_song.outline().T, color=colour, linewidth=1.0, zorder=2)
    if point.these_clips:
        around = point.these_clips.outline().T
        axes.fill(*around, facecolor=colour, alpha=0.3, linewidth=0, zorder=1)
        axes.plot(*around, color=colour, linewidth=1.8, zorder=2)


def _axes(axes: Axes, style: Style) -> None:
    """Both scales whole and equally long: a distance is a distance."""
    for axis, scale in ((axes.xaxis, style.scales[ACROSS]), (axes.yaxis, style.scales[UP])):
        ends = (LOWEST, HIGHEST)
        labels = [f"{value}\n{word}" if value in ends else str(value) for value, word in scale.values]
        axis.set_ticks([value for value, _word in scale.values], labels, fontsize=8)
        axis.set_label_text(str(scale.name))
    axes.set(xlim=(LOWEST - MARGIN, HIGHEST + MARGIN), ylim=(LOWEST - MARGIN, HIGHEST + MARGIN))
    axes.set_aspect("equal", adjustable="box")
    axes.grid(linewidth=0.8)
    axes.tick_params(length=0)
    axes.spines["bottom"].set_visible(False)
