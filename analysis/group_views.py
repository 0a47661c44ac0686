"""Who hears differently, and what a session does to its ratings, as the results page shows it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from analysis import words
from analysis.groups import GroupedFact, GroupReport, ScaleEffects
from analysis.listener_facts import CHOICES
from analysis.report import ALPHA, StudyReport
from analysis.statistics.effects import GroupPair, GroupRow
from analysis.statistics.intervals import Tested
from listening_test.question_pieces import PIECES

Text = str | Promise
TITLES: dict[str, Text] = {
    "familiarity": gettext_lazy("Familiarity with the songs’ styles"),
    "experience": gettext_lazy("Experience in judging sound"),
    "musical_training": gettext_lazy("Musical training"),
    "equipment": gettext_lazy("What they listened with"),
    "checks": gettext_lazy("Sound checks"),
    "attention": gettext_lazy("How much attention they could pay"),
    "traps": gettext_lazy("Attention checks"),
}
LABELS: dict[str, tuple[Text, ...]] = {
    "familiarity": (gettext_lazy("Little"), gettext_lazy("Some"), gettext_lazy("Much")),
    "checks": (gettext_lazy("Passed"), gettext_lazy("Not passed")),
    "attention": (gettext_lazy("1 to 3 of 5"), gettext_lazy("4 of 5"), gettext_lazy("5 of 5")),
    "traps": (gettext_lazy("None missed"), gettext_lazy("Some missed")),
}
REASONS: dict[str, Text] = {
    "fewer_than_5_listeners": gettext_lazy("fewer than five listeners"),
    "no_spread": gettext_lazy("no spread"),
    "too_few_listeners": gettext_lazy("fewer than five listeners"),
    "one_scale": gettext_lazy("one scale"),
    "not_asked": gettext_lazy("not asked"),
    "fewer_than_5_listeners_with_both": gettext_lazy("fewer than five listeners know some styles and not others"),
}


@dataclass(frozen=True)
class GroupLine:
    label: str
    listeners: str
    mos: str
    deviation: str
    limits: str


@dataclass(frozen=True)
class FactView:
    """One question about listeners on one scale."""

    key: str
    title: str
    sentence: str
    lines: list[GroupLine]
    notes: list[str]


@dataclass(frozen=True)
class GroupsView:
    """`scales`: for each its name, its questions, and what a session does to it, in sentences."""

    summary: list[str]
    scales: list[tuple[str, list[FactView], list[str]]]


def groups_context(report: StudyReport) -> dict[str, Any]:
    found = report.groups or GroupReport()
    scales = [
        (
            words.scale_name(own.scale),
            [_fact(fact) for fact in found.facts if fact.scale == own.scale],
            list(_effects(own)),
        )
        for own in found.effects
    ]
    return {"groups": GroupsView(_summary(found), scales)}


def _summary(found: GroupReport) -> list[str]:
    looked = _(
        "Nobody planned these questions for this study, so take what they show as something to look at again with "
        "other listeners. A deviation is how much higher a group rates than others rate the same clips."
    )
    if found.facts:
        return [looked]
    return [_("Nothing is known of the listeners that could tell groups apart: nobody was asked."), looked][:1]


def label(fact: str, group: int) -> str:
    question = PIECES[fact].question if fact in CHOICES else None
    return str(question.options[group][1] if question else LABELS[fact][group])


# ── Groups ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _fact(found: GroupedFact) -> FactView:
    return FactView(
        key=f"{found.scale}-{found.fact}",
        title=str(TITLES[found.fact]),
        sentence=_found_sentence(found),
        lines=[_line(found.fact, row) for row in found.effect.rows],
        notes=list(_notes(found)),
    )


def _line(fact: str, row: GroupRow) -> GroupLine:
    limits = words.limits(row.interval) if row.interval else _("no interval: %(why)s") % {"why": REASONS[row.reason]}
    return GroupLine(
        label=label(fact, row.group),
        listeners=words.whole(row.listeners),
        mos=_number(row.mos),
        deviation=_signed(row.deviation),
        limits=limits,
    )


def _found_sentence(found: GroupedFact) -> str:
    apart = [pair for pair in found.effect.pairs if pair.test and pair.p_holm is not None and pair.p_holm < ALPHA]
    if apart:
        return " ".join(_apart(found.fact, pair) for pair in apart)
    if any(pair.test for pair in found.effect.pairs):
        return _("No two groups differ beyond chance.")
    return _("There are not two groups of at least five listeners to compare.")


def _apart(fact: str, pair: GroupPair) -> str:
    if pair.test is None or pair.p_holm is None:
        return ""
    higher, lower = (pair.first, pair.second) if pair.test.interval.centre > 0 else (pair.second, pair.first)
    return _("“%(higher)s” rate higher than “%(lower)s” by %(difference)s (adjusted %(p)s).") % {
        "higher": label(fact, higher),
        "lower": label(fact, lower),
        "difference": words.number(abs(pair.test.interval.centre)),
        "p": words.p_value(pair.p_holm),
    }


def _notes(found: GroupedFact) -> Iterator[str]:
    if found.unknown:
        yield ngettext(
            "Of %(count)s listener it is not known.", "Of %(count)s listeners it is not known.", found.unknown
        ) % {"count": words.whole(found.unknown)}
    if found.alone:
        yield _("Groups of one listener are not shown: they would be a person.")


# ── Sessions ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _effects(own: ScaleEffects) -> Iterator[str]:
    session = own.session
    asked: tuple[tuple[Tested | None, str, Text, Text, Text], ...] = (
        (
            session.order,
            session.order_reason,
            gettext_lazy("Order: scores change by %(value)s over 100 clips (%(limits)s; %(p)s)."),
            gettext_lazy(
                "Order: no change of scores along the session beyond chance (%(limits)s per 100 clips; %(p)s)."
            ),
            gettext_lazy("Order: not asked (%(why)s)."),
        ),
        (
            session.fatigue,
            session.fatigue_reason,
            gettext_lazy(
                "Fatigue: distances from the clips’ means change by %(value)s over 100 clips (%(limits)s; %(p)s)."
            ),
            gettext_lazy(
                "Fatigue: ratings waver no more along the session, as far as can be told "
                "(%(limits)s per 100 clips; %(p)s)."
            ),
            gettext_lazy("Fatigue: not asked (%(why)s)."),
        ),
        (
            session.scale_order,
            session.scale_order_reason,
            gettext_lazy("Order of scales: who answers this scale first rates %(value)s apart (%(limits)s; %(p)s)."),
            gettext_lazy(
                "Order of scales: which scale comes first makes no difference beyond chance (%(limits)s; %(p)s)."
            ),
            gettext_lazy("Order of scales: not asked (%(why)s)."),
        ),
        (
            own.familiar,
            own.familiar_reason,
            gettext_lazy(
                "Familiar styles: the same listeners rate them %(value)s apart from others (%(limits)s; %(p)s)."
            ),
            gettext_lazy(
                "Familiar styles: the same listeners rate them as others, as far as can be told (%(limits)s; %(p)s)."
            ),
            gettext_lazy("Familiar styles: not asked (%(why)s)."),
        ),
    )
    for test, reason, apart, alike, unasked in asked:
        if test is None:
            yield str(unasked) % {"why": REASONS.get(reason, reason)}
            continue
        values = {
            "value": _signed(test.interval.centre),
            "limits": words.limits(test.interval),
            "p": words.p_value(test.p),
        }
        yield str(apart if test.p < ALPHA else alike) % values


def _number(value: float) -> str:
    return words.number(value) if math.isfinite(value) else "—"


def _signed(value: float) -> str:
    if not math.isfinite(value):
        return "—"
    return f"+{words.number(value)}" if round(value, 2) > 0 else words.number(value)
