"""The physics of the equipment checks: what each ear gets, and what is left of it in the air."""

from __future__ import annotations

import numpy as np
import pytest

from audio.equipment_sounds import ANTIPHASE, HUGGINS, KINDS, SIDES, equipment_sound
from audio.excerpts import rms_db
from audio.loudness import integrated_loudness, true_peak
from audio.reading import Audio
from tests.factories import RATE

ANSWERS = {SIDES: ("left", "right"), ANTIPHASE: ("1", "2", "3"), HUGGINS: ("1", "2", "3")}
ITEMS = [(kind, answer) for kind in KINDS for answer in ANSWERS[kind]]


def intervals(sound: Audio) -> list[Audio]:
    """Three of a second each, half a second of silence between them."""
    pauses = [sound[:, round((1.0 + 1.5 * gap) * RATE) : round((1.5 + 1.5 * gap) * RATE)] for gap in range(2)]
    assert not any(pause.any() for pause in pauses)
    return [sound[:, round(1.5 * place * RATE) : round((1.5 * place + 1.0) * RATE)] for place in range(3)]


def in_the_air(sound: Audio) -> Audio:
    return sound.sum(axis=0, keepdims=True) / 2


@pytest.mark.parametrize(("kind", "answer"), ITEMS)
def test_all_sounds_of_a_kind_are_equally_long_and_about_as_loud_as_the_clips(kind: str, answer: str) -> None:
    sound = equipment_sound(kind, answer, [7])
    assert sound.dtype == np.float32
    assert {equipment_sound(kind, other, [8]).shape for other in ANSWERS[kind]} == {sound.shape}
    assert integrated_loudness(sound) == pytest.approx(-23.0, abs=1.0)
    assert true_peak(sound) < -6.0


@pytest.mark.parametrize(("kind", "answer"), ITEMS)
def test_no_sound_begins_or_ends_with_a_click(kind: str, answer: str) -> None:
    sound = equipment_sound(kind, answer, [7])
    assert not sound[:, 0].any()
    assert np.max(np.abs(sound[:, -2:])) < 1e-3


@pytest.mark.parametrize(("kind", "answer"), [(ANTIPHASE, "2"), (HUGGINS, "2")])
def test_the_seed_decides(kind: str, answer: str) -> None:
    sounds = [equipment_sound(kind, answer, seed).tobytes() for seed in ([1], [1], *([n] for n in range(2, 12)))]
    assert sounds[0] == sounds[1]
    assert len(set(sounds)) > 1


def test_a_side_is_silent_on_the_other_one() -> None:
    left, right = equipment_sound(SIDES, "left", [1]), equipment_sound(SIDES, "right", [1])
    assert rms_db(left[:1]) > -24.0 and not left[1].any()
    assert np.array_equal(left[0], right[1]) and not right[0].any()


@pytest.mark.parametrize("answer", ["1", "2", "3"])
@pytest.mark.parametrize("seed", range(6))
def test_one_tone_is_quieter_and_another_one_in_antiphase(answer: str, seed: int) -> None:
    tones = intervals(equipment_sound(ANTIPHASE, answer, [seed]))
    levels = [rms_db(tone) for tone in tones]
    loudest = max(levels)
    quieter = [place for place, level in enumerate(levels) if level < loudest - 1.0]
    assert quieter == [int(answer) - 1]
    assert levels[quieter[0]] == pytest.approx(loudest - 6.0, abs=0.01)
    cancelled = [place for place, tone in enumerate(tones) if not in_the_air(tone).any()]  # exactly silent in the air
    assert len(cancelled) == 1 and cancelled != quieter
    for place, tone in enumerate(tones):
        assert np.array_equal(tone[1], -tone[0] if place in cancelled else tone[0])


def test_both_other_tones_take_their_turn_in_antiphase() -> None:
    found = set()
    for seed in range(20):
        tones = intervals(equipment_sound(ANTIPHASE, "1", [seed]))
        found.add(next(place for place, tone in enumerate(tones) if not in_the_air(tone).any()))
    assert found == {1, 2}


def test_the_tones_are_pure_and_rise_and_fall_in_a_tenth_of_a_second() -> None:
    tone = max(intervals(equipment_sound(ANTIPHASE, "1", [1])), key=rms_db)[0]
    power = np.abs(np.fft.rfft(tone)) ** 2
    near = slice(200 - 15, 200 + 16)  # bins are 1 Hz apart
    assert np.argmax(power) == 200
    assert power[near].sum() / power.sum() > 0.99999
    envelope = np.abs(tone).reshape(-1, 441).max(axis=1)  # 10 ms each
    assert envelope[4] < 0.6 * envelope[50] < 0.7 * envelope[9]
    assert envelope[12] == pytest.approx(envelope[50], rel=0.01)


@pytest.mark.parametrize("answer", ["1", "2", "3"])
def test_the_pitch_lies_between_the_ears_and_in_neither_of_them(answer: str) -> None:
    noises = intervals(equipment_sound(HUGGINS, answer, [3]))
    band = slice(570, 631)
    for place, noise in enumerate(noises):
        left, right = np.fft.rfft(noise.astype(np.float64))
        between = np.real(left * np.conj(right))
        if place != int(answer) - 1:
            assert np.array_equal(noise[0], noise[1])
            continue
        powers = [(np.abs(ear[band]) ** 2).sum() for ear in (left, right)]
        assert powers[0] == pytest.approx(powers[1], rel=0.05)  # as strong in both ears; the ramps blur it a little
        assert between[band].sum() < -0.9 * (np.abs(left[band]) ** 2).sum()  # opposite inside the band
        outside = np.r_[20:540, 660:22_000]
        assert between[outside].sum() > 0.999 * (np.abs(left[outside]) ** 2).sum()  # and the same outside of it


def test_in_one_ear_alone_nothing_stands_out() -> None:
    """Averaged over many, the power in the band is that of the noise around it, in both ears."""
    shares = []
    for seed in range(20):
        target = intervals(equipment_sound(HUGGINS, "1", [seed]))[0].astype(np.float64)
        power = np.abs(np.fft.rfft(target)) ** 2
        shares.append(power[:, 564:637].mean(axis=1) / power[:, 300:1200].mean(axis=1))
    assert np.mean(shares, axis=0) == pytest.approx([1.0, 1.0], abs=0.1)


def test_all_noises_have_one_level() -> None:
    levels = [rms_db(noise[ear : ear + 1]) for noise in intervals(equipment_sound(HUGGINS, "2", [5])) for ear in (0, 1)]
    assert max(levels) - min(levels) < 0.2


@pytest.mark.parametrize(("kind", "answer"), [("sides", "1"), ("antiphase", "left"), ("huggins", "4"), ("level", "1")])
def test_what_is_no_item_is_refused(kind: str, answer: str) -> None:
    with pytest.raises(ValueError, match="no item"):
        equipment_sound(kind, answer, [1])
