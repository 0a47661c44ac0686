"""A scale's ratings as sureal (0.9) reads them: `dis_videos` are the clips, `ref_videos` what they were made from.

A content of sureal is an excerpt of a song and its source; its assets are that by each system. `os` has the score of
each listener, a list of several where a clip came back. `python -m sureal --dataset FILE --models MOS P910`.
"""

from __future__ import annotations

import json
from typing import Any

import pandas as pd

CONTENT = ("song", "excerpt_start", "excerpt_end", "source")
HOW = '"""Ratings for sureal: python -m sureal --dataset THIS_FILE --models MOS P910 (as Python or as JSON)."""\n\n'


def sureal_dataset(table: pd.DataFrame, scale: str) -> dict[str, Any]:
    """Of one scale; first presentations first."""
    own = table[table["scale"] == scale]
    if "repeat" in own:
        own = own.sort_values("repeat", kind="stable")
    keys = [name for name in CONTENT if name in own]
    clips = own.drop_duplicates("clip").sort_values("clip", kind="stable")
    content = clips.groupby(keys, sort=True, dropna=False).ngroup() if keys else pd.Series(0, index=clips.index)
    names = clips.assign(content=content).drop_duplicates("content").sort_values("content")
    return {
        "dataset_name": f"stemmos_{scale}",
        "ref_videos": [_reference(row, keys) for row in names.to_dict("records")],
        "dis_videos": _assets(own, clips.assign(content=content)),
    }


def _reference(row: dict[Any, Any], keys: list[str]) -> dict[str, Any]:
    name = " ".join(str(row[key]) for key in keys)
    return {"content_id": int(row["content"]), "content_name": name, "path": f"content {row['content']}"}


def _assets(own: pd.DataFrame, clips: pd.DataFrame) -> list[dict[str, Any]]:
    scores: dict[Any, dict[str, list[Any]]] = {}
    for clip, listener, score in zip(own["clip"], own["listener"].astype(str), own["score"].tolist(), strict=True):
        scores.setdefault(clip, {}).setdefault(listener, []).append(score)
    return [
        {
            "asset_id": number,
            "content_id": int(row["content"]),
            "path": str(row["clip"]),
            "system": str(row.get("system", "")),
            "os": {who: given[0] if len(given) == 1 else given for who, given in sorted(scores[row["clip"]].items())},
        }
        for number, row in enumerate(clips.to_dict("records"))
    ]


def sureal_json(table: pd.DataFrame, scale: str) -> bytes:
    found = sureal_dataset(table, scale)
    return json.dumps(found, ensure_ascii=True, indent=1, allow_nan=False).encode() + b"\n"


def sureal_python(table: pd.DataFrame, scale: str) -> bytes:
    """The same as a module. Names are Python's own literals of text: nothing in them can run."""
    found = sureal_dataset(table, scale)
    return "".join([HOW, *(f"{name} = {_literal(value)}\n\n" for name, value in found.items())]).encode()


def _literal(value: Any) -> str:
    """A line for each video."""
    return "[\n" + "".join(f"    {ascii(one)},\n" for one in value) + "]" if isinstance(value, list) else ascii(value)
