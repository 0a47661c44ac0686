"""Listeners one by one, and the systems with and without those whom the rule flags, as the results page shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from analysis import words
from analysis.report import StudyReport
from analysis.statistics.screening import FEWEST_RATINGS, RULE_NAME, Listeners, Rule
from analysis.statistics.whole import MeanRow, ScaleAnalysis, flagged
from listening_test.scales import SCALES
from listening_test.systems import system_name

MOST = 50
"""So many listeners are listed, the flagged first; the files hold all."""

FLAGS: dict[str, str | Promise] = {
    "straight_lining": gettext_lazy("gave nearly the same rating everywhere"),
    "unlike_others": gettext_lazy("agrees with the others far less than most listeners do"),
    "not_above_chance": gettext_lazy("agrees with the others no more than by chance"),
    "inconsistent": gettext_lazy("wavers far more than most listeners do"),
    "partly_random": gettext_lazy("many ratings look as if drawn at random"),
    "traps_failed": gettext_lazy("missed attention checks"),
    "repeats_differ": gettext_lazy("rated clips that came back very differently"),
    "reference_rated_low": gettext_lazy("rated the true stems low"),
    "anchor_rated_high": gettext_lazy("rated clips made to be worst above the true stems"),
    "too_fast": gettext_lazy("answered faster than one can read"),
    "equipment_failed": gettext_lazy("did not pass a sound check"),
}
"""Every reason of `screening.REASONS`, said of a listener."""


@dataclass(frozen=True)
class ListenerRow:
    """`values`: for each scale bias, inconsistency and agreement with the others; "" where there is none."""

    number: int
    ratings: str
    values: tuple[tuple[str, str, str], ...]
    reasons: str


@dataclass(frozen=True)
class BesideRow:
    """A system's mean with all listeners and without the flagged."""

    name: str
    everybody: str
    everybody_limits: str
    without: str
    without_limits: str


@dataclass(frozen=True)
class ListenersView:
    summary: list[str]
    rule: list[str]
    rule_name: str
    scales: list[str]
    rows: list[ListenerRow]
    left_out: int  # of the list
    beside: list[tuple[str, list[BesideRow]]]  # by scale; empty where there is nothing to set side by side


def listeners_view(report: StudyReport) -> ListenersView:
    found = report.analysed
    if found is None:
        return ListenersView([], [], RULE_NAME, [], [], 0, [])
    own = [(scale, analysis) for scale in SCALES if (analysis := report.scale_analysis(scale))]
    marked = flagged(found.found)
    there = np.bincount(found.ratings.listeners, minlength=marked.size) > 0
    numbers = [report.numbers.get(str(name), 0) for name in found.ratings.names["listener"]]
    order = sorted(np.flatnonzero(there).tolist(), key=lambda code: (not marked[code], numbers[code]))
    return ListenersView(
        summary=_summary(int(there.sum()), int(marked.sum()), found.without is None),
        rule=rule_sentences(found.options.used_rule),
        rule_name=RULE_NAME,
        scales=[words.scale_name(scale) for scale, _analysis in own],
        rows=[_row(code, numbers[code], own) for code in order[:MOST]],
        left_out=max(len(order) - MOST, 0),
        beside=[(words.scale_name(scale), rows) for scale, one in own if (rows := _beside(report, scale, one))],
    )


def _summary(listeners: int, marked: int, all_or_none: bool) -> list[str]:
    if not marked:
        return [_("No listener is flagged.")]
    said = ngettext(
        "%(marked)s of %(all)s listeners is flagged. The ratings stay in every number of this page; beside them stands "
        "what the means would be without.",
        "%(marked)s of %(all)s listeners are flagged. Their ratings stay in every number of this page; beside them "
        "stands what the means would be without.",
        marked,
    ) % {"marked": words.whole(marked), "all": words.whole(listeners)}
    everybody = _("Everybody is flagged, so there are no means without the flagged: look at the reasons.")
    return [said, everybody] if all_or_none else [said]


def _row(code: int, number: int, own: Sequence[tuple[str, ScaleAnalysis]]) -> ListenerRow:
    ratings = sum(int(one.listeners.ratings[code]) for _scale, one in own)
    values = tuple(_values(one.listeners, code) for _scale, one in own)
    return ListenerRow(number, words.whole(ratings), values, _reasons(code, own))


def _values(found: Listeners, code: int) -> tuple[str, str, str]:
    if found.ratings[code] < FEWEST_RATINGS:
        return "", "", ""
    bias, inconsistency, agreement = found.bias[code], found.inconsistency[code], found.correlation[code]
    return _known(bias, signed=True), _known(inconsistency), _known(agreement)


def _known(value: float, signed: bool = False) -> str:
    if not np.isfinite(value):
        return ""
    return f"+{words.number(value)}" if signed and round(value, 2) > 0 else words.number(value)


def _reasons(code: int, own: Sequence[tuple[str, ScaleAnalysis]]) -> str:
    """Each once; with the scale where it holds on one of several."""
    where: dict[str, list[str]] = {}
    for scale, one in own:
        if one.listeners.ratings[code]:
            for reason in one.listeners.reasons[code]:
                where.setdefault(reason, []).append(scale)
    rated = sum(bool(one.listeners.ratings[code]) for _scale, one in own)
    said = [
        str(FLAGS[reason])
        if len(scales) == rated
        else _("%(reason)s (%(scale)s)") % {"reason": FLAGS[reason], "scale": words.scale_name(scales[0])}
        for reason, scales in where.items()
    ]
    return "; ".join(said)


def _beside(report: StudyReport, scale: str, everybody: ScaleAnalysis) -> list[BesideRow]:
    without = report.scale_without_flagged(scale)
    if without is None:
        return []
    fewer = {row.system: row for row in without.contests[0].systems}
    place = {system: number for number, system in enumerate(report.systems)}
    rows = sorted(everybody.contests[0].systems, key=lambda row: place[report.label("system", row.system)])
    return [_beside_row(report, row, fewer.get(row.system)) for row in rows]


def _beside_row(report: StudyReport, row: MeanRow, fewer: MeanRow | None) -> BesideRow:
    return BesideRow(
        name=system_name(report.label("system", row.system)),
        everybody=words.number(row.mos),
        everybody_limits=words.limits_or_why(row.these_clips),
        without=words.number(fewer.mos) if fewer else "",
        without_limits=words.limits_or_why(fewer.these_clips) if fewer else "",
    )


def rule_sentences(rule: Rule) -> list[str]:
    """What the rule asks, part by part; what is switched off is not named."""
    parts: list[tuple[float | None, str | Promise]] = [
        (
            rule.straight_variance,
            gettext_lazy(
                "the variance of the ratings is below %(limit)s, where most listeners’ is not, nor would be that of "
                "somebody generous or strict"
            ),
        ),
        (
            rule.far,
            gettext_lazy("agreement or inconsistency is more than %(limit)s median deviations off the median"),
        ),
        (
            rule.chance,
            gettext_lazy(
                "the correlation with the others is below %(limit)s, or what chance gives, and below that of most "
                "listeners by more than chance explains"
            ),
        ),
        (rule.random_share, gettext_lazy("more than %(limit)s of the ratings look drawn at random")),
        (rule.most_traps_failed, gettext_lazy("more than %(limit)s of the attention checks are missed")),
        (rule.most_repeat_difference, gettext_lazy("repeats differ by more than %(limit)s points on average")),
        (rule.lowest_reference, gettext_lazy("the true stems get less than %(limit)s on average")),
        (rule.highest_anchor_over, gettext_lazy("clips made to be worst get more than the true stems")),
        (rule.fastest_seconds, gettext_lazy("an answer takes less than %(limit)s s (median, after hearing the clip)")),
        (0.0 if rule.equipment else None, gettext_lazy("a sound check was not passed")),
    ]
    return [str(text) % {"limit": words.number(limit)} for limit, text in parts if limit is not None]
