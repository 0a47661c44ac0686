"""What the bytes of a clip tell before it is heard, and what each way of hiding it costs.

    python -m bench.blindness [--songs 6] [--json FILE]

Songs of the project's own are "separated" by six made-up systems that differ as real ones do (one of them without
treble, as Spleeter is above 11 kHz; one leaky, one with artefacts …), cut and encoded as clips are. For each way of
sending, a listener takes what can be had without decoding the sound (size, non-zero bytes, where zeros end, how far
the file can be packed, its histogram of bytes, sizes of FLAC frames where there are any) and is asked whether two
clips of different excerpts share a system. The area under the ROC curve is 0.5 by chance; beside it stands the 95 %
range of 200 draws in which the systems were exchanged at random within each excerpt.
"""

from __future__ import annotations

import argparse
import io
import json
import zlib
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
from scipy import signal
from scipy.stats import rankdata

from audio.degradations import MIDDLE, distort
from audio.excerpts import cut
from audio.reading import SAMPLE_RATE, Audio
from audio.synthesis import SOURCES, synthetic_song
from listening_test.sealing import sealed, sealed_size
from listening_test.stimulus import common_size, padded, stimulus

FIRST_SONG, START, SECONDS = 300, 1.0, 10.0
DRAWS = 200

Files = dict[tuple[int, str, str], bytes]  # (song, source, system)
Features = npt.NDArray[np.float64]


def below(hertz: float) -> Callable[[Audio, Audio], Audio]:
    sections = signal.butter(8, hertz, fs=SAMPLE_RATE, output="sos")
    return lambda alone, others: np.asarray(signal.sosfilt(sections, alone), dtype=np.float32)


SYSTEMS: dict[str, Callable[[Audio, Audio], Audio]] = {
    "true": lambda alone, others: alone,
    "leaky": lambda alone, others: np.asarray(alone + 0.2 * others, dtype=np.float32),
    "below 11 kHz": below(11_025.0),
    "below 16 kHz": below(16_000.0),
    "artefacts": lambda alone, others: distort(alone, seed=1, how=MIDDLE),
    "mono": lambda alone, others: np.broadcast_to(alone.mean(axis=0, dtype=np.float32), alone.shape).copy(),
}


def clips(songs: int) -> Files:
    """The FLAC files of all clips, as small as FLAC makes them."""
    made: Files = {}
    for number in range(songs):
        song = synthetic_song(FIRST_SONG + number, START + SECONDS + 0.5)
        stems = {source: cut(stem, START, START + SECONDS) for source, stem in song.stems.items()}
        for source in SOURCES:
            others = np.sum([stem for each, stem in stems.items() if each != source], axis=0, dtype=np.float32)
            for order, (system, spoil) in enumerate(SYSTEMS.items()):
                made[number, source, system] = stimulus(spoil(stems[source], others), seed=[number, order]).data
    return made


# ── Ways of sending ─────────────────────────────────────────────────────────────────────────────────────────────────


def as_they_are(files: Files) -> Files:
    return files


def padded_by_excerpt(files: Files) -> Files:
    """A PADDING block up to the largest file of the excerpt: what was done before."""
    sizes = {song: common_size(data for key, data in files.items() if key[0] == song) for song, _, _ in files}
    return {key: padded(data, sizes[key[0]]) for key, data in files.items()}


def wave(files: Files) -> Files:
    """WAV: the samples as they are, 44 bytes before them. FLAC with verbatim frames differs by its frame headers."""
    made = {}
    for key, data in files.items():
        samples, rate = soundfile.read(io.BytesIO(data), dtype="int16")
        out = io.BytesIO()
        soundfile.write(out, samples, rate, format="WAV", subtype="PCM_16")
        made[key] = out.getvalue()
    return made


def sealed_to_one_size(files: Files) -> Files:
    size = max(sealed_size(len(data)) for data in files.values())
    return {key: sealed(data, name="/".join(map(str, key)), size=size) for key, data in files.items()}


WAYS = {
    "FLAC as it is": as_they_are,
    "FLAC padded by excerpt": padded_by_excerpt,
    "WAV, or FLAC in verbatim frames": wave,
    "FLAC sealed to one size": sealed_to_one_size,
}


# ── What is taken from the bytes ────────────────────────────────────────────────────────────────────────────────────


def features(data: bytes) -> list[float]:
    raw = np.frombuffer(data, np.uint8)
    histogram = np.bincount(raw, minlength=256) / raw.size
    present = histogram[histogram > 0]
    used = np.flatnonzero(raw)
    gaps = np.diff(frames(raw))
    return [
        float(raw.size),
        float(np.count_nonzero(raw)),
        float(used[-1]),
        float(len(zlib.compress(data, 1))) / raw.size,
        float(-(present * np.log2(present)).sum()),
        *(float(each) for each in np.sort(histogram)[[0, 64, 128, 192, 255]]),
        float(histogram[0]),
        float(gaps.mean()) if gaps.size else 0.0,
        float(gaps.std()) if gaps.size else 0.0,
    ]


def frames(raw: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """Where FLAC frames seem to begin (RFC 9639, section 9.1: 15 bits of sync code, fixed block size)."""
    return np.flatnonzero((raw[:-3] == 0xFF) & (raw[1:-2] == 0xF8) & (raw[2:-1] == 0xC9))


def measured(files: Files, rng: np.random.Generator) -> dict[str, float]:
    """The best single feature's AUC for "two clips share a system", and what chance reaches."""
    keys = sorted(files)
    table = np.array([features(files[key]) for key in keys])
    pairs = [
        (i, j) for i, j in combinations(range(len(keys)), 2) if keys[i][0] != keys[j][0] and keys[i][1] == keys[j][1]
    ]
    first, second = np.array(pairs).T
    near = -np.abs(_within_song(table, keys)[first] - _within_song(table, keys)[second])
    ranks = np.apply_along_axis(rankdata, 0, near)
    systems = np.array([list(SYSTEMS).index(key[2]) for key in keys])
    truth = _best(ranks, systems[first] == systems[second])
    draws = [
        _best(ranks, drawn[first] == drawn[second]) for drawn in (_exchanged(systems, keys, rng) for _ in range(DRAWS))
    ]
    low, high = np.quantile(draws, [0.0, 0.95])
    sizes = [len(data) for data in files.values()]
    p = (1 + sum(draw >= truth for draw in draws)) / (1 + DRAWS)
    return {
        "auc": truth,
        "chance_95": high,
        "chance_least": low,
        "p": p,
        "mean_bytes": float(np.mean(sizes)),
        "sizes": float(len(set(sizes))),
    }


def _within_song(table: Features, keys: list[tuple[int, str, str]]) -> Features:
    """Each feature as a rank among the clips of its song and source: what differs from song to song is gone."""
    out = np.zeros_like(table)
    groups = {(song, source) for song, source, _system in keys}
    for group in groups:
        rows = [number for number, key in enumerate(keys) if key[:2] == group]
        out[rows] = np.apply_along_axis(rankdata, 0, table[rows])
    return out


def _best(ranks: Features, same: npt.NDArray[np.bool_]) -> float:
    ones = int(same.sum())
    auc = (ranks[same].sum(axis=0) - ones * (ones + 1) / 2) / (ones * (same.size - ones))
    return float(np.max(auc))


def _exchanged(
    systems: npt.NDArray[np.int64], keys: list[tuple[int, str, str]], rng: np.random.Generator
) -> npt.NDArray[np.int64]:
    out = systems.copy()
    for group in {key[:2] for key in keys}:
        rows = [number for number, key in enumerate(keys) if key[:2] == group]
        out[rows] = rng.permutation(systems[rows])
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--songs", type=int, default=6)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    files, rng = clips(arguments.songs), np.random.default_rng(1)
    found = {name: measured(way(files), rng) for name, way in WAYS.items()}
    print(f"{len(files)} clips of {SECONDS:g} s, {len(SYSTEMS)} systems: do two of them share a system?")
    print(f"{'way of sending':34}{'best AUC':>9}{'by chance':>11}{'p':>8}{'kB/clip':>9}{'sizes':>7}")
    for name, one in found.items():
        line = f"{name:34}{one['auc']:9.3f}{'< ' + format(one['chance_95'], '.3f'):>11}{one['p']:8.3f}"
        print(line + f"{one['mean_bytes'] / 1000:9.0f}{one['sizes']:7.0f}")
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
