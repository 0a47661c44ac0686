"""Names and shapes inside files of weights: read without running anything, compared with what was published."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.full_size_weights import demucs_model
from separation.separators.spleeter import import_tensorflow
from separation.separators.weights import DEMO, PROJECT, WeightsFile, WeightsSet, checkpoint_index, contents
from tests.separation.separators.traps import Trap

PUBLISHED_VARIABLES = PROJECT.parent / "shared" / "weights" / "spleeter_published_variables.json"
LAYOUTS = {
    "openunmix_512": (29 + 3 * 8 - 8, 8_893_348),
    "openunmix_1024": (45, 28_257_188),
    "spleeter_2stems": (149, None),
    "spleeter_4stems": (297, None),
    "spleeter_5stems": (371, None),
    "htdemucs": (533, 41_984_456),
    "htdemucs_6s": (525, 27_414_996),
    "hdemucs": (395, 83_637_832),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_listings_have_the_known_numbers_of_arrays_and_values(layout: str) -> None:
    """Spleeter: `shared/weights`; Open-Unmix and HTDemucs: counted on the packages' models."""
    arrays, values = LAYOUTS[layout]
    listed = contents.listing(layout)
    trained = [shape for name, shape in listed.items() if "running_" not in name and "num_batches" not in name]
    if layout.startswith("openunmix"):
        assert sum(int(np.prod(shape)) for shape in trained) == values
        return
    assert len(listed) == arrays
    assert values is None or sum(int(np.prod(shape)) for shape in listed.values()) == values


@pytest.mark.skipif(not PUBLISHED_VARIABLES.is_file(), reason="the list of published variables is not here")
def test_the_listings_of_spleeter_are_the_published_ones() -> None:
    for name, published in json.loads(PUBLISHED_VARIABLES.read_text()).items():
        assert contents.listing(f"spleeter_{name}") == {key: shape for key, (_, shape) in published.items()}


@pytest.mark.parametrize("layout", ["htdemucs", "htdemucs_6s", "hdemucs"])
def test_the_listings_of_demucs_are_those_of_the_packages_classes(layout: str) -> None:
    model, _ = demucs_model(layout)
    contents.compare(contents.shapes_of(model.state_dict()), contents.listing(layout))


# ── TensorFlow's index ───────────────────────────────────────────────────────────────────────────────────────────


def test_an_index_is_read_as_tensorflow_reads_it() -> None:
    tf = import_tensorflow()
    reader = tf.train.load_checkpoint(str(DEMO / "spleeter" / "model"))
    types, shapes = reader.get_variable_to_dtype_map(), reader.get_variable_to_shape_map()
    expected = {name: (types[name].name, shape) for name, shape in shapes.items()}
    assert checkpoint_index.read(DEMO / "spleeter" / "model.index") == expected
    assert len(expected) > 100


@pytest.fixture
def index(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DEMO / "spleeter", tmp_path / "spleeter")) / "model.index"


@pytest.mark.parametrize("kept", [0, 3, 47, 60, 1000, -1, -49])
def test_a_truncated_index_is_refused(index: Path, kept: int) -> None:
    index.write_bytes(index.read_bytes()[:kept])
    with pytest.raises(ValueError, match="damaged|no TensorFlow index|compressed|described"):
        checkpoint_index.read(index)


def test_an_index_with_altered_bytes_never_passes_for_another(index: Path) -> None:
    """Whatever byte is changed, it is refused, or what it says of names, types and shapes is the truth or is seen."""
    whole = index.read_bytes()
    truth = checkpoint_index.read(index)
    rng = np.random.default_rng(5)
    for place in rng.integers(0, len(whole), 150):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << int(rng.integers(8))
        index.write_bytes(bytes(damaged))
        try:
            found = checkpoint_index.read(index)
        except ValueError:
            continue
        assert isinstance(found, dict) and len(found) <= len(truth) + 1


def test_a_data_file_of_another_checkpoint_does_not_belong_to_the_index(index: Path) -> None:
    data = index.with_name("model.data-00000-of-00001")
    data.write_bytes(data.read_bytes() + b"more")
    with pytest.raises(ValueError, match="does not belong"):
        checkpoint_index.read(index)


# ── safetensors ──────────────────────────────────────────────────────────────────────────────────────────────────


def _safetensors(path: Path, arrays: dict[str, Any]) -> Path:
    from safetensors.numpy import save_file

    save_file(arrays, path)
    return path


def test_a_safetensors_header_gives_names_types_and_shapes(tmp_path: Path) -> None:
    path = _safetensors(tmp_path / "x.safetensors", {"a": np.zeros((2, 3), np.float16), "b": np.zeros(4, np.float32)})
    assert contents._read(path) == {"a": ("F16", [2, 3]), "b": ("F32", [4])}


@pytest.mark.parametrize("content", [b"", b"abc", b"\xff" * 100, (2).to_bytes(8, "little") + b"[]"])
def test_what_is_no_safetensors_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    with pytest.raises(ValueError):
        contents.check(path, "htdemucs")


@pytest.mark.parametrize("change", [-1, 1])
def test_a_safetensors_file_of_another_length_than_its_header_says_is_refused(tmp_path: Path, change: int) -> None:
    path = _safetensors(tmp_path / "x.safetensors", {"a": np.zeros(8, np.float32)})
    path.write_bytes(path.read_bytes()[:-1] if change < 0 else path.read_bytes() + b"x")
    with pytest.raises(ValueError, match="bytes where its header says"):
        contents.check(path, "htdemucs")


# ── differences, in a sentence ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("found", "why"),
    [
        ({"a": ("F32", [2])}, "1 of 2 arrays are not the published ones: b is missing"),
        ({"a": ("F32", [2]), "b": ("F32", [3]), "c": ("F32", [1])}, "c is foreign"),
        ({"a": ("F32", [2]), "b": ("F32", [3, 1])}, r"b is F32 \[3, 1\] instead of \[3\]"),
        ({"a": ("F32", [2]), "b": ("I32", [3])}, r"b is I32 \[3\]"),
    ],
)
def test_the_first_difference_is_named(found: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        contents.compare(found, {"a": [2], "b": [3]})


def test_two_stems_are_not_taken_for_four_nor_four_for_two() -> None:
    """All names of the 2-stem checkpoint are in the 4-stem one, so the package loads the wrong one in silence."""
    two, four = contents.listing("spleeter_2stems"), contents.listing("spleeter_4stems")
    assert set(two) < set(four)
    for held, wanted in ((two, four), (four, two)):
        found = {name: ("int64" if name == "global_step" else "float32", shape) for name, shape in held.items()}
        with pytest.raises(ValueError, match="148 of"):
            contents.compare(found, wanted)


# ── pickles ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["vocals-b62c91ce.pth", "955717e8-8726e21a.th"])
def test_a_malicious_pickle_is_not_run_even_with_the_right_hash(tmp_path: Path, name: str) -> None:
    """Its hash is pinned here, as if somebody had forged it: the restricted unpickler still runs nothing."""
    import torch

    torch.save({"state": Trap(tmp_path / "sprung"), "klass": Trap(tmp_path / "sprung")}, tmp_path / name)
    from separation.separators.weights import sha256_of

    layout = "openunmix_512" if name.endswith(".pth") else "htdemucs"
    file = WeightsFile(name, None, sha256_of(tmp_path / name), "", layout=layout)
    with pytest.raises(Exception, match=name) as caught:
        WeightsSet(tmp_path, (file,), "test").verify()
    assert caught.type.__name__ == "WeightsMismatch"
    assert not (tmp_path / "sprung").exists()


def test_a_th_file_without_a_known_hash_is_not_opened_at_all(tmp_path: Path) -> None:
    (tmp_path / "955717e8-8726e21a.th").write_bytes(b"whatever")
    file = WeightsFile("955717e8-8726e21a.th", None, None, "", layout="htdemucs")
    with pytest.raises(Exception, match="never opened"):
        WeightsSet(tmp_path, (file,), "test").verify()
