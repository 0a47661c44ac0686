"""What a figure is: a title, a size, what it draws, its numbers and its sentence. Knows matplotlib by type only."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from textwrap import wrap
from typing import TYPE_CHECKING, TypeVar

from analysis import words
from analysis.figures.style import Style
from analysis.report import StudyReport
from listening_test.systems import system_name

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTHS = {"wide": 6.6, "narrow": 3.2}  # inches; a page's column; a phone, or one column of a journal
LETTERS = {"wide": 106, "narrow": 46}  # of a heading's line
LINE = 0.15  # inches that a heading's line takes
PIXELS_PER_INCH = 96  # of CSS

Value = str | int | float | None
Made = TypeVar("Made")


@dataclass(frozen=True)
class Numbers:
    """A figure's numbers: a line of values under each of the `headers`. `note`: what is left out, and why."""

    headers: tuple[str, ...]
    lines: tuple[tuple[Value, ...], ...]
    note: str = ""

    @property
    def texts(self) -> list[list[str]]:
        """As a reader of the active language reads them."""
        return [[text(value) for value in line] for line in self.lines]


def text(value: Value) -> str:
    if value is None:
        return "—"
    if isinstance(value, str):
        return value
    return words.whole(value) if isinstance(value, int) else words.number(value)


class Chart(ABC):
    """One figure of a report."""

    @abstractmethod
    def title(self, report: StudyReport) -> str:
        """What it is, in a few words."""

    @abstractmethod
    def key(self, report: StudyReport) -> str:
        """What its marks mean: one or two sentences under the title."""

    @abstractmethod
    def body(self, report: StudyReport, width: str) -> float:
        """Height in inches without what stands above and below."""

    @abstractmethod
    def draw(self, figure: Figure, report: StudyReport, style: Style) -> None: ...

    @abstractmethod
    def numbers(self, report: StudyReport) -> Numbers: ...

    @abstractmethod
    def sentence(self, report: StudyReport) -> str:
        """What it shows, for who cannot see it."""

    def why_not(self, report: StudyReport) -> str:
        """The sentence that stands where it cannot be drawn; "" where it can."""
        return ""

    def heading(self, report: StudyReport, width: str, *, on_page: bool = False) -> list[str]:
        """The lines above the drawing. A page says the title itself."""
        title = [] if on_page else wrap(self.title(report), LETTERS[width])
        return [*title, *wrap(self.key(report), LETTERS[width])]

    def size(self, report: StudyReport, width: str, *, on_page: bool = False) -> tuple[float, float]:
        """Width and height in inches."""
        lines = len(self.heading(report, width, on_page=on_page))
        return WIDTHS[width], self.body(report, width) + LINE * lines + (0.25 if words.provenance(report) else 0.0)

    def pixels(self, report: StudyReport, width: str) -> tuple[int, int]:
        """On a page."""
        across, down = self.size(report, width, on_page=True)
        return round(across * PIXELS_PER_INCH), round(down * PIXELS_PER_INCH)


def system_names(report: StudyReport) -> dict[str, str]:
    """Asked for once: the name of an imported system is a question to the database."""
    return {system: system_name(system) for system in report.systems}


def nobody_rated(scale: str) -> str:
    return str(words.HEADLINES[scale, "nothing"])


def once(report: StudyReport, name: str, make: Callable[[StudyReport], Made]) -> Made:
    """What is made of a report once and kept with it, in the way of `cached_property`."""
    kept = vars(report)
    if name not in kept:
        kept[name] = make(report)
    made: Made = kept[name]
    return made
