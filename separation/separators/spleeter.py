"""Spleeter (package `spleeter`): a U-Net for each source gives ratio masks on the mixture's spectrogram.

The package's own `Separator` needs TensorFlow's Estimator, which is gone, and reloads the weights at every call. Here
its `EstimatorSpecBuilder` builds its prediction graph once, and the graph is kept in a session. The networks see
blocks of `T` frames one by one, so a part of a song costs only the blocks that touch it, with the same result as in the
whole song, and a long song no more memory than a short one.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from separation.separators.base import Audio, Progress, SeparatorSpec, Sink, Span
from separation.separators.mixture import CheckedMixture
from separation.separators.packaged import PackagedSeparator
from separation.separators.weights import WeightsSet

GROUP = 1024
"""Frames that the networks see at once, in whole blocks: about 24 s, a second of work."""

MASKING_SHARE = 0.7
"""Of the time that a group takes; the rest is the inverse transform."""

OVERLAP = 4
"""Frames that one sample depends on: the frame length over the step. The song begins one frame length later here."""

CHECKPOINT = "model"
"""The prefix of the checkpoint's files."""


def import_tensorflow() -> Any:
    """TensorFlow with Keras 2: Spleeter's layers need it, and TensorFlow reads the choice when it is imported."""
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # By default only on the newest processors; a seventh less time on others too, and equal to rounding.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    import tensorflow

    tensorflow.get_logger().setLevel("ERROR")
    return tensorflow


class SpleeterSeparator(PackagedSeparator):
    """One of the Spleeter models."""

    package = "spleeter"
    part_way = "blocks"

    def _load(self) -> str:
        tf = import_tensorflow()
        with tf.Graph().as_default() as graph:
            configuration = _configuration(self.spec, self._weights)
            self._block = int(configuration["T"])  # frames that the networks see as one picture
            self._step = int(configuration["frame_step"])
            self._builder, self._waveform = _prediction_graph(tf, configuration)
            self._session = tf.compat.v1.Session(graph=graph, config=_session_settings(tf))
            _restore(tf, self._session, self._weights)
        return _described_device(tf)

    def _settings(self) -> dict[str, Any]:
        return {"block_frames": self._block}

    def _separate(self, song: CheckedMixture, spans: list[Span], sink: Sink, progress: Progress) -> None:
        groups = [list(self._groups(*self._frames_of(span))) for span in spans]
        total, done = sum(map(len, groups)), 0

        def masked() -> None:
            progress((done + MASKING_SHARE) / total)

        for span, its_groups in zip(spans, groups, strict=True):
            for start, stems in self._pieces(song, span, its_groups, masked):
                if stems:
                    sink(start, stems)
                done += 1
                progress(done / total)

    def _frames_of(self, span: Span) -> Span:
        """First frame that the span's samples depend on, and the one after the last.

        Sample `t` depends on frames `t // step + 1` to `t // step + 4`.
        """
        return span[0] // self._step + 1, (span[1] - 1) // self._step + OVERLAP + 1

    def _pieces(
        self, song: CheckedMixture, span: Span, groups: list[Span], told: Callable[[], None]
    ) -> Iterator[tuple[int, dict[str, Audio]]]:
        """For every group, the first sample and the stems of what it finishes of the span, which may be nothing.

        Each inverse transform begins with the last frames of the group before.
        """
        kept: dict[str, Any] = {}
        at, begin = self._frames_of(span)[0], span[0]
        for start, end in groups:
            masked = {source: frames[max(0, at - start) :] for source, frames in self._masked(song, start, end).items()}
            told()
            together = {s: np.concatenate([kept[s], frames]) if kept else frames for s, frames in masked.items()}
            finished = min(span[1], self._step * (end - OVERLAP))
            yield begin, self._inverse(together, at, begin, finished) if finished > begin else {}
            begin = max(begin, finished)
            kept = {source: frames[-OVERLAP:] for source, frames in together.items()}
            at = end - len(next(iter(kept.values())))

    def _groups(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """First frames of groups of whole blocks that hold the frames `first` to `last`, and the ones after them."""
        size = max(1, GROUP // self._block) * self._block
        start = first - first % self._block
        while start < last:
            end = min(start + size, last + -last % self._block)
            yield start, end
            start = end

    def _masked(self, song: CheckedMixture, start: int, end: int) -> dict[str, Any]:
        """The masked spectra `[frames, bins, 2]` of every source.

        Frame `f` holds the samples from `(f - 4) · step` to `f · step`. The graph puts four frames of silence before
        what it is given, so the first four frames that it finds here are left out, and so are the last, half empty.
        """
        piece = song.padded((start - OVERLAP) * self._step, (end - 1) * self._step)
        spectrum = self._session.run(self._builder.stft_feature, {self._waveform: np.ascontiguousarray(piece.T)})
        there = min(end, _frames(song.samples, self._step)) - start  # after the song's last frame, blocks hold zeros
        spectrum = spectrum[OVERLAP : OVERLAP + there]
        wanted = {source: self._builder.masked_stfts[source] for source in self.spec.sources}
        found = self._session.run(wanted, {self._builder.stft_feature: spectrum})
        padding = ((0, end - start - there), (0, 0), (0, 0))
        return {source: np.pad(frames, padding) for source, frames in found.items()}

    def _inverse(self, spectra: dict[str, Any], at: int, start: int, end: int) -> dict[str, Audio]:
        """The samples from `start` to `end` out of spectra whose first frame is `at`."""
        begin = at * self._step  # the graph leaves out a frame length, so this is the first sample that it gives
        before = max(0, begin - start)
        if before:  # the frame before `at` is not needed for these samples, but the graph begins after it
            spectra = {s: np.concatenate([np.zeros_like(frames[:1]), frames]) for s, frames in spectra.items()}
            begin -= self._step
        length = np.zeros((end - begin, 2), dtype=np.float32)  # of it, only the length is looked at
        feed = {self._builder.masked_stfts[source]: frames for source, frames in spectra.items()}
        outputs = {source: self._builder.outputs[source] for source in self.spec.sources}
        found = self._session.run(outputs, {self._waveform: length, **feed})
        return {s: np.ascontiguousarray(wave[start - begin :].T, dtype=np.float32) for s, wave in found.items()}


def _frames(samples: int, step: int) -> int:
    """Frames of a song's transform."""
    return -(-samples // step) + OVERLAP


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


def _described_device(tf: Any) -> str:
    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return "cpu"
    return f"gpu:0 ({tf.config.experimental.get_device_details(gpus[0]).get('device_name', 'GPU')})"
