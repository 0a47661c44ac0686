"""The results package: one zip with everything that a study's numbers were made of, and the numbers.

`manage.py analyse PACKAGE.zip --out FOLDER` makes the same tables from it, byte for byte, on a machine that has never
seen the study. What is in it says README.txt (`package_texts.py`); digest.txt has the sha256 of each file, in the form
that `sha256sum --check` reads, and one of all. The same data give the same zip.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis import result_tables
from analysis.analysed import TOLD, Analysed, Options, analysed
from analysis.csv_source import CsvSource
from analysis.package_texts import readme
from analysis.results_json import options_of, options_record, results
from analysis.table_reading import TableError, notes_of
from analysis.tidy import entering, left_out, why_left_out
from separation.csv_text import cell, lines, plain

if TYPE_CHECKING:
    from analysis.report import StudyReport

RATINGS, DESIGN, VERSIONS, KNOWN = "ratings.csv", "design.json", "versions.json", "known.csv"
EXCLUSIONS, README, METHODS, DIGEST = "exclusions.csv", "README.txt", "methods.txt", "digest.txt"
NEEDED = (RATINGS, DESIGN, KNOWN, DIGEST)
EXCLUDED_COLUMNS = ("session", "listener", "clip", "scale", "repeat", "position", "reason")
WRITTEN = (1980, 1, 1, 0, 0, 0)  # the date in the zip: the same data, the same bytes
LARGEST = 4 * 1024**3  # unpacked
DAMAGED = (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError, UnicodeDecodeError)


# ── Writing ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def package_bytes(report: StudyReport, table: pd.DataFrame) -> bytes:
    """`package_write` in memory."""
    content = io.BytesIO()
    package_write(report, table, content)
    return content.getvalue()


def package_write(report: StudyReport, table: pd.DataFrame, file: IO[bytes]) -> None:
    """The package of a study: `table` is everything that is stored (`dataset.ratings`), `report` was made from it.

    Where ratings have come since, the numbers are made anew, so that a package is always of one state. `file` can be
    written and sought in. The ratings go through in pieces: a large study never stands in memory as a file.
    """
    from analysis.exports import ratings_csv, ratings_digest

    digest = ratings_digest(table)
    is_same = digest == report.digest
    version = report.version if is_same else ""
    counts, found = left_out(table), _analysed(report, table, is_same)
    files = {
        README: readme(report.name, counts, version),
        KNOWN: known_csv(found),
        EXCLUSIONS: exclusions_csv(table, found),
        DESIGN: _json(_design(report, found.options)),
        VERSIONS: _json({**report.versions, "report": version, "ratings_sha256": digest}),
        **(_methods(report) if is_same else {}),
        **result_tables.files(_told(found, table)),
    }
    packed({**{name: [content] for name, content in files.items()}, RATINGS: ratings_csv(table)}, file)


def study_results(report: StudyReport, table: pd.DataFrame) -> dict[str, Any]:
    """The object of `results_json.results` of a study; `report` and `table` as in `package_write`."""
    from analysis.exports import ratings_digest

    return _told(_analysed(report, table, ratings_digest(table) == report.digest), table)


def _told(found: Analysed, table: pd.DataFrame) -> dict[str, Any]:
    return results(found, left_out(table), notes=notes_of(entering(table)))


def _analysed(report: StudyReport, table: pd.DataFrame, is_same: bool) -> Analysed:
    """The report's, or that of ratings which have come since."""
    from analysis import dataset
    from analysis.report import study_options
    from listening_test.models import Study

    if is_same and report.analysed:
        return report.analysed
    chosen = entering(table)
    study = Study.objects.filter(id=report.study_id).first() if report.study_id else None
    if study is None:
        return analysed(chosen, report.analysed.options if report.analysed else study_options())
    return analysed(chosen, study_options(seed=study.seed), dataset.stored(study).listeners)


def packed(files: Mapping[str, Iterable[bytes]], file: IO[bytes]) -> None:
    """The files, in pieces, and at the end their digest as a zip: README first, the others by name."""
    digests: dict[str, str] = {}
    with zipfile.ZipFile(file, "w") as archive:
        for name in sorted(files, key=lambda name: (name != README, name)):
            digest = hashlib.sha256()
            with archive.open(_entry(name), "w", force_zip64=name == RATINGS) as part:
                for piece in files[name]:
                    digest.update(piece)
                    part.write(piece)
            digests[name] = digest.hexdigest()
        with archive.open(_entry(DIGEST), "w") as part:
            part.write(digest_text(digests))


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, WRITTEN)
    entry.compress_type, entry.create_system, entry.external_attr = zipfile.ZIP_DEFLATED, 3, 0o644 << 16
    return entry


def digest_text(digests: Mapping[str, str]) -> bytes:
    own = "".join(f"{digests[name]}  {name}\n" for name in sorted(digests))
    return f"{own}# all: {hashlib.sha256(own.encode()).hexdigest()}\n".encode()


def known_csv(found: Analysed) -> bytes:
    """What is known of the listeners beside their ratings; empty where it is not."""
    listeners = found.ratings.names["listener"]
    columns = [_column(getattr(found.facts, name), len(listeners)) for name in TOLD]
    rows = [[str(who), *values] for who, *values in zip(listeners, *columns, strict=True)]
    return _table(("listener", *TOLD), rows)


def exclusions_csv(table: pd.DataFrame, found: Analysed) -> bytes:
    """One line for each rating that is not in the numbers, and each listener whom the rule flags, with the reason."""
    why = why_left_out(table)
    out = why != ""
    part = table.loc[out, list(EXCLUDED_COLUMNS[:-1])].itertuples(index=False, name=None)
    rows: list[Sequence[Any]] = [(*rating, reason) for rating, reason in zip(part, why[out], strict=True)]
    return _table(EXCLUDED_COLUMNS, [*rows, *_flagged(found)])


def _flagged(found: Analysed) -> Iterator[Sequence[Any]]:
    for scale in found.found.scales:
        for who in np.flatnonzero(scale.listeners.flagged):
            reasons = " ".join(scale.listeners.reasons[who])
            named = found.label("listener", int(who)), found.label("scale", scale.scale)
            yield [None, named[0], None, named[1], None, None, f"flagged: {reasons}"]


def _column(values: Any, size: int) -> list[float | None]:
    if values is None:
        return [None] * size
    return [float(value) if np.isfinite(value) else None for value in np.asarray(values, dtype=np.float64)]


def _table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    return lines([header]) + lines([cell(value) for value in row] for row in rows)


def _json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, allow_nan=False, indent=1, sort_keys=True) + "\n").encode()


def _design(report: StudyReport, options: Options) -> dict[str, Any]:
    return {"study": _study_record(report), "options": options_record(options), "seed": options.seed}


def _study_record(report: StudyReport) -> dict[str, Any] | None:
    """The design as it is frozen when the study opens, with its digest then and now; None where it is no study."""
    from listening_test.design_selectors import design_digest, design_record
    from listening_test.models import Study

    study = Study.objects.filter(id=report.study_id).first() if report.study_id else None
    if study is None:
        return None
    return {
        "id": str(study.id),
        "name": study.name,
        "version": study.version,
        "demo": study.is_demo,
        "design": design_record(study),
        "digest_at_opening": study.design_digest,
        "digest_now": design_digest(study),
    }


def _methods(report: StudyReport) -> dict[str, bytes]:
    from django.conf import settings

    from analysis.exports.methods import methods_text
    from analysis.study_facts import StudyFacts, study_facts
    from listening_test.models import Study

    study = Study.objects.filter(id=report.study_id).first() if report.study_id else None
    facts = study_facts(study) if study else StudyFacts()
    languages = [code for code, _name in settings.LANGUAGES]
    return {METHODS: methods_text(report, facts, languages).encode()} if report.counts.counted else {}


# ── Reading ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Package:
    """A package whose files are what digest.txt says. `digest`: of all of them."""

    files: Mapping[str, bytes]
    options: Options
    known: pd.DataFrame
    digest: str

    @property
    def ratings(self) -> bytes:
        return self.files[RATINGS]

    def differing(self, made: Mapping[str, bytes]) -> list[str]:
        """Which of the tables made now are not the package's, byte for byte."""
        return [name for name, content in made.items() if self.files.get(name) != content]


def is_package(file: Path) -> bool:
    """Whether it is a zip that has ratings and a design in it, or is damaged, which `package_read` says."""
    if not zipfile.is_zipfile(file):
        return False
    try:
        with zipfile.ZipFile(file) as archive:
            return {RATINGS, DESIGN} <= set(archive.namelist())
    except DAMAGED:
        return True


def package_read(file: Path) -> Package:
    """Raises `TableError`: "package_damaged", "package_incomplete", "package_changed" with the names of the files."""
    files = _unpacked(file)
    missing = [name for name in NEEDED if name not in files]
    if missing:
        raise TableError("package_incomplete", name=file.name, files=", ".join(missing))
    whole = _checked(files, file.name)
    try:
        options = options_of(json.loads(files[DESIGN])["options"])
        known = _known(files[KNOWN])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise TableError("package_damaged", name=file.name, why="design.json or known.csv") from None
    return Package(files, options, known, whole)


def _unpacked(file: Path) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(file) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > LARGEST:
                raise TableError("package_damaged", name=file.name, why="more than 4 GiB")
            return {name: archive.read(name) for name in archive.namelist()}
    except FileNotFoundError:
        raise TableError("no_file", name=str(file)) from None
    except DAMAGED as error:
        raise TableError("package_damaged", name=file.name, why=str(error)) from None


def _checked(files: Mapping[str, bytes], name: str) -> str:
    """The digest of all, if every file has the one that digest.txt gives, and none is missing or new."""
    inside = {one: hashlib.sha256(content).hexdigest() for one, content in files.items() if one != DIGEST}
    wanted, now = _digests(files[DIGEST]), _digests(digest_text(inside))
    changed = sorted(one for one in wanted.keys() | now.keys() if wanted.get(one) != now.get(one) and one != "# all:")
    if changed or wanted.get("# all:") != now["# all:"]:
        raise TableError("package_changed", name=name, files=", ".join(changed or [DIGEST]))
    return now["# all:"]


def _digests(text: bytes) -> dict[str, str]:
    found = {}
    for line in text.decode("utf-8", errors="replace").splitlines():
        first, _space, second = line.partition("  ") if not line.startswith("#") else line.rpartition(" ")
        name, digest = (first, second) if line.startswith("#") else (second, first)
        found[name] = digest
    return found


def _known(content: bytes) -> pd.DataFrame:
    source = CsvSource(content)
    frame = source.frame().set_axis(source.header, axis=1)
    listeners = [plain(who) for who in frame["listener"]]
    columns = {name: [float(text) if text else float("nan") for text in frame[name]] for name in TOLD}
    return pd.DataFrame(columns, index=listeners)
