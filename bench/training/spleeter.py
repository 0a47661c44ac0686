"""Train a small Spleeter: its own U-Net graph, one U-Net for each source, with its own L1 loss on the magnitudes.

The package's trainer needs an Estimator, which TensorFlow no longer has; this builds the same graph with
`EstimatorSpecBuilder` and minimises the same loss with Adam in a session. Its batch normalisations do not learn
their statistics in training; they are set here, layer by layer, from the first batches.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from audio.synthesis import SOURCES
from bench.training.songs import Log, Plan, Stems, batch_of, rate_at
from separation.separators.spleeter import CHECKPOINT, import_tensorflow

T, F = 128, 1024
PLAN = Plan(steps=400, batch=4, seconds=((T - 1) * 1024 + 4096) / 44_100, rate=1e-3, seed=12, songs=64)

CONFIGURATION: dict[str, Any] = {
    "mix_name": "mix",
    "instrument_list": list(SOURCES),
    "sample_rate": 44100,
    "frame_length": 4096,
    "frame_step": 1024,
    "T": T,
    "F": F,
    "n_channels": 2,
    "separation_exponent": 2,
    "mask_extension": "zeros",
    "model_dir": "spleeter",
    "model": {
        "type": "unet.softmax_unet",
        "params": {"conv_activation": "ELU", "deconv_activation": "ELU", "conv_n_filters": [8, 12, 16, 24, 32, 40]},
    },
}


def train(songs: list[Stems], plan: Plan, folder: Path, log: Log) -> None:
    """Train the four U-Nets and write `configuration.json`, `checkpoint` and `model.*` into `folder`."""
    tf = import_tensorflow()
    rng = np.random.default_rng(plan.seed)
    with tf.Graph().as_default():
        tf.compat.v1.set_random_seed(plan.seed)
        tf.compat.v1.keras.backend.set_learning_phase(0)
        waves, losses, shares = _loss_graph(tf, plan)
        rate = tf.compat.v1.placeholder(tf.float32, [])
        learnt = tf.compat.v1.trainable_variables()
        optimizer = tf.compat.v1.train.AdamOptimizer(rate)
        saver = tf.compat.v1.train.Saver(tf.compat.v1.global_variables(), save_relative_paths=True)
        gradients, _ = tf.clip_by_global_norm(tf.gradients(tf.add_n(list(losses.values())), learnt), 1.0)
        step_operation = optimizer.apply_gradients(zip(gradients, learnt, strict=True))
        threads = tf.compat.v1.ConfigProto(intra_op_parallelism_threads=2, inter_op_parallelism_threads=2)
        with tf.compat.v1.Session(config=threads) as session:
            session.run(tf.compat.v1.global_variables_initializer())
            _draw_kernels(session, learnt, rng)
            _calibrate(session, waves, batch_of(songs, rng, plan.batch, _samples(plan)))
            for step in range(plan.steps):
                feed = {waves: batch_of(songs, rng, plan.batch, _samples(plan)), rate: rate_at(step, plan)}
                _, values = session.run([step_operation, shares], feed)
                if step % 25 == 0:
                    log(f"spleeter step {step}: " + " ".join(f"{k} {v:.3f}" for k, v in values.items()))
            _write(saver, session, folder)


def _samples(plan: Plan) -> int:
    return round(plan.seconds * 44_100)


def _loss_graph(tf: Any, plan: Plan) -> tuple[Any, dict[str, Any], dict[str, Any]]:
    """The placeholder of the stems `[batch, 4, 2, samples]`, the loss of each source, and its share of silence's."""
    from spleeter.model import EstimatorSpecBuilder

    waves = tf.compat.v1.placeholder(tf.float32, [plan.batch, 4, 2, _samples(plan)])
    window = lambda size, dtype: tf.signal.hann_window(size, periodic=True, dtype=dtype)  # noqa: E731
    spectra = tf.signal.stft(waves, 4096, 1024, window_fn=window)[:, :, :, :T, :F]
    magnitude = lambda spectrum: tf.transpose(tf.abs(spectrum), [0, 2, 3, 1])  # noqa: E731
    features = {"mix_spectrogram": magnitude(tf.reduce_sum(spectra, axis=1))}
    outputs = EstimatorSpecBuilder(features, CONFIGURATION).model_outputs
    wanted = {source: magnitude(spectra[:, place]) for place, source in enumerate(SOURCES)}
    losses = {s: tf.reduce_mean(tf.abs(outputs[f"{s}_spectrogram"] - wanted[s])) for s in SOURCES}
    return waves, losses, {s: losses[s] / tf.reduce_mean(wanted[s]) for s in SOURCES}


def _draw_kernels(session: Any, variables: list[Any], rng: np.random.Generator) -> None:
    """He-uniform kernels from our own stream: the package's fixed seed starts every source alike."""
    for variable in variables:
        if variable.name.endswith("kernel:0"):
            shape = variable.shape.as_list()
            inputs = np.prod(shape[:2]) * (shape[3] if "transpose" in variable.name else shape[2])
            bound = np.sqrt(6.0 / inputs) * (0.03 if shape[:2] == [4, 4] else 1.0)  # 4 × 4: the masks' layer
            variable.load(rng.uniform(-bound, bound, shape).astype(np.float32), session)


def _calibrate(session: Any, waves: Any, batch: Stems) -> None:
    """Set each batch normalisation's statistics to those of its input, from the first layer to the last."""
    norms = [op for op in session.graph.get_operations() if op.type == "FusedBatchNormV3"]
    variables = {v.name.split(":")[0]: v for v in _globals()}
    for norm in norms:
        values = session.run(norm.inputs[0], {waves: batch})
        name = norm.name.rsplit("/", 1)[0]
        variables[f"{name}/moving_mean"].load(values.mean((0, 1, 2)), session)
        variables[f"{name}/moving_variance"].load(values.var((0, 1, 2)) + 1e-6, session)


def _globals() -> list[Any]:
    return list(import_tensorflow().compat.v1.global_variables())


def _write(saver: Any, session: Any, folder: Path) -> None:
    (folder / "configuration.json").write_text(json.dumps(CONFIGURATION, indent=1) + "\n")
    saver.save(session, str(folder / CHECKPOINT), write_meta_graph=False)
