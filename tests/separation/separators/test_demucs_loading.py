"""Models of the demucs family from their files: single ones, bags, the older pickles, and what is refused."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from bench import full_size_weights
from separation.separators import registry
from separation.separators.base import WeightsMismatch, WeightsMissing
from separation.separators.demucs_loading import loaded_models
from separation.separators.weights import WeightsFile, WeightsSet, contents, weights_of
from separation.separators.weights.catalogue import BAG_SEGMENTS, BAG_WEIGHTS, BAGS
from tests.separation.separators.traps import Trap

SMALL: dict[str, Any] = {"channels": 8, "t_layers": 1, "t_heads": 2, "segment": Fraction(2, 1), "dconv_mode": 3}
SOURCES = ["drums", "bass", "other", "vocals"]


def test_the_bags_are_those_of_the_package() -> None:
    """Its YAML files are trusted here, in a test; no YAML is read where models are loaded."""
    import demucs
    import yaml

    for key, signatures in BAGS.items():
        bag = yaml.safe_load((Path(demucs.__file__).parent / "remote" / f"{key}.yaml").read_text())
        assert tuple(bag["models"]) == signatures
        assert bag.get("weights") == BAG_WEIGHTS.get(key)
        assert bag.get("segment") == BAG_SEGMENTS.get(key)
    listed = (Path(demucs.__file__).parent / "remote" / "files.txt").read_text().split()
    for key, signatures in BAGS.items():
        for signature in signatures:
            assert full_name(signature, key) in listed


def full_name(signature: str, key: str) -> str:
    from separation.separators.weights.catalogue import model_files

    return model_files(signature, key)[1].name


@pytest.fixture
def layout(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The listing of a small model, in the place of the published `htdemucs`."""
    from demucs.htdemucs import HTDemucs

    model = HTDemucs(SOURCES, **SMALL)
    shapes = {name: list(value.shape) for name, value in model.state_dict().items()}
    listing = contents.listing
    monkeypatch.setattr(contents, "listing", lambda name: shapes if name == "htdemucs" else listing(name))
    return model


def _pickle(path: Path, model: Any, **change: Any) -> WeightsSet:
    """As the package serialises: half precision, a class, arguments with a fraction, and the training's settings."""
    import torch

    state = {name: value.half() for name, value in model.state_dict().items()}
    package = {"klass": type(model), "args": (), "kwargs": {"sources": SOURCES, **SMALL}, "state": state}
    package |= {"training_args": {"epochs": 360, "dset": {"sources": SOURCES}}, **change}
    torch.save(package, path)
    return _set(path)


def _set(path: Path, layout: str = "htdemucs") -> WeightsSet:
    from separation.separators.weights import sha256_of

    return WeightsSet(path.parent, (WeightsFile(path.name, None, sha256_of(path), "", layout=layout),), "test")


def test_a_pickle_is_read_without_running_it_and_gives_the_model(tmp_path: Path, layout: Any) -> None:
    import torch

    ((model,), contributions, window) = loaded_models(registry.spec("htdemucs"), _pickle(tmp_path / "x.th", layout))
    assert (contributions, window, model.training, model.segment) == (None, None, False, Fraction(2, 1))
    expected = layout.state_dict()
    assert all(torch.equal(value, expected[name].half().float()) for name, value in model.state_dict().items())


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"klass": None}, "holds"),
        ({"kwargs": {"sources": SOURCES, **SMALL, "channels": 4000}}, "out of range"),
        ({"kwargs": {"sources": SOURCES[::-1], **SMALL}}, "instead of"),
        ({"kwargs": {"sources": SOURCES, **SMALL, "samplerate": 22_050}}, "22050"),
        ({"state": {}}, "missing"),
        ({"state": {"__quantized": True}}, "state"),
    ],
    ids=["no class", "too large", "other order", "other rate", "no values", "quantized"],
)
def test_a_pickle_of_another_model_is_refused(tmp_path: Path, layout: Any, change: dict[str, Any], why: str) -> None:
    with pytest.raises(WeightsMismatch, match=why):
        loaded_models(registry.spec("htdemucs"), _pickle(tmp_path / "x.th", layout, **change))


def test_a_pickle_of_an_older_class_is_refused(tmp_path: Path, layout: Any) -> None:
    from demucs.hdemucs import HDemucs

    with pytest.raises(WeightsMismatch, match="demucs.hdemucs.HDemucs and not a plain demucs.htdemucs.HTDemucs"):
        loaded_models(registry.spec("htdemucs"), _pickle(tmp_path / "x.th", layout, klass=HDemucs))


def test_a_malicious_pickle_runs_nothing(tmp_path: Path, layout: Any) -> None:
    described = _pickle(tmp_path / "x.th", layout, training_args=Trap(tmp_path / "sprung"))
    with pytest.raises(WeightsMismatch, match="x.th"):
        loaded_models(registry.spec("htdemucs"), described)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    ("metadata", "why"),
    [
        ({"klass": "pathlib.Path"}, "pathlib.Path and not a plain"),
        ({"structure": "{}"}, "not a plain"),
        ({"kwargs": json.dumps({"sources": SOURCES, "channels": 100_000})}, "out of range"),
        ({"kwargs": "no json"}, "Expecting value"),
    ],
)
def test_safetensors_metadata_cannot_make_anything_else(
    tmp_path: Path, layout: Any, metadata: dict[str, str], why: str
) -> None:
    from safetensors.torch import save_file

    keywords = json.dumps({"sources": SOURCES, **SMALL}, default=full_size_weights._as_json)
    given = {"klass": "demucs.htdemucs.HTDemucs", "args": "[]", "kwargs": keywords}
    state = {name: value.contiguous() for name, value in layout.state_dict().items()}
    save_file(state, tmp_path / "x.safetensors", metadata={**given, **metadata})
    with pytest.raises(WeightsMismatch, match=why):
        loaded_models(registry.spec("htdemucs"), _set(tmp_path / "x.safetensors"))
    save_file(state, tmp_path / "y.safetensors", metadata=given)
    assert len(loaded_models(registry.spec("htdemucs"), _set(tmp_path / "y.safetensors"))[0]) == 1


def test_a_bag_needs_all_its_models(tmp_path: Path, layout: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from safetensors.torch import save_file

    monkeypatch.setenv("STEMMOS_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("STEMMOS_WEIGHTS_UNPINNED", "1")
    keywords = json.dumps({"sources": SOURCES, **SMALL}, default=full_size_weights._as_json)
    state = {name: value.contiguous() for name, value in layout.state_dict().items()}
    metadata = {"klass": "demucs.htdemucs.HTDemucs", "args": "[]", "kwargs": keywords}
    (tmp_path / "demucs").mkdir()
    save_file(state, tmp_path / "demucs" / "f7e0c4bc.safetensors", metadata=metadata)
    spec = registry.spec("htdemucs_ft")
    with pytest.raises(WeightsMissing, match="d12395a8"):
        loaded_models(spec, weights_of(spec))
    for signature in BAGS["htdemucs_ft"][1:]:
        (tmp_path / "demucs" / f"{signature}.safetensors").hardlink_to(tmp_path / "demucs" / "f7e0c4bc.safetensors")
    models, contributions, window = loaded_models(spec, weights_of(spec))
    assert len(models) == 4 and window is None
    assert contributions == [[float(row == column) for column in range(4)] for row in range(4)]
