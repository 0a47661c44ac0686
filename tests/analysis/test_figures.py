"""Figures are whole files, the same each time, carry what must not be lost, and say what they show."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from django.utils import translation
from matplotlib.figure import Figure

from analysis.figures import drawing
from analysis.figures.base import WIDTHS
from analysis.figures.catalogue import CHARTS, CONTENT_TYPES, THEMES, charts_of
from analysis.figures.colours import MARKERS, PALETTE, looks
from analysis.figures.listeners import cards, listeners
from analysis.figures.map import points
from analysis.figures.matrix import ANY_SONG, THESE_CLIPS, sign
from analysis.figures.songs import MOST, Songs
from analysis.figures.style import MARKERS as SHAPES
from analysis.report import StudyReport

from .tables import crossed, report, row, tidy, with_metrics


def with_a_straight_liner(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(score=table["score"].where(table["listener"] != "listener-02", 3))


@pytest.fixture(scope="module")
def full() -> StudyReport:
    """A report of which every figure can be drawn."""
    return with_metrics(report(with_a_straight_liner(crossed(listeners=7, songs=5))), replicates=5)


def drawn(found: StudyReport, chart: str = "quality", width: str = "wide") -> Figure:
    return drawing.figure_of(found, CHARTS[chart], width=width)


def texts(figure: Figure) -> str:
    figure.canvas.draw()
    return " | ".join(text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text")))


# ── Files ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("chart", CHARTS)
@pytest.mark.parametrize("format", CONTENT_TYPES)
def test_every_figure_in_every_format_the_same_each_time(full: StudyReport, chart: str, format: str) -> None:
    content = drawing.draw(full, chart, format=format)
    starts = {"svg": b"<?xml", "pdf": b"%PDF", "png": b"\x89PNG\r\n\x1a\n"}
    assert content.startswith(starts[format])
    assert drawing.draw(full, chart, format=format) == content
    if format == "svg":
        root = ElementTree.fromstring(content)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert b"<script" not in content and b"http-equiv" not in content and b"<dc:date>" not in content


@pytest.mark.parametrize("chart", CHARTS)
def test_themes_and_widths_differ_and_only_print_has_paper(full: StudyReport, chart: str) -> None:
    files = {
        (theme, width): drawing.draw(full, chart, theme=theme, width=width) for theme in THEMES for width in WIDTHS
    }
    assert len(set(files.values())) == len(files)
    paper = rb'<g id="patch_1">\s*<path [^>]*style="fill: #ffffff"'
    assert re.search(paper, files["print", "wide"])
    assert not re.search(paper, files["light", "wide"]) and not re.search(paper, files["dark", "wide"])


def test_threads_do_not_mix_their_figures() -> None:
    found = report(crossed(listeners=5, songs=2))

    def drawn(theme: str) -> tuple[str, bytes]:
        with translation.override("en"):  # a thread has a language of its own
            return theme, drawing.draw(found, "quality", theme=theme)

    alone = dict(map(drawn, THEMES))
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(drawn, [*THEMES] * 2))
    assert all(content == alone[theme] for theme, content in together)


# ── What they say ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("chart", CHARTS)
def test_every_figure_has_its_numbers_and_a_sentence(full: StudyReport, chart: str, language: str) -> None:
    found = CHARTS[chart]
    with translation.override(language):
        numbers = found.numbers(full)
        assert numbers.lines
        assert {len(line) for line in numbers.lines} == {len(numbers.headers)}
        assert all(isinstance(cell, str) for line in numbers.texts for cell in line)
        assert found.sentence(full).endswith(".")
        assert found.title(full)
    assert "nan" not in str(numbers.texts)


def test_the_interval_is_where_the_numbers_are() -> None:
    found = report(crossed(listeners=6))
    [axes, *_beside] = drawn(found).axes
    for place, wanted in enumerate(found.select("quality", "system")):
        assert wanted.these_clips
        ends = {tuple(line.get_xdata()) for line in axes.lines if list(line.get_ydata()) == [place, place]}
        assert wanted.any_song
        assert ends == {
            (wanted.these_clips.low, wanted.these_clips.high),
            (wanted.any_song.low, wanted.any_song.high),
        }
        dots = [line.get_xdata() for line in axes.lines if list(line.get_ydata()) == [place]]
        assert [float(dot[0]) for dot in dots] == [wanted.mos]
    assert axes.get_ylim()[0] > axes.get_ylim()[1]  # the first system is on top


def test_tables_hold_the_reports_numbers(full: StudyReport) -> None:
    for line, wanted in zip(CHARTS["quality"].numbers(full).lines, full.select("quality", "system"), strict=True):
        assert wanted.these_clips and wanted.any_song
        limits = (*(wanted.these_clips.low, wanted.these_clips.high), *(wanted.any_song.low, wanted.any_song.high))
        assert line[1:] == (wanted.ratings, wanted.listeners, wanted.mos, *limits)
    by_song = {(row.song, row.system): row.mos for row in full.select("quality", "system_song")}
    for song, *values in CHARTS["quality-songs"].numbers(full).lines:
        assert values == [by_song[str(song), system] for system in full.systems]
    for line, pair in zip(CHARTS["quality-matrix"].numbers(full).lines, full.pairs_of("quality"), strict=True):
        assert pair.these_clips.interval
        assert line[2] == pair.these_clips.interval.centre
    scores = CHARTS["scores"].numbers(full).lines
    assert sum(int(value) for line in scores for value in line[2:] if value) == full.counts.counted


def test_the_map_stands_on_listeners_means(full: StudyReport) -> None:
    """The ellipse's half width is that of the t interval, wider by Hotelling's factor for two scales at once."""
    for point in points(full):
        assert point.these_clips and point.across.these_clips and point.any_song and point.across.any_song
        one = point.across.these_clips
        assert point.these_clips.centre[0] == pytest.approx(one.centre)
        assert point.these_clips.covariance[0][0] == pytest.approx(one.se**2)
        assert point.these_clips.reach[0] > (one.high - one.low) / 2
        assert point.any_song.covariance[0][0] == pytest.approx(point.across.any_song.se**2)


def test_the_matrix_marks_what_is_beyond_chance() -> None:
    found = report(crossed(listeners=9, songs=8, steps=(2.0, 3.9, 4.0)))
    signs = {(pair.first, pair.second): sign(pair) for pair in found.pairs_of("quality")}
    assert signs["umxhq", "htdemucs"] == ANY_SONG
    few = report(crossed(listeners=9, songs=3, steps=(2.0, 3.9, 4.0)))
    assert {sign(pair) for pair in few.pairs_of("quality")} == {THESE_CLIPS, ""}
    two = report(crossed(listeners=2, songs=8, steps=(2.0, 3.9, 4.0)))
    assert {sign(pair) for pair in two.pairs_of("quality")} == {""}  # nothing is claimed of two listeners
    assert ANY_SONG in texts(drawn(found, "quality-matrix"))


def test_flagged_listeners_are_numbers_with_cards(full: StudyReport) -> None:
    flagged = listeners(full)["quality"].flagged()
    assert [one.number for one in flagged] == [3]  # the third session
    assert "straight_lining" in flagged[0].reasons
    assert {card.one.number for card in cards(full)} == {3}
    assert np.array_equal(cards(full)[0].own, [0, 0, 1, 0, 0])
    said = CHARTS["listeners"].sentence(full) + texts(drawn(full, "listeners")) + texts(drawn(full, "flagged"))
    assert "listener-02" not in said


@pytest.mark.parametrize("width", WIDTHS)
def test_numbers_of_listeners_in_one_place_do_not_cover_each_other(width: str) -> None:
    """Six who gave one score always lie on each other."""
    table = crossed(listeners=14, songs=5)
    alike = table["listener"].isin([f"listener-{number:02d}" for number in range(6)])
    figure = drawn(report(table.assign(score=table["score"].mask(alike, 3))), "listeners", width)
    figure.canvas.draw()
    for panel in figure.axes:
        for text in panel.texts:
            text.arrowprops, text.arrow_patch = None, None  # a line may pass where a number is not
        boxes = [text.get_window_extent() for text in panel.texts]
        assert len(boxes) >= 6 or panel.get_ylabel() != "Inconsistency"
        frame = panel.get_window_extent()
        for place, box in enumerate(boxes):
            assert frame.contains(box.x0, box.y0) and frame.contains(box.x1, box.y1)
            assert not any(box.overlaps(other) for other in boxes[:place])


def test_of_many_songs_those_that_differ_most_are_shown() -> None:
    found = report(crossed(listeners=2, songs=MOST + 5, sources=("vocals",)))
    chart = Songs("quality")
    means = chart.means(found)
    ranges = {song: max(own.values()) - min(own.values()) for song, own in means.items()}
    shown = chart.shown(found)
    assert len(shown) == MOST == len(chart.numbers(found).lines)
    assert min(ranges[song] for song in shown) >= max(ranges[song] for song in set(means) - set(shown))
    with translation.override("en"):
        assert f"the {MOST} of {MOST + 5} songs" in chart.key(found)


@pytest.fixture(scope="module")
def simulated() -> StudyReport:
    """Of demo weights and simulated listeners."""
    table = crossed(listeners=6, systems=("umxhq", "umx:demo", "htdemucs"), simulated=True)
    return with_metrics(report(with_a_straight_liner(table)), replicates=5)


@pytest.mark.parametrize("chart", CHARTS)
@pytest.mark.parametrize("width", WIDTHS)
def test_demo_and_simulated_are_written_into_the_picture(
    full: StudyReport, simulated: StudyReport, chart: str, width: str
) -> None:
    with translation.override("en"):
        assert "DEMO · SIMULATED LISTENERS" in texts(drawn(simulated, chart, width))
        assert "DEMO" not in texts(drawn(full, chart, width))


@pytest.mark.parametrize(("language", "number", "word"), [("en", r"\d\.\d\d", "Excellent"), ("es", r"\d,\d\d", "")])
def test_words_and_numbers_are_the_readers(language: str, number: str, word: str) -> None:
    with translation.override(language):
        said = texts(drawn(report(crossed(listeners=6))))
    assert re.search(number, said)
    assert word in said


# ── Little to draw ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_one_listener_and_one_system_are_drawn_without_an_interval() -> None:
    found = report(tidy([row(score=4)]))
    [axes, *_beside] = drawn(found).axes
    assert len(axes.lines) == 1
    assert drawing.draw(found, "quality-sources")


SMALL = {
    "nothing": [],
    "one rating": [row(score=4)],
    "one scale": [row(score=4, listener=who, system=system) for who in "abc" for system in ("umxhq", "htdemucs")],
    "all alike": [
        row(score=3, listener=who, system=system, scale=scale, song=song)
        for who in "abcdef"
        for system in ("umxhq", "htdemucs")
        for scale in ("quality", "contamination")
        for song in ("One", "Two")
    ],
}


@pytest.mark.parametrize("what", SMALL)
def test_little_is_drawn_or_says_why_not(what: str) -> None:
    found = report(tidy(SMALL[what]))
    for name, chart in CHARTS.items():
        for width in WIDTHS:
            if reason := chart.why_not(found):
                assert reason.endswith(".")
                with pytest.raises(ValueError, match=re.escape(reason)):
                    drawing.draw(found, name, width=width)
            else:
                assert drawing.draw(found, name, width=width)
                assert chart.sentence(found) and chart.numbers(found).texts
    assert bool(charts_of(found)) == bool(SMALL[what])


# ── Colours ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_known_system_has_one_colour_in_every_study() -> None:
    alone = looks(["htdemucs"])["htdemucs"]
    assert looks(["imported", "umxhq", "htdemucs", "x"])["htdemucs"] == alone


def test_up_to_eight_systems_have_eight_colours_and_more_differ_by_marker() -> None:
    keys = ["umxhq", *(f"imported {number}" for number in range(13))]
    found = looks(keys)
    assert len({found[key].name for key in keys[:8]}) == 8
    assert len({(look.name, look.marker) for look in found.values()}) == len(keys)
    assert {look.marker for look in found.values()} <= set(MARKERS)
    assert set(MARKERS) == set(SHAPES)


def test_the_style_sheet_has_the_same_colours() -> None:
    from django.conf import settings

    sheet = (settings.BASE_DIR / "static/analysis/results.css").read_text()
    assert dict(re.findall(r"\.(\w+) \{ --system: (#\w+); \}", sheet)) == {
        name: colour.lower() for name, colour in PALETTE.items()
    }
