"""Which figures there are, by the names in their addresses and file names; loads no matplotlib."""

from __future__ import annotations

from collections.abc import Mapping

from analysis.figures.base import Chart
from analysis.figures.listeners import Flagged, ListenersChart
from analysis.figures.map import Map
from analysis.figures.matrix import Matrix
from analysis.figures.metrics import MetricsChart
from analysis.figures.mos import Mos, MosBySource
from analysis.figures.scores import Scores
from analysis.figures.songs import Songs
from analysis.report import StudyReport
from listening_test.scales import ScaleKey

THEMES = ("print", "light", "dark")  # print has white paper, the others let the page show through
CONTENT_TYPES = {"svg": "image/svg+xml", "pdf": "application/pdf", "png": "image/png"}

QUALITY, CONTAMINATION = ScaleKey.QUALITY, ScaleKey.CONTAMINATION

CHARTS: Mapping[str, Chart] = {
    "quality": Mos(QUALITY),
    "contamination": Mos(CONTAMINATION),
    "quality-sources": MosBySource(QUALITY),
    "contamination-sources": MosBySource(CONTAMINATION),
    "map": Map(),
    "quality-matrix": Matrix(QUALITY),
    "contamination-matrix": Matrix(CONTAMINATION),
    "quality-songs": Songs(QUALITY),
    "contamination-songs": Songs(CONTAMINATION),
    "scores": Scores(),
    "listeners": ListenersChart(),
    "flagged": Flagged(),
    "quality-metrics": MetricsChart(QUALITY),
    "contamination-metrics": MetricsChart(CONTAMINATION),
}


def charts_of(report: StudyReport) -> dict[str, Chart]:
    """Those that can be drawn of a report."""
    return {name: chart for name, chart in CHARTS.items() if not chart.why_not(report)}
