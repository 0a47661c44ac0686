"""An analysis (`results_json.results`) as a short text for a terminal. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

Row = Mapping[str, Any]
MOST_PAIRS = 66  # of 12 systems
OFF_CENTRE = (
    "Listeners rated unequal numbers: “these clips” counts every listener alike, the difference every pair of ratings."
)
MOST_NAMED = 6  # in one line of what could not be computed
NOT_MISSED = {"is_control", "not_known", "one_song", "not_in_procedure", "not_categories"}  # nobody expects these
LOOKED_THROUGH = ("overall", "systems", "pairs", "contests", "clips", "reliability")


def text_report(told: Row, name: str) -> str:
    """Systems with both intervals, pairs, flagged listeners with reasons, reliability, what could not be computed."""
    parts = [
        _start(told, name),
        *(_systems(told, rows) for rows in _by_scale_and_source(told["systems"])),
        *(_pairs(told, rows) for rows in _by_scale_and_source(told["pairs"])),
        _reliability(told),
        _flagged(told),
        _compat(told),
        _missing(told),
        _notes(told),
    ]
    return "\n\n".join(part for part in parts if part)


def _start(told: Row, name: str) -> str:
    design, counts = told["design"], told["counts"]
    parts = [(design["ratings"], "rating"), (design["listeners"], "listener"), (design["clips"], "clip")]
    parts += [(design[f"{what}s"], what) for what in ("song", "system", "source") if design[f"{what}s"]]
    text = f"{name}: {', '.join(_many(*part) for part in parts)}."
    left = [
        (counts["not_final"], "not final"),
        (counts["simulated"], "of simulated listeners"),
        (counts["repeats"], "repeats"),
    ]
    out = [f"{count:,} {what}" for count, what in left if count]
    return text + (f" Not in the numbers: {', '.join(out)}." if out else "")


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}" + ("" if count == 1 else "s")


# ── Systems and pairs ───────────────────────────────────────────────────────────────────────────────────────────────


def _by_scale_and_source(rows: Sequence[Row]) -> Iterator[list[Row]]:
    for _key, group in groupby(rows, key=lambda row: (row["scale"], row["source"])):
        yield list(group)


def _title(row: Row, what: str) -> str:
    return " · ".join([what, *filter(None, (row["scale"], row["source"]))])


def _systems(told: Row, rows: Sequence[Row]) -> str:
    percent = f"{100 * told['methods']['options']['level']:g} %"
    head = ["system", "ratings", "MOS", f"{percent}, these clips", f"{percent}, any song", "group", "rank", "P(best)"]
    lines = [
        [
            row["system"] + (" (control)" if row["control"] else ""),
            f"{row['ratings']:,}",
            _number(row["mos"]),
            _limits(row["these_clips"]),
            _limits(row["any_song"]),
            row["letters"] or "-",
            _rank(row["rank"]),
            _number(row["best"]),
        ]
        for row in sorted(rows, key=lambda row: -row["mos"])
    ]
    return f"{_title(rows[0], 'Systems')}\n{_table(head, lines)}"


def _is_off(row: Row) -> bool:
    """Whether the interval's centre is visibly not the difference that is printed beside it."""
    found, difference = row["these_clips"], row["difference"]
    return found is not None and difference is not None and abs(found["centre"] - difference) >= 0.05


def _pairs(told: Row, rows: Sequence[Row]) -> str:
    head = ["pair", "difference", "these clips", "p (Holm)", "any song", "p (Holm)", "effect", "ahead"]
    lines = [
        [
            f"{row['first']} - {row['second']}",
            _number(row["difference"]),
            _limits(row["these_clips"]),
            _p(row["these_clips"]),
            _limits(row["any_song"]),
            _p(row["any_song"]),
            _number(row["effect"]),
            "-" if row["win_rate"] is None else f"{100 * row['win_rate']:.0f} %",
        ]
        for row in rows[:MOST_PAIRS]
    ]
    more = f"\n  … and {len(rows) - MOST_PAIRS:,} more in --json" if len(rows) > MOST_PAIRS else ""
    if any(_is_off(row) for row in rows[:MOST_PAIRS]):
        more += f"\n  {OFF_CENTRE}"
    for row in rows:
        more += "".join(f"\n  {row['first']} - {row['second']}: {told['reasons'][note]}" for note in row["notes"])
    return f"{_title(rows[0], 'Pairs, first minus second')}\n{_table(head, lines)}{more}"


def _table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(head, *lines, strict=True)]
    told = []
    for line in (head, *lines):
        cells = [
            line[0].ljust(widths[0]),
            *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)),
        ]
        told.append("  " + "  ".join(cells).rstrip())
    return "\n".join(told)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value + 0.0:.2f}"


def _limits(found: Row | None) -> str:
    return "-" if found is None else f"{found['low']:.2f} to {found['high']:.2f}"


def _rank(found: Row | None) -> str:
    if found is None:
        return "-"
    low, high = round(found["low"]), round(found["high"])
    return str(low) if low == high else f"{low}-{high}"


def _p(found: Row | None) -> str:
    if found is None or found["p_holm"] is None:
        return "-"
    return "<0.001" if found["p_holm"] < 0.001 else f"{found['p_holm']:.3f}"


# ── Listeners, reliability ──────────────────────────────────────────────────────────────────────────────────────────


def _reliability(told: Row) -> str:
    lines = []
    for row in told["reliability"]:
        found = [
            f"{name} {row[key]:.2f}{_in_brackets(row[f'{key}_interval'])}"
            for name, key in (("ICC(A,1)", "icc_a1"), ("ICC(A,k)", "icc_ak"), ("Krippendorff's alpha", "alpha"))
            if row[key] is not None
        ]
        found += [f"SOS a {row['sos']:.2f}"] if row["sos"] is not None else []
        if found:
            lines.append("  " + ": ".join(filter(None, (row["scale"], ", ".join(found)))))
    return "\n".join(["Agreement of listeners", *lines]) if lines else ""


def _in_brackets(found: Row | None) -> str:
    return f" ({_limits(found)})" if found else ""


def _flagged(told: Row) -> str:
    if not told["listeners"]:
        return ""
    lines = [
        f"  {row['listener']}{' on ' + row['scale'] if row['scale'] else ''}: "
        + " ".join(told["reasons"][reason] for reason in row["reasons"])
        for row in told["listeners"]
        if row["flagged"]
    ]
    if not lines:
        return "Flagged listeners: none."
    after = "Nobody is left out of the numbers above; those without the flagged stand in --json as without_flagged."
    return "\n".join(["Flagged listeners", *lines, f"  {after}"])


def _compat(told: Row) -> str:
    procedure = told["methods"]["compat"]
    if not procedure or not told["clips"]:
        return ""
    scales: dict[Any, list[Row]] = defaultdict(list)
    for row in told["clips"]:
        scales[row["scale"]].append(row)
    lines = []
    for scale, rows in scales.items():
        refused = {row["compat_reason"] for row in rows if row["compat"] is None}
        scored = [row for row in rows if row["compat"]]
        rejected = [
            row["listener"]
            for row in told["listeners"]
            if row["scale"] == scale and row["compat"] and row["compat"]["rejected"]
        ]
        text = f"{len(scored)} of {_many(len(rows), 'clip')} with a score (in --json and clips.csv)"
        text += f"; rejected: {', '.join(rejected)}" if rejected else ""
        why = " ".join(told["reasons"][reason] for reason in sorted(refused))
        lines.append("  " + ": ".join(filter(None, (scale, f"refused. {why}" if not scored else f"{text}. {why}"))))
    return "\n".join([f"As published: {procedure}", *(line.rstrip() for line in lines)])


# ── What is not there ───────────────────────────────────────────────────────────────────────────────────────────────


def _missing(told: Row) -> str:
    """One line for a reason and all that it keeps from the same rows."""
    where: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for section in LOOKED_THROUGH:
        for row in told[section]:
            for key, reason in row.items():
                if key.endswith("_reason") and reason and reason not in NOT_MISSED and key != "compat_reason":
                    where[section, reason, key.removesuffix("_reason")].append(_named(section, row))
    together: dict[tuple[str, str, tuple[str, ...]], list[str]] = defaultdict(list)
    for (section, reason, key), names in where.items():
        together[section, reason, tuple(names)].append(key)
    lines = [
        f"  {', '.join(keys)}: {told['reasons'][reason]} ({_few(names)})"
        for (_section, reason, names), keys in together.items()
    ]
    return "\n".join(["What could not be computed", *lines]) if lines else ""


def _named(section: str, row: Row) -> str:
    if section == "pairs":
        own = f"{row['first']} - {row['second']}"
    else:
        own = row.get("clip" if section == "clips" else "system") or "all ratings"
    return " · ".join(filter(None, (own, row["scale"], row.get("source") if section != "clips" else None)))


def _few(names: Sequence[str]) -> str:
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def _notes(told: Row) -> str:
    return "\n".join(["Note", *(f"  {note['sentence']}" for note in told["notes"])]) if told["notes"] else ""
