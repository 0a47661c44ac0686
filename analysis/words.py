"""Numbers and findings in the reader's language."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from analysis.report import CONTROLS, Difference, MosRow, StudyReport
from analysis.statistics.crossed import MIN_SONGS
from analysis.statistics.intervals import Interval
from analysis.verdict import MIN_LISTENERS_TO_CLAIM, Verdict
from listening_test.scales import HIGHEST, LOWEST, SCALES
from listening_test.systems import system_name
from separation.models import Source

if TYPE_CHECKING:
    from analysis.selectors import Shown

Text = str | Promise

# ── Names and numbers ───────────────────────────────────────────────────────────────────────────────────────────────


def scale_name(scale: str) -> str:
    return str(SCALES[scale].name)


def source_name(source: str) -> str:
    return str(dict(Source.choices).get(source, source))


def number(value: float, places: int = 2) -> str:
    """With the language's decimal sign and a true minus."""
    rounded = round(value, places) + 0.0  # no "−0.00"
    return number_format(rounded, decimal_pos=places).replace("-", "\N{MINUS SIGN}")


def whole(value: int) -> str:
    return number_format(value, use_l10n=True, force_grouping=True)


def p_number(p: float) -> str:
    return f"<\N{NO-BREAK SPACE}{number(0.001, 3)}" if p < 0.001 else number(p, 3)


def p_value(p: float) -> str:
    sign = "" if p < 0.001 else "=\N{NO-BREAK SPACE}"
    return f"p\N{NO-BREAK SPACE}{sign}{p_number(p)}"


def limits(interval: Interval) -> str:
    return _("%(low)s to %(high)s") % {"low": number(interval.low), "high": number(interval.high)}


def enumeration(names: Iterable[str]) -> str:
    """A, B and C."""
    *most, last = names
    return _("%(most)s and %(last)s") % {"most": ", ".join(most), "last": last} if most else last


def covers_the_scale(interval: Interval) -> bool:
    """Then it tells nothing that was not known before the first rating."""
    return interval.low <= LOWEST and interval.high >= HIGHEST


def share(value: float) -> str:
    """Of 1, as whole per cent."""
    return _("%(number)s %%") % {"number": number(100.0 * value, 0)}


def chance(value: float) -> str:
    """A probability as per cent; never as certain as 0 or 100, which no finite number of draws shows."""
    if value > 0.995:
        return _("above %(number)s %%") % {"number": 99}
    return _("below %(number)s %%") % {"number": 1} if value < 0.005 else share(value)


def news(shown: Shown) -> str:
    """While the report that is shown is not that of the ratings as they stand; else ""."""
    if shown.is_fresh or not shown.version:
        return ""
    if not shown.waiting:
        return _("The results are being brought up to date.")
    return ngettext("%(count)s new rating is being added.", "%(count)s new ratings are being added.", shown.waiting) % {
        "count": whole(shown.waiting)
    }


def being_computed(shown: Shown) -> str:
    """Before the first report of a large study."""
    return ngettext(
        "This study has %(count)s rating. Its results appear here by themselves in a minute or two.",
        "This study has %(count)s ratings. Their results appear here by themselves in a minute or two.",
        shown.state.ratings,
    ) % {"count": whole(shown.state.ratings)}


REASONS: dict[str, Text] = {
    "too_few_listeners": gettext_lazy("No interval: it takes at least two listeners."),
    "no_spread": gettext_lazy("No interval: every listener’s mean is the same, so there is no spread to compute from."),
    "whole_scale": gettext_lazy(
        "Whole scale: with so few listeners the interval covers everything from 1 to 5 and says nothing."
    ),
    "fewer_than_3_listeners": gettext_lazy(
        "No interval of an intraclass correlation: it takes at least three listeners."
    ),
    "interval_below_minus_1": gettext_lazy(
        "No interval of an intraclass correlation: it would reach below −1, where no correlation is, and say nothing."
    ),
    "fewer_than_5_listeners": gettext_lazy("No interval for any song: it takes at least five listeners."),
    "fewer_than_5_songs": gettext_lazy("No interval for any song: it takes at least five songs."),
    "one_song": gettext_lazy("No interval for any song: this is one song."),
    "not_crossed": gettext_lazy("No interval for any song: too few listeners rated the same songs."),
    "too_few_songs": gettext_lazy("It takes at least two songs."),
    "nothing_in_common": gettext_lazy(
        "No difference: no listener rated both systems on the same excerpt and source, so there is nothing to pair."
    ),
    "difference_outside": gettext_lazy(
        "Nothing is claimed for these clips where listeners rated very unequal numbers of a pair: counted by "
        "listeners, the difference is another than counted by ratings, and its interval does not hold it."
    ),
    "means_opposed": gettext_lazy(
        "Nothing is claimed for these clips where the means of all ratings do not have the order that a difference "
        "counted by listeners finds: listeners rated unequal numbers."
    ),
    "one_system": gettext_lazy("There is one system, so there is nothing to compare it with."),
    "too_few_systems": gettext_lazy("It takes at least three systems."),
    "too_few_blocks": gettext_lazy("It takes at least two listeners who rated every system."),
    "not_categories": gettext_lazy("There are too many different scores to take them as ordered categories."),
    "no_pairs": gettext_lazy("No clip was rated twice, so there is nothing to compare."),
    "too_few_clips": gettext_lazy("It takes at least three clips with ratings."),
    "one_rating": gettext_lazy("A clip has one rating only, and the published method needs at least two of each."),
    "gaps": gettext_lazy("Not every listener rated every clip, and the published method needs that."),
    "unanimous_clips": gettext_lazy(
        "On some clips all listeners agree, so that their spread is 0, and the published method divides by it."
    ),
    "unanimous_clips_and_gaps": gettext_lazy(
        "Clips on which all listeners agree, and clips that some never rated, both change whom the published method "
        "rejects."
    ),
    "everyone_rejected": gettext_lazy("The published method rejects every listener, so nobody is left."),
    "disconnected": gettext_lazy(
        "The ratings fall into parts that share no listener and no clip, so the listeners’ biases cannot be told from "
        "differences between clips."
    ),
    "listener_takes_over": gettext_lazy(
        "The published method gives all weight to one listener or a few here: its scores would be their ratings."
    ),
    "no_bootstrap": gettext_lazy("Listeners and songs were not drawn anew: the bootstrap was left out."),
    "one_scale": gettext_lazy("It takes ratings on both scales."),
    "no_end": gettext_lazy("The published method does not settle on an answer with these ratings."),
}
"""A sentence for every code of `analysis.statistics`: why a number is not there."""


def reason(code: str) -> str:
    return str(REASONS[code])


def limits_or_why(interval: Interval | None) -> str:
    """What stands in a narrow place; a note near it gives the reason in full."""
    if interval is None:
        return _("no interval")
    return _("whole scale") if covers_the_scale(interval) else limits(interval)


# ── The verdict ─────────────────────────────────────────────────────────────────────────────────────────────────────

HEADLINES: dict[tuple[str, str], Text] = {
    ("quality", "nothing"): gettext_lazy("Nobody has rated Quality yet."),
    ("quality", "alone"): gettext_lazy("Only %(best)s was rated, so there is nothing to compare it with."),
    ("quality", "early"): gettext_lazy("It is too early to say which system sounds best."),
    ("quality", "tied"): gettext_lazy("%(tied)s share the highest mean Quality."),
    ("quality", "open"): gettext_lazy(
        "%(best)s has the highest mean Quality, but these ratings do not tell it apart from %(open)s."
    ),
    ("quality", "leads"): gettext_lazy("On these clips %(best)s sounds best, ahead of every other system."),
    ("contamination", "nothing"): gettext_lazy("Nobody has rated Contamination yet."),
    ("contamination", "alone"): gettext_lazy("Only %(best)s was rated, so there is nothing to compare it with."),
    ("contamination", "early"): gettext_lazy("It is too early to say which system isolates best."),
    ("contamination", "tied"): gettext_lazy("%(tied)s share the highest mean Contamination score."),
    ("contamination", "open"): gettext_lazy(
        "%(best)s has the highest mean Contamination score (the others are heard least), "
        "but these ratings do not tell it apart from %(open)s."
    ),
    ("contamination", "leads"): gettext_lazy(
        "On these clips %(best)s isolates best, ahead of every other system: the others are heard least."
    ),
}


def headline(verdict: Verdict) -> str:
    """One sentence: which system is best, as far as the ratings allow to say it."""
    names = {"best": _best_name(verdict), "open": _names(verdict.open_against), "tied": _names(verdict.tied)}
    return str(HEADLINES[verdict.scale, verdict.kind]) % names


def support(verdict: Verdict) -> list[str]:
    """How sure that is: sentences with the numbers."""
    return [sentence for make in SUPPORT[verdict.kind] if (sentence := make(verdict))]


def _best_name(verdict: Verdict) -> str:
    return system_name(verdict.best.system) if verdict.best else ""


def _names(systems: Sequence[str]) -> str:
    return enumeration(system_name(system) for system in systems) if systems else ""


def _best_mean(verdict: Verdict) -> str:
    if verdict.best is None:
        return ""
    values = {"best": _best_name(verdict), "mos": number(verdict.best.mos)}
    if verdict.best.these_clips is None or covers_the_scale(verdict.best.these_clips):
        return _("%(best)s: MOS %(mos)s.") % values
    values["limits"] = limits(verdict.best.these_clips)
    return _("%(best)s: MOS %(mos)s, 95 %% interval %(limits)s.") % values


def _highest_so_far(verdict: Verdict) -> str:
    if verdict.best is None or verdict.tied:
        return ""
    values = {"best": _best_name(verdict), "mos": number(verdict.best.mos)}
    return _("The highest mean so far is that of %(best)s, %(mos)s.") % values


def _too_few(verdict: Verdict) -> str:
    return ngettext(
        "%(count)s listener has rated the same clips of several systems; systems are compared from %(need)s on.",
        "%(count)s listeners have rated the same clips of several systems; systems are compared from %(need)s on.",
        verdict.listeners,
    ) % {"count": verdict.listeners, "need": MIN_LISTENERS_TO_CLAIM}


def _closest_lead(verdict: Verdict) -> str:
    text = _("Its smallest lead is %(difference)s, over %(other)s (95 %% interval %(limits)s, adjusted %(p)s).")
    return _closest(verdict, text)


def _closest_difference(verdict: Verdict) -> str:
    text = _("Its mean difference from %(other)s is %(difference)s (95 %% interval %(limits)s, adjusted %(p)s).")
    return _closest(verdict, text)


def _closest(verdict: Verdict, text: str) -> str:
    return _duel(text, verdict.closest.second, verdict.closest.these_clips) if verdict.closest else ""


def _duel(text: str, other: str, found: Difference) -> str:
    if found.interval is None or found.p_holm is None:
        return ""
    return text % {
        "other": system_name(other),
        "difference": number(found.interval.centre),
        "limits": limits(found.interval),
        "p": p_value(found.p_holm),
    }


def _ahead_of(verdict: Verdict) -> str:
    return _("It is ahead of %(others)s.") % {"others": _names(verdict.ahead_of)} if verdict.ahead_of else ""


def _scope(verdict: Verdict) -> str:
    return _("This speaks of these clips, whoever listens; with other songs it may turn out otherwise.")


def _scope_of_lead(verdict: Verdict) -> str:
    """Does it hold for other songs too?"""
    duel = verdict.closest_for_songs
    if duel is None:
        return _too_few_songs(verdict) if verdict.songs < MIN_SONGS else _scope(verdict)
    if verdict.holds_for_songs:
        text = _(
            "It holds for other songs of this kind as well: with songs drawn anew, the lead over %(other)s has a "
            "95 %% interval of %(limits)s (adjusted %(p)s)."
        )
    else:
        text = _(
            "Whether it holds for other songs is not established: with songs drawn anew, the lead over %(other)s has a "
            "95 %% interval of %(limits)s (adjusted %(p)s)."
        )
    return _duel(text, duel.second, duel.any_song)


def _too_few_songs(verdict: Verdict) -> str:
    return ngettext(
        "This speaks of these clips. Other songs are a different question, which takes at least %(need)s songs; "
        "here is %(count)s.",
        "This speaks of these clips. Other songs are a different question, which takes at least %(need)s songs; "
        "here are %(count)s.",
        verdict.songs,
    ) % {"need": MIN_SONGS, "count": verdict.songs}


SUPPORT: dict[str, tuple[Callable[[Verdict], str], ...]] = {
    "nothing": (),
    "alone": (_best_mean,),
    "early": (_too_few, _highest_so_far),
    "tied": (_best_mean, _scope),
    "open": (_best_mean, _closest_difference, _ahead_of, _scope),
    "leads": (_best_mean, _closest_lead, _scope_of_lead),
}

# ── What a chart shows, for who cannot see it ───────────────────────────────────────────────────────────────────────


def provenance(report: StudyReport) -> list[str]:
    """What must be known of the ratings wherever a number or picture of them goes."""
    notes = []
    if report.counts.demo or report.is_demo:
        notes.append(_("Demo"))
    if report.counts.simulated:
        notes.append(_("Simulated listeners"))
    return notes


def systems_alt(report: StudyReport, scale: str) -> str:
    """A sentence that says what the chart of systems shows."""
    start = _("Mean %(scale)s of each system on the scale from 1 to 5, with 95 %% intervals over listeners.") % {
        "scale": scale_name(scale)
    }
    values = [f"{system_name(row.system)}: {_value(row)}." for row in report.select(scale, "system")]
    return " ".join([start, *values])


def sources_alt(report: StudyReport, scale: str) -> str:
    """Which system has the highest mean on each source; all numbers stand in the figure's table."""
    start = _("Mean %(scale)s of each system for each source, with 95 %% intervals over listeners.") % {
        "scale": scale_name(scale)
    }
    rows = [row for row in report.select(scale, "system_source") if row.system not in CONTROLS]
    best = {row.source: row for row in sorted(rows, key=lambda row: row.mos)}
    told = [
        f"{source_name(source)}: {system_name(best[source].system)}, {_value(best[source])}"
        for source in report.sources
        if source in best
    ]
    return " ".join([start, _("The highest: %(best)s.") % {"best": "; ".join(told)}]) if told else start


def _value(row: MosRow) -> str:
    return f"{number(row.mos)} ({limits_or_why(row.these_clips)})"
