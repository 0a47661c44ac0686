"""How often each score was given: one bar per system, cut by the five scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from django.utils.translation import gettext as _

from analysis import words
from analysis.figures.base import Chart, Numbers, Value, once, system_names
from analysis.figures.style import Style, bare, lines_down, names_above, panel_title, shortened
from analysis.report import StudyReport
from analysis.statistics.arrays import Codes, Floats
from listening_test.scales import HIGHEST, LOWEST, SCALES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

STEPS = HIGHEST - LOWEST + 1
OPACITY = (0.12, 0.3, 0.5, 0.72, 0.95)  # of the five scores
READABLE = {"wide": 0.07, "narrow": 0.12}  # a share that has room for its number


class Scores(Chart):
    def title(self, report: StudyReport) -> str:
        return _("How often each score was given, per cent of a system’s ratings")

    def key(self, report: StudyReport) -> str:
        return _("From pale, 1, to full, 5.")

    def why_not(self, report: StudyReport) -> str:
        return "" if counts(report) else _("Nobody has given whole scores from 1 to 5 yet.")

    def body(self, report: StudyReport, width: str) -> float:
        line = 0.46 if width == "narrow" else 0.3
        return sum(line * len(found) + 0.35 for found in counts(report).values()) + 0.1

    def draw(self, figure: Figure, report: StudyReport, style: Style) -> None:
        found = counts(report)
        sizes = [len(own) + 1 for own in found.values()]
        panels = figure.subplots(len(found), 1, squeeze=False, height_ratios=sizes).ravel()
        for panel, (scale, own) in zip(panels, found.items(), strict=True):
            for place, scores in enumerate(own.values()):
                _bar(panel, place, scores / max(scores.sum(), 1), style)
            panel.set(xlim=(0, 1), xticks=[])
            names = [shortened(style.names[system], 40) for system in own]
            if style.is_narrow:
                names_above(panel, names, left=0.0, up=0.42)
            else:
                panel.set_yticks(range(len(own)), names)
                lines_down(panel, len(own))
            bare(panel)
            ends = style.scales[scale].values
            panel_title(panel, f"{style.scales[scale].name}: 1 {ends[0][1]} … 5 {ends[-1][1]}")

    def numbers(self, report: StudyReport) -> Numbers:
        names = system_names(report)
        lines: list[tuple[Value, ...]] = []
        for scale, own in counts(report).items():
            lines += [(words.scale_name(scale), names[system], *map(int, scores)) for system, scores in own.items()]
        return Numbers((_("Scale"), _("System"), *map(str, range(LOWEST, HIGHEST + 1))), tuple(lines))

    def sentence(self, report: StudyReport) -> str:
        start = _("How often each score from 1 to 5 was given to each system.")
        text = _("%(scale)s: of all ratings, %(low)s %% are 1 and %(high)s %% are 5.")
        parts = []
        for scale, own in counts(report).items():
            together = np.sum(list(own.values()), axis=0)
            share = 100.0 * together / max(together.sum(), 1)
            parts.append(
                text
                % {
                    "scale": words.scale_name(scale),
                    "low": words.number(share[0], 0),
                    "high": words.number(share[-1], 0),
                }
            )
        return " ".join([start, *parts])


def counts(report: StudyReport) -> dict[str, dict[str, Codes]]:
    """By scale and system, how often each score from 1 to 5 was given, `[5]`."""
    return once(report, "_score_counts", _counts)


def _counts(report: StudyReport) -> dict[str, dict[str, Codes]]:
    if report.analysed is None:
        return {}
    ratings = report.analysed.ratings
    score = np.round(ratings.scores).astype(np.intp) - LOWEST
    if not np.array_equal(score + LOWEST, ratings.scores) or score.min() < 0 or score.max() >= STEPS:
        return {}
    systems, scales = ratings.count("system"), ratings.count("scale")
    place = (ratings.scales * systems + ratings.systems) * STEPS + score
    table = np.bincount(place, minlength=scales * systems * STEPS).reshape(scales, systems, STEPS)
    code = {str(name): number for number, name in enumerate(ratings.names["system"])}
    found = {}
    for number, scale in enumerate(map(str, ratings.names["scale"])):
        own = {system: table[number, code[system]] for system in report.systems if table[number, code[system]].any()}
        if scale in SCALES and own:
            found[scale] = own
    return {scale: found[scale] for scale in map(str, SCALES) if scale in found}


def _bar(panel: Axes, place: int, shares: Floats, style: Style) -> None:
    left = 0.0
    room = READABLE["narrow" if style.is_narrow else "wide"]
    for share, opacity in zip(shares, OPACITY, strict=True):
        panel.barh(
            place, share, 0.44 if style.is_narrow else 0.72, left, color=style.theme.ahead, alpha=opacity, linewidth=0
        )
        if share >= room:
            colour = style.theme.on_deep if opacity > style.theme.deep else style.theme.ink
            said = words.number(100 * share, 0)
            panel.text(left + share / 2, place, said, ha="center", va="center", fontsize=7.5, color=colour)
        left += share
