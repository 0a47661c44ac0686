"""From the tidy table to the report.

What counts as one rating in the numbers: it is final (its listener went on from the trial), it belongs to the clip's
first presentation (a repeat is there to test the listener), and it comes from a person. Only where a study has no
person at all are simulated listeners counted, and the report says so. Unfinished sessions count with what they gave.
Repeats of counted listeners enter what is said of the listeners, and nothing else.
"""

from __future__ import annotations

import platform
from collections.abc import Iterable
from uuid import UUID

import numpy as np
import pandas as pd
import scipy

from analysis.analysed import Options, analysed
from analysis.dataset import Sessions
from analysis.report import Counts, StudyReport, study_options
from analysis.report_rows import mos_rows, pair_rows
from analysis.tidy import counted, entering
from listening_test.scales import ContaminationWords


def report_make(
    table: pd.DataFrame,
    *,
    systems: Iterable[str] = (),
    sources: Iterable[str] = (),
    songs: Iterable[str] = (),
    study_id: UUID | None = None,
    name: str = "",
    version: str = "",
    is_demo: bool = False,
    sessions: Sessions | None = None,
    digest: str = "",
    options: Options | None = None,
    known: pd.DataFrame | None = None,
    contamination_words: str = ContaminationWords.AMOUNT,
) -> StudyReport:
    """The report of any tidy table (see `dataset.COLUMNS`); `systems`, `sources` and `songs` give the order.

    `options`: default those of every study; `known`: facts about the listeners, see `analysed.analysed`.
    """
    chosen = counted(table)
    found = None if chosen.empty else analysed(entering(table), options or study_options(), known)
    order = {
        "system": _order(systems, chosen["system"]),
        "source": _order(sources, chosen["source"]),
        "song": _order(songs, chosen["song"]),
    }
    return StudyReport(
        study_id=study_id,
        name=name,
        version=version,
        is_demo=is_demo,
        systems=order["system"],
        sources=order["source"],
        songs=order["song"],
        sessions=sessions or Sessions(),
        counts=counts_of(table, chosen),
        rows=tuple(mos_rows(chosen, order)),
        pairs=tuple(pair_rows(found, order)) if found else (),
        weights=weights_by_system(chosen),
        demo_systems=frozenset(chosen.loc[chosen["demo"], "system"]),
        digest=digest,
        versions=versions(),
        contamination_words=contamination_words,
        analysed=found,
        numbers=numbers_of(chosen),
    )


def numbers_of(chosen: pd.DataFrame) -> dict[str, int]:
    """What a researcher calls each listener: the number of their session, 1 first, as on the page of listeners."""
    own = chosen.drop_duplicates("listener")
    return {who: int(number) + 1 for who, number in zip(own["listener"], own["session"], strict=True)}


def counts_of(table: pd.DataFrame, chosen: pd.DataFrame) -> Counts:
    final = table[table["finished"]]
    per_clip = chosen.groupby(["scale", "clip"]).size() if len(chosen) else [0]
    return Counts(
        stored=len(table),
        counted=len(chosen),
        not_final=len(table) - len(final),
        repeats=int((final["repeat"] > 0).sum()),
        simulated_left_out=int((final["repeat"] == 0).sum()) - len(chosen),
        listeners=chosen["listener"].nunique(),
        songs=chosen["song"].nunique(),
        fewest_per_clip=int(min(per_clip)),
        most_per_clip=int(max(per_clip)),
        simulated=bool(chosen["simulated"].any()),
        demo=bool(chosen["demo"].any()),
    )


def weights_by_system(chosen: pd.DataFrame) -> dict[str, str]:
    """One word per system; "mixed" where its clips were made with both, which no study should do."""
    found: dict[str, str] = {}
    for system, word in chosen[["system", "weights"]].drop_duplicates().itertuples(index=False, name=None):
        found[system] = "mixed" if system in found else word
    return found


def _order(wanted: Iterable[str], found: pd.Series[str]) -> tuple[str, ...]:
    """First as the study lists them, then what else the ratings hold; nothing that has no rating."""
    there = set(found.unique())
    listed = [name for name in dict.fromkeys(wanted) if name in there]
    return (*listed, *sorted(there - set(listed)))


def versions() -> dict[str, str]:
    """What computed it."""
    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "pandas": pd.__version__,
    }
