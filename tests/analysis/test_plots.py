"""Figures are whole files, the same each time, and carry what must not be lost."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from xml.etree import ElementTree

import pytest
from django.utils import translation
from matplotlib.figure import Figure

from analysis import plots
from analysis.charts import CHARTS, CONTENT_TYPES, THEMES, WIDTHS
from analysis.colours import MARKERS, PALETTE, looks
from analysis.report import StudyReport

from .tables import crossed, report, row, tidy

FOUR = ("vocals", "drums", "bass", "other")


def drawn(found: StudyReport, chart: str = "quality", width: str = "wide") -> Figure:
    style = plots.Style(
        plots.THEMES["print"], width == "narrow", CHARTS[chart].size(found, width), looks(found.systems)
    )
    return plots.figure_of(found, CHARTS[chart], style)


def texts(figure: Figure) -> str:
    figure.canvas.draw()
    return " | ".join(text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text")))


@pytest.mark.parametrize("chart", CHARTS)
@pytest.mark.parametrize("format", CONTENT_TYPES)
def test_every_figure_in_every_format(chart: str, format: str) -> None:
    content = plots.draw(report(crossed(sources=FOUR, listeners=5, songs=2)), chart, format=format)
    starts = {"svg": b"<?xml", "pdf": b"%PDF", "png": b"\x89PNG\r\n\x1a\n"}
    assert content.startswith(starts[format])
    if format == "svg":
        root = ElementTree.fromstring(content)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert b"<script" not in content and b"http-equiv" not in content


@pytest.mark.parametrize("format", ["svg", "pdf", "png"])
def test_the_same_data_is_the_same_file(format: str) -> None:
    found = report(crossed(listeners=5, songs=2))
    assert plots.draw(found, "quality", format=format) == plots.draw(found, "quality", format=format)


def test_themes_and_widths_differ_and_only_print_has_paper() -> None:
    found = report(crossed(listeners=5, songs=2))
    files = {
        (theme, width): plots.draw(found, "quality", theme=theme, width=width) for theme in THEMES for width in WIDTHS
    }
    assert len(set(files.values())) == len(files)
    assert b"#ffffff" in files["print", "wide"]
    assert b"#ffffff" not in files["light", "wide"] and b"#ffffff" not in files["dark", "wide"]


def test_threads_do_not_mix_their_figures() -> None:
    found = report(crossed(listeners=5, songs=2))

    def drawn(theme: str) -> tuple[str, bytes]:
        with translation.override("en"):  # a thread has a language of its own
            return theme, plots.draw(found, "quality", theme=theme)

    alone = dict(map(drawn, THEMES))
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(drawn, [*THEMES] * 2))
    assert all(content == alone[theme] for theme, content in together)


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


@pytest.mark.parametrize("width", WIDTHS)
def test_demo_and_simulated_are_written_into_the_picture(width: str) -> None:
    table = crossed(listeners=6, systems=("umxhq", "umx:demo", "htdemucs"), simulated=True)
    with translation.override("en"):
        assert "DEMO · SIMULATED LISTENERS" in texts(drawn(report(table), width=width))
        assert "DEMO" not in texts(drawn(report(crossed(listeners=6)), width=width))


@pytest.mark.parametrize(("language", "number", "word"), [("en", r"\d\.\d\d", "Excellent"), ("es", r"\d,\d\d", "")])
def test_words_and_numbers_are_the_readers(language: str, number: str, word: str) -> None:
    with translation.override(language):
        said = texts(drawn(report(crossed(listeners=6))))
    assert re.search(number, said)
    assert word in said


def test_one_listener_and_one_system_are_drawn_without_an_interval() -> None:
    found = report(tidy([row(value=4)]))
    [axes, *_beside] = drawn(found).axes
    assert len(axes.lines) == 1
    assert plots.draw(found, "quality-sources")


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
    assert set(MARKERS) == set(plots.MARKERS)


def test_the_style_sheet_has_the_same_colours() -> None:
    from django.conf import settings

    sheet = (settings.BASE_DIR / "static/analysis/results.css").read_text()
    assert dict(re.findall(r"\.(\w+) \{ --system: (#\w+); \}", sheet)) == {
        name: colour.lower() for name, colour in PALETTE.items()
    }
