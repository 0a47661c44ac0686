"""Weights that are on this machine already: recognised by name and hash in the folders that people have."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from separation.separators.weights import DEMO, PUBLISHED, WeightsFile, WeightsSet, catalogue, contents, importing
from separation.separators.weights.importing import import_weights
from tests.separation.separators.test_weights_fetching import DATA, GOOD, INDEX, _archive, _left

VOICE = b"the voice's weights"
PICKLE = b"a model as a pickle"
SAFE = b"the same model, safe"
ARCHIVE = _archive(*GOOD)


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three toy variants, one of each family, in the place of the published ones."""
    home = tmp_path / "home"
    monkeypatch.setenv("STEMMOS_WEIGHTS", str(home))
    shapes = {name: shape for name, (_, shape) in contents._read(DEMO / "spleeter" / INDEX).items()}
    other = {**shapes, "another": [1]}
    monkeypatch.setattr(contents, "listing", lambda name: {"spleeter_toy": shapes, "spleeter_other": other}[name])
    for key in list(PUBLISHED):
        monkeypatch.delitem(PUBLISHED, key)
    voice = WeightsFile("vocals-12345678.pth", len(VOICE), _hash(VOICE), "")
    _publish(monkeypatch, "umx", "openunmix/umx", voice)
    size, sha256 = (DEMO / "spleeter" / DATA).stat().st_size, _hash((DEMO / "spleeter" / DATA).read_bytes())
    for name in ("other", "toy"):
        data, index = WeightsFile(DATA, size, sha256, ""), WeightsFile(INDEX, None, None, "", "url", f"spleeter_{name}")
        _publish(monkeypatch, f"spleeter:{name}", f"spleeter/{name}", data, index)
    monkeypatch.setitem(catalogue.ARCHIVES, "url", _hash(ARCHIVE))
    safe = WeightsFile("aaaa.safetensors", len(SAFE), _hash(SAFE), "")
    pickle = WeightsFile("aaaa-bbbb.th", len(PICKLE), _hash(PICKLE), "")
    _publish(monkeypatch, "model", "demucs", safe)
    monkeypatch.setattr(importing, "BAGS", {"model": ("aaaa",)})
    monkeypatch.setattr(importing, "model_files", lambda signature, key: (safe, pickle))
    return home


def _publish(monkeypatch: pytest.MonkeyPatch, key: str, folder: str, *files: WeightsFile) -> None:
    files = tuple(WeightsFile(f.name, f.size, f.sha256, "fetch", f.url or "url", f.layout) for f in files)
    monkeypatch.setitem(PUBLISHED, key, lambda key, home: WeightsSet(home / folder, files, "test"))


def _written(folder: Path, **files: bytes) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def test_a_folder_of_everything_is_sorted_into_place(home: Path, tmp_path: Path) -> None:
    """torch's cache, a folder of Spleeter models, a demucs repository, and files that are none of these."""
    source = tmp_path / "here"
    _written(source, **{"hub/checkpoints/vocals-12345678.pth": VOICE, "hub/checkpoints/strange.pth": b"strange"})
    _written(source, **{"repo/aaaa-bbbb.th": PICKLE, "repo/model.yaml": b"models: ['aaaa']", "notes.txt": b"notes"})
    shutil.copytree(DEMO / "spleeter", source / "pretrained_models" / "2stems")
    done = import_weights(source)
    assert _left(home) == [
        "demucs/aaaa-bbbb.th",
        "openunmix/umx/vocals-12345678.pth",
        f"spleeter/toy/{DATA}",
        f"spleeter/toy/{INDEX}",
    ]
    assert sorted(done.taken) == sorted(home / name for name in _left(home))
    assert [path.name for path in done.unknown] == ["strange.pth"]
    assert (done.refused, done.here) == ([], [])
    assert (source / "repo" / "aaaa-bbbb.th").exists(), "nothing is moved"


def test_a_cache_that_calls_files_after_their_hashes_is_understood(home: Path, tmp_path: Path) -> None:
    """Hugging Face keeps a file under `blobs/<sha256>` and a link to it under `snapshots/<revision>/<name>`."""
    repository = _written(tmp_path / "models--adefossez--X", **{f"blobs/{_hash(SAFE)}": SAFE})
    snapshot = repository / "snapshots" / "bf35a81b"
    snapshot.mkdir(parents=True)
    (snapshot / "aaaa.safetensors").symlink_to(repository / "blobs" / _hash(SAFE))
    done = import_weights(tmp_path)
    assert _left(home) == ["demucs/aaaa.safetensors"]
    assert (home / "demucs" / "aaaa.safetensors").read_bytes() == SAFE
    assert not (home / "demucs" / "aaaa.safetensors").is_symlink()
    assert done.here == [home / "demucs" / "aaaa.safetensors"], "the second sight of it"


def test_a_renamed_file_gets_its_own_name_back(home: Path, tmp_path: Path) -> None:
    import_weights(_written(tmp_path / "x", **{"copy (1).bin": VOICE}) / "copy (1).bin")
    assert _left(home) == ["openunmix/umx/vocals-12345678.pth"]


@pytest.mark.parametrize("content", [VOICE[:-3], VOICE[:-1] + b"x", b""], ids=["truncated", "altered", "empty"])
def test_a_file_of_the_right_name_that_is_wrong_is_refused_with_the_reason(
    home: Path, tmp_path: Path, content: bytes
) -> None:
    done = import_weights(_written(tmp_path / "x", **{"vocals-12345678.pth": content}))
    ((path, why),) = done.refused
    assert path.name == "vocals-12345678.pth" and ("bytes instead of" in why or "sha256" in why)
    assert _left(home) == []


def test_a_right_file_is_not_replaced_by_a_wrong_one_but_a_wrong_one_by_a_right_one(home: Path, tmp_path: Path) -> None:
    good, bad = (_written(tmp_path / name, **{"vocals-12345678.pth": v}) for name, v in (("a", VOICE), ("b", b"bad")))
    place = _written(home / "openunmix" / "umx", **{"vocals-12345678.pth": b"older"}) / "vocals-12345678.pth"
    assert import_weights(good).taken == [place]
    import_weights(bad)
    assert place.read_bytes() == VOICE
    assert import_weights(good).here == [place]


def test_models_of_the_same_file_names_are_told_apart_by_what_is_inside(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where hashes are not compared, the one that is in place already does not stand for the other."""
    monkeypatch.setenv("STEMMOS_WEIGHTS_UNPINNED", "1")
    shutil.copytree(DEMO / "spleeter", tmp_path / "x" / "4stems")
    listings = {name: contents.listing(name) for name in ("spleeter_toy", "spleeter_other")}
    assert import_weights(tmp_path / "x").taken == [home / "spleeter" / "toy" / name for name in (DATA, INDEX)]
    monkeypatch.setattr(contents, "listing", lambda name: listings["spleeter_toy"])
    second = Path(shutil.copytree(DEMO / "spleeter", tmp_path / "y" / "2stems"))
    (second / DATA).write_bytes(bytes((second / DATA).stat().st_size))
    assert import_weights(tmp_path / "y").taken == [home / "spleeter" / "other" / name for name in (DATA, INDEX)]


def test_an_archive_of_spleeter_is_known_by_its_hash(home: Path, tmp_path: Path) -> None:
    archive = tmp_path / "download.tar.gz"
    archive.write_bytes(ARCHIVE)
    import_weights(archive)
    assert _left(home) == [f"spleeter/toy/{DATA}", f"spleeter/toy/{INDEX}"]
    other = tmp_path / "other.tar.gz"
    other.write_bytes(_archive(*GOOD, ("more", b"x")))
    assert import_weights(other).unknown == [other]


@pytest.mark.parametrize("missing", [DATA, INDEX])
def test_half_a_checkpoint_is_not_taken(home: Path, tmp_path: Path, missing: str) -> None:
    source = Path(shutil.copytree(DEMO / "spleeter", tmp_path / "4stems"))
    (source / missing).unlink()
    done = import_weights(source)
    assert not done.taken and not done.unknown and _left(home) == []
    ((path, why),) = done.refused
    assert path == source / ({DATA, INDEX} - {missing}).pop()
    assert missing in why and ("missing" if missing == INDEX else "is not in") in why


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="neither a file nor a folder"):
        import_weights(tmp_path / "nowhere")
