"""Objective metrics against listeners as the results page shows them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from analysis import words
from analysis.measured_words import metric_name
from analysis.metrics import MetricPart, MetricReport
from analysis.report import ALPHA, StudyReport
from analysis.statistics.correlation import LEVELS, Correlation, MetricDifference, MetricStudy

Text = words.Text
SHOWN = "spearman"
COMPARED = ("within_song", "clip")  # levels at which metrics are set against each other on the page
COLUMNS: dict[str, Text] = {
    "clip": gettext_lazy("Over clips"),
    "within_song": gettext_lazy("Within a song"),
    "within_system": gettext_lazy("Within a system"),
    "system": gettext_lazy("Over systems"),
}
KINDS: dict[str, str] = {"pearson": "Pearson", "spearman": "Spearman", "kendall": "Kendall τ-b"}
BEST: dict[tuple[str, bool], Text] = {
    ("within_song", True): gettext_lazy(
        "Among systems of one song %(metric)s follows listeners best (Spearman %(value)s%(limits)s)."
    ),
    ("within_song", False): gettext_lazy(
        "Among systems of one song no metric is shown to follow listeners: the best is %(metric)s "
        "(Spearman %(value)s%(limits)s)."
    ),
    ("clip", True): gettext_lazy("Over clips %(metric)s follows listeners best (Spearman %(value)s%(limits)s)."),
    ("clip", False): gettext_lazy(
        "Over clips no metric is shown to follow listeners: the best is %(metric)s (Spearman %(value)s%(limits)s)."
    ),
}
"""By level, and whether the interval lies above 0."""
REASONS: dict[str, Text] = {
    "too_few_clips": gettext_lazy("No correlation: it takes at least three clips with measurements."),
    "too_many_clips": gettext_lazy("No correlation: there are too many clips and listeners to compute it here."),
}


@dataclass(frozen=True)
class Line:
    """A metric with a value and its limits at each level."""

    name: str
    cells: list[tuple[str, str]]


@dataclass(frozen=True)
class PartView:
    """One scale and source. `others`: the other two coefficients, as lines of the same form."""

    key: str
    title: str
    sentence: str
    lines: list[Line]
    ceiling: list[str]
    others: list[tuple[str, list[Line]]]
    differences: list[tuple[Text, list[str]]]
    note: str


@dataclass(frozen=True)
class MetricsView:
    summary: list[str]
    columns: list[Text]
    parts: list[PartView]


def metrics_context(report: StudyReport) -> dict[str, Any]:
    """`metrics`; without parts where nothing was measured, and then the summary says how to get it."""
    found = report.metrics or MetricReport()
    if not found.parts:
        return {"metrics": MetricsView([_how()], [], [])}
    order = {source: place for place, source in enumerate(report.sources)}
    parts = sorted(found.parts, key=lambda part: (part.scale != "quality", order.get(part.source, len(order))))
    views = [_part(part, found) for part in parts]
    return {"metrics": MetricsView(_summary(found), list(COLUMNS.values()), views)}


def _how() -> str:
    return _(
        "None of the rated clips has objective measurements. Add a song’s true stems on its page: its separations are "
        "then measured by themselves, and this part fills."
    )


def _summary(found: MetricReport) -> list[str]:
    measured = ngettext(
        "%(measured)s of %(rated)s rated clip has measurements; controls have none.",
        "%(measured)s of %(rated)s rated clips have measurements; controls have none.",
        found.rated,
    ) % {"measured": words.whole(found.measured), "rated": words.whole(found.rated)}
    if found.exact == found.measured:
        return [measured]
    return [
        measured,
        _(
            "Where a longer part was measured, SDR, ISR, SIR and SAR are medians over the seconds of the excerpt, and "
            "SI-SDR is that of the whole part."
        ),
    ]


def _part(part: MetricPart, found: MetricReport) -> PartView:
    title = _("%(scale)s, %(source)s") % {
        "scale": words.scale_name(part.scale),
        "source": words.source_name(part.source),
    }
    key = f"{part.scale}-{part.source}"
    if part.study is None:
        return PartView(key, title, str(REASONS.get(part.reason, part.reason)), [], [], [], [], "")
    return PartView(
        key=key,
        title=title,
        sentence=_best(part.study, found.metrics),
        lines=_lines(part.study, found.metrics, SHOWN),
        ceiling=[_number(part.study.ceiling[level]) for level in LEVELS],
        others=[(KINDS[kind], _lines(part.study, found.metrics, kind)) for kind in KINDS if kind != SHOWN],
        differences=[(COLUMNS[level], _differences(part.study, level)) for level in COMPARED],
        note=_note(part),
    )


def _note(part: MetricPart) -> str:
    said = _("Intervals of 95 %, with listeners and songs drawn anew.")
    if part.drawn != "songs":
        said = _("Intervals of 95 %, with listeners and excerpts drawn anew: some songs have several excerpts.")
    systems = len({clip.system for clip in part.clips})
    return f"{said} {_('Over systems stands on %(count)s systems.') % {'count': systems}}"


def _lines(study: MetricStudy, metrics: Iterable[str], kind: str) -> list[Line]:
    return [Line(metric_name(name), [_cell(study.of(name, level, kind)) for level in LEVELS]) for name in metrics]


def _cell(found: Correlation) -> tuple[str, str]:
    if not math.isfinite(found.value):
        return "—", ""
    return words.number(found.value), _limits(found.low, found.high)


def _limits(low: float, high: float) -> str:
    if not (math.isfinite(low) and math.isfinite(high)):
        return ""
    return _("%(low)s to %(high)s") % {"low": words.number(low), "high": words.number(high)}


def _number(value: float) -> str:
    return words.number(value) if math.isfinite(value) else "—"


def _best(study: MetricStudy, metrics: Iterable[str]) -> str:
    """Which metric follows listeners best where systems of one song are to be told apart; else over clips."""
    for level in ("within_song", "clip"):
        there = [one for name in metrics if math.isfinite((one := study.of(name, level, SHOWN)).value)]
        if there:
            best = max(there, key=lambda one: one.value)
            return _best_sentence(best, study.ceiling[level])
    return _("There is too little variation for a correlation.")


def _best_sentence(best: Correlation, ceiling: float) -> str:
    limits = _limits(best.low, best.high)
    is_shown = math.isfinite(best.low) and best.low > 0
    said = str(BEST[best.level, is_shown]) % {
        "metric": metric_name(best.metric),
        "value": words.number(best.value),
        "limits": f"; {limits}" if limits else "",
    }
    if not math.isfinite(ceiling):
        return said
    most = _("A perfect metric could reach %(ceiling)s with these ratings.") % {"ceiling": words.number(ceiling)}
    return f"{said} {most}"


def _differences(study: MetricStudy, level: str) -> list[str]:
    return [_difference(one) for one in study.differences if (one.level, one.kind) == (level, SHOWN)]


def _difference(found: MetricDifference) -> str:
    names = {"first": metric_name(found.first), "second": metric_name(found.second)}
    if not math.isfinite(found.p):
        return _("%(first)s and %(second)s: not compared.") % names
    values = {
        **names,
        "difference": words.number(found.difference),
        "limits": _limits(found.low, found.high),
        "p": words.p_value(found.p),
    }
    if found.p >= ALPHA:
        return _("%(first)s and %(second)s are not told apart: %(difference)s (%(limits)s; %(p)s).") % values
    if found.difference < 0:
        values |= {"first": names["second"], "second": names["first"]}
        values |= {"difference": words.number(-found.difference), "limits": _limits(-found.high, -found.low)}
    return _("%(first)s follows listeners better than %(second)s: %(difference)s (%(limits)s; %(p)s).") % values
