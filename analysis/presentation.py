"""A report as the results page shows it: names, formatted numbers, small drawings; nothing is computed here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.urls import reverse
from django.utils.text import slugify
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from analysis import words
from analysis.explanations import EXPLANATIONS, Explanation, Text
from analysis.figures.catalogue import CHARTS, CONTENT_TYPES, charts_of
from analysis.figures.colours import looks
from analysis.report import CONTROLS, GROUPINGS, MosRow, StudyReport
from analysis.statistics.intervals import Interval
from analysis.verdict import Verdict, verdict
from listening_test.scales import HIGHEST, LOWEST, SCALES
from listening_test.systems import system_name

BAR = 100.0  # width of the small drawings, in their own units

TABLES: dict[str, Text] = {
    "system": _("By system"),
    "source": _("By source"),
    "song": _("By song"),
    "system_source": _("By source and system"),
    "system_song": _("By song and system"),
}
HEADERS: dict[str, Text] = {"system": _("System"), "source": _("Source"), "song": _("Song")}


@dataclass(frozen=True)
class SystemName:
    name: str
    colour: str  # class of the style sheet
    is_control: bool
    is_demo: bool


@dataclass(frozen=True)
class Bar:
    """An interval drawn from 1 to 5: places in the drawing, as text without a decimal comma."""

    middle: str
    low: str
    high: str


@dataclass(frozen=True)
class Cell:
    """One number of a table with what belongs to it."""

    row: MosRow
    mos: str
    sd: str
    limits: str
    why: str  # a key of `words.REASONS`: why there are no limits, or why they say nothing
    any_song: str
    any_song_why: str
    colour: str
    bar: Bar


@dataclass(frozen=True)
class Line:
    """A line of a table: its names, and a cell (or None) for each column."""

    names: tuple[str, ...]
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True)
class Picture:
    """A figure with its addresses, its sizes in pixels and the sentence that says what it shows."""

    name: str
    address: str
    wide: tuple[int, int]
    narrow: tuple[int, int]
    alt: str


@dataclass(frozen=True)
class Worked:
    """The formulas of a system's two intervals with its numbers in them."""

    name: str
    these_clips: str
    any_song: str


@dataclass(frozen=True)
class Standing:
    """A system among the others; "" where something is not known."""

    name: str
    colour: str
    mos: str
    letters: str  # systems that share one are not told apart
    rank: str
    best: str  # probability of the highest mean


@dataclass(frozen=True)
class ScaleView:
    """What the page says of one scale."""

    key: str
    name: str
    question: str
    verdict: Verdict
    headline: str
    support: list[str]
    picture: Picture
    standings: list[Standing]  # the highest mean first
    worked: list[Worked]
    by_source: list[Line]
    by_song: list[Line]

    @property
    def notes(self) -> list[str]:
        lines = [*self.by_source, *self.by_song]
        return in_full(cell.why for line in lines for cell in line.cells if cell)


@dataclass(frozen=True)
class Table:
    key: str
    title: Text
    headers: list[Text]
    parts: list[tuple[str, list[Line]]]  # for each scale its name and its lines, of one cell each

    @property
    def has_songs(self) -> bool:
        """Whether its lines are over several songs, so that "any song" is a question."""
        return "song" not in GROUPINGS[self.key]

    @property
    def notes(self) -> list[str]:
        cells = [cell for _scale, lines in self.parts for line in lines for cell in line.cells if cell]
        whys = [cell.why for cell in cells]
        return in_full([*whys, *(cell.any_song_why for cell in cells)] if self.has_songs else whys)


def scale_views(report: StudyReport) -> list[ScaleView]:
    return [_scale_view(report, scale) for scale in SCALES]


def _scale_view(report: StudyReport, scale: str) -> ScaleView:
    found = verdict(report, scale)
    return ScaleView(
        key=scale,
        name=words.scale_name(scale),
        question=str(report.scales[scale].question),
        verdict=found,
        headline=words.headline(found),
        support=words.support(found),
        picture=picture(report, scale, words.systems_alt(report, scale)),
        standings=standings(report, scale),
        worked=[worked(row) for row in report.select(scale, "system")],
        by_source=_side_by_side(report, scale, "source", report.sources),
        by_song=_side_by_side(report, scale, "song", report.songs),
    )


def standings(report: StudyReport, scale: str) -> list[Standing]:
    """Of the systems that are ranked. None where listeners or songs are too few to be drawn anew: ranks and
    probabilities of such draws would mean nothing."""
    contest, colours = report.contest(scale), looks(report.systems)
    rows = [(report.label("system", row.system), row) for row in contest.systems] if contest else []
    ranked = [(system, row) for system, row in rows if system not in CONTROLS]
    if any(row.rank is None for _system, row in ranked):
        return []
    return [
        Standing(
            name=system_name(system),
            colour=colours[system].name,
            mos=words.number(row.mos),
            letters=row.letters,
            rank="" if row.rank is None else _ranks(*row.rank),
            best="" if row.best is None else words.chance(row.best),
        )
        for system, row in sorted(ranked, key=lambda one: -one[1].mos)
    ]


def _ranks(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}–{last}"


def system_names(report: StudyReport) -> list[SystemName]:
    colours = looks(report.systems)
    return [
        SystemName(system_name(key), colours[key].name, key in CONTROLS, report.weights_of(key) == "demo")
        for key in report.systems
    ]


def worked(row: MosRow) -> Worked:
    return Worked(system_name(row.system), _these_clips_worked(row), _any_song_worked(row))


def _these_clips_worked(row: MosRow) -> str:
    found = row.these_clips
    if found is None or row.listener_sd is None:
        return words.reason(row.these_clips_reason)
    numbers = (found.centre, _quantile(found), row.listener_sd)
    return "{} ± {} · {} / √{} = ".format(*map(_precise, numbers), row.listeners) + words.limits(found)


def _any_song_worked(row: MosRow) -> str:
    found = row.any_song
    if found is None:
        return words.reason(row.any_song_reason)
    numbers = (found.centre, _quantile(found), found.se)
    return (
        "{} ± {} · {} = ".format(*map(_precise, numbers)) + f"{words.limits(found)}, df = {words.number(found.df, 1)}"
    )


def _quantile(interval: Interval) -> float:
    return (interval.high - interval.centre) / interval.se


def _precise(value: float) -> str:
    return words.number(value, 3)


# ── Tables ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _side_by_side(report: StudyReport, scale: str, key: str, names: Sequence[str]) -> list[Line]:
    """One line per source or song, one column per system."""
    colours = looks(report.systems)
    rows = {(getattr(row, key), row.system): row for row in report.select(scale, f"system_{key}")}
    return [
        Line(
            (words.source_name(name) if key == "source" else name,),
            tuple(
                _cell(rows[name, system], colours[system].name) if (name, system) in rows else None
                for system in report.systems
            ),
        )
        for name in names
    ]


def tables(report: StudyReport) -> list[Table]:
    """All lines of the MOS."""
    return [
        Table(grouping, TABLES[grouping], [HEADERS[key] for key in _columns(grouping)], _parts(report, grouping))
        for grouping in GROUPINGS
    ]


def _columns(grouping: str) -> tuple[str, ...]:
    """What the lines are about first: source or song, then system."""
    return tuple(reversed(GROUPINGS[grouping]))


def _parts(report: StudyReport, grouping: str) -> list[tuple[str, list[Line]]]:
    parts = []
    for scale in SCALES:
        rows = sorted(report.select(scale, grouping), key=lambda row: _place(report, row))
        if rows:
            parts.append((words.scale_name(scale), [_line(row, grouping) for row in rows]))
    return parts


def _place(report: StudyReport, row: MosRow) -> tuple[int, ...]:
    named = ((report.sources, row.source), (report.songs, row.song), (report.systems, row.system))
    return tuple(order.index(name) if name else -1 for order, name in named)


def _line(row: MosRow, grouping: str) -> Line:
    return Line(tuple(_name(column, getattr(row, column)) for column in _columns(grouping)), (_cell(row),))


def in_full(whys: Iterable[str]) -> list[str]:
    """Each reason that stands somewhere in short, once and in full."""
    return [words.reason(why) for why in dict.fromkeys(whys) if why]


def _name(column: str, value: str) -> str:
    naming = {"system": system_name, "source": words.source_name}
    return naming[column](value) if column in naming else value


def _cell(row: MosRow, colour: str = "") -> Cell:
    found = row.these_clips
    return Cell(
        row=row,
        mos=words.number(row.mos),
        sd="" if row.sd is None else words.number(row.sd),
        limits=words.limits_or_why(found),
        why=_why(found, row.these_clips_reason),
        any_song=words.limits_or_why(row.any_song),
        any_song_why=_why(row.any_song, row.any_song_reason),
        colour=colour,
        bar=_bar(row.mos, found),
    )


def _why(interval: Interval | None, reason: str) -> str:
    return "whole_scale" if interval and words.covers_the_scale(interval) else reason


def _bar(mos: float, interval: Interval | None) -> Bar:
    low, high = (interval.low, interval.high) if interval else (mos, mos)
    return Bar(*(f"{_along(value):.1f}" for value in (mos, low, high)))


def _along(value: float) -> float:
    return min(max((value - LOWEST) / (HIGHEST - LOWEST), 0.0), 1.0) * BAR


# ── Pictures, files, explanations ───────────────────────────────────────────────────────────────────────────────────


def picture(report: StudyReport, name: str, alt: str) -> Picture:
    chart = CHARTS[name]
    address = reverse("results_chart", args=[report.study_id, name, "svg"])
    query = f"?v={report.version}&lang={get_language()}"
    return Picture(name, address + query, chart.pixels(report, "wide"), chart.pixels(report, "narrow"), alt)


def figure_files(report: StudyReport) -> list[tuple[str, list[tuple[str, str]]]]:
    """For each figure, what it shows, and the addresses of its files by format."""
    return [
        (chart.title(report), [(format.upper(), chart_address(report, name, format)) for format in CONTENT_TYPES])
        for name, chart in charts_of(report).items()
    ]


def chart_address(report: StudyReport, name: str, format: str) -> str:
    return f"{reverse('results_chart', args=[report.study_id, name, format])}?lang={get_language()}&download=1"


def explained(*keys: str) -> list[Explanation]:
    return [EXPLANATIONS[key] for key in keys]


def explanations_by_place() -> dict[str, Iterable[Explanation]]:
    """What is explained beside each chart and table."""
    return {
        "verdict": explained("mos", "these_clips", "any_song", "difference", "holm", "letters", "bootstrap"),
        "cells": explained("mos", "these_clips"),
        "pairs": explained("difference", "holm", "effect", "win_rate", "equivalence"),
        "secondary": explained("friedman", "wilcoxon", "ordinal"),
        "listeners": explained("bias", "inconsistency", "agreement", "rule"),
        "trust": explained("icc", "alpha", "repeats", "sos", "shares", "counted", "digest"),
        "clips": explained("clip_model"),
        "tables": explained("mos", "sd", "these_clips", "any_song"),
    }


def file_name(report: StudyReport, what: str, extension: str) -> str:
    """Of a download: the study's name, and what must not be forgotten about its ratings."""
    marks = [mark for mark, applies in _marks(report) if applies]
    return "-".join([slugify(report.name)[:60] or "study", *marks, what]) + f".{extension}"


def _marks(report: StudyReport) -> list[tuple[str, bool]]:
    return [("demo", report.is_demo or report.counts.demo), ("simulated", report.counts.simulated)]
