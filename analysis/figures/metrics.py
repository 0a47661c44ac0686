"""Objective metrics against MOS: a dot per clip, a line through each system's clips."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
from django.utils.translation import gettext as _

from analysis import words
from analysis.figures.base import Chart, Numbers, Value, system_names
from analysis.figures.style import MARGIN, SMALL, Style, legend_height, mark, readers_ticks, systems_legend
from analysis.measured_words import metric_name
from analysis.metrics import MeasuredClip, MetricPart
from analysis.report import StudyReport
from listening_test.scales import HIGHEST, LOWEST

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ACROSS = {"wide": 5, "narrow": 2}
MOST_LINES = 200  # of the table


@dataclass(frozen=True)
class MetricsChart(Chart):
    scale: str

    def title(self, report: StudyReport) -> str:
        return _("%(scale)s: objective metrics against MOS") % {"scale": words.scale_name(self.scale)}

    def key(self, report: StudyReport) -> str:
        return _("One dot is one clip; lines are least squares within a system. Across: dB, up: MOS.")

    def why_not(self, report: StudyReport) -> str:
        return "" if self.parts(report) else _("No clip that was rated on this scale has objective measurements yet.")

    def parts(self, report: StudyReport) -> list[MetricPart]:
        own = [part for part in report.metrics.parts if part.scale == self.scale] if report.metrics else []
        order = {source: place for place, source in enumerate(report.sources)}
        return sorted(own, key=lambda part: order.get(part.source, len(order)))

    def body(self, report: StudyReport, width: str) -> float:
        across = ACROSS[width]
        down = sum(-(-len(self.metrics(report)) // across) for _part in self.parts(report))
        line = 1.6 if width == "narrow" else 1.55 if down > 1 else 2.1
        return line * down + legend_height(system_names(report), width)

    def metrics(self, report: StudyReport) -> tuple[str, ...]:
        return report.metrics.metrics if report.metrics else ()

    def draw(self, figure: Figure, report: StudyReport, style: Style) -> None:
        parts, metrics = self.parts(report), self.metrics(report)
        across = ACROSS["narrow" if style.is_narrow else "wide"]
        down = -(-len(metrics) // across)
        panels = figure.subplots(down * len(parts), min(across, len(metrics)), squeeze=False, sharey=True)
        for number, part in enumerate(parts):
            own = panels[number * down : (number + 1) * down].ravel()
            for at, metric in enumerate(metrics):
                _scatter(own[at], part.clips, at, report.systems, style)
                own[at].set_title(metric_name(metric), loc="left", fontsize=8)
            own[0].set_ylabel(words.source_name(part.source), fontsize=8, fontweight="bold")
            for unused in own[len(metrics) :]:
                unused.set_visible(False)
        shown = {clip.system for part in parts for clip in part.clips}
        systems_legend(figure, [system for system in report.systems if system in shown], style)

    def numbers(self, report: StudyReport) -> Numbers:
        names = system_names(report)
        headers = (
            *(_("Source"), _("Song"), _("System"), _("MOS")),
            *(f"{metric_name(metric)}, dB" for metric in self.metrics(report)),
        )
        lines = [_line(part, clip, names) for part in self.parts(report) for clip in part.clips]
        note = "" if len(lines) <= MOST_LINES else _("These are the first %(count)s clips.")
        return Numbers(headers, tuple(lines[:MOST_LINES]), note % {"count": MOST_LINES} if note else "")

    def sentence(self, report: StudyReport) -> str:
        start = _("Objective metrics of each clip against its mean %(scale)s.") % {
            "scale": words.scale_name(self.scale)
        }
        text = _("%(source)s: Spearman’s correlation over clips is %(values)s.")
        parts = []
        for part in self.parts(report):
            if part.study:
                found = [(name, part.study.of(name, "clip", "spearman").value) for name in self.metrics(report)]
                values = [f"{metric_name(name)} {words.number(value)}" for name, value in found if np.isfinite(value)]
                if values:
                    parts.append(text % {"source": words.source_name(part.source), "values": words.enumeration(values)})
        return " ".join([start, *parts])


def _line(part: MetricPart, clip: MeasuredClip, names: dict[str, str]) -> tuple[Value, ...]:
    figures = [value if np.isfinite(value) else None for value in clip.figures]
    return (words.source_name(part.source), clip.song, names.get(clip.system, clip.system), clip.mos, *figures)


def _scatter(panel: Axes, clips: tuple[MeasuredClip, ...], at: int, order: tuple[str, ...], style: Style) -> None:
    there = [clip for clip in clips if np.isfinite(clip.figures[at]) and clip.system in order]
    there.sort(key=lambda clip: order.index(clip.system))
    size = 4.5 if len(there) <= 60 else 3.0
    for system, own in groupby(there, key=lambda clip: clip.system):
        x, y = np.array([(clip.figures[at], clip.mos) for clip in own]).T
        mark(panel, x, y, system, style, size=size, alpha=0.75, markeredgewidth=0.3)
        if x.size >= 3 and np.ptp(x) > 0:
            slope, start = np.polyfit(x, y, 1)
            ends = np.array([x.min(), x.max()])
            panel.plot(ends, start + slope * ends, color=style.looks[system].hex, linewidth=1.4, zorder=2)
    panel.set_ylim(LOWEST - MARGIN, HIGHEST + MARGIN)
    panel.set_yticks(range(LOWEST, HIGHEST + 1))
    readers_ticks(panel)
    panel.tick_params(labelsize=SMALL, length=2)
    panel.grid(linewidth=0.6)
    panel.margins(x=0.08)
