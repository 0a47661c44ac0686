"""Ellipses of two means: they reach as far as theory says, and hold the truth as often as they promise."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from analysis.statistics.arrays import NotEnough
from analysis.statistics.crossed import any_song_interval
from analysis.statistics.ellipses import Ellipse, crossed_ellipse, mean_ellipse


def holds(ellipse: Ellipse, point: tuple[float, float]) -> bool:
    away = np.array(point) - np.array(ellipse.centre)
    return float(away @ np.linalg.solve(np.array(ellipse.covariance), away)) <= ellipse.radius**2


def test_hotelling_by_hand() -> None:
    """T² = n d' S⁻¹ d against 2(n − 1)/(n − 2) F(2, n − 2): p of the outline is 5 %."""
    rng = np.random.default_rng(1)
    values = rng.multivariate_normal([3, 2], [[0.3, 0.1], [0.1, 0.2]], 9)
    found = mean_ellipse(*values.T)
    assert found.centre == pytest.approx(tuple(values.mean(axis=0)))
    around = found.outline()
    away = around - values.mean(axis=0)
    t2 = np.einsum("pi,ij,pj->p", away, np.linalg.inv(np.cov(values.T) / 9), away)
    p = stats.f.sf(t2 * 7 / (2 * 8), 2, 7)
    assert p == pytest.approx(np.full(121, 0.05), abs=1e-9)
    assert np.abs(away).max(axis=0) == pytest.approx(found.reach, rel=1e-3)


def test_these_clips_coverage() -> None:
    rng = np.random.default_rng(2)
    draws = rng.multivariate_normal([3, 2], [[0.3, 0.15], [0.15, 0.2]], (2000, 8))
    inside = [holds(mean_ellipse(one[:, 0], one[:, 1]), (3, 2)) for one in draws]
    assert 0.935 < np.mean(inside) < 0.965


def test_any_song_coverage_and_its_sides() -> None:
    """Listeners and songs that move both scales together: the ellipse of new listeners and new songs."""
    rng = np.random.default_rng(3)
    people, songs = 12, 10
    who, what = (part.ravel() for part in np.meshgrid(range(people), range(songs), indexing="ij"))
    spread = np.array([[0.3, 0.2], [0.2, 0.3]])
    inside = []
    for _set in range(400):
        of_listener, of_song = (rng.multivariate_normal([0, 0], spread, size) for size in (people, songs))
        one, two = (of_listener[who] + of_song[what] + rng.normal(0, 0.6, (who.size, 2))).T
        found = crossed_ellipse(one, two, who, what)
        inside.append(holds(found, (0, 0)))
    assert found.covariance[0][0] == pytest.approx(any_song_interval(one, who, what).se ** 2)
    assert 0.91 < np.mean(inside) < 0.98


def test_too_little_says_so() -> None:
    with pytest.raises(NotEnough, match="fewer_than_5_listeners"):
        mean_ellipse([1, 2, 3, 4], [1, 3, 2, 4])
    with pytest.raises(NotEnough, match="no_spread"):
        mean_ellipse([1, 2, 3, 4, 5], [1, 2, 3, 4, 5])
    with pytest.raises(NotEnough, match="no_spread"):
        mean_ellipse([3, 3, 3, 3, 3], [1, 2, 3, 4, 5])
    with pytest.raises(NotEnough, match="fewer_than_5_songs"):
        crossed_ellipse(np.arange(10.0), np.arange(10.0) ** 2, np.repeat(range(5), 2), np.tile([0, 1], 5))
