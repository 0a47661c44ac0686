"""SDR against numbers that can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from audio.metrics import sdr

REFERENCE = np.random.default_rng(1).standard_normal((2, 1000)).astype(np.float32)


@pytest.mark.parametrize(
    ("gain", "expected"),
    [(0.5, 20 * np.log10(2)), (0.9, 20.0), (0.0, 0.0), (2.0, 0.0), (-1.0, -20 * np.log10(2))],
)
def test_a_scaled_reference_has_the_error_of_its_gain(gain: float, expected: float) -> None:
    assert sdr(REFERENCE, np.float32(gain) * REFERENCE) == pytest.approx(expected, abs=1e-4)


def test_channels_are_summed_before_the_ratio_is_taken() -> None:
    """Σs² = 8 + 2 and Σ(s - ŝ)² = 0 + 1, so 10 dB; the mean of the two channels' SDR would be infinite."""
    reference, estimate = np.array([[2.0, 2.0], [1.0, 1.0]]), np.array([[2.0, 2.0], [1.0, 0.0]])
    assert sdr(reference, estimate) == pytest.approx(10.0)


def test_a_perfect_estimate_has_infinite_sdr() -> None:
    assert sdr(REFERENCE, REFERENCE.copy()) == float("inf")


def test_a_quiet_reference_is_measured_like_a_loud_one() -> None:
    noise = np.random.default_rng(2).standard_normal(REFERENCE.shape).astype(np.float32)
    loud = sdr(REFERENCE, REFERENCE + 0.1 * noise)
    quiet = np.float32(1e-4)
    assert sdr(quiet * REFERENCE, quiet * (REFERENCE + 0.1 * noise)) == pytest.approx(loud, abs=1e-3)


def test_a_silent_reference_has_no_sdr() -> None:
    with pytest.raises(ValueError, match="silent"):
        sdr(np.zeros((2, 10)), np.ones((2, 10)))


@pytest.mark.parametrize("shape", [(2, 999), (1000,), (2, 0)])
def test_arrays_must_have_one_shape(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="shape"):
        sdr(REFERENCE, np.zeros(shape))
    with pytest.raises(ValueError, match="shape"):
        sdr(np.zeros((2, 0)), np.zeros((2, 0)))
