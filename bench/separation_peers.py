"""The packages' own way of separating a song, with the same weights: what `bench/separation.py` compares with."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from separation.separators.base import Audio, Separator

Peer = Callable[[Audio], dict[str, Audio]]


def peer(separator: Separator, scratch: Path) -> Peer:
    """What separates as the package of `separator` does, model loaded where the package keeps it loaded."""
    return {"openunmix": _openunmix, "spleeter": _spleeter, "demucs": _demucs}[separator.spec.family](
        separator, scratch
    )


def _openunmix(separator: Any, scratch: Path) -> Peer:
    """`openunmix.predict.separate` with its separator at hand."""
    import torch
    from openunmix import predict

    def separate(mixture: Audio) -> dict[str, Audio]:
        with torch.no_grad():
            found = predict.separate(torch.from_numpy(mixture), rate=44_100, separator=separator._model)
        return {source: stem[0].numpy() for source, stem in found.items()}

    return separate


def _demucs(separator: Any, scratch: Path) -> Peer:
    """`demucs.api.Separator(shifts=0)`, the model from a file in the package's own layout."""
    import torch
    from demucs.api import Separator

    model = separator._models[0]
    args, kwargs = model._init_args_kwargs
    package = {"klass": type(model), "args": args, "kwargs": kwargs, "state": model.state_dict()}
    torch.save(package, scratch / "bench.th")
    own = Separator(model="bench", repo=scratch, device="cpu", shifts=0)

    def separate(mixture: Audio) -> dict[str, Audio]:
        torch.backends.mha.set_fastpath_enabled(True)  # as it is where nobody has changed it
        try:
            _, found = own.separate_tensor(torch.from_numpy(mixture), 44_100)
        finally:
            torch.backends.mha.set_fastpath_enabled(False)
        return {source: stem.numpy() for source, stem in found.items()}

    return separate


def _spleeter(separator: Any, scratch: Path) -> Peer:
    """The package's graph, built and filled anew at every call as its own `Separator` does.

    That one cannot be run itself: it needs TensorFlow's Estimator, which is gone since TensorFlow 2.16.
    """
    import tensorflow as tf
    from spleeter.model import EstimatorSpecBuilder, InputProviderFactory
    from spleeter.utils.configuration import load_configuration

    def separate(mixture: Audio) -> dict[str, Audio]:
        with tf.Graph().as_default(), warnings.catch_warnings(action="ignore"):
            tf.compat.v1.keras.backend.set_learning_phase(0)
            configuration = dict(load_configuration(separator.spec.key))
            features = InputProviderFactory.get(configuration).get_input_dict_placeholders()
            graph = EstimatorSpecBuilder(features, configuration).outputs
            outputs = {source: graph[source] for source in separator.spec.sources}  # without the caller's own label
            with tf.compat.v1.Session() as session:
                tf.compat.v1.train.Saver().restore(session, str(separator._weights.folder / "model"))
                found = session.run(outputs, {features["waveform"]: mixture.T})
        return {source: stem[: mixture.shape[1]].T for source, stem in found.items()}

    return separate
