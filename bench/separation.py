"""How fast and how small separation is, against the packages' own way, with the same full-size models and audio.

    python -m bench.separation                     every part, as tables (about an hour on two cores)
    python -m bench.separation --json              one JSON object and nothing else
    python -m bench.separation --write             put the tables into docs/performance.md
    python -m bench.separation --part spleeter     one part: htdemucs, gpu, job, spleeter, excerpts, exactness, memory

Each part runs in a process of its own, and so does every package; nothing else beside them. Spleeter is also run as it
is published, on its own TensorFlow, where that can be installed (`bench.spleeter_package`). Values of weights do not
change speed, so the models are those of `bench.full_size_weights`, made on the first run in `var/bench-weights` (or
`--weights DIR`). Songs are synthetic, with a fixed seed. Times are medians of alternating runs; a first run of each is
not counted.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from audio.synthesis import synthetic_song
from bench import spleeter_package
from bench.page import machine, tables_write
from bench.separation_peers import Peer, peer
from bench.separation_tables import tables
from separation.separators import registry
from separation.separators.base import SAMPLE_RATE, Audio, Separator, Span
from separation.separators.mixture import ArrayMixture

ROOT = Path(__file__).resolve().parent.parent
KEYS = {"openunmix": "umxhq", "spleeter": "spleeter:4stems", "demucs": "htdemucs"}
VARIANTS = ("umxhq", "umxl", "spleeter:4stems", "htdemucs")
SEED = 41
EXCERPT_SECONDS = 10
MEMORY_SECONDS = 30 * 60
MB = 2**20

Found = dict[str, Any]


def main() -> None:
    asked = _arguments()
    os.environ |= {"STEMMOS_WEIGHTS": str(asked.weights), "STEMMOS_WEIGHTS_UNPINNED": "1"}
    if asked.child:
        print(json.dumps((PARTS | CHILDREN)[asked.child](asked)))
        return
    _weights_made(asked.weights)
    found: Found = {"machine": machine()}
    for part in [asked.part] if asked.part else PARTS:
        found |= _in_child(part, asked)
    if asked.write:
        tables_write("separation", tables(found))
    print(json.dumps(found) if asked.json else tables(found))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/performance.md")
    parser.add_argument("--part", choices=PARTS, help="only this part")
    parser.add_argument("--songs", type=int, default=10, help="3-minute songs of the excerpts part (10)")
    parser.add_argument("--runs", type=int, default=3, help="runs that a median is taken of (3)")
    parser.add_argument("--weights", type=Path, default=ROOT / "var" / "bench-weights", help="where the models lie")
    parser.add_argument("--child", choices=[*PARTS, *CHILDREN], help=argparse.SUPPRESS)
    parser.add_argument("--key", help=argparse.SUPPRESS)
    return parser.parse_args()


def _weights_made(folder: Path) -> None:
    wanted = [v for v in VARIANTS if registry.available(v) is not None]
    if wanted:
        command = [sys.executable, "-m", "bench.full_size_weights", "--to", str(folder)]
        for variant in wanted:
            command += ["--variant", variant]
        subprocess.run(command, check=True, cwd=ROOT, stdout=sys.stderr)


def _in_child(part: str, asked: argparse.Namespace, *more: str) -> Found:
    command = [sys.executable, "-W", "ignore", "-m", "bench.separation", "--child", part, *more]
    command += ["--songs", str(asked.songs), "--runs", str(asked.runs), "--weights", str(asked.weights)]
    print(f"{time.strftime('%H:%M:%S')} {part} {' '.join(more)}", file=sys.stderr, flush=True)
    hidden = {} if part == "gpu" else {"CUDA_VISIBLE_DEVICES": ""}  # all other parts are about the processor
    done = subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=os.environ | hidden)
    answer: Found = json.loads(done.stdout.splitlines()[-1])
    return answer


# ── helpers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def song(seconds: float, seed: int = SEED) -> Audio:
    """Synthetic music, repeated: what is separated changes neither speed nor memory."""
    short = synthetic_song(seed, 30.0).mixture
    samples = round(seconds * SAMPLE_RATE)
    return np.ascontiguousarray(np.tile(short, -(-samples // short.shape[1]))[:, :samples])


def separated(separator: Separator, mixture: Audio, spans: list[Span]) -> dict[str, Audio]:
    """The spans of every stem, one after the other."""
    pieces: dict[str, list[Audio]] = {source: [] for source in separator.spec.sources}

    def keep(_start: int, stems: dict[str, Audio]) -> None:
        for source, stem in stems.items():
            pieces[source].append(stem)

    separator.run(ArrayMixture(mixture), spans, keep)
    return {source: np.concatenate(found, axis=1) for source, found in pieces.items()}


def whole(mixture: Audio) -> list[Span]:
    return [(0, mixture.shape[1])]


def timed(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def medians(runs: int, **works: Callable[[], float]) -> dict[str, float]:
    """Of the seconds that each gives, alternating, so that a machine that slows down slows them all."""
    times: dict[str, list[float]] = {name: [] for name in works}
    for run in range(runs + 1):
        for name, work in works.items():
            seconds = work()
            if run:
                times[name].append(seconds)
    return {name: round(median(found), 3) for name, found in times.items()}


def largest_difference(one: dict[str, Audio], other: dict[str, Audio]) -> float:
    return max(float(np.abs(one[source] - other[source]).max()) for source in one)


# ── parts ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def htdemucs(asked: argparse.Namespace) -> Found:
    """30 s: the package, exact and fast."""
    found = _htdemucs(asked)
    return found | {"htdemucs_cpu_speedup": found["htdemucs_speedup"]}


def gpu(asked: argparse.Namespace) -> Found:
    """The same on a GPU; nothing where there is none."""
    import torch

    if not torch.cuda.is_available():
        return {}
    return {"gpu": {"device": torch.cuda.get_device_name(0)} | _htdemucs(asked)}


def _htdemucs(asked: argparse.Namespace) -> Found:
    mixture = song(30)
    exact, fast = registry.get("htdemucs"), registry.get("htdemucs@fast")
    with peer("htdemucs") as package:
        s = medians(
            asked.runs,
            package=lambda: package.seconds(mixture),
            exact=lambda: timed(lambda: exact.separate(mixture)),
            fast=lambda: timed(lambda: fast.separate(mixture)),
        )
        reference = package.stems(mixture)
    found_exact, found_fast = exact.separate(mixture).stems, fast.separate(mixture)
    signal = sum(float(np.square(stem).sum()) for stem in found_exact.values())
    noise = sum(float(np.square(found_fast.stems[source] - stem).sum()) for source, stem in found_exact.items())
    return {
        "htdemucs_s": s,
        "htdemucs_speedup": round(s["package"] / s["fast"], 2),
        "htdemucs_exact_speedup": round(s["package"] / s["exact"], 2),
        "htdemucs_exact_difference": largest_difference(found_exact, reference),
        "htdemucs_fast": found_fast.ran.settings["fast"],
        "htdemucs_fast_snr_db": round(10 * np.log10(signal / noise), 1) if noise else None,
    }


def job(asked: argparse.Namespace) -> Found:
    """A whole job of 30 s (decode, separate, encode, store) against the forward passes of its windows alone."""
    with tempfile.TemporaryDirectory() as home:
        os.environ |= {"STEMMOS_HOME": home, "DJANGO_SETTINGS_MODULE": "config.settings"}
        import django

        django.setup()
        return _job_overhead(asked.runs)


def _job_overhead(runs: int) -> Found:
    import torch
    from django.core.files.base import ContentFile
    from django.core.management import call_command

    from audio.writing import encode_flac
    from separation.models import SeparationJob
    from separation.services.jobs import job_run, job_start
    from separation.services.songs import song_add

    call_command("migrate", verbosity=0)
    mixture = song(30)
    file = ContentFile(encode_flac(mixture)[0], name="bench.flac")
    separator: Any = registry.get("htdemucs")
    model = separator._models[0]
    windows = separator._windows((0, mixture.shape[1]), mixture.shape[1])
    window = torch.from_numpy(mixture[None, :, : separator._window])

    def forward() -> float:
        with torch.inference_mode():
            return timed(lambda: [model(window) for _ in windows])

    def whole_job() -> float:
        uploaded = song_add(file=file, title="bench")
        one = job_start(song=uploaded, separator="htdemucs")
        seconds = timed(lambda: job_run(one.pk))
        one.refresh_from_db()
        if one.state != SeparationJob.State.DONE:
            raise RuntimeError(f"the job ended as {one.state}: {one.error_code} {one.error_params}")
        uploaded.delete()  # else the next job would find these stems and have nothing to do
        return seconds

    s = medians(runs, forward=forward, job=whole_job)
    return {"job_s": s, "htdemucs_job_overhead": round(s["job"] / s["forward"] - 1, 4)}


def spleeter(asked: argparse.Namespace) -> Found:
    """A job of 10 s (an excerpt) and one of 30 s: the package's own `Separator`, its graph built per call, and ours."""
    key = KEYS["spleeter"]
    separator = registry.get(key)
    times: dict[str, dict[str, float]] = {}
    with peer(key) as rebuilt, published(key) as own:
        for seconds in (EXCERPT_SECONDS, 30):
            mixture = song(seconds)
            peers = {"rebuilt": rebuilt} | ({"separator": own} if own else {})
            works = {name: partial(one.seconds, mixture) for name, one in peers.items()}
            times[str(seconds)] = medians(
                asked.runs, **works, ours=partial(timed, partial(separator.separate, mixture))
            )
        ours = separator.separate(mixture).stems
        differences = {name: largest_difference(ours, one.stems(mixture)) for name, one in peers.items()}
    against = "separator" if own else "rebuilt"
    ratio = {seconds: round(s[against] / s["ours"], 1) for seconds, s in times.items()}
    return {
        "spleeter_s": times,
        "spleeter_against": against,
        "spleeter_speedup": ratio[str(EXCERPT_SECONDS)],
        "spleeter_speedup_30s": ratio["30"],
        "spleeter_difference": differences,
    }


@contextmanager
def published(key: str) -> Iterator[Peer | None]:
    """Spleeter as it is published; None where its own requirements cannot be installed."""
    python = spleeter_package.environment()
    if python is None:
        yield None
        return
    with peer(key, python=python) as found:
        yield found


@contextmanager
def package_of(family: str) -> Iterator[Peer]:
    """The package's own way, as near to what is published as can be had here."""
    key = KEYS[family]
    with published(key) if family == "spleeter" else nullcontext() as own:
        if own:
            yield own
            return
        with peer(key) as found:
            yield found


def excerpts(asked: argparse.Namespace) -> Found:
    """Two excerpts of 10 s of each 3-minute song, by three systems, against separating the songs."""
    totals = {family: {"package": 0.0, "ours": 0.0} for family in KEYS}
    differences = dict.fromkeys(KEYS, 0.0)
    for family, key in KEYS.items():
        separator = registry.get(key)
        separated(separator, song(1), whole(song(1)))  # what only the first run of a process costs, on both sides
        with package_of(family) as package:
            package.seconds(song(1))
            for number in range(asked.songs):
                mixture, spans = song(180, SEED + number), _excerpts(number)
                began = time.perf_counter()
                ours = separated(separator, mixture, spans)
                totals[family]["ours"] += time.perf_counter() - began
                totals[family]["package"] += package.seconds(mixture)
                stems = package.found()
                cut = {s: np.concatenate([stem[:, a:b] for a, b in spans], axis=1) for s, stem in stems.items()}
                differences[family] = max(differences[family], largest_difference(ours, cut))
    rounded = {family: {name: round(value, 1) for name, value in of.items()} for family, of in totals.items()}
    both = {name: sum(of[name] for of in totals.values()) for name in ("package", "ours")}
    return {
        "excerpts_s": rounded,
        "excerpts_songs": asked.songs,
        "excerpts_speedup": round(both["package"] / both["ours"], 2),
        "excerpts_difference": differences,
    }


def _excerpts(number: int) -> list[Span]:
    """Two of a song, at places that differ from song to song."""
    starts = np.random.default_rng([SEED, number]).integers(0, 80 * SAMPLE_RATE, size=2) + [0, 90 * SAMPLE_RATE]
    return [(int(start), int(start) + EXCERPT_SECONDS * SAMPLE_RATE) for start in starts]


def exactness(asked: argparse.Namespace) -> Found:
    """Excerpts alone against the cut from the package's separation of the whole song: the largest difference."""
    mixture = song(60)
    samples = mixture.shape[1]
    places: dict[str, Span] = {
        "start": (0, 10 * SAMPLE_RATE),
        "middle": (1_100_003, 1_100_003 + 10 * SAMPLE_RATE),
        "end": (samples - 10 * SAMPLE_RATE, samples),
        "across a block border": (512 * 1024 - 66_150, 512 * 1024 + 66_150),
        "0.1 s": (700_001, 704_411),
    }
    found: dict[str, dict[str, Any]] = {}
    for key in KEYS.values():
        separator = registry.get(key)
        with peer(key) as package:
            expected = package.stems(mixture)
        rows = {
            name: largest_difference(
                separated(separator, mixture, [span]), {s: stem[:, span[0] : span[1]] for s, stem in expected.items()}
            )
            for name, span in places.items()
        }
        rows["whole song"] = largest_difference(separated(separator, mixture, whole(mixture)), expected)
        found[key] = {**rows, "way": separator.run(ArrayMixture(mixture), [places["0.1 s"]], lambda *_: None).way}
    return {"exactness": found}


def memory(asked: argparse.Namespace) -> Found:
    """Peak memory of a process for half a minute and for half an hour, for each family and the largest Open-Unmix."""
    peaks = {}
    for key in (*KEYS.values(), "umxl"):
        found = _in_child("memory_of", asked, "--key", key)
        peaks[key] = found
    return {
        "peak_mb": {family: peaks[key]["long"] for family, key in KEYS.items()},
        "peak_mb_umxl": peaks["umxl"]["long"],
        "peak_mb_30_s": {key: peak["short"] for key, peak in peaks.items()},
    }


class Tiled:
    """Half an hour of music that is never in memory: a `Mixture` like a file."""

    def __init__(self, seconds: float) -> None:
        self._short = song(30)
        self.samples = round(seconds * SAMPLE_RATE)

    def read(self, start: int, end: int) -> Audio:
        return np.ascontiguousarray(self._short[:, np.arange(start, end) % self._short.shape[1]])


def memory_of(asked: argparse.Namespace) -> Found:
    separator = registry.get(asked.key)
    peaks = []
    for seconds in (30, MEMORY_SECONDS):
        mixture = Tiled(seconds)
        separator.run(mixture, [(0, mixture.samples)], lambda *_: None)
        peaks.append(round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))
    return {"short": peaks[0], "long": peaks[1]}


PARTS: dict[str, Callable[[argparse.Namespace], Found]] = {
    "htdemucs": htdemucs,
    "gpu": gpu,
    "job": job,
    "spleeter": spleeter,
    "excerpts": excerpts,
    "exactness": exactness,
    "memory": memory,
}

CHILDREN = {"memory_of": memory_of}


if __name__ == "__main__":
    main()
