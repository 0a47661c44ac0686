"""HTDemucs: exactly the package's own result, and no file opened that could run code or hold another model."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audio.synthesis import synthetic_song
from separation.separators import registry, weights
from separation.separators.base import WeightsMismatch
from separation.separators.demucs import DemucsSeparator
from separation.separators.weights import DEMO, WeightsFile, WeightsSet

DEMO_SPEC = registry.spec("htdemucs:demo")
SAFETENSORS = "demo0001.safetensors"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DEMO / "htdemucs", tmp_path / "htdemucs"))


@pytest.fixture
def pickled(folder: Path) -> WeightsSet:
    """The demo model as the `.th` pickle that the package writes, with its hash pinned."""
    import torch

    model = registry.get("htdemucs:demo")._models[0]  # type: ignore[attr-defined]
    args, kwargs = model._init_args_kwargs
    path = folder / "demo0001.th"
    torch.save({"klass": type(model), "args": args, "kwargs": kwargs, "state": model.state_dict()}, path)
    return WeightsSet(folder, (_pinned(path),), origin="test")


def _pinned(path: Path) -> WeightsFile:
    return WeightsFile(path.name, path.stat().st_size, weights.sha256_of(path), "make it again")


def test_the_stems_are_those_of_the_package_to_rounding(pickled: WeightsSet) -> None:
    import torch
    from demucs.api import Separator

    mixture = synthetic_song(52, 5.0).mixture
    own = Separator(model="demo0001", repo=pickled.folder, device="cpu", shifts=0)
    _, expected = own.separate_tensor(torch.from_numpy(mixture), 44_100)
    found = registry.get("htdemucs:demo").separate(mixture).stems
    for source, stem in found.items():
        assert np.abs(stem - expected[source].numpy()).max() < 1e-6


def test_a_pickle_with_the_pinned_hash_gives_the_same_stems(pickled: WeightsSet) -> None:
    mixture = synthetic_song(52, 2.0).mixture
    found = DemucsSeparator(DEMO_SPEC, pickled).separate(mixture).stems
    expected = registry.get("htdemucs:demo").separate(mixture).stems
    assert all(np.array_equal(found[source], expected[source]) for source in expected)


@pytest.mark.parametrize("pin", ["another", None])
def test_a_pickle_whose_hash_is_not_pinned_is_never_opened(pin: str | None, tmp_path: Path) -> None:
    import torch

    path = tmp_path / "955717e8-8726e21a.th"
    torch.save(Trap(tmp_path / "sprung"), path)
    file = replace(_pinned(path), sha256="0" * 64 if pin else None)
    with pytest.raises(WeightsMismatch):
        DemucsSeparator(registry.spec("htdemucs"), WeightsSet(tmp_path, (file,), origin="test"))
    assert not (tmp_path / "sprung").exists()


class Trap:
    """Creates a file where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (_spring, (str(self.path),))


def _spring(path: str) -> None:
    Path(path).touch()


@pytest.mark.parametrize(
    "change",
    [
        {"klass": "pathlib.Path"},
        {"klass": "demucs.hdemucs.HDemucs"},
        {"structure": "{}"},
        {"kwargs": {"channels": 8}},
        {"kwargs": {"sources": ["drums", "bass", "other", "voice"]}},
        {"kwargs": {"samplerate": 22_050}},
    ],
    ids=["foreign class", "older model", "nested state", "other shapes", "other sources", "other rate"],
)
def test_a_safetensors_file_of_another_model_is_not_loaded(folder: Path, change: dict[str, Any]) -> None:
    _rewrite(folder / SAFETENSORS, change)
    weights.write_manifest(folder)
    with pytest.raises(WeightsMismatch, match="demo0001.safetensors"):
        DemucsSeparator(DEMO_SPEC, weights.from_manifest(folder))


def test_demo_weights_under_the_published_name_do_not_pass_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEMMOS_WEIGHTS", str(tmp_path))
    (tmp_path / "demucs").mkdir()
    shutil.copy(DEMO / "htdemucs" / SAFETENSORS, tmp_path / "demucs" / "955717e8.safetensors")
    with pytest.raises(WeightsMismatch, match="bytes instead of"):
        registry.get("htdemucs")


@pytest.mark.parametrize("how", ["truncated", "a tensor less"])
def test_a_damaged_safetensors_file_is_not_loaded(folder: Path, how: str) -> None:
    path = folder / SAFETENSORS
    if how == "truncated":
        path.write_bytes(path.read_bytes()[:-100])
    else:
        _rewrite(path, {}, without="decoder.0.rewrite.weight")
    weights.write_manifest(folder)
    with pytest.raises(WeightsMismatch):
        DemucsSeparator(DEMO_SPEC, weights.from_manifest(folder))


def _rewrite(path: Path, change: dict[str, Any], without: str = "") -> None:
    from safetensors import safe_open
    from safetensors.torch import save_file

    with safe_open(str(path), framework="pt") as stream:
        metadata = dict(stream.metadata())
        tensors = {name: stream.get_tensor(name) for name in stream.keys() if name != without}  # noqa: SIM118
    for key, value in change.items():
        metadata[key] = json.dumps({**json.loads(metadata[key]), **value}) if isinstance(value, dict) else value
    save_file(tensors, path, metadata=metadata)


def test_a_full_size_htdemucs_runs_from_the_published_layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A random model of the published architecture in the published safetensors place."""
    from demucs.htdemucs import HTDemucs
    from safetensors.torch import save_file

    monkeypatch.setenv("STEMMOS_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("STEMMOS_WEIGHTS_UNPINNED", "1")
    (tmp_path / "demucs").mkdir()
    keywords: dict[str, Any] = {"bottom_channels": 512, "dconv_mode": 3, "t_dropout": 0.02, "multi_freqs": []}
    model = HTDemucs(["drums", "bass", "other", "vocals"], segment=Fraction(39, 5), **keywords)
    assert sum(parameter.numel() for parameter in model.parameters()) == 41_984_456
    segment = {"_type": "fraction", "numerator": 39, "denominator": 5}
    arguments = {"args": json.dumps([model.sources]), "kwargs": json.dumps({**keywords, "segment": segment})}
    state = {name: value.contiguous() for name, value in model.state_dict().items()}
    metadata = {"klass": "demucs.htdemucs.HTDemucs", **arguments}
    save_file(state, tmp_path / "demucs" / "955717e8.safetensors", metadata=metadata)

    described = weights.weights_of(registry.spec("htdemucs"))
    found = DemucsSeparator(registry.spec("htdemucs"), described).separate(synthetic_song(52, 1.0).mixture)
    assert all(stem.shape == (2, 44_100) for stem in found.stems.values())
    assert found.ran.weights == "published"
