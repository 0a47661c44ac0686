"""The registry: which separators there are, and what may run, without loading torch or TensorFlow."""

from __future__ import annotations

import json
import subprocess
import sys
import weakref
from importlib.util import find_spec
from pathlib import Path

import pytest

from separation.separators import registry
from separation.separators.base import (
    EXACT,
    FAST,
    Audio,
    Progress,
    Separation,
    Separator,
    SeparatorError,
    SeparatorSpec,
    WeightsMismatch,
    WeightsMissing,
)
from separation.separators.weights import PUBLISHED, weights_of

FOUR = ("vocals", "drums", "bass", "other")
OPENUNMIX = ["umxhq", "umx", "umxl"]
SPLEETER = [f"spleeter:{number}stems{form}" for number in (2, 4, 5) for form in ("", "-16kHz")]
DEMUCS = ["htdemucs", "htdemucs_ft", "htdemucs_6s", "hdemucs_mmi", "mdx_extra"]
DEMO = ["umx:demo", "spleeter:demo", "htdemucs:demo"]


def test_every_published_variant_has_a_row_and_the_demo_forms_stand_last() -> None:
    specs = registry.all_specs()
    assert [spec.key for spec in specs] == OPENUNMIX + SPLEETER + DEMUCS + DEMO
    assert [spec.is_demo for spec in specs] == [False] * 14 + [True] * 3
    assert {spec.family for spec in specs} == {"openunmix", "spleeter", "demucs"}
    assert len({spec.name for spec in specs}) == len(specs)
    assert all(spec.precision == EXACT for spec in specs)


@pytest.mark.parametrize(
    ("key", "sources"),
    [
        ("umxl", FOUR),
        ("spleeter:2stems", ("vocals", "accompaniment")),
        ("spleeter:5stems-16kHz", (*FOUR, "piano")),
        ("htdemucs_6s", (*FOUR, "guitar", "piano")),
        ("mdx_extra", FOUR),
    ],
)
def test_sources_stand_in_one_order_everywhere(key: str, sources: tuple[str, ...]) -> None:
    assert registry.spec(key).sources == sources


def test_the_licence_of_umxl_is_not_that_of_the_others() -> None:
    licences = {spec.key: spec.licence for spec in registry.all_specs()}
    assert licences.pop("umxl") == "CC BY-NC-SA 4.0"
    assert set(licences.values()) == {"MIT"}


def test_the_bandwidth_of_spleeter_is_that_of_the_packages_configurations() -> None:
    """`F` of its 2,049 bins are seen by the networks, the rest is silent (`mask_extension: zeros`)."""
    package = find_spec("spleeter")
    assert package is not None and package.origin is not None
    for key in SPLEETER:
        file = Path(package.origin).parent / "resources" / f"{key.removeprefix('spleeter:')}.json"
        configuration = json.loads(file.read_text())
        edge = configuration["F"] * configuration["sample_rate"] / configuration["frame_length"]
        assert registry.spec(key).bandwidth == int(edge)
        assert sorted(registry.spec(key).sources) == sorted(configuration["instrument_list"])
    assert registry.spec("spleeter:4stems").bandwidth == 11_025
    assert registry.spec("spleeter:4stems-16kHz").bandwidth == 16_537


def test_published_figures_say_where_they_were_published() -> None:
    figures = {spec.key: {one.source: one.sdr for one in spec.published} for spec in registry.all_specs()}
    assert figures["umxl"] == {"vocals": 7.21, "drums": 7.15, "bass": 6.02, "other": 4.89}
    assert figures["htdemucs_ft"]["all"] == 9.00
    assert all(one.where for spec in registry.all_specs() for one in spec.published)
    assert not any(figures[key] for key in DEMO), "demo weights have no published figures"
    assert not any(figures[key] for key in SPLEETER if key.endswith("16kHz")), "nor have the 16 kHz forms"


def test_demo_separators_say_so_in_their_key_and_name() -> None:
    for key in DEMO:
        assert "demo" in registry.spec(key).name
        assert registry.spec(key).weights == "demo"


def test_demo_and_published_weights_go_through_the_same_code() -> None:
    for demo, published in zip(DEMO, ("umxhq", "spleeter:4stems", "htdemucs"), strict=True):
        assert registry.spec(demo).implementation == registry.spec(published).implementation


# ── precisions ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_demucs_model_can_be_asked_for_in_fast_precision() -> None:
    fast = registry.spec("htdemucs@fast")
    assert (fast.key, fast.name, fast.precision) == ("htdemucs@fast", "HTDemucs (fast)", FAST)
    assert fast.base_key == "htdemucs"
    assert "htdemucs@fast" not in [spec.key for spec in registry.all_specs()]


def test_both_precisions_have_the_same_weights() -> None:
    assert weights_of(registry.spec("htdemucs@fast")) == weights_of(registry.spec("htdemucs"))
    assert weights_of(registry.spec("htdemucs:demo@fast")) == weights_of(registry.spec("htdemucs:demo"))


@pytest.mark.parametrize("key", ["umxhq@fast", "spleeter:4stems@fast", "htdemucs@slow", "htdemucs@", "@fast"])
def test_other_families_and_precisions_are_unknown(key: str) -> None:
    with pytest.raises(registry.UnknownSeparator):
        registry.spec(key)


# ── what can run ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("call", [registry.spec, registry.get, registry.available])
def test_an_unknown_key_is_a_separator_error(call: object) -> None:
    with pytest.raises(SeparatorError) as caught:
        call("umxhq2")  # type: ignore[operator]
    assert caught.value.code == "unknown_separator"
    assert caught.value.params == {"key": "umxhq2"}


@pytest.mark.parametrize("key", DEMO)
def test_demo_weights_are_always_available(key: str) -> None:
    assert registry.available(key) is None


@pytest.mark.parametrize("key", OPENUNMIX + SPLEETER + DEMUCS)
def test_missing_published_weights_are_named_with_the_way_to_get_them(
    key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEMMOS_WEIGHTS", str(tmp_path))
    error = registry.available(key)
    assert isinstance(error, WeightsMissing)
    assert error.params["folder"].startswith(str(tmp_path))
    command = error.params["how"].removeprefix("python manage.py weights fetch ")
    assert command in PUBLISHED and key.startswith(command)
    with pytest.raises(WeightsMissing):
        registry.get(key)


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("umxhq", "openunmix/umxhq/vocals-b62c91ce.pth"),
        ("spleeter:4stems", "spleeter/4stems/model.data-00000-of-00001"),
        ("spleeter:4stems-16kHz", "spleeter/4stems/model.data-00000-of-00001"),
        ("htdemucs", "demucs/955717e8-8726e21a.th"),
        ("htdemucs_ft", "demucs/f7e0c4bc.safetensors"),
        ("mdx_extra", "demucs/e51eebcc-c1b80bdd.th"),
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


def test_only_the_separators_that_were_asked_for_last_stay_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    alive: list[weakref.ref[Separator]] = []

    def made(spec: SeparatorSpec) -> Separator:
        assert sum(one() is not None for one in alive) < 2, "room is made before the next one is loaded"
        separator = Nothing(spec)
        alive.append(weakref.ref(separator))
        return separator

    monkeypatch.setenv("STEMMOS_LOADED_MODELS", "2")
    monkeypatch.setattr(registry, "_loaded", {})
    monkeypatch.setattr(registry, "_made", made)
    for key in ("umx:demo", "htdemucs:demo", "umx:demo", "spleeter:demo", "umx:demo"):
        assert registry.get(key).spec.key == key
    assert [one() is not None for one in alive] == [True, False, True], "HTDemucs was not asked for for longest"


class Nothing(Separator):
    """As large models do, it refers to itself."""

    def __init__(self, spec: SeparatorSpec) -> None:
        super().__init__(spec)
        self.myself = self

    def separate(self, mixture: Audio, progress: Progress = lambda done: None) -> Separation:
        raise NotImplementedError


def test_on_a_gpu_exact_is_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from separation.separators.torch_device import torch_device

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    kinds = (torch.backends.cudnn, torch.backends.cuda.matmul)
    before = [kind.allow_tf32 for kind in kinds]
    try:
        for kind in kinds:
            kind.allow_tf32 = True
        assert torch_device() == torch.device("cuda:0")
        assert [kind.allow_tf32 for kind in kinds] == [False, False]
    finally:
        for kind, was in zip(kinds, before, strict=True):
            kind.allow_tf32 = was


def test_asking_what_is_available_loads_neither_torch_nor_tensorflow() -> None:
    program = (
        "import sys; from separation.separators import registry;"
        "[registry.available(spec.key) for spec in registry.all_specs()];"
        "sys.exit(any(name in sys.modules for name in ('torch', 'tensorflow', 'demucs', 'openunmix', 'spleeter')))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=Path(registry.__file__).parents[2], check=False)
    assert done.returncode == 0
