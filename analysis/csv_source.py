"""A CSV file as it comes: its encoding, its separator, its header, its cells as text, and the lines they stand on."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from functools import cached_property

import pandas as pd

SEPARATORS = (",", ";", "\t")
TOLD = re.compile(rb"(?i)\"?sep=([^\"\r\n])\"?[ \t]*(?:\r\n|\r|\n)")  # a first line that tells Excel the separator
BOM = b"\xef\xbb\xbf"
ENCODINGS = ("utf-8", "cp1252", "latin-1")  # the last one takes any bytes


class CsvTrouble(ValueError):
    """It cannot be taken apart; the text says why, in English."""


class CsvSource:
    """Records are numbered from 0, the first after the header; blank lines are none."""

    def __init__(self, content: bytes) -> None:
        if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
            raise CsvTrouble("It looks like a spreadsheet or an archive: save it as CSV.")
        if content.startswith((b"\xff\xfe", b"\xfe\xff")):
            content = _from_utf_16(content)
        content = content.removeprefix(BOM)
        told = TOLD.match(content)
        self.separators = (told[1].decode("latin-1"),) if told else SEPARATORS
        self.first_line = 2 if told else 1
        self.content = content[told.end() :] if told else content
        self.encoding = _encoding(self.content)

    @cached_property
    def text(self) -> str:
        try:
            return self.content.decode(self.encoding)
        except UnicodeDecodeError:
            raise CsvTrouble("It is no text.") from None

    @cached_property
    def header(self) -> list[str]:
        return self._records_head[0]

    @cached_property
    def separator(self) -> str:
        return self._records_head[1]

    @cached_property
    def _records_head(self) -> tuple[list[str], str]:
        if b"\0" in self.content[:4096]:
            raise CsvTrouble("It is no text.")
        found = [(next(self._records(separator, head=True), (0, [])), separator) for separator in self.separators]
        (_line, fields), separator = max(found, key=lambda one: len(one[0][1]))  # the first of equals: a comma
        if len(fields) < 2:
            shown = fields[0].strip()[:60] if fields else ""
            raise CsvTrouble(f"Its first line has one column, “{shown}”.")
        return fields, separator

    def frame(self) -> pd.DataFrame:
        """All records, cells as text; a short record has empty cells at its end."""
        width = len(self.header)
        try:
            frame = pd.read_csv(
                io.BytesIO(self.content),
                sep=self.separator,
                header=None,
                dtype=object,
                na_filter=False,
                encoding=self.encoding,
                skip_blank_lines=True,
            )
        except pd.errors.ParserError:
            raise CsvTrouble(self._what_is_wrong(width)) from None
        if frame.iloc[0].tolist() != self.header:
            raise CsvTrouble("Its first line cannot be taken apart into names.")
        return frame.iloc[1:].reset_index(drop=True)

    def lines_of(self, records: Sequence[int]) -> list[int]:
        """On which lines of the file, from 1 on, these records begin."""
        wanted, found = set(records), {}
        for number, (line, _fields) in enumerate(self._records(self.separator), start=-1):
            if number in wanted:
                found[number] = line
                if len(found) == len(wanted):
                    break
        return [found[record] for record in records if record in found]

    def _what_is_wrong(self, width: int) -> str:
        for line, fields in self._records(self.separator):
            if len(fields) > width:
                return (
                    f"Line {line} has {len(fields)} cells and the header {width} columns: text that holds the "
                    "separator stands in quotes, and so do scores with a decimal comma where commas separate."
                )
        return "A quotation mark is opened and never closed."

    def _records(self, separator: str, *, head: bool = False) -> Iterator[tuple[int, list[str]]]:
        """Each record with the line on which it begins, the header too."""
        text = self.content[: 1 << 16].decode(self.encoding, errors="ignore") if head else self.text
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        line = self.first_line
        try:
            for fields in reader:
                if len(fields) > 1 or (fields and fields[0].strip()):
                    yield line, fields
                line = reader.line_num + self.first_line
        except csv.Error as error:
            raise CsvTrouble(f"Line {line} cannot be read ({error}).") from None


def _from_utf_16(content: bytes) -> bytes:
    try:
        return content.decode("utf-16").encode()
    except UnicodeError:
        raise CsvTrouble("It is no text.") from None


def _encoding(content: bytes) -> str:
    for encoding in ENCODINGS[:-1]:
        try:
            content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    return ENCODINGS[-1]
