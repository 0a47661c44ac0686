"""Each song by itself: where every system lies on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analysis import words
from analysis.figures.base import Chart, Numbers, nobody_rated, system_names
from analysis.figures.style import (
    Style,
    legend_height,
    lines_down,
    mark,
    names_above,
    scale_axis,
    shortened,
    systems_legend,
)
from analysis.report import CONTROLS, StudyReport

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST = 30  # songs in one figure
ASIDE = 0.3  # of a line: how far the systems of one song stand apart, so that none hides another

Means = Mapping[str, Mapping[str, float]]  # song -> system -> MOS


@dataclass(frozen=True)
class Songs(Chart):
    scale: str

    def title(self, report: StudyReport) -> str:
        return _("%(scale)s by song: MOS of each system") % {"scale": words.scale_name(self.scale)}

    def key(self, report: StudyReport) -> str:
        return _("Songs with the highest means first.") + self._left_out(report)

    def why_not(self, report: StudyReport) -> str:
        return "" if self.means(report) else nobody_rated(self.scale)

    def body(self, report: StudyReport, width: str) -> float:
        songs = len(self.shown(report))
        lines = (0.5 * songs + 0.5) if width == "narrow" else (0.3 * songs + 0.5)
        return lines + legend_height(system_names(report), width)

    def means(self, report: StudyReport) -> Means:
        found: dict[str, dict[str, float]] = {}
        for row in report.select(self.scale, "system_song"):
            found.setdefault(row.song, {})[row.system] = row.mos
        return found

    def shown(self, report: StudyReport) -> list[str]:
        """Of many songs those on which the systems differ most; the highest means first."""
        means = self.means(report)
        chosen = sorted(means, key=lambda song: (-_range(means[song]), song))[:MOST]
        over_all = {row.song: row.mos for row in report.select(self.scale, "song")}
        return sorted(chosen, key=lambda song: (-over_all[song], song))

    def draw(self, figure: Figure, report: StudyReport, style: Style) -> None:
        axes = figure.add_subplot()
        means, shown = self.means(report), self.shown(report)
        step = ASIDE / max(len(report.systems) - 1, 1)
        for place, song in enumerate(shown):
            own = means[song]
            ends = (min(own.values()), max(own.values()))
            axes.plot(ends, (place, place), color=style.theme.line, linewidth=1.2, zorder=1)
            for number, system in enumerate(report.systems):
                if system in own:
                    mark(axes, own[system], place + number * step - ASIDE / 2, system, style, size=6)
        scale_axis(axes, self.scale, style)
        lines_down(axes, len(shown))
        if style.is_narrow:
            names_above(axes, [shortened(song, 44) for song in shown], up=0.4)
        else:
            axes.set_yticks(range(len(shown)), [shortened(song, 34) for song in shown])
        systems_legend(figure, report.systems, style)

    def numbers(self, report: StudyReport) -> Numbers:
        names, means = system_names(report), self.means(report)
        lines = tuple((song, *(means[song].get(system) for system in report.systems)) for song in self.shown(report))
        headers = (_("Song"), *(names[system] for system in report.systems))
        return Numbers(headers, lines, self._left_out(report).strip())

    def sentence(self, report: StudyReport) -> str:
        means, names = self.means(report), system_names(report)
        first = _("MOS of each system on each song, %(scale)s.") % {"scale": words.scale_name(self.scale)}
        wins = Counter(winner for own in means.values() if (winner := _winner(own)))
        text = ngettext(
            "%(system)s has the highest mean on %(count)s of %(songs)s song.",
            "%(system)s has the highest mean on %(count)s of %(songs)s songs.",
            len(means),
        )
        order = sorted(wins, key=lambda system: (-wins[system], report.systems.index(system)))
        values = [text % {"system": names[one], "count": wins[one], "songs": len(means)} for one in order]
        return " ".join([first, *values])

    def _left_out(self, report: StudyReport) -> str:
        songs = len(self.means(report))
        if songs <= MOST:
            return ""
        text = _("Here are the %(shown)s of %(songs)s songs on which the systems differ most; the files have all.")
        return " " + text % {"shown": MOST, "songs": words.whole(songs)}


def _range(means: Mapping[str, float]) -> float:
    """Controls lie far apart on purpose, so they do not make a song interesting."""
    own = [mos for system, mos in means.items() if system not in CONTROLS] or list(means.values())
    return max(own) - min(own)


def _winner(means: Mapping[str, float]) -> str:
    """The system with the highest mean; "" where several share it, or there is one only."""
    own = {system: mos for system, mos in means.items() if system not in CONTROLS}
    best = [system for system, mos in own.items() if mos >= max(own.values()) - 1e-9]
    return best[0] if len(best) == 1 and len(own) > 1 else ""
