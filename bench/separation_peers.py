"""The packages' own way of separating a song, with the same weights: what `bench/separation.py` compares with.

Each runs in a process of its own, as it does where nothing of this project is installed: what is changed here of
threads, kernels and memory helps or hinders no peer. The process is asked line by line over its standard input, and
tells how long the package itself has taken, its model loaded where the package keeps it loaded.

    python -m bench.separation_peers KEY     is that process; `STEMMOS_WEIGHTS` says where the weights are
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench import spleeter_package
from separation.separators import registry
from separation.separators.base import Audio, SeparatorSpec
from separation.separators.weights import WeightsSet, weights_of

ROOT = Path(__file__).resolve().parent.parent
Separate = Callable[[Audio], dict[str, Audio]]


@dataclass
class Peer:
    """A package at work in another process."""

    process: subprocess.Popen[str]
    scratch: Path

    def stems(self, mixture: Audio) -> dict[str, Audio]:
        """`[2, n]` by source."""
        self.seconds(mixture)
        return self.found()

    def found(self) -> dict[str, Audio]:
        """The stems of the last mixture."""
        with np.load(self.scratch / "stems.npz") as found:
            return {source: found[source] for source in found}

    def seconds(self, mixture: Audio) -> float:
        """That the package has taken for the whole of `mixture`, `[2, n]` at 44.1 kHz."""
        assert self.process.stdin and self.process.stdout
        np.save(self.scratch / "mixture.npy", mixture)
        print(self.scratch, file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the peer ended: {self.process.wait()}")
        return float(json.loads(answer)["seconds"])


@contextmanager
def peer(key: str, *, python: Path | None = None) -> Iterator[Peer]:
    """What separates as the package of `key` does.

    `python`: of an environment with the package as it is published, where this one cannot run it (`spleeter_package`).
    """
    ours = [sys.executable, "-W", "ignore", "-m", "bench.separation_peers", key]
    with _served(ours if python is None else spleeter_package.command(python, key)) as found:
        yield found


@contextmanager
def _served(command: Sequence[str]) -> Iterator[Peer]:
    with tempfile.TemporaryDirectory() as scratch:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        try:
            yield Peer(process, Path(scratch))
        finally:
            if process.stdin:
                process.stdin.close()
            process.wait()


# ── in the other process ─────────────────────────────────────────────────────────────────────────────────────────────


def serve(key: str) -> None:
    answers, sys.stdout = sys.stdout, sys.stderr  # packages print what they like
    spec = registry.spec(key)
    separate = PACKAGES[spec.family](spec, weights_of(spec))
    for line in sys.stdin:
        scratch = Path(line.rstrip("\n"))
        mixture = np.load(scratch / "mixture.npy")
        began = time.perf_counter()
        found = separate(mixture)
        seconds = time.perf_counter() - began
        np.savez(scratch / "stems.npz", **found)  # type: ignore[arg-type]
        print(json.dumps({"seconds": seconds}), file=answers, flush=True)


def _openunmix(spec: SeparatorSpec, weights: WeightsSet) -> Separate:
    """`openunmix.predict.separate` with its separator at hand."""
    import torch

    from separation.separators.openunmix import import_openunmix, loaded_model

    import_openunmix()
    from openunmix import predict

    model = loaded_model(spec, weights)

    def separate(mixture: Audio) -> dict[str, Audio]:
        with torch.no_grad():
            found = predict.separate(torch.from_numpy(mixture), rate=44_100, separator=model)
        return {source: stem[0].numpy() for source, stem in found.items()}

    return separate


def _demucs(spec: SeparatorSpec, weights: WeightsSet) -> Separate:
    """`demucs.api.Separator(shifts=0)`, the model from a file in the package's own layout."""
    import torch
    from demucs.api import Separator

    from separation.separators.demucs_loading import loaded_models

    device = "cuda" if torch.cuda.is_available() else "cpu"
    [model], _shares, _segment = loaded_models(spec, weights)
    args, kwargs = model._init_args_kwargs
    package = {"klass": type(model), "args": args, "kwargs": kwargs, "state": model.state_dict()}
    with tempfile.TemporaryDirectory() as scratch:
        torch.save(package, Path(scratch) / "bench.th")
        own = Separator(model="bench", repo=Path(scratch), device=device, shifts=0)

    def separate(mixture: Audio) -> dict[str, Audio]:
        _, found = own.separate_tensor(torch.from_numpy(mixture), 44_100)
        return {source: stem.cpu().numpy() for source, stem in found.items()}

    return separate


def _spleeter(spec: SeparatorSpec, weights: WeightsSet) -> Separate:
    """The package's graph, built and filled anew at every call as its own `Separator` does.

    That one needs TensorFlow's Estimator, which is gone since TensorFlow 2.16: `spleeter_package` runs it where the
    package's own requirements can be installed.
    """
    from separation.separators.spleeter import import_tensorflow

    tf = import_tensorflow()
    from spleeter.model import EstimatorSpecBuilder, InputProviderFactory
    from spleeter.utils.configuration import load_configuration

    def separate(mixture: Audio) -> dict[str, Audio]:
        with tf.Graph().as_default(), warnings.catch_warnings(action="ignore"):
            tf.compat.v1.keras.backend.set_learning_phase(0)
            configuration = dict(load_configuration(spec.key))
            features = InputProviderFactory.get(configuration).get_input_dict_placeholders()
            graph = EstimatorSpecBuilder(features, configuration).outputs
            outputs = {source: graph[source] for source in spec.sources}  # without the caller's own label
            with tf.compat.v1.Session() as session:
                tf.compat.v1.train.Saver().restore(session, str(weights.folder / "model"))
                found = session.run(outputs, {features["waveform"]: mixture.T})
        return {source: stem[: mixture.shape[1]].T for source, stem in found.items()}

    return separate


PACKAGES: dict[str, Callable[[SeparatorSpec, WeightsSet], Any]] = {
    "openunmix": _openunmix,
    "spleeter": _spleeter,
    "demucs": _demucs,
}


if __name__ == "__main__":
    os.environ.setdefault("STEMMOS_WEIGHTS_UNPINNED", "1")
    serve(sys.argv[1])
