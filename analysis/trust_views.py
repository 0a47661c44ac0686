"""How far results can be trusted: agreement, repeats, shares of variance, the design; and clips one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from analysis import words
from analysis.analysed import Analysed
from analysis.report import StudyReport
from analysis.statistics.reliability import Agreement, Limits, Repeated
from analysis.statistics.whole import ScaleAnalysis
from listening_test.scales import HIGHEST, LOWEST, SCALES
from listening_test.systems import system_name

FIRST_CLIPS = 20
"""So many clips are on the page; the files hold all."""
MANY = 0.3  # of the ratings at an end of the scale, or of clips that are unanimous: worth a word
MANY_RATINGS = 20  # from which on it means something that nobody chose a category

WHY: dict[str, str | Promise] = {
    "too_few_listeners": gettext_lazy("it takes at least two listeners"),
    "too_few_songs": gettext_lazy("it takes at least two clips"),
    "not_crossed": gettext_lazy("too few listeners rated the same clips"),
    "no_spread": gettext_lazy("all ratings are the same"),
    "no_pairs": gettext_lazy("no clip has two ratings"),
}
"""Why there is no coefficient; for other codes the sentence of `words.REASONS` stands."""

GRADES = (
    (0.5, gettext_lazy("poor")),
    (0.75, gettext_lazy("moderate")),
    (0.9, gettext_lazy("good")),
    (1.01, gettext_lazy("excellent")),
)
"""Words for an intraclass correlation. Source: Koo and Li (2016), Journal of Chiropractic Medicine 15(2), 155–163."""


@dataclass(frozen=True)
class Measure:
    """One line of the table: a cell for each scale."""

    name: str | Promise
    cells: list[str]


@dataclass(frozen=True)
class TrustView:
    sentences: list[str]
    scales: list[str]
    measures: list[Measure]
    notes: list[str]


@dataclass(frozen=True)
class ClipCell:
    ratings: int
    mos: str
    limits: str
    modelled: str
    modelled_limits: str


@dataclass(frozen=True)
class ClipRow:
    song: str
    source: str
    system: str
    cells: list[ClipCell | None]


@dataclass(frozen=True)
class ClipsView:
    scales: list[str]
    rows: list[ClipRow]
    total: int
    notes: list[str]


def trust_view(report: StudyReport) -> TrustView:
    own = _scales(report)
    found = report.analysed
    if found is None:
        return TrustView([], [], [], [])
    measures = [Measure(name, [cell(found, one) for _scale, one in own]) for name, cell in MEASURES]
    return TrustView(
        sentences=_sentences(own),
        scales=[words.scale_name(scale) for scale, _one in own],
        measures=[measure for measure in measures if any(measure.cells)],
        notes=list(dict.fromkeys(note for _scale, one in own for note in _notes(one))),
    )


def _scales(report: StudyReport) -> list[tuple[str, ScaleAnalysis]]:
    return [(scale, one) for scale in SCALES if (one := report.scale_analysis(scale))]


# ── Sentences ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _sentences(own: Sequence[tuple[str, ScaleAnalysis]]) -> list[str]:
    """What holds on all scales is said once, the rest of its scale."""
    said = []
    for make in SENTENCES:
        found = [(words.scale_name(scale), make(one)) for scale, one in own]
        if len({sentence for _scale, sentence in found}) == 1:
            found = [("", found[0][1])]
        said += [f"{scale} — {sentence}" if scale else sentence for scale, sentence in found if sentence]
    return said


def _agreement_said(one: ScaleAnalysis) -> str:
    found = one.reliability.agreement
    if found is None or not isfinite(found.ak) or not isfinite(found.a1):
        return ""
    text = _(
        "The reliability of the clips’ means over %(k)s listeners is %(grade)s (ICC %(mean)s); of one, ICC %(one)s."
    )
    return text % {
        "k": words.number(found.k, 0),
        "grade": _grade(found.ak),
        "mean": words.number(found.ak),
        "one": words.number(found.a1),
    }


def _grade(icc: float) -> str:
    return str(next(word for limit, word in GRADES if icc < limit))


def _connected(one: ScaleAnalysis) -> str:
    design = one.design
    if design.most_per_clip < 2:
        return ""
    if design.components < 2:
        return _("Listeners and clips are linked: every mean can be compared with every other.")
    text = _(
        "The ratings fall into %(parts)s parts that share no listener and no clip (the largest holds %(share)s). "
        "Differences between clips of different parts cannot be told from differences between listeners."
    )
    return text % {"parts": words.whole(design.components), "share": words.share(design.largest_part)}


def _filled(one: ScaleAnalysis) -> str:
    if one.design.most_per_clip < 2:
        return _("No clip was rated by two listeners: nothing is known of how far they agree.")
    if one.design.filled > 0.995:
        return _("Every listener rated every clip.")
    return _("A listener rated %(share)s of the clips on average.") % {"share": words.share(one.design.filled)}


def _balanced(one: ScaleAnalysis) -> str:
    fewest, most = one.design.fewest_per_clip, one.design.most_per_clip
    if most - fewest <= 1:
        return ""
    text = _("Clips have between %(fewest)s and %(most)s ratings; those with few are known less well.")
    return text % {"fewest": words.whole(fewest), "most": words.whole(most)}


def _ends(one: ScaleAnalysis) -> str:
    for share, end in ((one.design.ceiling, HIGHEST), (one.design.floor, LOWEST)):
        if share >= MANY:
            text = _("%(share)s of the ratings are %(end)s: near an end of the scale differences are squeezed.")
            return text % {"share": words.share(share), "end": end}
    return ""


def _unanimous(one: ScaleAnalysis) -> str:
    if one.design.unanimous < MANY:
        return ""
    text = _("On %(share)s of the clips all listeners said the same, so that their spread says nothing.")
    return text % {"share": words.share(one.design.unanimous)}


def _unused(one: ScaleAnalysis) -> str:
    if not one.design.unused or one.clips.ratings.sum() < MANY_RATINGS:
        return ""
    numbers = words.enumeration(words.number(value, 0) for value in one.design.unused)
    return _("Nobody chose %(numbers)s.") % {"numbers": numbers}


def _duplicates(one: ScaleAnalysis) -> str:
    count = one.design.duplicates
    if not count:
        return ""
    text = ngettext(
        "%(count)s rating is a second one of the same listener and clip.",
        "%(count)s ratings are further ones of the same listener and clip.",
        count,
    )
    return text % {"count": words.whole(count)}


SENTENCES: tuple[Callable[[ScaleAnalysis], str], ...] = (
    _agreement_said,
    _connected,
    _filled,
    _balanced,
    _ends,
    _unanimous,
    _unused,
    _duplicates,
)

# ── The table ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _coefficient(value: float, limits: Limits | None) -> str:
    """With its limits, unless they are none: of one song, every draw of songs is the same."""
    if limits is None or not all(map(isfinite, limits)) or limits[0] == limits[1]:
        return words.number(value)
    return _("%(value)s (%(low)s to %(high)s)") % {
        "value": words.number(value),
        "low": words.number(limits[0]),
        "high": words.number(limits[1]),
    }


def _icc(value: str) -> Callable[[Analysed, ScaleAnalysis], str]:
    def cell(_all: Analysed, one: ScaleAnalysis) -> str:
        found: Agreement | None = one.reliability.agreement
        if found is None or not isfinite(getattr(found, value)):
            return ""
        return _coefficient(getattr(found, value), getattr(found, f"{value}_interval"))

    return cell


def _alpha(_all: Analysed, one: ScaleAnalysis) -> str:
    found = one.reliability
    return "" if found.alpha is None else _coefficient(found.alpha, found.alpha_interval)


def _sos(_all: Analysed, one: ScaleAnalysis) -> str:
    return "" if one.reliability.sos is None else words.number(one.reliability.sos)


def _repeated(say: Callable[[Repeated], str]) -> Callable[[Analysed, ScaleAnalysis], str]:
    def cell(found: Analysed, one: ScaleAnalysis) -> str:
        again = found.repeats.get(one.scale)
        return say(again) if again else ""

    return cell


def _same(again: Repeated) -> str:
    text = ngettext("%(same)s of %(pairs)s pair", "%(same)s of %(pairs)s pairs", again.pairs)
    return text % {"same": words.share(again.same), "pairs": words.whole(again.pairs)}


def _share(place: int) -> Callable[[Analysed, ScaleAnalysis], str]:
    def cell(_all: Analysed, one: ScaleAnalysis) -> str:
        shares = one.overall.shares
        return words.share(shares[place]) if shares and isfinite(shares[place]) else ""

    return cell


MEASURES: Sequence[tuple[str | Promise, Callable[[Analysed, ScaleAnalysis], str]]] = (
    (gettext_lazy("Agreement of one listener, ICC(A,1)"), _icc("a1")),
    (gettext_lazy("Agreement of the clips’ means, ICC(A,k)"), _icc("ak")),
    (gettext_lazy("Consistency of one listener, ICC(C,1)"), _icc("c1")),
    (gettext_lazy("Consistency of the clips’ means, ICC(C,k)"), _icc("ck")),
    (gettext_lazy("Krippendorff’s α (ordinal)"), _alpha),
    (gettext_lazy("Clips heard again: the same rating"), _repeated(_same)),
    (
        gettext_lazy("Clips heard again: at most one point apart"),
        _repeated(lambda again: words.share(again.within_one)),
    ),
    (gettext_lazy("Clips heard again: a rating wavers by (SD)"), _repeated(lambda again: words.number(again.sd))),
    (gettext_lazy("Spread of the ratings, SOS a"), _sos),
    (gettext_lazy("Variance that is between listeners"), _share(0)),
    (gettext_lazy("Variance that is between songs"), _share(1)),
    (gettext_lazy("Variance that is the rest: systems, sources, chance"), _share(2)),
)


def _notes(one: ScaleAnalysis) -> list[str]:
    """Why something is not there."""
    found = one.reliability
    said = []
    if found.agreement is None:
        said.append(_("No intraclass correlation: %(why)s.") % {"why": _why(found.agreement_reason)})
    else:
        said += [words.reason(code) for code in found.agreement.no_interval.values() if code != "no_spread"]
    if found.alpha is None:
        said.append(_("No Krippendorff’s α: %(why)s.") % {"why": _why(found.alpha_reason)})
    return said


def _why(code: str) -> str:
    return str(WHY[code]) if code in WHY else words.reason(code).rstrip(".")


# ── Clips ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def clips_view(report: StudyReport) -> ClipsView:
    """The first clips, by song, source and system: the plain mean, and the modelled score beside it."""
    found, own = report.analysed, _scales(report)
    if found is None:
        return ClipsView([], [], 0, [])
    codes, first = np.unique(found.ratings.clips, return_index=True)
    names = [tuple(found.label(column, int(part[at])) for column, part in _of_clip(found)) for at in first]
    places = [{name: at for at, name in enumerate(order)} for order in (report.songs, report.sources, report.systems)]
    order = sorted(
        range(codes.size), key=lambda at: [place[name] for place, name in zip(places, names[at], strict=True)]
    )
    return ClipsView(
        scales=[words.scale_name(scale) for scale, _one in own],
        rows=[
            _clip_row(names[at], [_clip_cell(one, int(codes[at])) for _scale, one in own]) for at in order[:FIRST_CLIPS]
        ],
        total=int(codes.size),
        notes=list(
            dict.fromkeys(
                _("No modelled scores: %(why)s.") % {"why": _why(one.modelled_reason)}
                for _scale, one in own
                if one.modelled is None
            )
        ),
    )


def _of_clip(found: Analysed) -> list[tuple[str, np.ndarray]]:
    return [("song", found.ratings.songs), ("source", found.ratings.sources), ("system", found.ratings.systems)]


def _clip_row(names: tuple[str, ...], cells: list[ClipCell | None]) -> ClipRow:
    song, source, system = names
    return ClipRow(song, words.source_name(source), system_name(system), cells)


def _clip_cell(one: ScaleAnalysis, clip: int) -> ClipCell | None:
    ratings = int(one.clips.ratings[clip])
    if not ratings:
        return None
    has_interval = ratings > 1 and not one.clips.unanimous[clip]
    modelled = one.modelled
    return ClipCell(
        ratings=ratings,
        mos=words.number(one.clips.mos[clip]),
        limits=_limits(one.clips.low[clip], one.clips.high[clip]) if has_interval else words.limits_or_why(None),
        modelled=words.number(modelled.score[clip]) if modelled else "",
        modelled_limits=_limits(modelled.low[clip], modelled.high[clip]) if modelled else "",
    )


def _limits(low: float, high: float) -> str:
    if not (isfinite(low) and isfinite(high)):
        return words.limits_or_why(None)
    if low <= LOWEST and high >= HIGHEST:
        return _("whole scale")
    return _("%(low)s to %(high)s") % {"low": words.number(low), "high": words.number(high)}
