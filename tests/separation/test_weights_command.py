"""`manage.py weights`: what a person reads in the terminal, and what a script learns from it."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from separation.separators.weights import PUBLISHED, WeightsFile, WeightsSet
from tests.separation.separators.weights_server import Server, running_server

CONTENT = b"x" * 50_000


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STEMMOS_WEIGHTS", str(tmp_path / "weights"))
    return tmp_path / "weights"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """The variants umxhq and umx come from here, with one file each."""
    with running_server() as running:
        for key in ("umxhq", "umx"):
            _publish(monkeypatch, key, f"{running.address}/{key}.bin")
            running.files[f"/{key}.bin"] = CONTENT + key.encode()
        yield running


def _publish(monkeypatch: pytest.MonkeyPatch, key: str, url: str) -> None:
    content = CONTENT + key.encode()
    file = WeightsFile(f"{key}.bin", len(content), hashlib.sha256(content).hexdigest(), f"weights fetch {key}", url)
    monkeypatch.setitem(PUBLISHED, key, lambda key, home: WeightsSet(home / "openunmix" / key, (file,), url))


def weights(*arguments: str) -> tuple[str, str]:
    out, errors = io.StringIO(), io.StringIO()
    try:
        call_command("weights", *arguments, stdout=out, stderr=errors)
    except CommandError as error:
        error.args = (f"{error}\n{out.getvalue()}\n{errors.getvalue()}",)
        raise
    return out.getvalue(), errors.getvalue()


def _line(text: str, key: str) -> str:
    return next(line for line in text.splitlines() if line.startswith(f"{key} "))


def test_list_says_of_every_variant_what_is_there(home: Path) -> None:
    (home / "spleeter" / "4stems").mkdir(parents=True)
    (home / "spleeter" / "4stems" / "model.index").write_bytes(b"x")
    (home / "demucs").mkdir()
    (home / "demucs" / "955717e8.safetensors").write_bytes(b"half")
    out, _ = weights("list")
    assert len(out.splitlines()) == 1 + 14 + 1
    assert "missing" in _line(out, "umxl") and "CC BY-NC-SA 4.0" in _line(out, "umxl")
    assert "partial" in _line(out, "spleeter:4stems") and "partial" in _line(out, "spleeter:4stems-16kHz")
    assert "157 MB" in _line(out, "spleeter:4stems") and str(home / "spleeter" / "4stems") in out
    assert "wrong" in _line(out, "htdemucs") and "MIT" in _line(out, "htdemucs")


def test_fetch_brings_what_is_asked_for_and_list_and_verify_agree(server: Server, home: Path) -> None:
    out, _ = weights("fetch", "umxhq")
    assert "umxhq: 1 files fetched" in out and "umxhq.bin: 0 MB of 0 MB" in out
    assert "present" in _line(weights("list")[0], "umxhq") and "missing" in _line(weights("list")[0], "umx")
    assert weights("verify", "umxhq")[0] == "umxhq: right (1 files)\n"
    assert "all is here" in weights("fetch", "umxhq")[0]


def test_one_variant_that_cannot_be_had_does_not_keep_the_others(server: Server, home: Path) -> None:
    del server.files["/umxhq.bin"]
    with pytest.raises(CommandError, match="Not fetched: umxhq") as caught:
        weights("fetch", "umxhq", "umx")
    assert "HTTP 404" in str(caught.value)
    assert (home / "openunmix" / "umx" / "umx.bin").exists()


@pytest.mark.parametrize("doing", ["fetch", "verify"])
@pytest.mark.parametrize(("key", "why"), [("umxhq2", "no separator is called"), ("umx:demo", "no published weights")])
def test_a_key_that_has_no_published_weights_is_named(doing: str, key: str, why: str) -> None:
    with pytest.raises(CommandError, match=why):
        weights(doing, key)


def test_fetch_does_not_work_where_hashes_are_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEMMOS_WEIGHTS_UNPINNED", "1")
    with pytest.raises(CommandError, match="STEMMOS_WEIGHTS_UNPINNED"):
        weights("fetch", "umxhq")


def test_verify_has_a_sentence_for_each_fault_and_fails(server: Server, home: Path) -> None:
    weights("fetch", "umxhq", "umx")
    (home / "openunmix" / "umxhq" / "umxhq.bin").write_bytes(CONTENT[:-3] + b"umxhq")
    (home / "openunmix" / "umx" / "umx.bin").write_bytes(CONTENT + b"abc")
    with pytest.raises(CommandError, match="2 faults") as caught:
        weights("verify")
    text = str(caught.value)
    assert "umxhq: umxhq.bin in" in text and "bytes instead of 50005" in text
    assert "umx: umx.bin in" in text and "its sha256 is" in text and "get it with: weights fetch umx" in text


def test_verify_of_nothing_fails_and_a_missing_variant_is_a_fault_only_when_it_is_asked_for(
    server: Server, home: Path
) -> None:
    with pytest.raises(CommandError, match="There are no weights in"):
        weights("verify")
    weights("fetch", "umx")
    assert weights("verify")[0] == "umx: right (1 files)\n"
    with pytest.raises(CommandError, match="1 faults") as caught:
        weights("verify", "umxhq")
    assert "umxhq.bin is not in" in str(caught.value)


def test_import_copies_says_what_it_did_and_what_it_did_not_know(server: Server, home: Path, tmp_path: Path) -> None:
    source = tmp_path / "usb"
    source.mkdir()
    (source / "umx.bin").write_bytes(CONTENT + b"umx")
    (source / "mystery.pth").write_bytes(b"?")
    out, _ = weights("import", str(source))
    assert f"copied    {home / 'openunmix' / 'umx' / 'umx.bin'}" in out
    assert f"unknown   {source / 'mystery.pth'}" in out
    assert "is here" in weights("import", str(source))[0]


def test_import_of_nothing_usable_fails_and_nothing_is_half_there(server: Server, home: Path, tmp_path: Path) -> None:
    source = tmp_path / "usb"
    source.mkdir()
    (source / "notes.txt").write_bytes(b"no weights")
    with pytest.raises(CommandError, match=f"Nothing was recognised in {source}") as unknown:
        weights("import", str(source))
    assert "umx: " in str(unknown.value) and "umx.bin" in str(unknown.value), "what is wanted is named"
    (source / "umx.bin").write_bytes(b"half")
    with pytest.raises(CommandError, match="1 refused") as caught:
        weights("import", str(source))
    assert "bytes instead of" in str(caught.value)
    with pytest.raises(CommandError, match="neither a file nor a folder"):
        weights("import", str(tmp_path / "nowhere"))
    assert not home.exists(), "looked at before anything is copied"


def test_the_switch_is_said_aloud(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEMMOS_WEIGHTS_UNPINNED", "1")
    assert "need not be the published weights" in weights("list")[1]
