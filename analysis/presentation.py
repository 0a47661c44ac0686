"""A report as the results page shows it: names, formatted numbers, small drawings; nothing is computed here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.urls import reverse
from django.utils.text import slugify
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from analysis import words
from analysis.charts import CHARTS, CONTENT_TYPES
from analysis.colours import looks
from analysis.explanations import EXPLANATIONS, Explanation, Text
from analysis.report import CONTROLS, GROUPINGS, MosRow, PairRow, StudyReport
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
class ScaleView:
    """What the page says of one scale."""

    key: str
    name: str
    question: str
    verdict: Verdict
    headline: str
    support: list[str]
    picture: Picture
    worked: list[tuple[str, str]]  # system and its interval's formula with the numbers in it
    by_source: list[Line]
    by_song: list[Line]

    @property
    def notes(self) -> list[str]:
        return notes([*self.by_source, *self.by_song])


@dataclass(frozen=True)
class PairView:
    pair: PairRow
    names: str
    scale: str
    difference: str
    limits: str
    p: str
    p_holm: str
    why: str


@dataclass(frozen=True)
class Table:
    key: str
    title: Text
    headers: list[Text]
    lines: list[Line]  # two cells: one per scale

    @property
    def notes(self) -> list[str]:
        return notes(self.lines)


def scale_views(report: StudyReport) -> list[ScaleView]:
    return [_scale_view(report, scale) for scale in SCALES]


def _scale_view(report: StudyReport, scale: str) -> ScaleView:
    found = verdict(report, scale)
    return ScaleView(
        key=scale,
        name=words.scale_name(scale),
        question=str(SCALES[scale].question),
        verdict=found,
        headline=words.headline(found),
        support=words.support(found),
        picture=picture(report, scale, words.systems_alt(report, scale)),
        worked=[(system_name(row.system), worked(row)) for row in report.select(scale, "system")],
        by_source=_side_by_side(report, scale, "source", report.sources),
        by_song=_side_by_side(report, scale, "song", report.songs),
    )


def system_names(report: StudyReport) -> list[SystemName]:
    colours = looks(report.systems)
    return [
        SystemName(system_name(key), colours[key].name, key in CONTROLS, report.weights_of(key) == "demo")
        for key in report.systems
    ]


def worked(row: MosRow) -> str:
    """The interval's formula with this line's numbers in it."""
    found = row.these_clips
    if found is None or row.listener_sd is None:
        return words.reason(row.these_clips_reason)
    t = (found.high - found.centre) / found.se
    parts = (words.number(found.centre, 3), words.number(t, 3), words.number(row.listener_sd, 3), row.listeners)
    return "{} ± {} · {} / √{} = ".format(*parts) + words.limits(found)


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
    """All lines of the MOS, each with its two scales."""
    return [
        Table(grouping, TABLES[grouping], [HEADERS[key] for key in _columns(grouping)], _lines(report, grouping))
        for grouping in GROUPINGS
    ]


def _columns(grouping: str) -> tuple[str, ...]:
    """What the lines are about first: source or song, then system."""
    return tuple(reversed(GROUPINGS[grouping]))


def _lines(report: StudyReport, grouping: str) -> list[Line]:
    by_scale = {scale: {_key(row): row for row in report.select(scale, grouping)} for scale in SCALES}
    keys = sorted({key for rows in by_scale.values() for key in rows}, key=lambda key: _place(report, key))
    lines = []
    for key in keys:
        cells = tuple(_cell(rows[key]) if key in rows else None for rows in by_scale.values())
        row = next(cell.row for cell in cells if cell)
        lines.append(Line(tuple(_name(column, getattr(row, column)) for column in _columns(grouping)), cells))
    return lines


def _key(row: MosRow) -> tuple[str, str, str]:
    return row.source, row.song, row.system


def _place(report: StudyReport, key: tuple[str, str, str]) -> tuple[int, ...]:
    orders = (report.sources, report.songs, report.systems)
    return tuple(order.index(name) if name else -1 for order, name in zip(orders, key, strict=True))


def notes(lines: Iterable[Line]) -> list[str]:
    """Each reason that stands in short in one of these lines, once and in full."""
    found = dict.fromkeys(cell.why for line in lines for cell in line.cells if cell and cell.why)
    return [words.reason(why) for why in found]


def _name(column: str, value: str) -> str:
    naming = {"system": system_name, "source": words.source_name}
    return naming[column](value) if column in naming else value


def _cell(row: MosRow, colour: str = "") -> Cell:
    found = row.these_clips
    nothing = found is not None and words.covers_the_scale(found)
    return Cell(
        row=row,
        mos=words.number(row.mos),
        sd="" if row.sd is None else words.number(row.sd),
        limits=words.limits_or_why(found),
        why="whole_scale" if nothing else row.these_clips_reason,
        colour=colour,
        bar=_bar(row.mos, found),
    )


def _bar(mos: float, interval: Interval | None) -> Bar:
    low, high = (interval.low, interval.high) if interval else (mos, mos)
    return Bar(*(f"{_along(value):.1f}" for value in (mos, low, high)))


def _along(value: float) -> float:
    return min(max((value - LOWEST) / (HIGHEST - LOWEST), 0.0), 1.0) * BAR


def pair_views(report: StudyReport) -> list[PairView]:
    return [_pair_view(pair) for pair in report.pairs]


def _pair_view(pair: PairRow) -> PairView:
    found = pair.these_clips
    return PairView(
        pair=pair,
        names=f"{system_name(pair.first)} − {system_name(pair.second)}",
        scale=words.scale_name(pair.scale),
        difference=words.number(found.centre) if found else "",
        limits=words.limits(found) if found else "",
        p="" if pair.these_clips_p is None else words.p_number(pair.these_clips_p),
        p_holm="" if pair.these_clips_p_holm is None else words.p_number(pair.these_clips_p_holm),
        why=words.reason(pair.these_clips_reason) if pair.these_clips_reason else "",
    )


# ── Pictures, files, explanations ───────────────────────────────────────────────────────────────────────────────────


def picture(report: StudyReport, name: str, alt: str) -> Picture:
    chart = CHARTS[name]
    address = reverse("results_chart", args=[report.study_id, name, "svg"])
    query = f"?v={report.version}&lang={get_language()}"
    return Picture(name, address + query, chart.pixels(report, "wide"), chart.pixels(report, "narrow"), alt)


def figure_files(report: StudyReport) -> list[tuple[str, list[tuple[str, str]]]]:
    """For each figure, what it shows, and the addresses of its files by format."""
    titles = {"systems": _("%(scale)s by system"), "sources": _("%(scale)s by source and system")}
    return [
        (
            str(titles[chart.by]) % {"scale": words.scale_name(chart.scale)},
            [(format.upper(), chart_address(report, name, format)) for format in CONTENT_TYPES],
        )
        for name, chart in CHARTS.items()
    ]


def chart_address(report: StudyReport, name: str, format: str) -> str:
    return f"{reverse('results_chart', args=[report.study_id, name, format])}?lang={get_language()}&download=1"


def explained(*keys: str) -> list[Explanation]:
    return [EXPLANATIONS[key] for key in keys]


def explanations_by_place() -> dict[str, Iterable[Explanation]]:
    """What is explained beside each chart and table."""
    return {
        "verdict": explained("mos", "these_clips", "difference", "holm"),
        "cells": explained("mos", "these_clips"),
        "tables": explained("mos", "sd", "these_clips"),
        "pairs": explained("difference", "holm"),
        "trust": explained("counted", "digest"),
    }


def file_name(report: StudyReport, what: str, extension: str) -> str:
    """Of a download: the study's name, and what must not be forgotten about its ratings."""
    marks = [mark for mark, applies in _marks(report) if applies]
    return "-".join([slugify(report.name)[:60] or "study", *marks, what]) + f".{extension}"


def _marks(report: StudyReport) -> list[tuple[str, bool]]:
    return [("demo", report.is_demo or report.counts.demo), ("simulated", report.counts.simulated)]
