"""How figures look: themes, and the marks and axes that they share. Knows matplotlib by type only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.formats import get_format

from analysis.figures.colours import Look
from listening_test.scales import HIGHEST, LOWEST, Scale

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARKERS = {
    "circle": "o",
    "square": "s",
    "diamond": "D",
    "triangle": "^",
    "down": "v",
    "pentagon": "p",
    "cross": "X",
    "star": "*",
}
SETTINGS: dict[Any, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same picture on every machine
    "font.size": 9,
    "svg.fonttype": "path",
    "svg.hashsalt": "stemmos",  # fixed, so that the same data gives the same file
    "pdf.fonttype": 42,  # TrueType: text in a PDF stays text
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.axisbelow": True,
}
MARGIN = 0.15  # of the scale, beyond its ends
SMALL = 7.5  # points


@dataclass(frozen=True)
class Theme:
    ink: str
    soft: str
    line: str
    warn: str
    paper: str  # "none": the page shows through
    ahead: str = "#0072B2"  # Okabe and Ito's blue and vermillion: for "more" and "less"
    behind: str = "#D55E00"
    on_deep: str = "#ffffff"  # letters on a colour that is more opaque than `deep`
    deep: float = 0.9

    @property
    def settings(self) -> dict[Any, Any]:
        parts = {"text.color": self.ink, "axes.labelcolor": self.ink, "axes.edgecolor": self.soft}
        parts |= {"xtick.color": self.soft, "ytick.color": self.ink, "grid.color": self.line}
        return parts | {"figure.facecolor": self.paper, "axes.facecolor": "none", "savefig.facecolor": self.paper}


THEMES = {
    "print": Theme(ink="#1c1b19", soft="#5a5751", line="#dedad3", warn="#7a5200", paper="#ffffff"),
    "light": Theme(ink="#1c1b19", soft="#5a5751", line="#dedad3", warn="#7a5200", paper="none"),
    "dark": Theme(
        ink="#f0efec",
        soft="#b3b0a9",
        line="#4a4d4b",
        warn="#e9bf6c",
        paper="none",
        ahead="#56B4E9",
        on_deep="#161716",
        deep=0.6,
    ),
}
"""Print has white paper; the others let the page show through."""


@dataclass(frozen=True)
class Style:
    """How one figure is drawn."""

    theme: Theme
    is_narrow: bool
    looks: Mapping[str, Look]
    names: Mapping[str, str]  # of systems, as a reader reads them
    scales: Mapping[str, Scale]  # in the words that listeners read


def mark(axes: Axes, x: Any, y: Any, system: str, style: Style, *, size: float = 8.0, **how: Any) -> None:
    """Dots of a system, in its colour and shape."""
    look = style.looks[system]
    axes.plot(
        x,
        y,
        MARKERS[look.marker],
        color=look.hex,
        markersize=size,
        markeredgecolor=style.theme.ink,
        **{"markeredgewidth": 0.8 if size > 6 else 0.5, "zorder": 3, **how},
    )


def scale_axis(axes: Axes, scale: str, style: Style, *, words_too: bool = True) -> None:
    """The five steps along the bottom."""
    values = style.scales[scale].values
    labels = [f"{value}\n{word}" if words_too else str(value) for value, word in values]
    if style.is_narrow and words_too:  # five words do not fit: the ends say which way is good
        labels = [
            label if value in (LOWEST, HIGHEST) else str(value)
            for (value, _w), label in zip(values, labels, strict=True)
        ]
    axes.set_xticks([value for value, _word in values], labels, fontsize=8)
    axes.set_xlim(LOWEST - MARGIN, HIGHEST + MARGIN)
    axes.grid(axis="x", linewidth=0.8)
    bare(axes)


def bare(axes: Axes) -> None:
    """Without ticks and without a line below: the grid is enough."""
    axes.tick_params(axis="both", length=0)
    axes.spines["bottom"].set_visible(False)


def readers_ticks(axes: Axes) -> None:
    """Numbers along both axes with the reader's decimal sign."""
    point = str(get_format("DECIMAL_SEPARATOR"))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(lambda value, _place: _tick(value, point))


def _tick(value: float, point: str) -> str:
    return f"{value:.6g}".replace("-", "\N{MINUS SIGN}").replace(".", point)


def lines_down(axes: Axes, count: int) -> None:
    """A line for each of `count`, the first on top, and air above and below."""
    axes.set_ylim(max(count, 1) - 0.4, -0.6)


def names_above(axes: Axes, names: Sequence[str], *, left: float = LOWEST - MARGIN, up: float = 0.36) -> None:
    """Each line's name over it, where there is no room beside it."""
    axes.set_yticks([])
    for place, name in enumerate(names):
        axes.text(left, place - up, name, va="center", fontsize=8.5, in_layout=False)
    axes.set_ylim(len(names) - 0.65, -0.65)


def panel_title(axes: Axes, title: str) -> None:
    axes.set_title(title, loc="left", fontsize=9, fontweight="bold")


def systems_legend(figure: Figure, systems: Iterable[str], style: Style) -> None:
    """Colour, shape and name of each system, below the drawing. What else belongs there is its title."""
    axes = figure.axes[0]
    handles = []
    for system in systems:
        mark(axes, [], [], system, style, size=6.5)
        handles.append(axes.lines[-1])
    figure.legend(
        handles,
        [style.names[system] for system in systems],
        loc="outside lower left",
        alignment="left",
        ncols=_columns(style.names.values(), style.is_narrow),
        frameon=False,
        fontsize=8,
        handletextpad=0.2,
        columnspacing=1.2,
        borderaxespad=0.2,
    )


def legend_height(names: Mapping[str, str], width: str) -> float:
    """Inches that `systems_legend` takes."""
    return 0.17 * -(-len(names) // _columns(names.values(), width == "narrow")) + 0.1


def _columns(names: Iterable[str], is_narrow: bool) -> int:
    """As many names side by side as fit."""
    longest = max(map(len, names), default=1)
    return max(1, min(6, (40 if is_narrow else 88) // (longest + 5)))


def shortened(name: str, letters: int) -> str:
    return name if len(name) <= letters else name[: letters - 1].rstrip() + "…"
