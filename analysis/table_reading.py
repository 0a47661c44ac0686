"""Any long table of ratings, one rating a line, as a tidy table. Pure: no Django.

What is read: CSV with commas, semicolons or tabs, decimal points or commas, quotes, blank lines, UTF-8 (with a byte
order mark or without), UTF-16 or Latin-1; and our own ratings.csv, of which those ratings enter that enter a study's
report (`tidy.py`). What cannot be used is refused by `TableError`: a code, its parameters, and an English sentence that
says where it is and what to do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.csv_source import CsvSource, CsvTrouble
from analysis.sentences import NOTES, TABLES
from analysis.tidy import COLUMNS, LeftOut, entering, left_out
from separation.csv_text import plain

LABELS = ("listener", "clip", "song", "source", "system", "scale")
OLDER = {"score": "value"}  # what a column of our own was called before
CLIP_PARTS = ("song", "source", "system")  # what makes a clip where no column names it
ONE_OF_A_CLIP = ("song", "system", "source", "excerpt_start", "excerpt_end")
NO_SCORE = {"", "na", "n/a", "nan", "null", "none", "-"}
DUPLICATES = ("refuse", "mean", "first")
SHOWN = 5  # lines that a sentence names

Codes = npt.NDArray[np.intp]


class TableError(ValueError):
    """The table cannot be used. `code` is stable and one of `sentences.TABLES`; `str()` is the English sentence."""

    def __init__(self, code: str, **params: Any) -> None:
        self.code, self.params = code, params
        super().__init__(_sentence(code, **params))


@dataclass(frozen=True)
class Note:
    """What whoever sees the numbers must know of the data."""

    code: str
    sentence: str


@dataclass(frozen=True)
class Read:
    """`table`: what enters (`tidy.entering`), with as many of listener, clip, song, source, system, scale, repeat,
    score as there are; `counts`: what did not enter, and why. `is_own`: it is a ratings.csv of this service."""

    table: pd.DataFrame
    counts: LeftOut
    notes: tuple[Note, ...]
    is_own: bool


def read_table(
    file: Path | bytes,
    *,
    names: Mapping[str, str] | None = None,
    scale_range: tuple[float, float] = (1.0, 5.0),
    duplicates: str = "refuse",
    skip_missing: bool = False,
    name: str = "",
) -> Read:
    """The tidy table of a CSV file, or of its content.

    `names`: what columns are called in the file, by our names; others are found under ours (`score` also as `value`).
    An empty name leaves a column out. Needed are listener, score, and either clip or both of song and system, which
    then make it together with the source. Labels stay text as they are written.
    The same score of the same listener, clip, scale and repeat counts once, with a note; contradicting ones are refused
    unless `duplicates` is "first" or "mean". Repeats count from each listener's earliest score of a clip and scale.
    `skip_missing` leaves lines without a score out, with a note.
    `name`: what the file is called in sentences. Raises `TableError`.
    """
    if duplicates not in DUPLICATES:
        raise TableError("duplicates_unknown", value=duplicates)
    if not np.isfinite(scale_range).all():
        raise TableError("range_not_finite", low=_number(scale_range[0]), high=_number(scale_range[1]))
    if not scale_range[0] < scale_range[1]:
        raise TableError("range_unknown", low=_number(scale_range[0]), high=_number(scale_range[1]))
    called = name or (file.name if isinstance(file, Path) else "This table")
    content = _content(file, called)
    try:
        reader = _Reader(CsvSource(content), called, dict(names or {}), scale_range, duplicates, skip_missing)
        return reader.read()
    except CsvTrouble as trouble:
        raise TableError("not_a_table", name=called, why=str(trouble)) from None


def notes_of(table: pd.DataFrame) -> tuple[Note, ...]:
    """What has to be said of the ratings that enter, wherever they come from."""
    simulated = "simulated" in table and bool(table["simulated"].any())
    return (Note("simulated", NOTES["simulated"]),) if simulated else ()


def _content(file: Path | bytes, name: str) -> bytes:
    try:
        content = file if isinstance(file, bytes) else file.read_bytes()
    except FileNotFoundError:
        raise TableError("no_file", name=str(file)) from None
    except OSError as error:
        raise TableError("not_readable", name=str(file), why=error.strerror or type(error).__name__) from None
    if not content.strip(b"\xef\xbb\xbf\xff\xfe \t\r\n"):
        raise TableError("empty_file", name=name)
    return content


@dataclass
class _Reader:
    source: CsvSource
    name: str
    names: dict[str, str]
    scale_range: tuple[float, float]
    duplicates: str
    skip_missing: bool

    def read(self) -> Read:
        self.notes: list[Note] = []
        places = self._places()
        frame = self.source.frame()
        frame = frame[list(dict.fromkeys(places.values()))]
        frame = frame[(frame != "").any(axis=1)]  # what a spreadsheet leaves below a table
        table = pd.DataFrame({name: frame[place] for name, place in places.items()})
        table = self._typed(table)
        self._one_song_per_clip(table)
        table = self._without_duplicates(table)
        chosen = entering(table).reset_index(drop=True)
        return Read(chosen, left_out(table), (*self.notes, *notes_of(chosen)), self.is_own)

    # ── Columns ─────────────────────────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def header(self) -> list[str]:
        return [name.strip() for name in self.source.header]

    @cached_property
    def is_own(self) -> bool:
        there = set(self.header)
        return not self.names and all(name in there or OLDER.get(name) in there for name in COLUMNS)

    def _places(self) -> dict[str, int]:
        """Where in the file our columns are."""
        found: dict[str, int] = {}
        for column in (*LABELS, "repeat", "score"):
            place = self._place(column)
            if place is not None:
                found[column] = place
        if self.is_own:
            found |= {
                name: self.header.index(name) for name in ("excerpt_start", "excerpt_end", "simulated", "finished")
            }
        for needed in ("listener", "score", *(() if "song" in found and "system" in found else ("clip",))):
            if needed not in found:
                raise TableError("column_missing", name=self.name, column=needed, there=self._there(), option=needed)
        return found

    def _place(self, column: str) -> int | None:
        wanted = self.names.get(column)
        if wanted == "":
            return None
        if wanted is not None and wanted.strip() not in self.header:
            raise TableError("column_unknown", name=self.name, column=wanted, there=self._there(), option=column)
        candidates = [wanted.strip()] if wanted is not None else [column, *filter(None, [OLDER.get(column)])]
        for candidate in candidates:
            if self.header.count(candidate) > 1:
                raise TableError("column_twice", name=self.name, column=candidate)
            if candidate in self.header:
                return self.header.index(candidate)
        return None

    def _there(self) -> str:
        return ", ".join(f"“{name}”" for name in self.header)

    # ── Values ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _typed(self, table: pd.DataFrame) -> pd.DataFrame:
        repeats = self._repeats(table["repeat"]) if self._is_told(table, "repeat") else pd.Series(0, index=table.index)
        table = self._scored(table)
        given = {name: self._labels(table[name], name) for name in LABELS if name in table}
        columns = {name: column for name, column in given.items() if column is not None}
        if "clip" not in columns:
            columns["clip"] = self._clips(columns)
        columns["score"] = table["score"]
        columns["repeat"] = repeats[table.index] if self.is_own else self._from_the_first(repeats[table.index], columns)
        for name in ("excerpt_start", "excerpt_end"):
            if name in table:
                columns[name] = self._numbers(table[name], name)
        for name in ("simulated", "finished"):
            if name in table:
                columns[name] = self._truths(table[name], name)
        return pd.DataFrame(columns)

    def _is_told(self, table: pd.DataFrame, name: str) -> bool:
        """A column that is empty from top to bottom is none."""
        return name in table and any(str(text).strip() for text in table[name].unique())

    def _clips(self, columns: Mapping[str, pd.Series[Any]]) -> pd.Series[Any]:
        """Made of song, system and source."""
        parts = [columns[name] for name in CLIP_PARTS if name in columns]
        if not {"song", "system"} <= columns.keys():
            raise TableError("column_missing", name=self.name, column="clip", there=self._there(), option="clip")
        return _joined(parts)

    def _labels(self, column: pd.Series[Any], name: str) -> pd.Series[Any] | None:
        """Text as it is written, without space around it where others wrote it; None where the whole column is empty
        and not needed."""
        number, different = pd.factorize(column)
        texts = np.array([plain(text) if self.is_own else text.strip() for text in different], dtype=object)
        labels = pd.Series(texts[number] if texts.size else column.to_numpy(object), index=column.index, dtype=object)
        empty = labels == ""
        if empty.any():
            if empty.all() and name != "listener":
                return None
            self._refuse("label_missing", empty, column=name)
        return labels

    def _scored(self, table: pd.DataFrame) -> pd.DataFrame:
        """With scores as numbers inside the scale."""
        given = table["score"]
        number, different = pd.factorize(given)
        values = np.array([_parsed(text) for text in different], dtype=np.float64)
        absent = np.array([text.strip().casefold() in NO_SCORE for text in different], dtype=bool)
        missing = _chosen(absent, number, given)
        if missing.any():
            if not self.skip_missing:
                self._refuse("score_missing", missing, given)
            self._note("scores_skipped", missing)
        self._refuse("score_not_a_number", _chosen(np.isnan(values) & ~absent, number, given), given)
        low, high = self.scale_range
        outside = _chosen(np.isfinite(values) & ((values < low) | (values > high)), number, given)
        self._refuse("score_out_of_range", outside, given, low=_number(low), high=_number(high))
        scores = pd.Series(values[number] if values.size else np.zeros(0), index=given.index)
        return table.assign(score=scores)[~missing]

    def _repeats(self, given: pd.Series[Any]) -> pd.Series[Any]:
        """From 0 on: where a file counts from 1, its 1 is the first presentation."""
        values = self._numbers(given, "repeat", "repeat_not_a_number")
        self._refuse("repeat_not_a_number", (values != np.round(values)) | (values < 0), given)
        lowest = 0 if self.is_own else values.min()
        return (values - lowest).astype(np.intp) if len(values) else values.astype(np.intp)

    def _from_the_first(self, repeats: pd.Series[Any], columns: Mapping[str, pd.Series[Any]]) -> pd.Series[Any]:
        """Counted from each listener's earliest score of a clip and scale: whoever has no first one, has a later one as
        the first, so that nobody's ratings drop out of every number."""
        if not repeats.any():
            return repeats
        group = _groups([columns[name] for name in ("listener", "clip", "scale") if name in columns])
        earliest = repeats.groupby(group).transform("min")
        self._note("repeats_without_first", (earliest > 0) & (repeats == earliest))
        return repeats - earliest

    def _numbers(self, given: pd.Series[Any], name: str, code: str = "number_unknown") -> pd.Series[Any]:
        number, different = pd.factorize(given)
        values = np.array([_parsed(text) for text in different], dtype=np.float64)
        self._refuse(code, _chosen(np.isnan(values), number, given), given, column=name)
        return pd.Series(values[number] if values.size else np.zeros(0), index=given.index)

    def _truths(self, given: pd.Series[Any], name: str) -> pd.Series[Any]:
        words = given.str.strip().str.casefold() if len(given) else given
        self._refuse("truth_unknown", ~words.isin(["true", "false", "1", "0"]), given, column=name)
        return words.isin(["true", "1"])

    # ── Lines that contradict each other ────────────────────────────────────────────────────────────────────────────

    def _one_song_per_clip(self, table: pd.DataFrame) -> None:
        clips, named = pd.factorize(table["clip"])
        for column in (name for name in ONE_OF_A_CLIP if name in table):
            codes, different = pd.factorize(table[column])
            first = np.zeros(named.size, dtype=np.intp)
            first[clips[::-1]] = codes[::-1]
            other = np.flatnonzero(first[clips] != codes)
            if other.size:
                at = other[0]
                before = int(np.flatnonzero(clips == clips[at])[0])
                raise TableError(
                    "clip_of_two",
                    name=self.name,
                    clip=named[clips[at]],
                    column=column,
                    one=f"“{different[first[clips[at]]]}”",
                    two=f"“{different[codes[at]]}”",
                    lines=self._lines([before, int(at)], table),
                )

    def _without_duplicates(self, table: pd.DataFrame) -> pd.DataFrame:
        keys = [name for name in ("listener", "clip", "scale", "repeat") if name in table]
        group = _groups([table[name] for name in keys])
        counts = np.bincount(group)
        if not group.size or counts.max() == 1:
            return table
        scores = table["score"].to_numpy()
        first = np.zeros(counts.size, dtype=np.intp)
        first[group[::-1]] = np.arange(group.size)[::-1]
        later = np.flatnonzero(first[group] != np.arange(group.size))
        differ = np.zeros(counts.size, dtype=bool)
        differ[group[later[scores[later] != scores[first[group[later]]]]]] = True
        self._tell_duplicates(table, group, later, differ)
        if self.duplicates == "mean":
            table = table.assign(score=(np.bincount(group, scores) / counts)[group])
        return table.drop(index=table.index[later])

    def _tell_duplicates(self, table: pd.DataFrame, group: Codes, later: Codes, differ: npt.NDArray[np.bool_]) -> None:
        bad = later[differ[group[later]]]
        if bad.size:
            rows, count = np.flatnonzero(group == group[bad[0]]), int(differ.sum())
            lines = self._lines(rows, table)
            if self.duplicates == "refuse":
                scores = " and ".join(_number(score) for score in table["score"].to_numpy()[rows][:SHOWN])
                raise TableError("duplicates_differ", name=self.name, count=count, lines=lines, example=scores)
            code = f"duplicates_{self.duplicates}"
            self.notes.append(Note(code, TABLES[code].format(count=count, lines=lines)))
        same = later[~differ[group[later]]]
        if same.size:
            text = TABLES["same_twice"].format(count=same.size, lines=self._lines(same, table))
            self.notes.append(Note("same_twice", text))

    # ── Sentences ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _refuse(self, code: str, broken: pd.Series[bool], given: pd.Series[Any] | None = None, **params: Any) -> None:
        if not broken.any():
            return
        rows = np.flatnonzero(broken.to_numpy())
        example = "" if given is None else f"“{given.iloc[rows[0]]}”"
        lines = self._lines(rows, broken)
        verb = "has" if rows.size == 1 else "have"
        raise TableError(code, name=self.name, lines=lines, verb=verb, example=example, count=rows.size, **params)

    def _note(self, code: str, chosen: pd.Series[bool]) -> None:
        rows = np.flatnonzero(chosen.to_numpy())
        if not rows.size:
            return
        text = TABLES[code].format(count=rows.size, lines=self._lines(rows, chosen))
        self.notes.append(Note(code, text))

    def _lines(self, rows: Iterable[int], of: pd.DataFrame | pd.Series[Any]) -> str:
        """“Line 7”, “Lines 2, 3 and 19”, “Lines 2, 3, 4, 5, 6 and 120 more”; `of` is indexed by records of the file."""
        records = [int(of.index[row]) for row in rows]
        told = [str(line) for line in self.source.lines_of(records[:SHOWN])]
        if len(records) > SHOWN:
            told.append(f"{len(records) - SHOWN} more")
        if len(told) == 1:
            return f"line {told[0]}"
        return f"lines {', '.join(told[:-1])} and {told[-1]}"


def _sentence(code: str, **params: Any) -> str:
    text = TABLES[code].format(**params)
    return text[:1].upper() + text[1:] if TABLES[code].startswith("{lines}") else text


def _chosen(of_text: npt.NDArray[np.bool_], number: Codes, given: pd.Series[Any]) -> pd.Series[bool]:
    """What is true of the different texts, for each line."""
    return pd.Series(of_text[number] if of_text.size else np.zeros(len(given), dtype=bool), index=given.index)


def _parsed(text: str) -> float:
    """With a decimal point or comma; NaN where it is no finite number."""
    text = text.strip()
    if "," in text and "." not in text:
        text = text.replace(",", ".")
    try:
        value = float(text) if "_" not in text else float("nan")
    except ValueError:
        return float("nan")
    return value if np.isfinite(value) else float("nan")


def _joined(parts: Sequence[pd.Series[Any]]) -> pd.Series[Any]:
    """One name for each combination."""
    group = _groups(parts)
    first = np.zeros(int(group.max(initial=-1)) + 1, dtype=np.intp)
    first[group[::-1]] = np.arange(group.size)[::-1]
    values = [part.to_numpy(object) for part in parts]
    texts = np.array([" / ".join(column[row] for column in values) for row in first], dtype=object)
    return pd.Series(texts[group] if texts.size else np.zeros(0, dtype=object), index=parts[0].index, dtype=object)


def _groups(columns: Sequence[pd.Series[Any]]) -> Codes:
    """A number for each different combination, `[ratings]`."""
    group = np.zeros(len(columns[0]), dtype=np.intp)
    for column in columns:
        code, different = pd.factorize(column)
        group = pd.factorize(group * max(len(different), 1) + code)[0].astype(np.intp)
    return group


def _number(value: float) -> str:
    return f"{value:g}"
