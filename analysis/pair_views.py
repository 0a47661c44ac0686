"""Systems compared pair by pair, as the results page shows it."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analysis import words
from analysis.presentation import in_full
from analysis.report import Difference, PairRow, StudyReport
from analysis.statistics.ranks import Wilcoxon
from analysis.statistics.whole import Contest
from listening_test.scales import SCALES
from listening_test.systems import system_name


@dataclass(frozen=True)
class TestedView:
    limits: str
    p_holm: str


@dataclass(frozen=True)
class PairView:
    pair: PairRow
    names: str
    difference: str
    tests: tuple[TestedView, TestedView]  # these clips, any song
    effect: str
    win_rate: str
    equivalent: str
    tost_p: str
    whys: tuple[str, ...]


@dataclass(frozen=True)
class PairSection:
    """The pairs over all sources, or of one: for each scale its name and its pairs."""

    key: str
    title: str
    parts: list[tuple[str, list[PairView]]]

    @property
    def notes(self) -> list[str]:
        return in_full(why for _scale, views in self.parts for view in views for why in view.whys)


@dataclass(frozen=True)
class SecondaryView:
    """What other methods say of one scale: sentences, and Wilcoxon's p of each pair."""

    scale: str
    sentences: list[str]
    pairs: list[tuple[str, str]]


def pair_sections(report: StudyReport) -> list[PairSection]:
    sources = list(dict.fromkeys(pair.source for pair in report.pairs))
    return [
        PairSection(
            source or "all",
            words.source_name(source) if source else _("All sources"),
            [(words.scale_name(scale), _views(report, scale, source)) for scale in SCALES if report.pairs_of(scale)],
        )
        for source in sources
    ]


def _views(report: StudyReport, scale: str, source: str) -> list[PairView]:
    return [_pair_view(pair) for pair in report.pairs_of(scale, source)]


def _pair_view(pair: PairRow) -> PairView:
    centre = pair.these_clips.interval.centre if pair.these_clips.interval else pair.difference
    found = (pair.these_clips, pair.any_song)
    return PairView(
        pair=pair,
        names=_names(pair.first, pair.second),
        difference="" if centre is None else words.number(centre),
        tests=(_test_view(pair.these_clips), _test_view(pair.any_song)),
        effect="" if pair.effect is None else words.number(pair.effect),
        win_rate="" if pair.win_rate is None else words.share(pair.win_rate),
        equivalent=_equivalent(pair),
        tost_p="" if pair.tost_p is None else words.p_value(pair.tost_p),
        whys=(*(one.reason for one in found if one.reason), *pair.notes),
    )


def _names(first: str, second: str) -> str:
    return f"{system_name(first)} − {system_name(second)}"


def _test_view(found: Difference) -> TestedView:
    return TestedView(
        limits=words.limits(found.interval) if found.interval else words.limits_or_why(None),
        p_holm="" if found.p_holm is None else words.p_number(found.p_holm),
    )


def _equivalent(pair: PairRow) -> str:
    if pair.tost_p is None:
        return ""
    return _("yes") if pair.is_equivalent else _("not shown")


# ── Other methods ───────────────────────────────────────────────────────────────────────────────────────────────────


def secondary_views(report: StudyReport) -> list[SecondaryView]:
    """Ranks and ordered categories, over all sources: a check of the conclusions above, and no second answer."""
    found = [(scale, report.contest(scale)) for scale in SCALES]
    return [_secondary(report, scale, contest) for scale, contest in found if contest and len(contest.pairs)]


def _secondary(report: StudyReport, scale: str, contest: Contest) -> SecondaryView:
    wilcoxon = {frozenset((one.first, one.second)): one for one in contest.wilcoxon}
    code = {report.label("system", row.system): row.system for row in contest.systems}
    rows = [
        (_names(pair.first, pair.second), _wilcoxon(wilcoxon.get(frozenset((code[pair.first], code[pair.second])))))
        for pair in report.pairs_of(scale)
    ]
    sentences = [_friedman(contest), *_ordinal(contest)]
    return SecondaryView(words.scale_name(scale), sentences, [row for row in rows if row[1]])


def _wilcoxon(found: Wilcoxon | None) -> str:
    return "" if found is None or found.p_holm is None else words.p_number(found.p_holm)


def _friedman(contest: Contest) -> str:
    found = contest.friedman
    if found is None:
        return _("Friedman: %(why)s") % {"why": words.reason(contest.friedman_reason)}
    text = ngettext(
        "Friedman’s test over %(blocks)s listener: χ² = %(chi2)s, df = %(df)s, %(p)s; Kendall’s W = %(w)s.",
        "Friedman’s test over %(blocks)s listeners: χ² = %(chi2)s, df = %(df)s, %(p)s; Kendall’s W = %(w)s.",
        found.blocks,
    )
    return text % {
        "blocks": words.whole(found.blocks),
        "chi2": words.number(found.chi2),
        "df": found.df,
        "p": words.p_value(found.p),
        "w": words.number(found.kendall_w),
    }


def _ordinal(contest: Contest) -> list[str]:
    found = contest.ordinal
    if found is None:
        return [_("Ordered categories: %(why)s") % {"why": words.reason(contest.ordinal_reason)}]
    if not isfinite(found.agreement):
        return [_("Ordered categories: no pair could be tested in both ways.")]
    text = (
        _("Taken as ordered categories, every pair comes out the same.")
        if found.agreement == 1.0
        else _("Taken as ordered categories, %(share)s of the pairs come out the same.")
    )
    said = [text % {"share": words.share(found.agreement)}]
    if found.ratings < found.all_ratings:
        said.append(
            _("Checked on %(some)s of %(all)s ratings, of whole listeners drawn by the study’s seed.")
            % {"some": words.whole(found.ratings), "all": words.whole(found.all_ratings)}
        )
    return said
