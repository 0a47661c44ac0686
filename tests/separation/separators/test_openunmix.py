"""Open-Unmix: the package's result in bounded pieces, and no file loaded that is not exactly what was named."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from audio.synthesis import synthetic_song
from separation.separators import registry, weights
from separation.separators.base import WeightsMismatch
from separation.separators.openunmix import OpenUnmixSeparator, import_openunmix
from separation.separators.weights import DEMO, WeightsFile, WeightsSet

DEMO_SPEC = registry.spec("umx:demo")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DEMO / "openunmix", tmp_path / "openunmix"))


def test_pieces_give_what_the_package_gives_in_one(folder: Path) -> None:
    """Longer than two windows of 300 frames (7 s), against the package's own folder loader and `forward`."""
    import_openunmix()
    import torch
    from openunmix.utils import load_separator

    (folder / "manifest.json").unlink()
    mixture = synthetic_song(51, 8.0).mixture
    whole = load_separator(str(folder), targets=list(DEMO_SPEC.sources), niter=1)
    whole.freeze()
    expected = whole.to_dict(whole(torch.from_numpy(mixture)[None]))
    found = registry.get("umx:demo").separate(mixture).stems
    for source, stem in found.items():
        assert np.abs(stem - expected[source][0].numpy()).max() < 1e-5


def test_an_altered_file_is_not_loaded(folder: Path) -> None:
    content = bytearray((folder / "bass.pth").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "bass.pth").write_bytes(content)
    with pytest.raises(WeightsMismatch, match=r"bass\.pth"):
        OpenUnmixSeparator(DEMO_SPEC, weights.from_manifest(folder))


@pytest.mark.parametrize("how", ["no tensor", "truncated", "a tensor less", "a tensor more", "another shape"])
def test_a_file_with_the_right_hash_but_other_tensors_is_not_loaded(folder: Path, how: str) -> None:
    """The package itself would load four of these five without a word (`strict=False`)."""
    _spoil(folder / "drums.pth", how)
    weights.write_manifest(folder)
    with pytest.raises(WeightsMismatch, match=r"drums\.pth") as caught:
        OpenUnmixSeparator(DEMO_SPEC, weights.from_manifest(folder))
    assert caught.value.params["how"]


def _spoil(path: Path, how: str) -> None:
    import torch

    state = torch.load(path, weights_only=True)
    if how == "truncated":
        path.write_bytes(path.read_bytes()[:-1000])
        return
    if how == "no tensor":
        state = {}
    elif how == "a tensor less":
        del state["lstm.weight_hh_l1"]
    elif how == "a tensor more":
        state["lstm.weight_hh_l9"] = torch.zeros(3)
    else:
        state["fc2.weight"] = state["fc2.weight"][:, :-1]
    torch.save(state, path)


def test_a_window_left_over_from_an_older_version_is_ignored(folder: Path) -> None:
    import torch

    for path in folder.glob("*.pth"):
        state = torch.load(path, weights_only=True)
        torch.save({**state, "stft.window": torch.zeros(4096), "transform.0.window": torch.zeros(4096)}, path)
    weights.write_manifest(folder)
    mixture = synthetic_song(51, 1.0).mixture
    found = OpenUnmixSeparator(DEMO_SPEC, weights.from_manifest(folder)).separate(mixture).stems
    expected = registry.get("umx:demo").separate(mixture).stems
    assert all(np.array_equal(found[source], expected[source]) for source in expected)


def test_a_pickle_that_runs_code_is_not_run(folder: Path, tmp_path: Path) -> None:
    import torch

    torch.save(Trap(tmp_path / "sprung"), folder / "drums.pth")
    weights.write_manifest(folder)
    with pytest.raises(WeightsMismatch):
        OpenUnmixSeparator(DEMO_SPEC, weights.from_manifest(folder))
    assert not (tmp_path / "sprung").exists()


class Trap:
    """Creates a file where it is unpickled carelessly."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (_spring, (str(self.path),))


def _spring(path: str) -> None:
    Path(path).touch()


def test_a_full_size_umxhq_runs_from_the_published_layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Random networks of the published size and file names, with hashes of their own: no `separator.json` is there."""
    import_openunmix()
    import torch
    from openunmix.model import OpenUnmix

    monkeypatch.setenv("STEMMOS_WEIGHTS", str(tmp_path))
    published = weights.weights_of(registry.spec("umxhq"))
    published.folder.mkdir(parents=True)
    torch.save(OpenUnmix(nb_bins=2049, nb_channels=2, hidden_size=512, max_bin=1487).state_dict(), tmp_path / "one")
    for file in published.files:
        shutil.copy(tmp_path / "one", published.folder / file.name)
    with pytest.raises(WeightsMismatch):
        published.verify()
    found = OpenUnmixSeparator(registry.spec("umxhq"), _with_own_hashes(published)).separate(
        synthetic_song(51, 1.0).mixture
    )
    assert all(stem.shape == (2, 44_100) for stem in found.stems.values())
    assert set(found.ran.weights_sha256) == {file.name for file in published.files}


def _with_own_hashes(described: WeightsSet) -> WeightsSet:
    def own(file: WeightsFile) -> WeightsFile:
        path = described.folder / file.name
        return replace(file, size=path.stat().st_size, sha256=weights.sha256_of(path))

    return replace(described, files=tuple(own(file) for file in described.files))
