"""manage.py analyse FILE: the analysis of any table of ratings, or of a results package, without a database."""

from __future__ import annotations

import os
import sys
import tempfile
import warnings
from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

if TYPE_CHECKING:
    import pandas as pd

    from analysis.analysed import Options
    from analysis.package import Package

COLUMNS = ("listener", "clip", "song", "system", "source", "scale", "repeat", "score")
PROCEDURES = ("p910", "p913", "bt500")  # of analysis.statistics.published, which is not loaded to print help
GROUPED = ("system", "source", "song")
MOST_NAMED = 20  # in one sentence


class Command(BaseCommand):
    help = (
        "Analyses a CSV file with one rating a line, or a results package (.zip), and prints a short report. "
        "docs/analysis-formats.md says what goes in and what comes out."
    )
    requires_system_checks: list[str] = []  # nothing of the service is used

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="a CSV file, or a results package")
        for column in COLUMNS:
            parser.add_argument(
                f"--{column}", metavar="NAME", help=f'the column of the {column} (default: {column}; "": none)'
            )
        parser.add_argument("--scale-range", type=float, nargs=2, metavar=("LOW", "HIGH"), help="default: 1 5")
        parser.add_argument("--compat", choices=PROCEDURES, help="a published procedure, shown beside our numbers")
        parser.add_argument(
            "--reference", action="append", metavar="NAME", help="a system that is the true stem; may be repeated"
        )
        parser.add_argument(
            "--anchor",
            action="append",
            metavar="NAME[=SCALE]",
            help="a system made to be worst, everywhere or on one scale; may be repeated",
        )
        parser.add_argument(
            "--by",
            action="append",
            metavar="NAMES",
            help="means of a crossing of system, source and song, such as system,song; may be repeated",
        )
        parser.add_argument(
            "--duplicates",
            choices=("refuse", "mean", "first"),
            default="refuse",
            help="what to do with contradicting ratings of one clip by one listener (default: refuse)",
        )
        parser.add_argument("--skip-missing", action="store_true", help="leave out lines without a score")
        parser.add_argument("--replicates", type=int, metavar="N", help="of the bootstrap; 0: none (default: 10000)")
        parser.add_argument(
            "--margin",
            type=float,
            help="of equivalence, in points (default: 0.25 from 1 to 5, on others in proportion)",
        )
        parser.add_argument("--seed", type=int, help="of the bootstrap (default: 0)")
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument("--out", type=Path, metavar="FOLDER", help="write the tables there")

    def handle(self, *args: Any, file: Path, **asked: Any) -> None:
        from analysis.table_reading import TableError

        warnings.simplefilter("ignore", RuntimeWarning)  # what is no number is told as such
        try:
            self._analyse(file, asked)
        except TableError as error:
            raise CommandError(str(error)) from None
        except BrokenPipeError:  # the reader of a pipe has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def _analyse(self, file: Path, asked: Mapping[str, Any]) -> None:
        from analysis import package, result_tables
        from analysis.analysed import Options, analysed
        from analysis.results_json import GROUPINGS, as_json, results
        from analysis.table_reading import read_table
        from analysis.text_report import text_report

        packed = package.package_read(file) if package.is_package(file) else None
        options = _options(packed.options if packed else Options(), asked)
        read = read_table(
            packed.ratings if packed else file,
            names={column: asked[column] for column in COLUMNS if asked[column] is not None},
            scale_range=options.scale_range,
            duplicates=asked["duplicates"],
            skip_missing=asked["skip_missing"],
            name=file.name,
        )
        _refuse_unknown_controls(read.table, asked, file.name)
        found = analysed(read.table, options, packed.known if packed else None)
        groupings = (*GROUPINGS, *_groupings(asked["by"] or ()))
        told = results(found, read.counts, notes=read.notes, compat=asked["compat"], groupings=groupings)
        made = result_tables.files(told)
        if asked["out"]:
            _write(asked["out"], made)
        if packed:
            self._compare(packed, made, file.name)
        self.stdout.write(as_json(told).decode() if asked["json"] else text_report(told, file.name))

    def _compare(self, packed: Package, made: Mapping[str, bytes], name: str) -> None:
        """Beside the result, so that --json stays one object."""
        differing = packed.differing(made)
        self.stderr.write(f"{name}: every file is as it was made (sha256 of all: {packed.digest}).")
        if differing:
            self.stderr.write(
                f"These tables are not the package's, byte for byte: {', '.join(differing)}. Other options give other "
                "tables, and so may other versions; versions.json has those that made it."
            )
        else:
            self.stderr.write(f"The {len(made)} tables are the package's, byte for byte.")


def _options(start: Options, asked: Mapping[str, Any]) -> Options:
    """`start`, and what was asked for instead."""
    from dataclasses import replace

    from analysis.analysed import WORST_ANYWHERE

    changes: dict[str, Any] = {
        name: asked[name] for name in ("replicates", "margin", "seed") if asked[name] is not None
    }
    if asked["scale_range"]:
        low, high = asked["scale_range"]
        start = start.on_scale((low, high))
    if asked["reference"]:
        changes["references"] = frozenset(asked["reference"])
    if asked["anchor"]:
        parts = (given.partition("=") for given in asked["anchor"])
        changes["anchors"] = {system: scale or WORST_ANYWHERE for system, _sign, scale in parts}
    for name, least in (("replicates", 0), ("seed", 0), ("margin", 0.0)):
        if name in changes and not changes[name] >= least:
            raise CommandError(f"--{name} {changes[name]} is less than {least:g}: give a larger number.")
    return replace(start, **changes)


def _refuse_unknown_controls(table: pd.DataFrame, asked: Mapping[str, Any], name: str) -> None:
    """A misspelt control would be ranked among the systems without a word."""
    for option in ("reference", "anchor"):
        for given in asked[option] or ():
            system, _sign, scale = given.partition("=") if option == "anchor" else (given, "", "")
            _refuse_unknown(table, "system", system, f"--{option} {given}", name)
            if scale:
                _refuse_unknown(table, "scale", scale, f"--{option} {given}", name)


def _refuse_unknown(table: pd.DataFrame, column: str, label: str, option: str, name: str) -> None:
    labels = sorted(map(str, table[column].unique())) if column in table else []
    if label in labels:
        return
    there = ", ".join(f"“{one}”" for one in labels[:MOST_NAMED])
    more = f" and {len(labels) - MOST_NAMED:,} more" if len(labels) > MOST_NAMED else ""
    known = f"Its {column}s are {there}{more}." if labels else f"It has no column of {column}s."
    raise CommandError(f"{option}: no {column} of {name} is called “{label}”. {known}")


def _groupings(asked: Any) -> list[tuple[str, ...]]:
    found = []
    for names in asked:
        columns = tuple(name.strip() for name in names.split(","))
        if len(set(columns)) != len(columns) or not set(columns) <= set(GROUPED):
            raise CommandError(f"--by {names} is no crossing: name some of {', '.join(GROUPED)}, each once.")
        found.append(tuple(name for name in GROUPED if name in columns))
    return found


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    """Nothing half written stays behind."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".writing-") as part:
            for name, content in files.items():
                (Path(part) / name).write_bytes(content)
            for name in files:
                os.replace(Path(part) / name, folder / name)
    except OSError as error:
        why = f"The tables cannot be written to {folder} ({error.strerror}): name another folder."
        raise CommandError(why) from None
