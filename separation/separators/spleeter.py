"""Spleeter (package `spleeter`): a U-Net for each source gives ratio masks on the mixture's spectrogram.

The package's own `Separator` needs TensorFlow's Estimator, which is gone, and reloads the weights at every call. Here
its `EstimatorSpecBuilder` builds its prediction graph once, and the graph is kept in a session. The networks see
blocks of `T` frames one by one, so the graph is run in groups of blocks, with the same result in bounded memory.
"""

from __future__ import annotations

import os
import warnings
from typing import Any

import numpy as np

from separation.separators.base import Audio, Progress, SeparatorSpec
from separation.separators.packaged import PackagedSeparator
from separation.separators.weights import WeightsSet

GROUP = 2048
"""Frames that the networks see at once, rounded down to whole blocks: about 48 s."""

CHECKPOINT = "model"
"""The prefix of the checkpoint's files."""


def import_tensorflow() -> Any:
    """TensorFlow with Keras 2: Spleeter's layers need it, and TensorFlow reads the choice when it is imported."""
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import tensorflow

    tensorflow.get_logger().setLevel("ERROR")
    return tensorflow


class SpleeterSeparator(PackagedSeparator):
    """One of the Spleeter models."""

    package = "spleeter"

    def _load(self) -> str:
        tf = import_tensorflow()
        with tf.Graph().as_default() as graph:
            configuration = _configuration(self.spec, self._weights)
            self._block = int(configuration["T"])  # frames that the networks see as one picture
            self._builder, self._waveform = _prediction_graph(tf, configuration)
            self._session = tf.compat.v1.Session(graph=graph, config=_session_settings(tf))
            _restore(tf, self._session, self._weights)
        return _described_device(tf)

    def _stems(self, mixture: Audio, progress: Progress) -> dict[str, Audio]:
        wave = np.ascontiguousarray(mixture.T)
        spectrum = self._session.run(self._builder.stft_feature, {self._waveform: wave})
        masked = self._masked(spectrum, progress)
        stems = {}
        for place, source in enumerate(self.spec.sources):
            feed = {self._waveform: wave, self._builder.masked_stfts[source]: masked[source]}
            stem = self._session.run(self._builder.outputs[source], feed)
            stems[source] = _of_length(np.asarray(stem, dtype=np.float32).T, len(wave))
            progress(0.7 + 0.3 * (place + 1) / len(self.spec.sources))
        return stems

    def _masked(self, spectrum: Any, progress: Progress) -> dict[str, Any]:
        """The masked spectra `[frames, bins, 2]` of every source, group by group."""
        group = max(1, GROUP // self._block) * self._block
        masked = {source: np.empty_like(spectrum) for source in self.spec.sources}
        wanted = {source: self._builder.masked_stfts[source] for source in self.spec.sources}
        for start in range(0, len(spectrum), group):
            frames = slice(start, start + group)
            found = self._session.run(wanted, {self._builder.stft_feature: spectrum[frames]})
            for source, values in found.items():
                masked[source][frames] = values
            progress(0.7 * min(1.0, (start + group) / len(spectrum)))
        return masked


def _configuration(spec: SeparatorSpec, weights: WeightsSet) -> dict[str, Any]:
    """The folder's own `configuration.json`, else the package's for the published name (`spleeter:4stems`)."""
    from spleeter.utils.configuration import load_configuration

    own = weights.folder / "configuration.json"
    named = any(file.name == own.name for file in weights.files)
    return dict(load_configuration(str(own) if named else spec.key))


def _prediction_graph(tf: Any, configuration: dict[str, Any]) -> tuple[Any, Any]:
    """The package's builder, its whole graph built, and the placeholder of the waveform `[samples, 2]`."""
    from spleeter.model import EstimatorSpecBuilder, InputProviderFactory

    with warnings.catch_warnings(action="ignore"):  # deprecated, like the graphs themselves
        tf.compat.v1.keras.backend.set_learning_phase(0)
    provider = InputProviderFactory.get(configuration)  # type: ignore[no-untyped-call]
    features = provider.get_input_dict_placeholders()
    waveform = features["waveform"]
    builder = EstimatorSpecBuilder(features, configuration)
    _ = builder.outputs  # a property that builds the graph
    return builder, waveform


def _session_settings(tf: Any) -> Any:
    settings = tf.compat.v1.ConfigProto()
    settings.gpu_options.allow_growth = True
    return settings


def _restore(tf: Any, session: Any, weights: WeightsSet) -> None:
    """Fill the graph of the current session, only from a checkpoint that holds exactly its variables."""
    prefix = str(weights.folder / CHECKPOINT)
    variables = tf.compat.v1.global_variables()
    index = f"{CHECKPOINT}.index"
    try:
        found = _in_checkpoint(tf, prefix)
        expected = {v.op.name: (v.dtype.base_dtype.name, v.shape.as_list()) for v in variables}
        if found != expected:
            raise ValueError(_difference(found, expected))
        tf.compat.v1.train.Saver(variables).restore(session, prefix)
    except Exception as error:  # whatever a damaged or foreign file makes TensorFlow raise
        session.close()
        raise weights.unloadable(index, error) from error


def _in_checkpoint(tf: Any, prefix: str) -> dict[str, tuple[str, list[int]]]:
    """Type and shape of every variable in a checkpoint but the step counter, by name."""
    reader = tf.train.load_checkpoint(prefix)
    types, shapes = reader.get_variable_to_dtype_map(), reader.get_variable_to_shape_map()
    return {name: (types[name].name, shape) for name, shape in shapes.items() if name != "global_step"}


def _difference(found: dict[str, Any], expected: dict[str, Any]) -> str:
    wrong = sorted(name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name))
    return f"{len(wrong)} of the model's variables are missing, foreign or of another shape, {wrong[0]} among them"


def _of_length(stem: Audio, samples: int) -> Audio:
    """The stem cropped, or padded with silence, to the mixture's length."""
    cropped = stem[:, :samples]
    return np.ascontiguousarray(np.pad(cropped, ((0, 0), (0, samples - cropped.shape[1]))))


def _described_device(tf: Any) -> str:
    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return "cpu"
    return f"gpu:0 ({tf.config.experimental.get_device_details(gpus[0]).get('device_name', 'GPU')})"
