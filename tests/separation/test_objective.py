"""Objective metrics: museval's own numbers, and what is said where they are not defined."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from audio.degradations import distort
from audio.synthesis import synthetic_song
from separation.bsseval import bss_eval, import_museval, memory_needed
from separation.objective import METRICS, SourceFigures, measure, method, si_sdr

RATE = 44_100
Audio = np.ndarray[Any, Any]


def noises(*names: str, seconds: float = 2.5) -> dict[str, Audio]:
    rng = np.random.default_rng(3)
    return {name: (0.1 * rng.standard_normal((2, round(seconds * RATE)))).astype(np.float32) for name in names}


def estimated(references: dict[str, Audio]) -> dict[str, Audio]:
    """What a system might make of it: another level, leakage, noise."""
    rng, mixture = np.random.default_rng(4), sum(references.values())
    return {
        name: (0.8 * references[name] + 0.1 * mixture + 0.01 * rng.standard_normal(mixture.shape)).astype(np.float32)
        for name in references
    }


def by_museval(references: dict[str, Audio], estimates: dict[str, Audio]) -> dict[str, Audio]:
    found = import_museval().evaluate([each.T for each in references.values()], [each.T for each in estimates.values()])
    return dict(zip(METRICS, found, strict=True))


def assert_as_museval(references: dict[str, Audio], estimates: dict[str, Audio]) -> None:
    theirs, ours = by_museval(references, estimates), measure(references, estimates)
    for name, rows in theirs.items():
        for source, row in zip(references, rows, strict=True):
            mine = np.array([np.nan if value is None else value for value in ours[source].frames[name]])
            defined = np.isfinite(row)
            assert np.array_equal(np.isfinite(mine), defined), (source, name)
            assert np.max(np.abs(mine - row)[defined], initial=0.0) <= 1e-6, (source, name)
            if defined.any():
                assert getattr(ours[source], name) == pytest.approx(np.median(row[defined]), abs=1e-6)


# ── museval's numbers ────────────────────────────────────────────────────────────────────────────────


def test_the_numbers_of_a_song_are_musevals() -> None:
    song = synthetic_song(3, 3.0)
    references = {source: song.stems[source] for source in ("vocals", "bass", "drums")}
    estimates = {
        source: (0.8 * stem + 0.05 * distort(stem, seed=number) + 0.1 * song.mixture).astype(np.float32)
        for number, (source, stem) in enumerate(references.items())
    }
    assert_as_museval(references, estimates)


def test_seconds_in_which_a_stem_is_silent_are_musevals_too() -> None:
    references = noises("vocals", "drums", seconds=3.0)
    references["vocals"][:, RATE : 2 * RATE] = 0.0
    assert_as_museval(references, estimated(references))
    found = measure(references, estimated(references))
    for figures in found.values():
        assert figures.frames["sdr"][1] is None and None not in (figures.frames["sdr"][0], figures.frames["sdr"][2])
        assert figures.notes == ["windows_left_out"]


def test_left_against_right_is_silence_for_museval() -> None:
    references = noises("vocals", "drums", seconds=2.0)
    references["vocals"][1, :RATE] = -references["vocals"][0, :RATE]
    assert_as_museval(references, estimated(references))


def test_less_than_a_second_is_one_window() -> None:
    references = noises("vocals", "drums", seconds=0.5)
    assert_as_museval(references, estimated(references))
    assert len(measure(references, estimated(references))["vocals"].frames["sdr"]) == 1


def test_mono_stems_are_measured() -> None:
    """Where both channels are equal, the equations of the filters have many solutions."""
    references = {name: np.repeat(stem[:1], 2, axis=0) for name, stem in noises("vocals", "drums", seconds=1.0).items()}
    found = measure(references, estimated(references))
    assert all(figures.sdr is not None and figures.si_sdr is not None for figures in found.values())


def test_memory_is_foreseen() -> None:
    """Measured: 4.8 GB for 240 s of four stereo sources, 2.6 GB for 100 s."""
    assert memory_needed(4, 240 * RATE) == pytest.approx(4.83e9 * 1.048, rel=0.1)
    assert memory_needed(4, 100 * RATE) == pytest.approx(2.65e9 * 1.048, rel=0.1)


# ── some of the sources ──────────────────────────────────────────────────────────────────────────────


def test_a_system_without_some_sources_has_the_figures_of_one_with_them() -> None:
    references = noises("vocals", "drums", "bass", seconds=1.5)
    estimates = estimated(references)
    every, some = measure(references, estimates), measure(references, {"drums": estimates["drums"]})
    assert list(some) == ["drums"]
    assert some["drums"].sir == pytest.approx(every["drums"].sir, abs=1e-6)


def test_a_silent_true_stem_is_left_out_and_said_so() -> None:
    references = noises("vocals", "drums", "bass", seconds=1.5)
    estimates = estimated(references)
    references["bass"][:] = 0.0
    found = measure(references, estimates)
    assert found["bass"] == SourceFigures(frames={name: [None] for name in METRICS}, notes=["reference_silent"])
    assert found["vocals"].notes == ["other_reference_silent"]
    rest = {name: stem for name, stem in references.items() if name != "bass"}
    assert found["vocals"].sdr == pytest.approx(measure(rest, {"vocals": estimates["vocals"]})["vocals"].sdr)


def test_a_silent_estimate_does_not_take_the_others_with_it() -> None:
    references = noises("vocals", "drums", seconds=1.5)
    estimates = estimated(references)
    whole = measure(references, estimates)
    estimates["drums"][:] = 0.0
    found = measure(references, estimates)
    assert found["drums"].notes == ["estimate_silent"] and found["drums"].si_sdr is None
    assert found["vocals"].sdr == pytest.approx(whole["vocals"].sdr)


def test_all_silent() -> None:
    silence = {"vocals": np.zeros((2, RATE), np.float32)}
    assert measure(silence, noises("vocals", seconds=1.0))["vocals"].notes == ["reference_silent"]


def test_without_another_source_there_is_no_interference() -> None:
    references = noises("vocals", seconds=1.5)
    found = measure(references, estimated(references))["vocals"]
    assert found.sir is None and found.frames["sir"] == [None] and found.notes == ["one_reference"]
    assert found.sdr is not None


def test_nothing_wrong_is_infinite_and_said_so() -> None:
    references = noises("vocals", "drums", seconds=1.0)
    found = measure(references, dict(references))["vocals"]
    assert found.si_sdr is None and "perfect" in found.notes


def test_very_clean_stems_are_told_from_others() -> None:
    song = synthetic_song(3, 1.5)
    references = {source: song.stems[source] for source in ("bass", "other")}
    estimates = {source: (stem + 0.1 * song.mixture).astype(np.float32) for source, stem in references.items()}
    assert "filters_wild" in measure(references, estimates)["bass"].notes
    noisy = noises("vocals", "drums", seconds=1.5)
    assert "filters_wild" not in measure(noisy, estimated(noisy))["vocals"].notes


# ── SI-SDR ───────────────────────────────────────────────────────────────────────────────────────────


def test_si_sdr_by_its_definition() -> None:
    references = noises("vocals", seconds=3.0)
    truth = references["vocals"].astype(np.float64)
    estimate = 0.5 * truth + 0.02 * np.random.default_rng(1).standard_normal(truth.shape)
    scale = np.sum(estimate * truth) / np.sum(truth**2)
    expected = 10 * np.log10(np.sum((scale * truth) ** 2) / np.sum((scale * truth - estimate) ** 2))
    assert si_sdr(truth, estimate) == pytest.approx(expected, abs=1e-9)
    assert si_sdr(truth, 7 * estimate) == pytest.approx(expected, abs=1e-9)


def test_si_sdr_at_its_edges() -> None:
    truth = noises("vocals", seconds=0.5)["vocals"]
    assert si_sdr(truth, truth) == float("inf")
    with pytest.raises(ValueError, match="silent"):
        si_sdr(np.zeros_like(truth), truth)
    with pytest.raises(ValueError, match="silent"):
        si_sdr(truth, np.zeros_like(truth))


# ── what cannot be measured, and the way there ───────────────────────────────────────────────────────


def test_bad_input() -> None:
    references = noises("vocals", "drums", seconds=1.0)
    with pytest.raises(ValueError, match="without a true stem"):
        measure(references, {"bass": references["vocals"]})
    with pytest.raises(ValueError, match="no estimate"):
        measure(references, {})
    with pytest.raises(ValueError, match="one shape"):
        measure(references, {"vocals": references["vocals"][:, :-1]})
    with pytest.raises(ValueError, match="silent"):
        bss_eval([np.zeros((2, RATE))], {0: references["vocals"]}, window=RATE)


def test_progress_never_falls_and_stops_the_work() -> None:
    references = noises("vocals", "drums", seconds=2.0)
    said: list[float] = []
    measure(references, estimated(references), progress=said.append)
    assert said == sorted(said) and said[-1] == 1.0 and len(said) >= 5

    class Stop(Exception):
        pass

    def stop(done: float) -> None:
        if done > 0.1:
            raise Stop

    with pytest.raises(Stop):
        measure(references, estimated(references), progress=stop)


def test_the_method_names_what_measured() -> None:
    made = method()
    assert made["window_seconds"] == 1.0 and made["filter_taps"] == 512
    assert made["packages"]["museval"].startswith("0.4")
