"""Full-size checkpoints in the published layout: they go through the very code that the published ones go through,
and whatever is wrong with them is refused with a sentence.
"""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.full_size_weights import make
from separation.separators import registry
from separation.separators.base import SeparatorError, WeightsMismatch, WeightsMissing
from separation.separators.weights import published_set, weights_of

FAMILIES = ("umxhq", "spleeter:4stems", "htdemucs")
DATA, INDEX = "model.data-00000-of-00001", "model.index"


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One variant of each family, made once: 280 MB, most of the time Spleeter's graph."""
    folder = tmp_path_factory.mktemp("full_size")
    for variant in FAMILIES:
        make(variant, folder)
    return folder


@pytest.fixture
def home(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Links to them, so that a test may remove and replace files; in a process that has loaded nothing yet."""
    monkeypatch.setattr(registry, "_loaded", {})
    monkeypatch.setenv("STEMMOS_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("STEMMOS_WEIGHTS_UNPINNED", "1")
    shutil.copytree(made, tmp_path, copy_function=os.link, dirs_exist_ok=True)
    return tmp_path


@pytest.mark.parametrize("key", FAMILIES)
def test_it_is_loaded_and_run_by_the_code_of_the_published_one(home: Path, key: str) -> None:
    mixture = np.random.default_rng(1).uniform(-0.3, 0.3, (2, 44_100)).astype(np.float32)
    separation = registry.get(key).separate(mixture)
    assert list(separation.stems) == ["vocals", "drums", "bass", "other"]
    stems = list(separation.stems.values())
    assert all(stem.shape == mixture.shape and np.isfinite(stem).all() for stem in stems)
    assert all(not np.allclose(stems[0], other) for other in stems[1:]), "each source has values of its own"
    assert separation.ran.weights_origin == "unpinned"
    assert {*separation.ran.weights_sha256} == {file.name for file in published_set(key).files}


@pytest.mark.parametrize("key", FAMILIES)
def test_without_the_switch_it_is_refused_for_its_hash(home: Path, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STEMMOS_WEIGHTS_UNPINNED")
    with pytest.raises(WeightsMismatch, match="sha256|bytes instead of"):
        registry.get(key)


def test_the_data_file_of_spleeter_has_the_published_size(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STEMMOS_WEIGHTS_UNPINNED")
    weights_of(registry.spec("spleeter:4stems")).check_present()
    assert (home / "spleeter" / "4stems" / DATA).stat().st_size == 157_228_152


# ── what is wrong is refused, whichever way it is wrong ──────────────────────────────────────────────────────────

UMX, SPLEETER, DEMUCS = "openunmix/umxhq/", "spleeter/4stems/", "demucs/"


def _truncated(path: Path, by: int = 1000) -> None:
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content[:-by])


def _swapped(home: Path, source: str, target: str) -> None:
    (home / target).unlink(missing_ok=True)
    (home / target).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(home / source, home / target)


FAULTS: dict[str, tuple[str, Callable[[Path], Any]]] = {
    "a target less": ("umxhq", lambda home: (home / UMX / "bass-8d85a5bd.pth").unlink()),
    "a truncated target": ("umxhq", lambda home: _truncated(home / UMX / "bass-8d85a5bd.pth")),
    "an empty target": ("umxhq", lambda home: _truncated(home / UMX / "bass-8d85a5bd.pth", 10**9)),
    "an index for a target": ("umxhq", lambda home: _swapped(home, SPLEETER + INDEX, UMX + "bass-8d85a5bd.pth")),
    "umxhq for umxl": (
        "umxl",
        lambda home: [
            _swapped(home, f"{UMX}vocals-b62c91ce.pth", f"openunmix/umxl/{name}.pth")
            for name in ("vocals-bccbd9aa", "drums-69e0ebd4", "bass-2ca1ce51", "other-c8c5b3e6")
        ],
    ),
    "no data file": ("spleeter:4stems", lambda home: (home / SPLEETER / DATA).unlink()),
    "no index": ("spleeter:4stems", lambda home: (home / SPLEETER / INDEX).unlink()),
    "truncated data": ("spleeter:4stems", lambda home: _truncated(home / SPLEETER / DATA)),
    "truncated index": ("spleeter:4stems", lambda home: _truncated(home / SPLEETER / INDEX)),
    "4 stems for 2": (
        "spleeter:2stems",
        lambda home: [_swapped(home, SPLEETER + name, f"spleeter/2stems/{name}") for name in (DATA, INDEX)],
    ),
    "4 stems for 5, 16 kHz": (
        "spleeter:5stems-16kHz",
        lambda home: [_swapped(home, SPLEETER + name, f"spleeter/5stems/{name}") for name in (DATA, INDEX)],
    ),
    "a truncated model": ("htdemucs", lambda home: _truncated(home / DEMUCS / "955717e8.safetensors")),
    "four sources for six": (
        "htdemucs_6s",
        lambda home: _swapped(home, DEMUCS + "955717e8.safetensors", DEMUCS + "5c90dfd2.safetensors"),
    ),
    "another architecture": (
        "hdemucs_mmi",
        lambda home: _swapped(home, DEMUCS + "955717e8.safetensors", DEMUCS + "75fc33f5.safetensors"),
    ),
    "a state for a model": (
        "htdemucs",
        lambda home: _swapped(home, UMX + "bass-8d85a5bd.pth", DEMUCS + "955717e8.safetensors"),
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_refused_even_where_hashes_are_not_compared(home: Path, fault: str) -> None:
    key, damage = FAULTS[fault]
    damage(home)
    for _ in range(2):  # a fault stays a fault
        with pytest.raises(SeparatorError) as caught:
            registry.get(key)
        assert caught.value.code in {"weights_missing", "weights_mismatch"}
        assert {*caught.value.params} == {"file", "folder", "how"}
        assert caught.value.params["file"] in str(caught.value)
        assert caught.value.permanent


def test_another_targets_file_is_refused_for_its_hash(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The targets' networks are alike in names and shapes: only the hash tells the bass from the voice."""
    monkeypatch.delenv("STEMMOS_WEIGHTS_UNPINNED")
    described = published_set("umxhq")
    from dataclasses import replace

    from separation.separators.weights import WeightsSet, sha256_of

    files = tuple(replace(f, size=None, sha256=sha256_of(described.folder / f.name)) for f in described.files)
    pinned = WeightsSet(described.folder, files, "test")
    pinned.verify()
    _swapped(home, UMX + "bass-8d85a5bd.pth", UMX + "vocals-b62c91ce.pth")
    with pytest.raises(WeightsMismatch, match=r"vocals-b62c91ce\.pth.*sha256"):
        pinned.verify()


# ── Spleeter's silent random weights ─────────────────────────────────────────────────────────────────────────────


def _no_network(*arguments: object) -> None:
    raise OSError("there is no network")


@pytest.mark.parametrize("found", ["nothing", "an empty folder", "the package's own empty folder", "a note"])
@pytest.mark.parametrize("pinned", [True, False])
def test_spleeter_never_runs_with_random_weights(
    found: str, pinned: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The package, without a network: its first call fails and leaves an empty folder, its second call finds the
    folder and runs with the values of a new graph. Here every call refuses, and nothing is asked of the network.
    """
    monkeypatch.setattr(registry, "_loaded", {})
    monkeypatch.setattr(socket.socket, "connect", _no_network)
    monkeypatch.setenv("STEMMOS_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("MODEL_PATH", str(tmp_path / "pretrained_models"))
    monkeypatch.setenv("STEMMOS_WEIGHTS_UNPINNED", "" if pinned else "1")
    monkeypatch.chdir(tmp_path)
    if found == "the package's own empty folder":
        (tmp_path / "pretrained_models" / "4stems").mkdir(parents=True)
    elif found != "nothing":
        (tmp_path / "weights" / "spleeter" / "4stems").mkdir(parents=True)
    if found == "a note":  # what TensorFlow and the package leave besides the values
        (tmp_path / "weights" / "spleeter" / "4stems" / "checkpoint").write_text('model_checkpoint_path: "model"\n')
        (tmp_path / "weights" / "spleeter" / "4stems" / ".probe").write_text("OK")
    for _ in range(3):
        with pytest.raises(WeightsMissing, match=DATA):
            registry.get("spleeter:4stems")
    assert not registry._loaded
