"""The three rules of loudness."""

from __future__ import annotations

import numpy as np
import pytest

from audio.levels import CLIP, MIXTURE, NONE, Level, gains_db, level_of
from audio.loudness import TooQuiet, align, integrated_loudness, true_peak
from tests.factories import RATE, sound

QUIET, LOUD, PEAKY = Level(-40.0, -30.0), Level(-18.0, -6.0), Level(-35.0, -2.0)


def test_by_the_clip_each_reaches_the_target_or_the_ceiling() -> None:
    assert gains_db(CLIP, [QUIET, LOUD, PEAKY]) == [17.0, -5.0, 1.0]


def test_by_the_clip_is_what_align_does() -> None:
    samples = sound(2.0, level=0.02)
    assert gains_db(CLIP, [level_of(samples)]) == pytest.approx([align(samples).gain_db])


def test_by_the_mixture_all_get_the_gain_that_the_mixture_needs() -> None:
    assert gains_db(MIXTURE, [QUIET, LOUD], Level(-15.0, -1.0)) == [-8.0, -8.0]
    assert gains_db(MIXTURE, [QUIET, LOUD], Level(-25.0, -9.0)) == [2.0, 2.0]


def test_a_peak_lowers_the_one_gain_of_all() -> None:
    assert gains_db(MIXTURE, [QUIET, PEAKY], Level(-30.0, -9.0)) == [1.0, 1.0]
    assert gains_db(NONE, [QUIET, Level(-12.0, 0.5)]) == [-1.5, -1.5]


def test_without_a_rule_nothing_changes_below_the_ceiling() -> None:
    assert gains_db(NONE, [QUIET, LOUD, PEAKY]) == [0.0, 0.0, 0.0]


def test_a_level_after_a_gain_is_the_level_of_the_sound_after_it() -> None:
    samples = sound(2.0, level=0.02)
    after = level_of(samples).after(6.0)
    louder = samples * np.float32(10 ** (6.0 / 20))
    assert after.loudness_lufs == pytest.approx(integrated_loudness(louder), abs=0.01)
    assert after.true_peak_dbtp == pytest.approx(true_peak(louder), abs=0.01)


def test_silence_has_no_level_by_any_rule() -> None:
    for level in (0.0, 1e-4):
        with pytest.raises(TooQuiet):
            level_of(sound(2.0, level=level))
    level_of(sound(2.0, level=0.01))
    with pytest.raises(TooQuiet):
        level_of(np.zeros((2, RATE), dtype=np.float32))


def test_another_rule_and_a_missing_mixture_are_refused() -> None:
    with pytest.raises(ValueError, match="loud"):
        gains_db("loud", [LOUD])
    with pytest.raises(ValueError, match="without a mixture"):
        gains_db(MIXTURE, [LOUD])
