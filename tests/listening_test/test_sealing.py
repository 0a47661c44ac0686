"""What the browser gets of a sound: any file comes out as it went in, and nothing can be said of it before that."""

from __future__ import annotations

import shutil
import subprocess
import zlib
from pathlib import Path

import numpy as np
import pytest
from django.contrib.staticfiles import finders
from hypothesis import given
from hypothesis import strategies as st

from listening_test.sealing import sealed, sealed_size, unsealed
from listening_test.stimulus import stimulus
from tests.factories import RATE, sound

TALKATIVE = {  # bytes that tell everything
    "nothing": b"",
    "zeros": bytes(50_000),
    "ones": b"\xff" * 50_000,
    "text": b"umxhq spleeter htdemucs " * 2_000,
    "a count": np.arange(12_500, dtype="<u4").tobytes(),
}


@given(data=st.binary(max_size=200), name=st.text(max_size=30), size=st.integers(0, 400))
def test_what_goes_in_comes_out(data: bytes, name: str, size: int) -> None:
    whole = sealed(data, name=name, size=size)
    assert unsealed(whole) == data
    assert len(whole) >= max(size, sealed_size(len(data)))
    assert len(whole) % 4 == 0


def test_all_files_of_one_study_have_the_size_of_the_largest() -> None:
    size = sealed_size(5_000)
    assert {len(sealed(bytes(length), name=str(length), size=size)) for length in (0, 1, 4_999, 5_000)} == {size}


@pytest.mark.parametrize("data", TALKATIVE.values(), ids=TALKATIVE)
def test_sealed_bytes_are_spread_like_noise_and_cannot_be_packed(data: bytes) -> None:
    whole = sealed(data, name="a name", size=60_000)
    counts = np.bincount(np.frombuffer(whole, np.uint8), minlength=256)
    expected = len(whole) / 256
    assert np.sum((counts - expected) ** 2 / expected) < 330  # chi-squared with 255 degrees: 330 leaves 1 in 1000
    assert len(zlib.compress(whole, 9)) > len(whole)
    words = np.frombuffer(whole, "<u4")[2:].astype(np.float64)
    assert abs(np.corrcoef(words[:-1], words[1:])[0, 1]) < 0.03


def test_one_file_under_two_names_shares_nothing() -> None:
    first, again, other = (np.frombuffer(sealed(TALKATIVE["text"], name=name), np.uint8) for name in ("a", "a", "b"))
    assert np.array_equal(first, again)
    assert np.mean(first == other) == pytest.approx(1 / 256, abs=0.001)


@pytest.mark.parametrize("data", [b"", b"fLaC", b"too short", sealed(b"x", name="n")[:-4], b"\0" * 7, b"no sound" * 2])
def test_what_is_not_sealed_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="not a sealed file"):
        unsealed(data)


def test_samples_stay_exact() -> None:
    flac = stimulus(sound(2.0, seed=3), seed=[1]).data
    assert unsealed(sealed(flac, name="n", size=500_000)) == flac


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
def test_the_page_opens_what_the_server_sealed(tmp_path: Path) -> None:
    data = np.random.default_rng(1).bytes(4 * RATE + 1)
    (tmp_path / "sealed").write_bytes(sealed(data, name="n", size=4 * RATE + 100))
    script = Path(str(finders.find("listening_test/listener/unsealed.js"))).read_text()
    (tmp_path / "open.mjs").write_text(
        script
        + """
import { readFileSync, writeFileSync } from "node:fs";
const read = readFileSync("sealed");
writeFileSync("opened", Buffer.from(unsealed(read.buffer.slice(read.byteOffset, read.byteOffset + read.length))));
"""
    )
    subprocess.run(["node", "open.mjs"], cwd=tmp_path, check=True)
    assert (tmp_path / "opened").read_bytes() == data
