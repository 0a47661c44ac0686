"""Listeners one by one, as numbers: how high, how steady, how much like the others; a card for each flagged one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from analysis import words
from analysis.figures.base import Chart, Numbers, Value, once
from analysis.figures.labels import label_beside
from analysis.figures.style import SMALL, Style, panel_title, readers_ticks
from analysis.report import StudyReport
from analysis.statistics.arrays import Floats
from analysis.statistics.screening import Listeners
from listening_test.scales import HIGHEST, LOWEST, SCALES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_CARDS = 12
MOST_LINES = 100  # of the table
Text = words.Text
REASONS: dict[str, Text] = {
    "straight_lining": gettext_lazy("nearly one score"),
    "unlike_others": gettext_lazy("unlike the others"),
    "not_above_chance": gettext_lazy("not above chance"),
    "inconsistent": gettext_lazy("unsteady"),
    "partly_random": gettext_lazy("partly at random"),
    "traps_failed": gettext_lazy("attention checks"),
    "repeats_differ": gettext_lazy("repeats differ"),
    "reference_rated_low": gettext_lazy("reference rated low"),
    "anchor_rated_high": gettext_lazy("anchor rated high"),
    "too_fast": gettext_lazy("too fast"),
    "equipment_failed": gettext_lazy("equipment"),
}
"""Why a listener is flagged, in a few words."""


@dataclass(frozen=True)
class One:
    """A listener on one scale; NaN where a number cannot be had."""

    number: int
    ratings: int
    bias: float
    inconsistency: float
    correlation: float
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class OnScale:
    """All listeners of a scale, flagged ones first, and the limits that the data set."""

    listeners: tuple[One, ...]
    limits: dict[str, float]

    def flagged(self) -> list[One]:
        return [one for one in self.listeners if one.reasons]


class ListenersChart(Chart):
    def title(self, report: StudyReport) -> str:
        return _("Listeners: bias, inconsistency and agreement")

    def key(self, report: StudyReport) -> str:
        return _("One dot is one listener; triangles with a number are flagged. Dashed: the limit of the rule.")

    def why_not(self, report: StudyReport) -> str:
        if any(_is_placed(one) for own in listeners(report).values() for one in own.listeners):
            return ""
        return _("There is nothing to compare listeners with yet: it takes clips that at least two of them rated.")

    def body(self, report: StudyReport, width: str) -> float:
        return len(listeners(report)) * (4.4 if width == "narrow" else 2.5)

    def draw(self, figure: Figure, report: StudyReport, style: Style) -> None:
        found = listeners(report)
        across = 1 if style.is_narrow else 2
        panels = iter(figure.subplots(2 * len(found) // across, across, squeeze=False).ravel())
        panels_of: list[tuple[Axes, OnScale, str]] = []
        for scale, own in found.items():
            for what, label in (("inconsistency", _("Inconsistency")), ("correlation", _("Agreement with the others"))):
                panel = next(panels)
                panels_of.append((panel, own, what))
                _scatter(panel, own, what, style)
                panel.set_xlabel(_("Bias"), fontsize=8)
                panel.set_ylabel(label, fontsize=8)
                panel_title(panel, str(SCALES[scale].name))
        figure.draw_without_rendering()  # numbers are placed where nothing else is
        for panel, own, what in panels_of:
            _number(panel, own, what, style)

    def numbers(self, report: StudyReport) -> Numbers:
        headers = (
            *(_("Scale"), _("Listener"), _("Ratings"), _("Bias"), _("Inconsistency")),
            *(_("Agreement with the others"), _("Flagged for")),
        )
        lines = [_line(scale, one) for scale, own in listeners(report).items() for one in own.listeners]
        note = "" if len(lines) <= MOST_LINES else _("Flagged listeners first; the files have all listeners.")
        return Numbers(headers, tuple(lines[:MOST_LINES]), note)

    def sentence(self, report: StudyReport) -> str:
        start = _(
            "Each listener’s bias (mean distance from the others on the same clips), inconsistency (what varies "
            "beside it) and agreement (correlation with the others’ means)."
        )
        return " ".join([start, *(_flagged_sentence(scale, own) for scale, own in listeners(report).items())])


class Flagged(Chart):
    """Small cards: which scores each flagged listener gave, beside everybody's."""

    def title(self, report: StudyReport) -> str:
        return _("Flagged listeners: how often they gave each score, per cent")

    def key(self, report: StudyReport) -> str:
        more = len(cards(report)) - MOST_CARDS
        text = _("Bars: the listener. Line: all listeners. Flagged listeners stay in the data.")
        return text if more <= 0 else f"{text} {_('The first %(count)s are shown.') % {'count': MOST_CARDS}}"

    def why_not(self, report: StudyReport) -> str:
        return "" if cards(report) else _("No listener is flagged, so there are no cards.")

    def body(self, report: StudyReport, width: str) -> float:
        down = -(-min(len(cards(report)), MOST_CARDS) // (2 if width == "narrow" else 4))
        return (1.05 + 0.12 * _title_lines(cards(report)[:MOST_CARDS])) * down

    def draw(self, figure: Figure, report: StudyReport, style: Style) -> None:
        found = cards(report)[:MOST_CARDS]
        across = 2 if style.is_narrow else 4
        down = -(-len(found) // across)
        panels = figure.subplots(down, across, squeeze=False, sharey=True).ravel()
        for panel, card in zip(panels, found, strict=False):
            _card(panel, card, style, _title_lines(found))
        for unused in panels[len(found) :]:
            unused.set_visible(False)

    def numbers(self, report: StudyReport) -> Numbers:
        steps = [f"{step}, %" for step in range(LOWEST, HIGHEST + 1)]
        lines = tuple(
            (card.one.number, words.scale_name(card.scale), reasons(card.one), *(100.0 * card.own).tolist())
            for card in cards(report)
        )
        return Numbers((_("Listener"), _("Scale"), _("Flagged for"), *steps), lines)

    def sentence(self, report: StudyReport) -> str:
        start = _("How often each flagged listener gave each score, beside all listeners.")
        text = _("Listener %(number)s, %(scale)s: %(reasons)s.")
        values = [
            text % {"number": card.one.number, "scale": words.scale_name(card.scale), "reasons": reasons(card.one)}
            for card in cards(report)[:MOST_CARDS]
        ]
        return " ".join([start, *values])


# ── What is said of them ────────────────────────────────────────────────────────────────────────────────────────────


def listeners(report: StudyReport) -> dict[str, OnScale]:
    """By scale."""
    return once(report, "_listeners_shown", _listeners)


def _listeners(report: StudyReport) -> dict[str, OnScale]:
    found = {}
    for scale in map(str, SCALES):
        own = report.scale_analysis(scale)
        if own and report.analysed:
            labels = report.analysed.ratings.names["listener"]
            every = [_one(report, own.listeners, code, str(label)) for code, label in enumerate(labels)]
            there = sorted((one for one in every if one.ratings), key=lambda one: (not one.reasons, one.number))
            found[scale] = OnScale(tuple(there), dict(own.listeners.limits))
    return found


def _one(report: StudyReport, found: Listeners, code: int, label: str) -> One:
    return One(
        number=report.numbers.get(label, code + 1),
        ratings=int(found.ratings[code]),
        bias=float(found.bias[code]),
        inconsistency=float(found.inconsistency[code]),
        correlation=float(found.correlation[code]),
        reasons=found.reasons[code],
    )


def reasons(one: One) -> str:
    return ", ".join(str(REASONS[reason]) for reason in one.reasons)


def _line(scale: str, one: One) -> tuple[Value, ...]:
    numbers = [value if np.isfinite(value) else None for value in (one.bias, one.inconsistency, one.correlation)]
    return (words.scale_name(scale), one.number, one.ratings, *numbers, reasons(one))


def _flagged_sentence(scale: str, own: OnScale) -> str:
    flagged, everybody = len(own.flagged()), len(own.listeners)
    text = ngettext(
        "%(scale)s: %(flagged)s of %(count)s listener is flagged.",
        "%(scale)s: %(flagged)s of %(count)s listeners are flagged.",
        everybody,
    )
    return text % {"scale": words.scale_name(scale), "flagged": flagged, "count": words.whole(everybody)}


@dataclass(frozen=True)
class Card:
    """`own`, `everybody`: shares of the five scores, `[5]`."""

    scale: str
    one: One
    own: Floats
    everybody: Floats


def cards(report: StudyReport) -> list[Card]:
    """One for each flagged listener and scale."""
    return once(report, "_listener_cards", lambda of: list(_cards(of)))


def _cards(report: StudyReport) -> Iterator[Card]:
    for scale, own in listeners(report).items():
        flagged = own.flagged()
        if flagged:
            shares, everybody = _shares(report, scale)
            yield from (Card(scale, one, shares[one.number], everybody) for one in flagged)


def _shares(report: StudyReport, scale: str) -> tuple[dict[int, Floats], Floats]:
    """Of the five scores, of each listener and of all."""
    if report.analysed is None:
        return {}, np.zeros(0)
    ratings = report.analysed.ratings
    own = ratings.where(np.asarray(ratings.names["scale"] == scale)[ratings.scales])
    steps = HIGHEST - LOWEST + 1
    score = np.clip(np.round(own.scores).astype(np.intp) - LOWEST, 0, steps - 1)
    table = np.bincount(own.listeners * steps + score, minlength=own.count("listener") * steps).reshape(-1, steps)
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    labels = map(str, own.names["listener"])
    by_number = {report.numbers.get(label, code + 1): shares[code] for code, label in enumerate(labels)}
    return by_number, table.sum(axis=0) / max(table.sum(), 1)


# ── Drawing ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _is_placed(one: One) -> bool:
    return bool(np.isfinite(one.bias) and np.isfinite(one.inconsistency))


def _scatter(panel: Axes, own: OnScale, what: str, style: Style) -> None:
    placed = _placed(own, what)
    usual = [(one.bias, value) for one, value in placed if not one.reasons]
    if usual:
        panel.plot(*zip(*usual, strict=True), "o", color=style.theme.soft, markersize=4, alpha=0.6, markeredgewidth=0)
    for one, value in placed:
        if one.reasons:
            panel.plot(one.bias, value, "^", color=style.theme.behind, markersize=6.5, markeredgecolor=style.theme.ink)
    limit = own.limits.get(what, float("nan"))
    if np.isfinite(limit):
        panel.axhline(limit, color=style.theme.soft, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
    panel.axvline(0.0, color=style.theme.line, linewidth=0.9, zorder=0)
    panel.margins(0.12, 0.12)
    readers_ticks(panel)
    panel.tick_params(labelsize=SMALL, length=2)
    panel.grid(linewidth=0.6)


def _number(panel: Axes, own: OnScale, what: str, style: Style) -> None:
    """The flagged ones."""
    placed = _placed(own, what)
    labels = [(str(one.number), one.bias, value) for one, value in placed if one.reasons]
    label_beside(panel, labels, np.array([(one.bias, value) for one, value in placed if not one.reasons]), style)


def _placed(own: OnScale, what: str) -> list[tuple[One, float]]:
    placed = [(one, float(getattr(one, what))) for one in own.listeners if np.isfinite(one.bias)]
    return [(one, value) for one, value in placed if np.isfinite(value)]


def _title(card: Card) -> list[str]:
    said = wrap(reasons(card.one), 24, max_lines=3, placeholder="…")
    return [f"{card.one.number} · {words.scale_name(card.scale)}", *said]


def _title_lines(found: list[Card]) -> int:
    return max((len(_title(card)) for card in found), default=0)


def _card(panel: Axes, card: Card, style: Style, lines: int) -> None:
    """`lines`: of every card's title, so that all are equally high."""
    steps = range(LOWEST, HIGHEST + 1)
    panel.bar(list(steps), 100.0 * card.own, 0.7, color=style.theme.behind, alpha=0.75, linewidth=0)
    panel.plot(list(steps), 100.0 * card.everybody, "_", color=style.theme.ink, markersize=13, markeredgewidth=1.6)
    panel.set_xticks(list(steps))
    panel.tick_params(labelsize=SMALL, length=0)
    own = _title(card)
    panel.set_title("\n".join([*own, *[""] * (lines - len(own))]), loc="left", fontsize=SMALL)
