"""Metrics against listeners, and groups of listeners, as CSV."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

from analysis.groups import GROUPS, GroupReport
from analysis.metrics import MetricPart, MetricReport
from analysis.report import StudyReport
from analysis.statistics.correlation import MetricStudy
from analysis.statistics.intervals import Tested
from separation.csv_text import cell, lines

METRIC_COLUMNS = (
    *("scale", "source", "level", "kind", "metric", "minus"),
    *("value", "low", "high", "n", "p", "ceiling", "replicates", "demo", "simulated"),
)
GROUP_COLUMNS = (
    *("scale", "what", "group", "minus", "listeners", "ratings", "mos"),
    *("deviation", "low", "high", "p", "p_holm", "reason", "demo", "simulated"),
)


def metrics_csv(report: StudyReport) -> bytes:
    """One line per scale, source, level, coefficient and metric; and per pair of metrics (`minus`) their difference."""
    found = report.metrics or MetricReport()
    marks = (report.counts.demo, report.counts.simulated)
    rows = [[*values, *marks] for part in found.parts if part.study for values in _metric_values(part, part.study)]
    return lines([METRIC_COLUMNS]) + lines([[cell(value) for value in row] for row in rows])


def _metric_values(part: MetricPart, study: MetricStudy) -> Iterable[list[Any]]:
    where = (part.scale, part.source)
    for one in study.correlations:
        named = (one.level, one.kind, one.metric, "")
        ceiling = study.ceiling[one.level]
        yield [*where, *named, *map(_known, (one.value, one.low, one.high, one.n, None, ceiling)), study.replicates]
    for pair in study.differences:
        named = (pair.level, pair.kind, pair.first, pair.second)
        numbers = (pair.difference, pair.low, pair.high, None, pair.p, None)
        yield [*where, *named, *map(_known, numbers), study.replicates]


def groups_csv(report: StudyReport) -> bytes:
    """One line per scale, question and group, per pair of groups (`minus`), and per effect of the session."""
    found = report.groups or GroupReport()
    marks = (report.counts.demo, report.counts.simulated)
    rows = [[*values, *marks] for values in _group_values(found)]
    return lines([GROUP_COLUMNS]) + lines([[cell(value) for value in row] for row in rows])


def _group_values(found: GroupReport) -> Iterator[list[Any]]:
    for fact in found.facts:
        names = GROUPS[fact.fact]
        for row in fact.effect.rows:
            limits = (row.interval.low, row.interval.high) if row.interval else (None, None)
            numbers = (row.listeners, row.ratings, _known(row.mos), _known(row.deviation), *limits)
            yield [fact.scale, fact.fact, names[row.group], "", *numbers, None, None, row.reason]
        for pair in fact.effect.pairs:
            named = (names[pair.first], names[pair.second])
            yield [fact.scale, fact.fact, *named, *_tested(pair.test), pair.p_holm, pair.reason]
    for own in found.effects:
        session = own.session
        for what, test, reason in (
            ("order_per_100_trials", session.order, session.order_reason),
            ("fatigue_per_100_trials", session.fatigue, session.fatigue_reason),
            ("this_scale_first", session.scale_order, session.scale_order_reason),
            ("familiar_songs", own.familiar, own.familiar_reason),
        ):
            yield [own.scale, what, "", "", *_tested(test), None, reason]


def _tested(test: Tested | None) -> tuple[Any, ...]:
    """Listeners, ratings and MOS are not said of a difference."""
    if test is None:
        return (None, None, None, None, None, None, None)
    return (None, None, None, test.interval.centre, test.interval.low, test.interval.high, test.p)


def _known(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else value
