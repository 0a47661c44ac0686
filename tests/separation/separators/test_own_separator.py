"""Separators of other packages: the one in `docs/own_separator.md` runs as it stands; broken ones are left out."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from separation.separators import packages, registry
from separation.separators.weights import PROJECT

DOCUMENT = PROJECT / "docs" / "own_separator.md"
Install = Callable[..., None]

SPEC = (
    "from separation.separators.base import SeparatorSpec\n"
    "def spec(key, **rest):\n"
    "    given = dict(name=key, family='own', weights='package', sources=('vocals',), implementation='own:Own')\n"
    "    return SeparatorSpec(key, **{**given, **rest})\n"
)


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What is installed is looked for again, before and after."""
    monkeypatch.setattr(registry, "_loaded", {})
    packages.found.cache_clear()
    yield
    packages.found.cache_clear()
    for name in ("own", "good", "broken", "stemmos_middle"):
        sys.modules.pop(name, None)


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Put a module and what an installer writes for it (`dist-info`) on the path."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(name: str, code: str, entry_points: dict[str, str], version: str = "1.0") -> None:
        (tmp_path / f"{name}.py").write_text(code)
        information = tmp_path / f"{name}-{version}.dist-info"
        information.mkdir()
        (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        lines = [f"{key} = {value}" for key, value in entry_points.items()]
        (information / "entry_points.txt").write_text("\n".join(["[stemmos.separators]", *lines]) + "\n")

    return write


def _documented(name: str) -> str:
    """The file of this name, as it stands in the document."""
    found = re.search(rf"^`{re.escape(name)}`:\n```\w+\n(.*?)^```$", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


def test_the_documented_package_runs(install: Install) -> None:
    project = tomllib.loads(_documented("pyproject.toml"))["project"]
    points = project["entry-points"]["stemmos.separators"]
    install("stemmos_middle", _documented("stemmos_middle.py"), points, project["version"])
    row = registry.all_specs()[-1]
    assert (row.key, row.weights, row.sources) == ("middle", "package", ("vocals", "accompaniment"))
    assert registry.available("middle") is None
    assert registry.broken_packages() == ()

    song = np.random.default_rng(3).uniform(-0.5, 0.5, (2, 44_100)).astype(np.float32)
    pieces: dict[int, dict[str, np.ndarray]] = {}
    ran = registry.get("middle").run(Song(song), [(0, 1000), (30_000, 44_100)], pieces.__setitem__)
    assert list(pieces) == [0, 30_000]
    assert np.allclose(sum(pieces[30_000].values()), song[:, 30_000:], atol=1e-6)
    assert np.array_equal(pieces[0]["vocals"][0], pieces[0]["vocals"][1])
    assert (ran.separator, ran.package, ran.weights) == ("middle", "stemmos-middle", "package")


class Song:
    def __init__(self, song: np.ndarray) -> None:
        self.song, self.samples = song, song.shape[1]

    def read(self, start: int, end: int) -> np.ndarray:
        return self.song[:, start:end]


def test_an_entry_point_may_give_several_or_be_called(install: Install) -> None:
    code = SPEC + "SEVERAL = [spec('own:a'), spec('own:b')]\ndef called():\n    return spec('own:c', bandwidth=8000)\n"
    install("own", code, {"one": "own:SEVERAL", "two": "own:called"})
    assert [row.key for row in registry.all_specs()[-3:]] == ["own:a", "own:b", "own:c"]
    assert registry.spec("own:c").bandwidth == 8000


def test_a_package_that_calls_its_family_demucs_has_no_fast_form(install: Install) -> None:
    install("own", SPEC + "ONE = spec('own:a', family='demucs')\n", {"one": "own:ONE"})
    assert registry.spec("own:a").family == "demucs" and registry.fast_key("own:a") is None
    with pytest.raises(registry.UnknownSeparator):
        registry.spec("own:a@fast")


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("spec('umxhq')", "the key 'umxhq' is taken"),
        ("spec('own:good')", "the key 'own:good' is taken"),
        ("[spec('own:x'), spec('own:x')]", "the key 'own:x' is taken"),
        ("spec('import:x')", "the key 'import:x' cannot be used"),
        ("spec('reference')", "the key 'reference' cannot be used"),
        ("spec('own@fast')", "the key 'own@fast' cannot be used"),
        ("spec('Own system')", "the key 'Own system' cannot be used"),
        ("spec('own:x', weights='published')", "its weights must be 'package'"),
        ("spec('own:x', sources=('choir',))", "its sources .'choir'. must be some of"),
        ("spec('own:x', sources=())", "its sources"),
        ("spec('own:x', implementation='own.Own')", "its implementation 'own.Own'"),
        ("spec('own:x', bandwidth=96000)", "its bandwidth at most 22050 Hz"),
        ("[]", "it gives no separator"),
        ("['umx']", "'umx' is no SeparatorSpec"),
        ("lambda: 1 / 0", "ZeroDivisionError: division by zero"),
        ("missing()", "NameError"),
    ],
)
def test_a_package_at_fault_is_left_out_with_its_reason_and_the_others_stay(
    install: Install, value: str, why: str
) -> None:
    install("good", SPEC + "GOOD = spec('own:good')\n", {"a_good": "good:GOOD"})
    install("broken", SPEC + f"VALUE = {value}\n", {"broken": "broken:VALUE"}, version="2.3")
    assert registry.spec("own:good").family == "own"
    assert len(registry.all_specs()) == 14 + 3 + 1
    (broken,) = registry.broken_packages()
    assert (broken.package, broken.entry_point) == ("broken 2.3", "broken = broken:VALUE")
    assert re.search(why, broken.why)


def test_an_error_in_somebody_elses_model_is_theirs_and_asks_for_no_weights_here(install: Install) -> None:
    install("own", SPEC + "A = spec('own:a', implementation='own:Nothing')\n", {"a": "own:A"})
    assert registry.available("own:a") is None
    with pytest.raises(AttributeError, match="Nothing"):
        registry.get("own:a")
