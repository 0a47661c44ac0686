"""Which figures there are and how large: what pages need to know without loading matplotlib (`plots.py` draws them)."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.report import StudyReport
from listening_test.scales import ScaleKey

WIDTHS = {"wide": 6.6, "narrow": 3.2}  # inches; a page's column; a phone, or one column of a journal
THEMES = ("print", "light", "dark")  # print has white paper, the others let the page show through
CONTENT_TYPES = {"svg": "image/svg+xml", "pdf": "application/pdf", "png": "image/png"}
PIXELS_PER_INCH = 96  # of CSS


@dataclass(frozen=True)
class Chart:
    """`by`: what a figure shows: "systems" in one panel, or a panel for each of the "sources"."""

    scale: str
    by: str

    def size(self, report: StudyReport, width: str) -> tuple[float, float]:
        """Width and height in inches."""
        narrow, systems, sources = width == "narrow", len(report.systems), len(report.sources)
        if self.by == "systems":
            return WIDTHS[width], (0.47 * systems + 1.5) if narrow else (0.36 * systems + 1.2)
        lines = sources if narrow else -(-sources // 2)
        return WIDTHS[width], (0.27 * systems + 0.45) * lines + (1.15 if narrow else 0.95)

    def pixels(self, report: StudyReport, width: str) -> tuple[int, int]:
        across, down = self.size(report, width)
        return round(across * PIXELS_PER_INCH), round(down * PIXELS_PER_INCH)


CHARTS = {
    "quality": Chart(ScaleKey.QUALITY, "systems"),
    "contamination": Chart(ScaleKey.CONTAMINATION, "systems"),
    "quality-sources": Chart(ScaleKey.QUALITY, "sources"),
    "contamination-sources": Chart(ScaleKey.CONTAMINATION, "sources"),
}
"""By the names in their addresses and file names."""
