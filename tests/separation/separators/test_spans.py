"""A part of a song is separated without the song, and is what it would be in the song."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from audio.synthesis import synthetic_song
from separation.separators import demucs, demucs_precision, registry
from separation.separators.base import Audio, BadMixture, Separation, Separator, SeparatorSpec, Span
from separation.separators.mixture import ArrayMixture, CheckedMixture
from separation.separators.weights import weights_of
from tests.separation.fake import FakeSeparator

KEYS = ["umx:demo", "spleeter:demo", "htdemucs:demo"]
SECONDS = 16.0
N = round(SECONDS * 44_100)
BLOCK = 128 * 1024  # samples of a block of Spleeter's demo model
WIENER = 300 * 1024  # and of a window of Open-Unmix's filter
PLACES: dict[str, list[Span]] = {
    "start": [(0, 88_200)],
    "middle": [(200_003, 290_001)],
    "end": [(N - 70_000, N)],
    "last sample": [(N - 1, N)],
    "across a block border": [(2 * BLOCK - 3_000, 2 * BLOCK + 5_000)],
    "across a filter's border": [(WIENER - 3_000, WIENER + 5_000)],
    "shorter than a frame": [(300_000, 300_100)],
    "several": [(1_000, 45_000), (45_000, 60_000), (400_000, 500_000)],
    "whole": [(0, N)],
}


@pytest.fixture(scope="module")
def mixture() -> Audio:
    return synthetic_song(61, SECONDS).mixture


@pytest.fixture(scope="module")
def wholes(mixture: Audio) -> dict[str, Separation]:
    return {key: registry.get(key).separate(mixture) for key in KEYS}


def separated(separator: Separator, mixture: Audio, spans: list[Span]) -> dict[str, Audio]:
    """The spans of every stem one after the other; the pieces must come in order, without gap or overlap."""
    pieces: dict[str, list[Audio]] = {source: [] for source in separator.spec.sources}
    starts: list[Span] = []

    def keep(start: int, stems: dict[str, Audio]) -> None:
        assert list(stems) == list(separator.spec.sources)
        for source, stem in stems.items():
            assert stem.dtype == np.float32
            pieces[source].append(stem)
        starts.append((start, start + stem.shape[1]))

    separator.run(ArrayMixture(mixture), spans, keep)
    covered = [sample for start, end in starts for sample in (start, end)]
    wanted = [sample for start, end in spans for sample in (start, end)]
    assert covered == sorted(covered)
    assert set(wanted) <= set(covered)
    assert sum(end - start for start, end in starts) == sum(end - start for start, end in spans)
    return {source: np.concatenate(found, axis=1) for source, found in pieces.items()}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("key", KEYS)
def test_a_part_is_the_cut_from_the_whole(key: str, place: str, mixture: Audio, wholes: dict[str, Separation]) -> None:
    spans = PLACES[place]
    found = separated(registry.get(key), mixture, spans)
    for source, stem in wholes[key].stems.items():
        expected = np.concatenate([stem[:, start:end] for start, end in spans], axis=1)
        assert np.abs(found[source] - expected).max() < 1e-6


@pytest.mark.parametrize("key", KEYS)
def test_the_record_says_which_way_was_taken(key: str, mixture: Audio, wholes: dict[str, Separation]) -> None:
    part = registry.get(key).run(ArrayMixture(mixture), [(0, 4_410)], lambda *_: None)
    assert wholes[key].ran.way == "whole"
    assert part.way == {"umx": "recurrent", "spleeter": "blocks", "htdemucs": "windows"}[key.partition(":")[0]]
    assert part.precision == "exact"


@pytest.mark.parametrize("key", KEYS)
def test_progress_rises_in_small_steps(key: str, mixture: Audio) -> None:
    told: list[float] = []
    registry.get(key).run(ArrayMixture(mixture), [(0, N)], lambda *_: None, told.append)
    assert told == sorted(told)
    assert told[0] == 0.0
    assert told[-1] == 1.0
    assert max(np.diff(told)) < 0.75


class Cancelled(Exception):
    pass


@pytest.mark.parametrize("key", KEYS)
def test_progress_can_stop_it_at_once_and_the_next_run_is_whole(
    key: str, mixture: Audio, wholes: dict[str, Separation]
) -> None:
    def stop(done: float) -> None:
        if done > 0.2:
            raise Cancelled

    with pytest.raises(Cancelled):
        registry.get(key).run(ArrayMixture(mixture), [(0, N)], lambda *_: None, stop)
    again = separated(registry.get(key), mixture, PLACES["middle"])
    start, end = PLACES["middle"][0]
    for source, stem in wholes[key].stems.items():
        assert np.abs(again[source] - stem[:, start:end]).max() < 1e-6


@pytest.mark.parametrize("spans", [[], [(5, 5)], [(0, N + 1)], [(100, 200), (150, 300)], [(300, 400), (0, 100)]])
def test_spans_that_are_none_are_refused(spans: list[Span], mixture: Audio) -> None:
    with pytest.raises(ValueError, match="spans"):
        registry.get("spleeter:demo").run(ArrayMixture(mixture), spans, lambda *_: None)


def test_a_piece_that_is_no_sound_is_refused_wherever_it_lies(mixture: Audio) -> None:
    broken = mixture.copy()
    broken[1, 400_000] = np.nan
    with pytest.raises(BadMixture, match="NaN"):
        registry.get("spleeter:demo").run(ArrayMixture(broken), [(390_000, 410_000)], lambda *_: None)


def test_a_separator_that_knows_only_whole_songs_gives_parts_too(mixture: Audio) -> None:
    own = FakeSeparator(registry.spec("umx:demo"))
    found = separated(own, mixture, PLACES["several"])
    expected = np.concatenate([mixture[:, start:end] * np.float32(0.4) for start, end in PLACES["several"]], axis=1)
    assert np.array_equal(found["vocals"], expected)


# ── a song that is mirrored and padded ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("start", "end"), [(-2_048, 2_048), (-5, 9_000), (7_000, 10_000), (-2_000, 10_000), (3, 4)])
def test_mirrored_pieces_are_those_of_the_mirrored_song(start: int, end: int) -> None:
    song = np.random.default_rng(3).standard_normal((2, 8_000)).astype(np.float32)
    all_of_it = np.pad(song, ((0, 0), (4_000, 4_000)), mode="reflect")
    found = CheckedMixture(ArrayMixture(song)).reflected(start, end)
    assert np.array_equal(found, all_of_it[:, start + 4_000 : end + 4_000])


# ── bags of models, and fast precision ───────────────────────────────────────────────────────────────────────────────


def _small_models(kind: str) -> list[Any]:
    import torch
    from demucs.demucs import Demucs
    from demucs.hdemucs import HDemucs

    torch.manual_seed(5)
    sources = ["drums", "bass", "other", "vocals"]
    made = {
        "hybrid": lambda: HDemucs(sources, channels=4, growth=2, nfft=1024, depth=4, hybrid_old=False, segment=4),
        "time": lambda: Demucs(sources, channels=4, segment=4, depth=4),
    }
    return [made[kind]().eval() for _ in range(2)]


@pytest.mark.parametrize("shares", [None, [[1.0, 0.0, 0.5, 0.0], [0.0, 1.0, 0.5, 1.0]]])
@pytest.mark.parametrize("kind", ["hybrid", "time"])
def test_a_bag_gives_what_the_package_makes_of_it(
    kind: str, shares: list[list[float]] | None, mixture: Audio, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch
    from demucs.apply import BagOfModels, apply_model

    models = _small_models(kind)
    monkeypatch.setattr(demucs, "loaded_models", lambda spec, weights: (models, shares, 4.0))
    spec = registry.spec("htdemucs:demo")
    found = demucs.DemucsSeparator(spec, weights_of(spec)).separate(mixture).stems
    wave = torch.from_numpy(mixture)
    mono = wave.mean(0)
    normal = (wave - mono.mean()) / (mono.std() + 1e-8)
    with torch.no_grad():
        stems = apply_model(BagOfModels(models, shares, 4), normal[None], shifts=0, split=True)[0]
    stems = stems * (mono.std() + 1e-8) + mono.mean()
    for source, stem in zip(models[0].sources, stems, strict=True):
        assert np.abs(found[source] - stem.numpy()).max() < 1e-5


def test_fast_precision_is_close_and_says_how_close(mixture: Audio, wholes: dict[str, Separation]) -> None:
    fast = registry.get("htdemucs:demo@fast").separate(mixture[:, :220_500])
    exact = registry.get("htdemucs:demo").separate(mixture[:, :220_500])
    noise = sum(float(np.square(stem - exact.stems[source]).sum()) for source, stem in fast.stems.items())
    signal = sum(float(np.square(stem).sum()) for stem in exact.stems.values())
    assert 10 * np.log10(signal / noise) > 40.0
    assert fast.ran.precision == "fast"
    assert fast.ran.settings["fast"] in {"int8 transformer", "bfloat16"}
    assert fast.ran.settings["fast_snr_db"] > 40.0
    assert "fast" not in exact.ran.settings


def test_fast_forms_that_are_wrong_on_this_machine_are_passed_over(
    mixture: Audio, wholes: dict[str, Separation], monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    wrong = demucs_precision.FastForm(
        "wrong", [], lambda _place, batch: torch.zeros_like(batch)[:, None].expand(-1, 4, -1, -1)
    )
    monkeypatch.setattr(demucs_precision, "_forms", lambda _models, _device: iter([wrong]))
    monkeypatch.setattr(registry, "_loaded", {})
    fast = registry.get("htdemucs:demo@fast").separate(mixture)
    for source, stem in wholes["htdemucs:demo"].stems.items():
        np.testing.assert_allclose(fast.stems[source], stem, rtol=0, atol=1e-6)
    assert fast.ran.settings["fast"] == "float32"
    assert "fast_snr_db" not in fast.ran.settings  # JSON knows no infinity
    assert registry.get("htdemucs:demo@fast").identity() == registry.get("htdemucs:demo").identity()  # no work twice


def test_how_close_fast_precision_is_is_asked_of_what_sounds_and_again_of_a_long_song(
    mixture: Audio, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told(song: Audio) -> float:
        return float(registry.get("htdemucs:demo@fast").separate(song).ran.settings["fast_snr_db"])

    music = mixture[:, :220_500]
    monkeypatch.setattr(registry, "_loaded", {})
    of_music = told(music)
    monkeypatch.setattr(registry, "_loaded", {})
    assert abs(told(np.concatenate([np.zeros_like(music), music], axis=1)) - of_music) < 12.0
    seen: list[Any] = []
    monkeypatch.setattr(demucs_precision, "snr_db", lambda exact, fast: seen.append(exact) or 50.0)
    told(music)
    assert not seen
    assert told(np.tile(music, 7)) == 50.0
    assert len(seen) == 1


def test_exact_and_fast_are_different_work() -> None:
    exact, fast = (registry.get(key).identity() for key in ("htdemucs:demo", "htdemucs:demo@fast"))
    assert exact != fast
    assert exact["weights"] == fast["weights"]


def test_other_families_have_no_fast_precision() -> None:
    with pytest.raises(registry.UnknownSeparator):
        registry.spec("umx:demo@fast")


def test_a_fast_key_is_not_listed_but_known() -> None:
    spec: SeparatorSpec = registry.spec("htdemucs@fast")
    assert spec.key not in [one.key for one in registry.all_specs()]
    assert dataclasses.replace(spec, key="htdemucs", name="HTDemucs", precision="exact") == registry.spec("htdemucs")
