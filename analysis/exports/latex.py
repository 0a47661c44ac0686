"""Tables for a paper, in the reader's language: booktabs, one `table` each to `\\input`, and one document of them all.

A table that is longer than a page goes on over the next ones. Every number is one of the report's, rounded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from analysis import words
from analysis.analysed import Analysed
from analysis.exports.sheets import ordered_contests, ordered_scales, ordered_systems
from analysis.exports.tex import escaped
from analysis.report import Difference, PairRow, StudyReport
from analysis.statistics.intervals import Interval
from analysis.statistics.reliability import Repeated
from analysis.statistics.whole import ALL, Contest, MeanRow, ScaleAnalysis
from listening_test.scales import SCALES
from listening_test.systems import system_name
from separation.models import Source

MOST_LINES = 40  # on one page
LONG_NAME = 55  # letters of LaTeX
NONE = "--"

Line = Sequence[str]


@dataclass(frozen=True)
class TexTable:
    """Cells are LaTeX already. A part with a title has it above its lines."""

    key: str
    caption: str
    note: str
    spec: str
    head: Line
    parts: tuple[tuple[str, tuple[Line, ...]], ...]

    @property
    def lines(self) -> int:
        return sum(len(lines) + bool(title) for title, lines in self.parts)


# ── The tables ──────────────────────────────────────────────────────────────────────────────────────────────────────


def tables(report: StudyReport) -> list[TexTable]:
    """Systems, pairs and variance of every scale that was rated, and reliability; none without ratings."""
    if report.analysed is None:
        return []
    names = {key: escaped(system_name(key)) for key in map(str, report.analysed.ratings.names["system"])}
    made = _Made(report, report.analysed, names)
    by_scale = [make(made, scale) for scale in ordered_scales(report) for make in BY_SCALE]
    return [*(table for table in by_scale if table.lines), _reliability(made)]


@dataclass(frozen=True)
class _Made:
    report: StudyReport
    found: Analysed
    names: dict[str, str]  # of systems, by key

    def system(self, code: int) -> str:
        return self.names[self.found.label("system", code)]

    def scale_key(self, scale: ScaleAnalysis) -> str:
        return self.found.label("scale", scale.scale)

    def scale(self, scale: ScaleAnalysis) -> str:
        key = self.scale_key(scale)
        return escaped(SCALES[key].name if key in SCALES else key)

    def source(self, source: int) -> str:
        if source == ALL:
            return escaped(_("All sources"))
        key = self.found.label("source", source)
        return escaped(dict(Source.choices).get(key, key))

    def parts(
        self, scale: ScaleAnalysis, lines: Callable[[Contest], Iterable[Line]]
    ) -> tuple[tuple[str, tuple[Line, ...]], ...]:
        """One part per source; without a title where there is one source only."""
        contests = ordered_contests(self.report, scale)
        several = len(contests) > 1
        made = [(self.source(one.source) if several else "", tuple(lines(one))) for one in contests]
        return tuple(part for part in made if part[1])


def _systems(made: _Made, scale: ScaleAnalysis) -> TexTable:
    def line(row: MeanRow) -> Line:
        return (
            made.system(row.system),
            str(row.listeners),
            str(row.songs),
            str(row.ratings),
            number(row.mos),
            number(row.sd),
            limits(row.these_clips),
            limits(row.any_song),
            row.letters or NONE,
        )

    head = (
        _("System"),
        _("Listeners"),
        _("Songs"),
        _("Ratings"),
        "MOS",
        _("SD"),
        _("These clips"),
        _("Any song"),
        _("Group"),
    )
    return TexTable(
        key=f"systems-{slug(made.scale_key(scale))}",
        caption=_("Mean opinion scores of each system: %(scale)s.") % {"scale": made.scale(scale)},
        note=escaped(
            _(
                "Intervals at %(level)s: “these clips” for other listeners of the same clips, “any song” for other "
                "listeners and other songs. Systems that share a letter were not told apart (Holm, any song)."
            )
            % {"level": _level(made)}
        ),
        spec="lrrrrrccc",
        head=tuple(map(escaped, head)),
        parts=made.parts(scale, lambda contest: [line(row) for row in ordered_systems(made.report, contest.systems)]),
    )


def _pairs(made: _Made, scale: ScaleAnalysis) -> TexTable:
    def line(pair: PairRow) -> Line:
        centre = pair.these_clips.interval
        return (
            f"{made.names[pair.first]} $-$ {made.names[pair.second]}",
            str(pair.pairs),
            number(centre.centre if centre else None),
            *_tested(pair.these_clips),
            *_tested(pair.any_song),
            number(pair.effect),
            number(pair.win_rate),
        )

    def lines(contest: Contest) -> list[Line]:
        source = "" if contest is scale.contests[0] else made.found.label("source", contest.source)
        return [line(pair) for pair in made.report.pairs_of(made.scale_key(scale), source)]

    head = (_("Pair"), "n", _("Difference"), _("These clips"), "p", _("Any song"), "p", "d", _("Wins"))
    return TexTable(
        key=f"pairs-{slug(made.scale_key(scale))}",
        caption=_("Differences between systems: %(scale)s.") % {"scale": made.scale(scale)},
        note=escaped(
            _(
                "First minus second on what the same listener heard of both; n such comparisons. Intervals at "
                "%(level)s, p by Holm; d: difference over the standard deviation of a single one; wins: share in which "
                "the first is ahead, ties counted half."
            )
            % {"level": _level(made)}
        ),
        spec="lrrcrcrrr",
        head=tuple(map(escaped, head)),
        parts=made.parts(scale, lines),
    )


def _variance(made: _Made, scale: ScaleAnalysis) -> TexTable:
    def line(row: MeanRow) -> Line:
        return (made.system(row.system), *(number(share) for share in row.shares or (None, None, None)))

    head = (_("System"), _("Listener"), _("Song"), _("Residual"))
    return TexTable(
        key=f"variance-{slug(made.scale_key(scale))}",
        caption=_("Where the variance of one rating comes from, as shares: %(scale)s.") % {"scale": made.scale(scale)},
        note=escaped(_("Variance components by Henderson’s method I, listeners crossed with songs.")),
        spec="lrrr",
        head=tuple(map(escaped, head)),
        parts=made.parts(scale, lambda contest: [line(row) for row in ordered_systems(made.report, contest.systems)]),
    )


BY_SCALE: tuple[Callable[[_Made, ScaleAnalysis], TexTable], ...] = (_systems, _pairs, _variance)


def _reliability(made: _Made) -> TexTable:
    head = (_("Scale"), "ICC(A,1)", "ICC(A,k)", "k", "ICC(C,1)", _("Alpha"), "SOS $a$", _("Own SD"))
    return TexTable(
        key="reliability",
        caption=_("How well listeners agree with each other, and with themselves."),
        note=escaped(
            _(
                "ICC: of one listener (1) and of the mean of k listeners, absolute (A) or up to a listener’s own level "
                "(C). Alpha: Krippendorff’s, ordinal. Own SD: of a listener’s second rating of the same clip. "
                "Intervals at %(level)s."
            )
            % {"level": _level(made)}
        ),
        spec="lcccccrr",
        head=tuple(name if "$" in name else escaped(name) for name in head),
        parts=(("", tuple(_reliability_line(made, scale) for scale in ordered_scales(made.report))),),
    )


def _reliability_line(made: _Made, scale: ScaleAnalysis) -> Line:
    own, repeats = scale.reliability, made.found.repeats.get(scale.scale)
    agreement = own.agreement
    iccs = (
        (
            _with_limits(agreement.a1, agreement.a1_interval),
            _with_limits(agreement.ak, agreement.ak_interval),
            number(agreement.k, 1),
            _with_limits(agreement.c1, agreement.c1_interval),
        )
        if agreement
        else (NONE,) * 4
    )
    return (
        made.scale(scale),
        *iccs,
        _with_limits(own.alpha, own.alpha_interval),
        number(own.sos),
        _own_sd(repeats),
    )


def _own_sd(repeats: Repeated | None) -> str:
    return number(repeats.sd) if repeats else NONE


# ── Cells ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def number(value: float | None, places: int = 2) -> str:
    """With the language's decimal sign and a true minus."""
    return NONE if value is None or value != value else escaped(words.number(value, places))


def limits(interval: Interval | None) -> str:
    return _bracket(interval.low, interval.high) if interval else NONE


def _bracket(low: float, high: float) -> str:
    """A comma between numbers that have a decimal point; a semicolon between those that have a comma."""
    between = "; " if "," in number(low) else ", "
    return f"[{number(low)}{between}{number(high)}]"


def _with_limits(value: float | None, around: tuple[float, float] | None) -> str:
    known = around is not None and all(one == one for one in around)
    return f"{number(value)} {_bracket(*around)}" if around and known else number(value)


def _tested(found: Difference) -> tuple[str, str]:
    return limits(found.interval), NONE if found.p_holm is None else escaped(words.p_number(found.p_holm))


def _level(made: _Made) -> str:
    return f"{100 * made.found.options.level:g} %"


def slug(text: str) -> str:
    """As a part of a file's name or of a label."""
    return "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in text.lower())


# ── LaTeX ───────────────────────────────────────────────────────────────────────────────────────────────────────────

NEEDS = "% Needs \\usepackage{booktabs} and \\usepackage{longtable}; made by StemMOS.\n"
PREAMBLE = r"""\documentclass[a4paper]{article}
\usepackage{iftex}
\ifPDFTeX
  \usepackage[utf8]{inputenc}
  \usepackage[T1]{fontenc}
  \IfFileExists{lmodern.sty}{\usepackage{lmodern}}{}
\fi
\usepackage{booktabs,longtable}
\usepackage[margin=18mm]{geometry}
\renewcommand{\tablename}{%(table)s}
\setlength{\emergencystretch}{2em}
\begin{document}
"""


def table_tex(table: TexTable) -> str:
    """To be put into a paper by `\\input`."""
    return NEEDS + (_long(table) if table.lines > MOST_LINES else _short(table))


def document_tex(report: StudyReport) -> str:
    """Compiles by itself with pdfLaTeX, LuaLaTeX, XeLaTeX or Tectonic."""
    notes = words.provenance(report)
    head = [rf"\section*{{{escaped(report.name)}}}"]
    head += [rf"\textbf{{{escaped('. '.join(notes))}.}}" + "\n"] if notes else []
    made = tables(report)
    body = [_long(table) if table.lines > MOST_LINES else _short(table) for table in made]
    if not made:
        body = [escaped(_("There are no ratings yet, so there is no table."))]
    end = escaped(_("Digest of ratings.csv (sha256)"))
    head.append(rf"\noindent{{\footnotesize {end}: \texttt{{{escaped(report.digest)}}}}}")
    preamble = PREAMBLE % {"table": escaped(_("Table"))}
    return preamble + "\n\n".join([*head, *body, r"\end{document}"]) + "\n"


def _short(table: TexTable) -> str:
    inside = [rf"\begin{{tabular}}{{@{{}}{_columns(table)}@{{}}}}", r"\toprule", _row(table.head), r"\midrule"]
    inside += [*_body(table), r"\bottomrule", r"\end{tabular}"]
    return "\n".join(
        [
            r"\begin{table}[!htbp]",
            r"\centering\footnotesize\setlength{\tabcolsep}{4pt}",
            rf"\caption{{{table.caption}}}\label{{tab:{table.key}}}",
            r"\smallskip",
            *inside,
            rf"\par\smallskip\parbox{{\linewidth}}{{\scriptsize {table.note}}}",
            r"\end{table}",
        ]
    )


def _long(table: TexTable) -> str:
    """Over several pages, with its head on each."""
    head = [r"\toprule", _row(table.head), r"\midrule"]
    return "\n".join(
        [
            r"{\footnotesize\setlength{\tabcolsep}{4pt}",
            rf"\begin{{longtable}}{{@{{}}{_columns(table)}@{{}}}}",
            rf"\caption{{{table.caption}}}\label{{tab:{table.key}}}\\",
            *head,
            r"\endfirsthead",
            *head,
            r"\endhead",
            r"\bottomrule",
            r"\endlastfoot",
            *_body(table),
            r"\end{longtable}}",
            rf"\noindent{{\scriptsize {table.note}\par}}",
        ]
    )


def _columns(table: TexTable) -> str:
    """Long names are broken over lines, so that the numbers stay on the page."""
    longest = max((len(line[0]) for _title, lines in table.parts for line in lines), default=0)
    return table.spec if longest <= LONG_NAME else rf"p{{0.3\linewidth}}{table.spec[1:]}"


def _body(table: TexTable) -> Iterator[str]:
    for place, (title, lines) in enumerate(table.parts):
        if place:
            yield r"\addlinespace"
        if title:
            yield rf"\multicolumn{{{len(table.spec)}}}{{@{{}}l@{{}}}}{{\emph{{{title}}}}} \\"
        yield from map(_row, lines)


def _row(cells: Line) -> str:
    return " & ".join(cells) + r" \\"
