"""What is inside a file of weights, compared with what was published: every name, every shape, the kind of number.

The listings are JSON, `{name: shape}`: Spleeter's from the published index files, the others from the packages' own
model classes at the published settings. A file holds exactly what its listing says, and nothing of it is run: the
headers of safetensors files and of TensorFlow's index are read here, `.pth` and `.th` by torch's restricted unpickler.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

from separation.separators.weights import checkpoint_index

Shapes = dict[str, list[int]]
Found = dict[str, tuple[str, list[int]]]
"""Name -> (type of number, shape)."""

LISTINGS = Path(__file__).resolve().parent / "listings"
FLOATS = {"float32", "float16", "F32", "F16"}
COUNTERS = {"int64", "I64"}

LEFTOVERS = {"stft.window", "transform.0.window", "sample_rate"}
"""What the older Open-Unmix releases hold besides: constants of an STFT that is no longer part of the model."""


@cache
def listing(layout: str) -> Shapes:
    shapes: Shapes = json.loads((LISTINGS / f"{layout}.json").read_text(encoding="utf-8"))
    return shapes


def check(path: Path, layout: str) -> None:
    """Raises `ValueError`, or what the readers raise, unless the file at `path` holds exactly what is listed."""
    compare(_read(path), listing(layout))


def compare(found: Found, listed: Shapes) -> None:
    """Raises `ValueError` with a sentence that names the first difference."""
    wrong = sorted(name for name in found.keys() | listed.keys() if not _fits(name, found.get(name), listed.get(name)))
    if not wrong:
        return
    name = wrong[0]
    if name not in found:
        why = "is missing"
    elif name not in listed:
        why = "is foreign"
    else:
        why = f"is {found[name][0]} {found[name][1]} instead of {listed[name]}"
    raise ValueError(f"{len(wrong)} of {len(listed)} arrays are not the published ones: {name} {why}")


def _fits(name: str, found: tuple[str, list[int]] | None, listed: list[int] | None) -> bool:
    kinds = COUNTERS if name.endswith(("global_step", "num_batches_tracked")) else FLOATS
    return found is not None and found[0] in kinds and found[1] == listed


def _read(path: Path) -> Found:
    if path.suffix == ".safetensors":
        return _in_safetensors(path)
    if path.suffix == ".index":
        return checkpoint_index.read(path)
    if path.suffix == ".th":
        return shapes_of(restricted_load(path).get("state"))
    return {name: value for name, value in shapes_of(_torch_load(path)).items() if name not in LEFTOVERS}


def _in_safetensors(path: Path) -> Found:
    """From the header: eight bytes for its length, then JSON; the arrays fill the rest without a gap."""
    header, start = safetensors_header(path)
    entries = {name: at for name, at in header.items() if name != "__metadata__"}
    end = max((int(at["data_offsets"][1]) for at in entries.values()), default=0)
    if start + end != path.stat().st_size:
        raise ValueError(f"it has {path.stat().st_size} bytes where its header says {start + end}")
    return {name: (str(at["dtype"]), [int(size) for size in at["shape"]]) for name, at in entries.items()}


def safetensors_header(path: Path) -> tuple[dict[str, Any], int]:
    """The header, and where the arrays begin. Raises `ValueError` for anything that is no such file."""
    with path.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if not 2 <= length <= 10_000_000:
            raise ValueError("it is no safetensors file")
        header = json.loads(stream.read(length))
    if not isinstance(header, dict):
        raise ValueError("it is no safetensors file")
    return header, 8 + length


def restricted_load(path: Path) -> dict[str, Any]:
    """A demucs `.th` file, read with torch's restricted unpickler: besides arrays and plain values it may name the
    package's three model classes and `Fraction`, so that nothing in the file is run. Raises what torch raises.
    """
    import torch
    from demucs.demucs import Demucs
    from demucs.hdemucs import HDemucs
    from demucs.htdemucs import HTDemucs

    with torch.serialization.safe_globals([Demucs, HDemucs, HTDemucs, Fraction]):
        package = _torch_load(path)
    if not isinstance(package, dict):
        raise ValueError("it holds no model")
    return package


def _torch_load(path: Path) -> Any:
    import torch

    return torch.load(path, map_location="cpu", weights_only=True)


def shapes_of(state: Any) -> Found:
    """Type and shape of every array of a torch state. Raises `ValueError` for anything else."""
    import torch

    if not isinstance(state, Mapping) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise ValueError("it holds no state of a model")
    return {str(name): (str(value.dtype).removeprefix("torch."), list(value.shape)) for name, value in state.items()}
