"""What a clip's file is: level, dither, padding."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile

from audio.loudness import TooQuiet, integrated_loudness, true_peak
from audio.writing import encode_flac
from listening_test.stimulus import common_size, dithered, padded, stimulus
from tests.factories import RATE, sound


def decoded(data: bytes) -> np.ndarray:
    samples, rate = soundfile.read(io.BytesIO(data), dtype="float32")
    assert rate == RATE
    return samples.T


@pytest.mark.parametrize("level", [0.001, 0.02, 0.5])
def test_every_input_level_comes_out_at_the_same_loudness(level: float) -> None:
    made = stimulus(sound(level=level), seed=[1])
    heard = decoded(made.data)
    assert integrated_loudness(heard) == pytest.approx(-23.0, abs=0.05)
    assert made.loudness_lufs == pytest.approx(integrated_loudness(heard), abs=0.05)
    assert made.samples == heard.shape[1] == 3 * RATE


def test_a_sound_of_rare_peaks_stays_below_the_ceiling_and_below_the_target() -> None:
    clicks = np.zeros((2, 3 * RATE), dtype=np.float32)
    clicks[:, RATE // 2 :: RATE] = 0.5
    clicks += sound(seed=2, level=0.001)
    made = stimulus(clicks, seed=[1])
    heard = decoded(made.data)
    assert true_peak(heard) <= -1.0
    assert made.true_peak_dbtp == pytest.approx(true_peak(heard), abs=0.02)
    assert made.loudness_lufs < -23.0
    assert made.loudness_lufs == pytest.approx(integrated_loudness(heard), abs=0.1)


def test_both_ends_fade() -> None:
    steady = np.full((2, 2 * RATE), 0.1, dtype=np.float32)
    steady[:, ::2] *= -1  # a tone at the highest frequency: its envelope is flat
    heard = np.abs(decoded(stimulus(steady, seed=[1]).data)).max(axis=0)
    ramp = round(0.005 * RATE)
    full = heard[RATE]
    assert heard[0] < 0.001 * full + 2 / 2**15
    assert heard[-1] < 0.001 * full + 2 / 2**15
    assert heard[ramp // 2] == pytest.approx(full / 2, rel=0.05)  # raised cosine: half way up in the middle
    assert heard[-ramp // 2] == pytest.approx(full / 2, rel=0.05)
    assert heard[ramp + 1] == pytest.approx(full, rel=0.01)


def test_silence_is_refused() -> None:
    with pytest.raises(TooQuiet):
        stimulus(np.zeros((2, RATE), dtype=np.float32), seed=[1])


def test_dither_keeps_what_lies_below_one_step() -> None:
    """A tone of a third of a step would round to silence; with dither it is there, in steady noise."""
    t = np.arange(20 * RATE) / RATE
    tone = (np.sin(2 * np.pi * 440 * t) / 3 / 2**15)[None].astype(np.float32)
    heard = dithered(tone, np.random.default_rng(1)).astype(np.float64)
    strength = 2 * np.mean(heard * np.sin(2 * np.pi * 440 * t)) * 2**15
    assert strength == pytest.approx(1 / 3, rel=0.1)
    error = (heard - tone) * 2**15
    assert np.mean(error**2) == pytest.approx(1 / 4, rel=0.05)  # 1/12 of rounding and 2/12 of triangular dither


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    once, again, other = (stimulus(sound(seed=4), seed=seed).data for seed in ([7, 1], [7, 1], [7, 2]))
    assert once == again
    assert once != other


def test_padding_gives_one_size_and_changes_no_sample() -> None:
    files = [encode_flac(sound(1.0, seed=seed, level=level), bits=16)[0] for seed, level in ((1, 0.5), (2, 0.001))]
    size = common_size(files)
    longer = [padded(data, size) for data in files]
    assert {len(data) for data in longer} == {size}
    for before, after in zip(files, longer, strict=True):
        assert np.array_equal(decoded(before), decoded(after))


def test_padding_refuses_what_it_cannot_do() -> None:
    data = encode_flac(sound(1.0), bits=16)[0]
    with pytest.raises(ValueError, match="cannot be padded"):
        padded(data, len(data) + 3)
    with pytest.raises(ValueError, match="not a FLAC"):
        padded(b"RIFF" + data, len(data) + 100)
