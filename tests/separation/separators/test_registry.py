"""The registry: which separators there are, and what may run, without loading torch or TensorFlow."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from separation.separators import registry
from separation.separators.base import SeparatorError, WeightsMismatch, WeightsMissing

PUBLISHED = ["umxhq", "spleeter:4stems", "htdemucs"]
DEMO = ["umx:demo", "spleeter:demo", "htdemucs:demo"]


def test_three_published_and_three_demo_separators_of_the_same_three_families() -> None:
    specs = registry.all_specs()
    assert [spec.key for spec in specs] == PUBLISHED + DEMO
    assert [spec.is_demo for spec in specs] == [False] * 3 + [True] * 3
    assert {spec.family for spec in specs} == {"openunmix", "spleeter", "demucs"}
    assert all(set(spec.sources) == {"vocals", "drums", "bass", "other"} for spec in specs)


def test_demo_separators_say_so_in_their_key_and_name() -> None:
    for key in DEMO:
        assert "demo" in registry.spec(key).name
        assert registry.spec(key).weights == "demo"


def test_demo_and_published_weights_go_through_the_same_code() -> None:
    for demo, published in zip(DEMO, PUBLISHED, strict=True):
        assert registry.spec(demo).implementation == registry.spec(published).implementation


@pytest.mark.parametrize("call", [registry.spec, registry.get, registry.available])
def test_an_unknown_key_is_a_separator_error(call: object) -> None:
    with pytest.raises(SeparatorError) as caught:
        error = call("umxhq2")  # type: ignore[operator]
        if error is not None:
            raise error
    assert caught.value.code == "unknown_separator"
    assert caught.value.params == {"key": "umxhq2"}


@pytest.mark.parametrize("key", DEMO)
def test_demo_weights_are_always_available(key: str) -> None:
    assert registry.available(key) is None


@pytest.mark.parametrize(
    ("key", "file"),
    [
        ("umxhq", "vocals-b62c91ce.pth"),
        ("spleeter:4stems", "model.data-00000-of-00001"),
        ("htdemucs", "955717e8-8726e21a.th"),
    ],
)
def test_missing_published_weights_are_named_with_the_way_to_get_them(
    key: str, file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEMMOS_WEIGHTS", str(tmp_path))
    error = registry.available(key)
    assert isinstance(error, WeightsMissing)
    assert error.params["file"] == file
    assert error.params["folder"].startswith(str(tmp_path))
    assert "curl" in error.params["how"]
    assert error.params["folder"] in error.params["how"]
    with pytest.raises(WeightsMissing):
        registry.get(key)


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("umxhq", "openunmix/umxhq/vocals-b62c91ce.pth"),
        ("spleeter:4stems", "spleeter/4stems/model.data-00000-of-00001"),
        ("htdemucs", "demucs/955717e8-8726e21a.th"),
    ],
)
def test_a_truncated_published_file_is_a_mismatch(
    key: str, path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEMMOS_WEIGHTS", str(tmp_path))
    file = tmp_path / path
    file.parent.mkdir(parents=True)
    file.write_bytes(b"half of it")
    error = registry.available(key)
    assert isinstance(error, WeightsMismatch)
    assert error.params["file"] == file.name


def test_a_separator_is_loaded_once() -> None:
    assert registry.get("umx:demo") is registry.get("umx:demo")


def test_asking_what_is_available_loads_neither_torch_nor_tensorflow() -> None:
    program = (
        "import sys; from separation.separators import registry;"
        "[registry.available(spec.key) for spec in registry.all_specs()];"
        "sys.exit(any(name in sys.modules for name in ('torch', 'tensorflow', 'demucs', 'openunmix', 'spleeter')))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=Path(registry.__file__).parents[2], check=False)
    assert done.returncode == 0
