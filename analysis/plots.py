"""Figures of a report, for pages and papers: SVG, PDF and PNG, the same bytes for the same data.

Drawn on `Figure` objects without pyplot. matplotlib keeps its settings for the whole process and is not safe in
threads, so one figure is drawn at a time.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any

import matplotlib as mpl
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from analysis import words
from analysis.charts import CHARTS, Chart
from analysis.colours import Look, looks
from analysis.report import MosRow, StudyReport
from analysis.statistics.intervals import Interval
from listening_test.scales import HIGHEST, LOWEST, SCALES
from listening_test.systems import system_name

PNG_DPI = 300
MARKERS = {
    "circle": "o",
    "square": "s",
    "diamond": "D",
    "triangle": "^",
    "down": "v",
    "pentagon": "p",
    "cross": "X",
    "star": "*",
}
SETTINGS: dict[Any, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same picture on every machine
    "font.size": 9,
    "svg.fonttype": "path",
    "svg.hashsalt": "stemmos",  # fixed, so that the same data gives the same file
    "pdf.fonttype": 42,  # TrueType: text in a PDF stays text
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.axisbelow": True,
}
_drawing = Lock()
logging.getLogger("fontTools").setLevel(logging.WARNING)  # it tells of every letter that it puts into a PDF


@dataclass(frozen=True)
class Theme:
    ink: str
    soft: str
    line: str
    warn: str
    paper: str  # "none": the page shows through


THEMES = {
    "print": Theme(ink="#1c1b19", soft="#5a5751", line="#dedad3", warn="#7a5200", paper="#ffffff"),
    "light": Theme(ink="#1c1b19", soft="#5a5751", line="#dedad3", warn="#7a5200", paper="none"),
    "dark": Theme(ink="#f0efec", soft="#b3b0a9", line="#4a4d4b", warn="#e9bf6c", paper="none"),
}


@dataclass(frozen=True)
class Style:
    """How one figure is drawn."""

    theme: Theme
    is_narrow: bool
    size: tuple[float, float]  # inches
    looks: Mapping[str, Look]


def draw(report: StudyReport, name: str, *, format: str = "svg", theme: str = "print", width: str = "wide") -> bytes:
    """A file of one of `charts.CHARTS`, in the active language. `KeyError` for what is not there."""
    chart = CHARTS[name]
    style = Style(THEMES[theme], width == "narrow", chart.size(report, width), looks(report.systems))
    with _drawing, mpl.rc_context({**SETTINGS, **_colours(style.theme)}):
        return _file(figure_of(report, chart, style), format)


def figure_of(report: StudyReport, chart: Chart, style: Style) -> Figure:
    figure = Figure(figsize=style.size, layout=ConstrainedLayoutEngine(w_pad=0.06, h_pad=0.04, hspace=0.05))
    if chart.by == "systems":
        _systems(figure, report, chart.scale, style)
    else:
        _sources(figure, report, chart.scale, style)
    _notes(figure, report, chart.scale, style)
    return figure


def _colours(theme: Theme) -> dict[Any, Any]:
    parts = {"text.color": theme.ink, "axes.labelcolor": theme.ink, "axes.edgecolor": theme.soft}
    parts |= {"xtick.color": theme.soft, "ytick.color": theme.ink, "grid.color": theme.line}
    return parts | {"figure.facecolor": theme.paper, "axes.facecolor": "none", "savefig.facecolor": theme.paper}


def _file(figure: Figure, format: str) -> bytes:
    undated: dict[str, dict[str, None]] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {}}
    file = io.BytesIO()
    figure.savefig(file, format=format, dpi=PNG_DPI, metadata=undated[format])
    return file.getvalue()


# ── One line per system ─────────────────────────────────────────────────────────────────────────────────────────────


def _systems(figure: Figure, report: StudyReport, scale: str, style: Style) -> None:
    """MOS and interval of each system; the numbers stand beside the dots."""
    rows = report.select(scale, "system")
    axes = figure.add_subplot()
    for place, row in enumerate(rows):
        _dot(axes, place, row, style)
    _scale_axis(axes, scale, style)
    _lines(axes, len(rows))
    names = [system_name(row.system) for row in rows]
    if style.is_narrow:
        _names_above(axes, [f"{name}   {_numbers(row)}" for name, row in zip(names, rows, strict=True)])
    else:
        axes.set_yticks(range(len(rows)), names)
        _numbers_beside(axes, [_numbers(row) for row in rows])


def _numbers(row: MosRow) -> str:
    return f"{words.number(row.mos)}  [{words.limits_or_why(row.these_clips)}]"


def _names_above(axes: Axes, names: list[str]) -> None:
    axes.set_yticks([])
    for place, name in enumerate(names):
        axes.text(LOWEST - 0.15, place - 0.33, name, va="center", fontsize=8.5)
    axes.set_ylim(len(names) - 0.65, -0.6)


def _numbers_beside(axes: Axes, numbers: list[str]) -> None:
    beside = axes.secondary_yaxis("right")
    beside.set_yticks(range(len(numbers)), numbers)
    beside.tick_params(length=0)
    beside.spines["right"].set_visible(False)


# ── One panel per source ────────────────────────────────────────────────────────────────────────────────────────────


def _sources(figure: Figure, report: StudyReport, scale: str, style: Style) -> None:
    """The same, one small panel per source."""
    columns = 1 if style.is_narrow else 2
    lines = max(1, -(-len(report.sources) // columns))
    panels = figure.subplots(lines, columns, squeeze=False, sharex=True, sharey=True).ravel()
    rows = {(row.source, row.system): row for row in report.select(scale, "system_source")}
    for panel, source in zip(panels, report.sources, strict=False):
        _panel(panel, [rows.get((source, system)) for system in report.systems], report, style)
        panel.set_title(words.source_name(source), loc="left", fontsize=9, fontweight="bold")
        _scale_axis(panel, scale, style, words_too=False)
    for unused in panels[len(report.sources) :]:
        unused.set_visible(False)


def _panel(panel: Axes, rows: list[MosRow | None], report: StudyReport, style: Style) -> None:
    for place, row in enumerate(rows):
        if row is not None:
            _dot(panel, place, row, style)
    _lines(panel, len(rows))
    panel.set_yticks(range(len(report.systems)), [system_name(system) for system in report.systems])


# ── What all figures share ──────────────────────────────────────────────────────────────────────────────────────────


def _dot(axes: Axes, place: int, row: MosRow, style: Style) -> None:
    look = style.looks[row.system]
    if row.any_song:
        _line(axes, place, row.any_song, color=style.theme.soft, linewidth=1.1, cap=6)
    if row.these_clips:
        _line(axes, place, row.these_clips, color=look.hex, linewidth=3.5, cap=0)
    axes.plot(
        row.mos,
        place,
        MARKERS[look.marker],
        color=look.hex,
        markersize=8,
        markeredgecolor=style.theme.ink,
        markeredgewidth=0.8,
        zorder=3,
    )


def _line(axes: Axes, place: int, interval: Interval, *, color: str, linewidth: float, cap: int) -> None:
    ends, height = (interval.low, interval.high), (place, place)
    axes.plot(ends, height, color=color, linewidth=linewidth, solid_capstyle="butt", zorder=2)
    if cap:
        axes.plot(ends, height, "|", color=color, markersize=cap, markeredgewidth=linewidth, zorder=2)


def _scale_axis(axes: Axes, scale: str, style: Style, *, words_too: bool = True) -> None:
    values = SCALES[scale].values
    labels = [f"{value}\n{word}" if words_too else str(value) for value, word in values]
    if style.is_narrow and words_too:  # five words do not fit: the ends say which way is good
        labels = [
            label if value in (LOWEST, HIGHEST) else str(value)
            for (value, _w), label in zip(values, labels, strict=True)
        ]
    axes.set_xticks([value for value, _word in values], labels, fontsize=8)
    axes.set_xlim(LOWEST - 0.15, HIGHEST + 0.15)
    axes.grid(axis="x", linewidth=0.8)
    axes.tick_params(axis="both", length=0)
    axes.spines["bottom"].set_visible(False)


def _lines(axes: Axes, count: int) -> None:
    """The first on top, and air above and below."""
    axes.set_ylim(max(count, 1) - 0.4, -0.6)


def _notes(figure: Figure, report: StudyReport, scale: str, style: Style) -> None:
    """What the picture shows, and what must be known of it wherever it goes."""
    count = ngettext("%(count)s listener", "%(count)s listeners", report.counts.listeners)
    values = {"scale": words.scale_name(scale), "listeners": count % {"count": words.whole(report.counts.listeners)}}
    title = _("%(scale)s: MOS, %(listeners)s, 95 %% intervals:") % values
    key = _("These clips, any listener")
    if any(row.any_song for row in report.rows if row.scale == scale):
        key = _("these clips, any listener (thick); any song, any listener (thin)")
    key = key.replace("; ", "\n") if style.is_narrow else key
    figure.suptitle(f"{title}\n{key}", x=0.01, ha="left", fontsize=8.5, color=style.theme.soft)
    if notes := words.provenance(report):
        said = " · ".join(notes).upper()
        figure.supxlabel(said, x=0.01, ha="left", fontsize=8.5, fontweight="bold", color=style.theme.warn)
