"""An analysis as one JSON object; `results.schema.json` beside it describes every name in it. Pure.

The same table and the same options give the same object, byte for byte: what differs from one machine to the next (a
file's name, versions, times) is not in it. NaN and infinity never are: what is not there is null and says why.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

from analysis.analysed import Analysed, Options
from analysis.compat import published
from analysis.result_rows import Rows
from analysis.result_values import Row
from analysis.sentences import NOTES, REASONS
from analysis.statistics.screening import RULE_NAME, Rule
from analysis.table_reading import Note
from analysis.tidy import LeftOut

FORMAT = "stemmos-analysis"
FORMAT_VERSION = 1
SCHEMA = Path(__file__).with_name("results.schema.json")
GROUPINGS: tuple[tuple[str, ...], ...] = (("source",), ("song",))

METHODS = (
    ("mos", "Mean of the ratings.", "ITU-T P.800, Annex B; ITU-T P.800.2"),
    ("t_interval", "Student's t over the ratings of a clip.", "Student (1908), Biometrika 6(1), 1-25"),
    (
        "modelled",
        "A clip's score with its listeners' bias and inconsistency, every spread drawn toward what is known of all.",
        "ITU-T P.910 (2023), Annex E; Li et al. (2020); Hoßfeld, Schatz and Egger (2011)",
    ),
    (
        "these_clips",
        "These clips, any listener: Student's t over one mean per listener.",
        "Student (1908), Biometrika 6(1), 1-25",
    ),
    (
        "any_song",
        "Any song, any listener: crossed variance components (Henderson's method I), t with Satterthwaite's degrees of "
        "freedom.",
        "Henderson (1953), Biometrics 9(2), 226-252; Satterthwaite (1946), Biometrics Bulletin 2(6), 110-114",
    ),
    (
        "bootstrap",
        "A check of any_song: listeners and songs drawn anew, each with replacement; percentiles.",
        "Owen (2007), Annals of Applied Statistics 1(2), 386-411",
    ),
    (
        "pairs",
        "First minus second on what the same listener said of the same excerpt and source, with both intervals; p "
        "adjusted over all pairs of a scale and source by Holm and by Benjamini and Hochberg.",
        "Holm (1979), Scandinavian Journal of Statistics 6(2), 65-70; Benjamini and Hochberg (1995), JRSS B 57(1), "
        "289-300",
    ),
    (
        "equivalence_p",
        "Two one-sided tests of being at least the margin apart, any song and any listener.",
        "Schuirmann (1987), Journal of Pharmacokinetics and Biopharmaceutics 15(6), 657-680",
    ),
    (
        "wilcoxon",
        "Secondary: signed ranks of listeners' means, with Holm; Friedman over all systems.",
        "Wilcoxon (1945), Biometrics Bulletin 1(6), 80-83; Friedman (1937), JASA 32(200), 675-701",
    ),
    (
        "ordinal",
        "A check: cumulative probit with crossed listeners and items, compared by paired crossed differences.",
        "McCullagh (1980), JRSS B 42(2), 109-142; Schall (1991), Biometrika 78(4), 719-727",
    ),
    (
        "flagged",
        f"One rule for all listeners, {RULE_NAME}, fixed in the code; nobody is deleted, results without the flagged "
        "stand beside those of all.",
        "ITU-T P.913 (2021), clause 11.4 (leave-one-out correlation)",
    ),
    (
        "icc",
        "Intraclass correlations of ratings by clip from the variance components, gaps allowed.",
        "McGraw and Wong (1996), Psychological Methods 1(1), 30-46",
    ),
    (
        "alpha",
        "Krippendorff's alpha, ordinal; songs (clips, where no song is told) drawn anew for its interval.",
        "Krippendorff (2011)",
    ),
    ("sos", "a of SOS² = a·(high - MOS)(MOS - low).", "Hoßfeld, Schatz and Egger (2011), QoMEX"),
)


def results(
    found: Analysed,
    counts: LeftOut,
    *,
    notes: Iterable[Note] = (),
    compat: str | None = None,
    groupings: Iterable[tuple[str, ...]] = GROUPINGS,
) -> dict[str, Any]:
    """The whole analysis in plain values. `counts`: `tidy.left_out` of the table; `notes`: what reading it has said.

    `compat`: one of `statistics.published.PROCEDURES`, whose numbers then stand beside ours. `groupings`: crossings of
    "system", "source" and "song" whose means are wanted too.
    """
    rows = Rows(found, found.found)
    of_others = published(found, compat) if compat else {}
    told: dict[str, Any] = {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "counts": asdict(counts),
        "design": rows.design(),
        "overall": list(rows.overall()),
        "systems": list(rows.systems()),
        "pairs": list(rows.pairs()),
        "contests": list(rows.contests()),
        "groups": list(rows.groups(groupings)),
        "clips": list(rows.clips(of_others)),
        "listeners": list(rows.listeners(of_others)),
        "reliability": list(rows.reliability()),
        "variance": list(rows.variance()),
        **_without_flagged(found),
        "methods": {
            "options": options_record(found.options),
            "compat": compat,
            "formulas": [{"name": name, "what": what, "source": source} for name, what, source in METHODS],
        },
    }
    told["notes"] = [*map(asdict, notes), *(asdict(note) for note in _notes(found, rows))]
    told["reasons"] = {code: REASONS[code] for code in sorted(set(_codes(told)))}
    return told


def as_json(told: Mapping[str, Any]) -> bytes:
    """UTF-8, one order, a line at the end."""
    return (json.dumps(told, ensure_ascii=False, allow_nan=False, indent=1) + "\n").encode()


@cache
def schema() -> dict[str, Any]:
    """JSON Schema, draft 2020-12, of `results`."""
    read: dict[str, Any] = json.loads(SCHEMA.read_text(encoding="utf-8"))
    return read


# ── Options ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def options_record(options: Options) -> Row:
    return {
        "scale_range": [float(end) for end in options.scale_range],
        "replicates": options.replicates,
        "margin": float(options.used_margin),
        "level": float(options.level),
        "seed": options.seed,
        "rule": asdict(options.used_rule),
        "references": sorted(options.references),
        "anchors": dict(sorted(options.anchors.items())),
    }


def options_of(record: Mapping[str, Any]) -> Options:
    """What `options_record` was made of. Raises `KeyError`, `TypeError` or `ValueError` where it is no such record."""
    low, high = map(float, record["scale_range"])
    return Options(
        scale_range=(low, high),
        replicates=int(record["replicates"]),
        margin=float(record["margin"]),
        level=float(record["level"]),
        seed=int(record["seed"]),
        rule=Rule(**record["rule"]),
        references=frozenset(map(str, record["references"])),
        anchors={str(system): str(scale) for system, scale in record["anchors"].items()},
    )


# ── Parts ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _without_flagged(found: Analysed) -> Row:
    """The same numbers without the flagged listeners, beside those of all."""
    if found.without is None:
        anybody = any(scale.listeners.flagged.any() for scale in found.found.scales)
        return {"without_flagged": None, "without_flagged_reason": "everyone_flagged" if anybody else "nobody_flagged"}
    rows = Rows(found, found.without)
    told = {
        "design": rows.design(),
        "overall": list(rows.overall()),
        "systems": list(rows.systems()),
        "pairs": list(rows.pairs()),
        "reliability": list(rows.reliability()),
    }
    return {"without_flagged": told, "without_flagged_reason": None}


def _notes(found: Analysed, rows: Rows) -> Iterator[Note]:
    if not found.ratings.scores.size:
        yield _note("no_ratings")
        return
    for column in ("song", "system"):
        if not rows.has(column):
            yield _note(f"no_{column}s")
    if not rows.has("song") and any(contest.pairs for scale in found.found.scales for contest in scale.contests):
        yield _note("pairs_without_songs")
    for scale in found.found.scales:
        name = rows.label("scale", scale.scale)
        called = {"scale": f"“{name}”" if name else "the scale"}
        if scale.design.components > 1:
            yield _note("parts", **called, parts=scale.design.components)
        if scale.overall.listeners == 1:
            yield _note("one_listener", **called)
        elif scale.overall.sd == 0.0:
            yield _note("equal", **called)


def _note(code: str, **params: Any) -> Note:
    return Note(code, NOTES[code].format(**params))


def _codes(value: Any, key: str = "") -> Iterator[str]:
    """Every code that stands as a reason anywhere."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _codes(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _codes(inner, key)
    elif isinstance(value, str) and (key.endswith("_reason") or key in ("reasons", "notes")):
        yield value
