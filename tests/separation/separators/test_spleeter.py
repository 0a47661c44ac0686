"""Spleeter: its graph kept in memory gives what it gives in one run, and it never runs with random weights."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audio.synthesis import synthetic_song
from separation.separators import registry, weights
from separation.separators import spleeter as module
from separation.separators.base import WeightsMismatch, WeightsMissing
from separation.separators.spleeter import SpleeterSeparator, import_tensorflow
from separation.separators.weights import DEMO

DEMO_SPEC = registry.spec("spleeter:demo")
DATA, INDEX = "model.data-00000-of-00001", "model.index"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DEMO / "spleeter", tmp_path / "spleeter"))


def test_groups_of_blocks_give_what_one_run_of_the_graph_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    separator: Any = registry.get("spleeter:demo")
    mixture = synthetic_song(53, 7.0).mixture
    outputs = {source: separator._builder.outputs[source] for source in DEMO_SPEC.sources}
    expected = separator._session.run(outputs, {separator._waveform: mixture.T})
    monkeypatch.setattr(module, "GROUP", 1)  # one block of frames at a time
    found = separator.separate(mixture).stems
    for source in DEMO_SPEC.sources:
        assert np.abs(found[source] - expected[source].T).max() < 1e-5


def test_the_stems_add_up_to_the_mixture_below_eleven_kilohertz() -> None:
    """Ratio masks: they sum to one in every bin the networks see, and to nothing above (`mask_extension: zeros`)."""
    mixture = synthetic_song(53, 4.0).mixture
    total = sum(registry.get("spleeter:demo").separate(mixture).stems.values())
    power = {"below": np.fft.rfft(mixture - total)[:, : 4 * 10_900], "above": np.fft.rfft(total)[:, 4 * 11_200 :]}
    whole = np.sum(np.abs(np.fft.rfft(mixture)) ** 2)
    for band in power.values():
        assert np.sum(np.abs(band) ** 2) < 1e-3 * whole


@pytest.mark.parametrize("name", [DATA, INDEX, "configuration.json"])
def test_a_missing_file_is_named_and_nothing_runs(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(WeightsMissing, match=name):
        SpleeterSeparator(DEMO_SPEC, weights.from_manifest(folder))


@pytest.mark.parametrize("name", [DATA, INDEX])
def test_an_altered_file_is_not_loaded(folder: Path, name: str) -> None:
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(WeightsMismatch, match=name):
        SpleeterSeparator(DEMO_SPEC, weights.from_manifest(folder))


@pytest.mark.parametrize("how", ["fewer sources", "other filters", "damaged index", "empty index"])
def test_a_checkpoint_that_is_not_exactly_the_models_is_not_loaded(folder: Path, how: str) -> None:
    """The package loads a 2-stem model from a 4-stem checkpoint, and random weights where it finds none, in silence."""
    if how == "fewer sources":
        _reconfigure(folder, lambda it: it["instrument_list"].remove("vocals"))
    elif how == "other filters":
        _reconfigure(folder, lambda it: it["model"]["params"].update(conv_n_filters=[8, 12, 16, 24, 32, 44]))
    elif how == "damaged index":
        (folder / INDEX).write_bytes((folder / INDEX).read_bytes()[:-200])
    else:
        (folder / INDEX).write_bytes(b"")
    weights.write_manifest(folder)
    with pytest.raises(WeightsMismatch):
        SpleeterSeparator(DEMO_SPEC, weights.from_manifest(folder))


def _reconfigure(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    path = folder / "configuration.json"
    configuration = json.loads(path.read_text())
    change(configuration)
    path.write_text(json.dumps(configuration))


PUBLISHED_VARIABLES = weights.PROJECT.parent / "shared" / "weights" / "spleeter_published_variables.json"


def test_the_published_graph_has_the_published_variables() -> None:
    """The 4-stem release holds 297 variables, its step counter among them; some layers as they are in it."""
    shapes = _published_graph_shapes()
    assert len(shapes) == 296
    assert shapes["conv2d/kernel"] == [5, 5, 2, 16]
    assert shapes["conv2d_5/kernel"] == [5, 5, 256, 512]
    assert shapes["conv2d_transpose_23/kernel"] == [5, 5, 1, 32]
    assert shapes["batch_normalization_47/moving_variance"] == [1]


@pytest.mark.skipif(not PUBLISHED_VARIABLES.is_file(), reason="the list of published variables is not here")
def test_every_published_variable_is_in_the_graph() -> None:
    listed = json.loads(PUBLISHED_VARIABLES.read_text())["4stems"]
    del listed["global_step"]
    assert _published_graph_shapes() == {name: shape for name, (_, shape) in listed.items()}


def _published_graph_shapes() -> dict[str, list[int]]:
    tf = import_tensorflow()
    from spleeter.utils.configuration import load_configuration

    with tf.Graph().as_default():
        module._prediction_graph(tf, load_configuration("spleeter:4stems"))
        return {v.op.name: v.shape.as_list() for v in tf.compat.v1.global_variables()}
