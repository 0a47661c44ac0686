"""The checks that stand before every load: present, whole, and the very bytes that were named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from separation.separators import weights
from separation.separators.base import WeightsMismatch, WeightsMissing
from separation.separators.registry import all_specs, spec


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "one.bin").write_bytes(b"first")
    (tmp_path / "two.bin").write_bytes(b"second")
    weights.write_manifest(tmp_path)
    return tmp_path


def test_a_folder_passes_against_its_own_manifest(folder: Path) -> None:
    found = weights.from_manifest(folder).verify()
    # sha256sum of "first" and "second"
    assert found == {
        "one.bin": "a7937b64b8caa58f03721bb6bacf5c78cb235febe0e70b1b84cd99541461a08e",
        "two.bin": "16367aacb67a4a017c8da8ab95682ccb390863780f7114dda0a0e0c55644c7c4",
    }


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "two.bin").unlink()
    with pytest.raises(WeightsMissing, match="two.bin") as caught:
        weights.from_manifest(folder).check_present()
    assert caught.value.params["file"] == "two.bin"
    assert caught.value.params["folder"] == str(folder)
    assert caught.value.params["how"]
    assert caught.value.permanent


@pytest.mark.parametrize("content", [b"", b"sec", b"second and more"])
def test_a_file_of_another_size_is_found_without_reading_it(folder: Path, content: bytes) -> None:
    (folder / "two.bin").write_bytes(content)
    with pytest.raises(WeightsMismatch, match="two.bin"):
        weights.from_manifest(folder).check_present()


def test_one_altered_byte_is_found(folder: Path) -> None:
    (folder / "two.bin").write_bytes(b"secone")
    described = weights.from_manifest(folder)
    described.check_present()
    with pytest.raises(WeightsMismatch, match=r"two\.bin.*sha256"):
        described.verify()


@pytest.mark.parametrize("text", ["", "not json", "[]", '{"files": {"a": {}}}', '{"files": {"a": {"size": 1}}}'])
def test_an_unreadable_manifest_is_missing_weights(folder: Path, text: str) -> None:
    (folder / "manifest.json").write_text(text)
    with pytest.raises(WeightsMissing) as caught:
        weights.from_manifest(folder)
    assert caught.value.params["file"] == "manifest.json"


def test_published_weights_lie_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STEMMOS_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("STEMMOS_WEIGHTS", raising=False)
    assert weights.weights_of(spec("umxhq")).folder == tmp_path / "home" / "weights" / "openunmix" / "umxhq"
    monkeypatch.setenv("STEMMOS_WEIGHTS", str(tmp_path / "elsewhere"))
    assert weights.weights_of(spec("umxhq")).folder == tmp_path / "elsewhere" / "openunmix" / "umxhq"
    assert weights.weights_of(spec("spleeter:4stems")).folder == tmp_path / "elsewhere" / "spleeter" / "4stems"
    assert weights.weights_of(spec("htdemucs")).folder == tmp_path / "elsewhere" / "demucs"


def test_safetensors_are_preferred_to_a_pickle(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Reading them runs no code, so they are also what is asked for where nothing is there."""
    monkeypatch.setenv("STEMMOS_WEIGHTS", str(tmp_path))
    (tmp_path / "demucs").mkdir()
    assert _names("htdemucs") == ["955717e8.safetensors"]
    (tmp_path / "demucs" / "955717e8-8726e21a.th").write_bytes(b"x")
    assert _names("htdemucs") == ["955717e8-8726e21a.th"]
    (tmp_path / "demucs" / "955717e8.safetensors").write_bytes(b"x")
    assert _names("htdemucs") == ["955717e8.safetensors"]


def test_a_safetensors_file_without_a_published_hash_is_not_looked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """One member of `mdx_extra` could pass for another: they have the same names and shapes."""
    monkeypatch.setenv("STEMMOS_WEIGHTS", str(tmp_path))
    (tmp_path / "demucs").mkdir()
    (tmp_path / "demucs" / "e51eebcc.safetensors").write_bytes(b"x")
    assert _names("mdx_extra")[0] == "e51eebcc-c1b80bdd.th"


def _names(key: str) -> list[str]:
    return [file.name for file in weights.weights_of(spec(key)).files]


def test_every_published_file_is_pinned_by_its_own_hash() -> None:
    """But for Spleeter's index, of which every name, shape and place is compared."""
    files = [file for key in weights.PUBLISHED for file in weights.published_set(key).files]
    pinned = [file for file in files if file.name != "model.index"]
    assert len({file.sha256 for file in pinned}) == len(pinned) == 26
    assert all(file.sha256 and len(file.sha256) >= 8 for file in pinned)
    assert all(file.url.startswith("https://") for file in files)
    for file in pinned:
        if file.name.endswith((".th", ".pth")):
            assert (file.sha256 or "")[:8] == file.name.rpartition(".")[0][-8:], "its name holds the first digits"


def test_the_first_digits_of_a_hash_are_compared_where_no_more_was_published(folder: Path) -> None:
    one = weights.WeightsFile("one.bin", 5, "a7937b64", "")
    assert weights.WeightsSet(folder, (one,), "test").verify()["one.bin"].startswith("a7937b64")
    with pytest.raises(WeightsMismatch):
        weights.WeightsSet(folder, (replace(one, sha256="a7937b65"),), "test").verify()


def test_a_file_is_not_read_again_while_it_stays_the_same(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights.from_manifest(folder).verify()
    monkeypatch.setattr("hashlib.file_digest", None)
    weights.from_manifest(folder).verify()
    (folder / "two.bin").write_bytes(b"second")
    with pytest.raises(TypeError):
        weights.from_manifest(folder).verify()


def test_unpinned_weights_are_a_switch_of_their_own_and_say_so(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEMMOS_WEIGHTS_UNPINNED", "1")
    described = weights.published_set("spleeter:4stems")
    assert described.origin == "unpinned" and described.is_unpinned
    assert all(file.sha256 is None and file.size is None and file.how for file in described.files)
    assert all(file.sha256 for file in weights.weights_of(spec("umx:demo")).files), "demo weights stay pinned"


def test_every_demo_file_is_in_its_manifest_and_together_they_stay_small() -> None:
    total = 0
    for one in (one for one in all_specs() if one.is_demo):
        described = weights.weights_of(one)
        there = {path.name for path in described.folder.iterdir()} - {"manifest.json"}
        assert {file.name for file in described.files} == there
        assert described.verify()
        total += sum(file.size or 0 for file in described.files)
    assert total <= 12_000_000
