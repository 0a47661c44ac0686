"""Many tests at once: by hand."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from analysis.statistics.multiplicity import benjamini_hochberg, holm, letters


def test_holm_by_hand() -> None:
    """Sorted .01 .03 .04 → ×3 ×2 ×1 = .03 .06 .04, never falling: .03 .06 .06."""
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert holm([0.9, 0.8]) == pytest.approx([1.0, 1.0])


def test_benjamini_hochberg_by_hand() -> None:
    """Sorted .01 .03 .04 .5 → ×4 ×2 ×4/3 ×1 = .04 .06 .0533 .5, from above never rising: .04 .0533 .0533 .5."""
    assert benjamini_hochberg([0.5, 0.03, 0.04, 0.01]) == pytest.approx([0.5, 0.16 / 3, 0.16 / 3, 0.04])


@pytest.mark.parametrize("adjust", [holm, benjamini_hochberg])
def test_what_was_not_tested_does_not_count(adjust: object) -> None:
    adjusted = adjust([0.02, np.nan, 0.03])  # type: ignore[operator]
    assert adjusted[[0, 2]] == pytest.approx(adjust([0.02, 0.03]))  # type: ignore[operator]
    assert np.isnan(adjusted[1])


def test_letters_by_hand() -> None:
    """Four systems, the best apart from the last two, the second from the last: a, ab, bc, c."""
    assert letters([4.0, 3.5, 3.0, 2.0], [(0, 2), (0, 3), (1, 3)]) == ("a", "ab", "bc", "c")
    assert letters([2.0, 4.0], []) == ("a", "a")
    assert letters([2.0, 4.0], [(0, 1)]) == ("b", "a")
    assert letters([], []) == ()


def test_letters_say_what_the_pairs_say() -> None:
    rng = np.random.default_rng(6)
    for _case in range(60):
        size = int(rng.integers(2, 8))
        means = rng.normal(size=size).tolist()
        different = [pair for pair in combinations(range(size), 2) if rng.random() < 0.5]
        found = letters(means, different)
        for one, two in combinations(range(size), 2):
            assert bool(set(found[one]) & set(found[two])) == ((one, two) not in different)
        assert "a" in found[int(np.argmax(means))]
