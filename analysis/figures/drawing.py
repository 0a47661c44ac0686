"""Files of figures, for pages and papers: SVG, PDF and PNG, the same bytes for the same data.

Drawn on `Figure` objects without pyplot. matplotlib keeps its settings for the whole process and is not safe in
threads, so one figure is drawn at a time.
"""

from __future__ import annotations

import io
import logging
from threading import Lock
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from analysis import words
from analysis.figures.base import Chart, system_names
from analysis.figures.catalogue import CHARTS
from analysis.figures.colours import looks
from analysis.figures.style import SETTINGS, THEMES, Style
from analysis.report import StudyReport

PNG_DPI = 300
ON_PAGES = ("light", "dark")
_drawing = Lock()
logging.getLogger("fontTools").setLevel(logging.WARNING)  # it tells of every letter that it puts into a PDF


def draw(report: StudyReport, name: str, *, format: str = "svg", theme: str = "print", width: str = "wide") -> bytes:
    """A file of one of `CHARTS`, in the active language.

    `KeyError` for what is not there; `ValueError` with the reason for what cannot be drawn of this report.
    """
    chart = CHARTS[name]
    if reason := chart.why_not(report):
        raise ValueError(reason)
    with _drawing, mpl.rc_context({**SETTINGS, **THEMES[theme].settings}):
        return _file(figure_of(report, chart, theme, width), format)


def figure_of(report: StudyReport, chart: Chart, theme: str = "print", width: str = "wide") -> Figure:
    style = Style(THEMES[theme], width == "narrow", looks(report.systems), system_names(report), report.scales)
    on_page = theme in ON_PAGES
    layout = ConstrainedLayoutEngine(w_pad=0.06, h_pad=0.04, hspace=0.05)
    figure = Figure(figsize=chart.size(report, width, on_page=on_page), layout=layout)
    chart.draw(figure, report, style)
    _notes(figure, report, chart.heading(report, width, on_page=on_page), style)
    return figure


def _notes(figure: Figure, report: StudyReport, heading: list[str], style: Style) -> None:
    """What the picture shows, and what must be known of it wherever it goes."""
    figure.suptitle("\n".join(heading), x=0.01, ha="left", fontsize=8.5, color=style.theme.soft)
    if notes := words.provenance(report):
        said = " · ".join(notes).upper()
        how: dict[str, Any] = {"fontsize": 8.5, "fontweight": "bold", "color": style.theme.warn}
        for legend in figure.legends:  # both want the place below
            legend.set_title(said)
            legend.get_title().set(**how)
        if not figure.legends:
            figure.supxlabel(said, x=0.01, ha="left", **how)


def _file(figure: Figure, format: str) -> bytes:
    undated: dict[str, dict[str, None]] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {}}
    file = io.BytesIO()
    figure.savefig(file, format=format, dpi=PNG_DPI, metadata=undated[format])
    return file.getvalue()
