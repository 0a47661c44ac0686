"""Planning: what is planned is what comes."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.statistics.arrays import NotEnough
from analysis.statistics.crossed import components, interval_of, over_listeners_and_songs
from analysis.statistics.planning import (
    DEFAULT_DIFFERENCE,
    DEFAULT_MOS,
    Plan,
    Spread,
    forecast,
    listeners_for_difference,
    listeners_for_width,
    power_of,
    precision,
    songs_for_width,
)

SPREAD = Spread(0.04, 0.16, 0.8)


def drawn(rng: np.random.Generator, listeners: int, songs: int, mean: float = 0.0) -> tuple[np.ndarray, ...]:
    who, what = (part.ravel() for part in np.meshgrid(range(listeners), range(songs), indexing="ij"))
    noise = rng.normal(0, SPREAD.residual**0.5, who.size)
    scores = mean + rng.normal(0, SPREAD.listener**0.5, listeners)[who] + rng.normal(0, SPREAD.song**0.5, songs)[what]
    return scores + noise, who, what


def test_the_width_that_was_planned_comes() -> None:
    rng = np.random.default_rng(1)
    widths = [interval_of(components(*drawn(rng, 20, 15))) for _set in range(200)]
    planned = precision(Plan(20, 15), SPREAD)
    assert np.mean([(one.high - one.low) / 2 for one in widths]) == pytest.approx(planned.half_width, rel=0.06)


def test_the_power_that_was_planned_comes() -> None:
    rng = np.random.default_rng(2)
    plan = precision(Plan(16, 12), SPREAD, power=0.8)
    found = [over_listeners_and_songs(*drawn(rng, 16, 12, plan.detectable)).p < 0.05 for _set in range(300)]
    assert np.mean(found) == pytest.approx(0.8, abs=0.06)
    assert power_of(Plan(16, 12), SPREAD, plan.detectable) == pytest.approx(0.8, abs=1e-6)
    assert power_of(Plan(16, 12), SPREAD, 0.0) == pytest.approx(0.05, abs=1e-6)
    assert power_of(Plan(16, 12), SPREAD, 50.0) == pytest.approx(1.0)


def test_the_fewest_are_enough_and_one_fewer_is_not() -> None:
    listeners = listeners_for_width(60, DEFAULT_MOS, 0.3)
    assert precision(Plan(listeners, 60), DEFAULT_MOS).half_width <= 0.3
    assert precision(Plan(listeners - 1, 60), DEFAULT_MOS).half_width > 0.3
    songs = songs_for_width(24, DEFAULT_MOS, 0.3)
    assert (
        precision(Plan(24, songs), DEFAULT_MOS).half_width
        <= 0.3
        < precision(Plan(24, songs - 1), DEFAULT_MOS).half_width
    )
    people = listeners_for_difference(20, DEFAULT_DIFFERENCE, 0.5)
    assert power_of(Plan(people, 20), DEFAULT_DIFFERENCE, 0.5) >= 0.8


def test_no_number_of_listeners_makes_up_for_few_songs() -> None:
    assert listeners_for_width(8, DEFAULT_MOS, 0.3) is None
    assert listeners_for_difference(6, DEFAULT_DIFFERENCE, 0.2) is None


def test_a_running_study_is_forecast_from_its_own_data() -> None:
    found = components(*drawn(np.random.default_rng(3), 10, 20))
    seen = forecast(found, 40, 0.3)
    interval = interval_of(found)
    assert seen.now.half_width == pytest.approx((interval.high - interval.low) / 2, rel=1e-9)
    assert seen.at_end.plan.listeners == 40
    assert seen.at_end.half_width < seen.now.half_width
    assert seen.reached == (seen.now.half_width <= 0.3)


def test_what_cannot_be_planned_says_so() -> None:
    for plan, reason in [(Plan(4, 9), "fewer_than_5_listeners"), (Plan(9, 4), "fewer_than_5_songs")]:
        with pytest.raises(NotEnough) as refusal:
            precision(plan, SPREAD)
        assert refusal.value.reason == reason
    for plan, spread in [(Plan(9, 9, 0.0), SPREAD), (Plan(9, 9), Spread(0, 0, 0)), (Plan(9, 9), Spread(-1, 1, 1))]:
        with pytest.raises(ValueError, match="variances|share"):
            precision(plan, spread)
    with pytest.raises(NotEnough):
        forecast(components(np.full(36, 3.0), np.repeat(range(6), 6), np.tile(range(6), 6)), 40, 0.3)
