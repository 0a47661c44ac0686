"""Labels beside points that lie close together: each where there is room, with a line where that is far."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from analysis.figures.style import SMALL, Style
from analysis.statistics.arrays import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes

POINT = 4.5  # points from a mark's centre to its edge
NEAR = 10.0  # points from the mark to the label's middle, up to which it needs no line
DISTANCES = (NEAR, 15.0, 22.0, 30.0, 39.0, 49.0)
ANGLES = np.radians((40, -40, 140, -140, 0, 180, 90, -90))  # the usual place first
WIDTH, HEIGHT = 0.68, 1.05  # of a letter, in sizes of the font

Box = tuple[float, float, float, float]  # left, low, right, high


def label_beside(panel: Axes, labels: Sequence[tuple[str, float, float]], others: Floats, style: Style) -> None:
    """`labels`: text and place of each; `others`: places of marks without one, `[marks, 2]`; both in the panel's data.

    The figure's layout has to be there (`Figure.draw_without_rendering`).
    """
    at = _in_points(panel, np.array([place for _text, *place in labels]).reshape(-1, 2))
    marks = [_box(x, y, POINT, POINT) for x, y in [*at, *_in_points(panel, others.reshape(-1, 2))]]
    said: list[Box] = []
    frame = panel.get_window_extent()
    inside = np.array([frame.x0, frame.y0, frame.x1, frame.y1]) * _points_per_pixel(panel)
    for (text, across, up), (x, y) in zip(labels, at, strict=True):
        half = (SMALL * WIDTH * len(text) / 2, SMALL * HEIGHT / 2)
        found = [
            (_covered(own, [*marks, *said]) + _outside(own, inside) + _crossed(x, y, dx, dy, said), (dx, dy), far, own)
            for dx, dy, far in _offsets(half[0])
            for own in [_box(x + dx, y + dy, *half)]
        ]
        # The first place that is free; else the one that covers least.
        _bad, offset, far, own = min(found, key=lambda one: one[0])
        said.append(own)
        panel.annotate(
            text,
            (across, up),
            offset,
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=SMALL,
            annotation_clip=True,
            arrowprops={"arrowstyle": "-", "color": style.theme.soft, "linewidth": 0.6, "shrinkA": 0, "shrinkB": 3}
            if far
            else None,
        )


def _offsets(half_width: float) -> Iterator[tuple[float, float, bool]]:
    for distance in DISTANCES:
        for angle in ANGLES:
            wider = half_width - SMALL * WIDTH / 2
            across = distance * np.cos(angle)
            yield float(across + np.sign(round(across, 9)) * wider), float(distance * np.sin(angle)), distance > NEAR


def _in_points(panel: Axes, places: Floats) -> Floats:
    return np.asarray(panel.transData.transform(places)) * _points_per_pixel(panel)


def _points_per_pixel(panel: Axes) -> float:
    return float(72.0 / panel.figure.dpi)


def _box(x: float, y: float, half_width: float, half_height: float) -> Box:
    return x - half_width, y - half_height, x + half_width, y + half_height


def _covered(box: Box, taken: Sequence[Box]) -> float:
    return sum(
        max(0.0, min(box[2], other[2]) - max(box[0], other[0]))
        * max(0.0, min(box[3], other[3]) - max(box[1], other[1]))
        for other in taken
    )


def _crossed(x: float, y: float, dx: float, dy: float, said: Sequence[Box]) -> float:
    """How much of other labels the line to this one would strike through."""
    return sum(_covered(_box(x + part * dx, y + part * dy, 1.0, 1.0), said) for part in (0.3, 0.45, 0.6, 0.75))


def _outside(box: Box, frame: Floats) -> float:
    return 100.0 * float(
        max(0.0, frame[0] - box[0], box[2] - frame[2]) + max(0.0, frame[1] - box[1], box[3] - frame[3])
    )
