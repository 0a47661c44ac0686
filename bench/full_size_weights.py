"""Full-size checkpoints with seeded random values, in the files and folders of the published ones.

    python -m bench.full_size_weights --to DIR                        every variant (4 GB)
    python -m bench.full_size_weights --to DIR --family spleeter      one family
    python -m bench.full_size_weights --to DIR --variant umxhq        one variant; may be given again

Speed, memory and the checks of names and shapes do not depend on the values, so benchmarks and tests can do without
the real files. What these models give out is noise. Their hashes are not the published ones: they run, and are
verified, only with `STEMMOS_WEIGHTS=DIR STEMMOS_WEIGHTS_UNPINNED=1`.

Known: Open-Unmix and Spleeter are built by their packages' own code for the variant, and Spleeter's data files come
out at the published size to the byte. HTDemucs has the published number of tensors and values (533, 41,984,456).
Concluded: the settings of `htdemucs_6s` and of the Hybrid Demucs models (`hdemucs_mmi`, the members of `mdx_extra`)
are not in the package. They are its defaults, with what its grids say, and they fit the sizes of the published files
within the overhead of the format (27,414,996 and 83,637,832 half-precision values).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import numpy as np

from separation.separators.openunmix import import_openunmix

FOUR = ("drums", "bass", "other", "vocals")
SIX = (*FOUR, "guitar", "piano")
SEGMENT = Fraction(39, 5)  # s, a window of the transformer models
TRANSFORMER: dict[str, Any] = {"dconv_mode": 3, "t_dropout": 0.02, "multi_freqs": []}

OPENUNMIX = {
    "umxhq": (512, ("vocals-b62c91ce", "drums-9619578f", "bass-8d85a5bd", "other-b52fbbf7")),
    "umx": (512, ("vocals-c8df74a5", "drums-5a48008b", "bass-646024d3", "other-f8e132cc")),
    "umxl": (1024, ("vocals-bccbd9aa", "drums-69e0ebd4", "bass-2ca1ce51", "other-c8c5b3e6")),
}
SPLEETER = ("spleeter:2stems", "spleeter:4stems", "spleeter:5stems")
DEMUCS = {
    "htdemucs": ("htdemucs", ("955717e8",)),
    "htdemucs_ft": ("htdemucs", ("f7e0c4bc", "d12395a8", "92cfc3b6", "04573f0d")),
    "htdemucs_6s": ("htdemucs_6s", ("5c90dfd2",)),
    "hdemucs_mmi": ("hdemucs", ("75fc33f5",)),
    "mdx_extra": ("hdemucs", ("e51eebcc", "a1d90b5c", "5d2d6c55", "cfa93e08")),
}
FAMILIES = {"openunmix": tuple(OPENUNMIX), "spleeter": SPLEETER, "demucs": tuple(DEMUCS)}


def main() -> None:
    asked = _arguments()
    for variant in _variants(asked):
        began = time.monotonic()
        make(variant, asked.to, asked.seed)
        print(f"{variant}: {time.monotonic() - began:.0f} s", flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Make full-size checkpoints of random values.")
    parser.add_argument("--to", type=Path, required=True, help="the folder of the families' folders")
    parser.add_argument("--family", choices=FAMILIES, help="its variants only")
    parser.add_argument("--variant", choices=[key for keys in FAMILIES.values() for key in keys], action="append")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def _variants(asked: argparse.Namespace) -> list[str]:
    named: list[str] = asked.variant or []
    if named or asked.family:
        return named + list(FAMILIES.get(asked.family, ()))
    return [key for keys in FAMILIES.values() for key in keys]


def make(variant: str, to: Path, seed: int = 1) -> Path:
    """Write the files of one variant below `to` and return their folder. The same seed gives the same values."""
    family = next(family for family, keys in FAMILIES.items() if variant in keys)
    makers: dict[str, Callable[[str, Path, int], Path]] = {
        "openunmix": _openunmix,
        "spleeter": _spleeter,
        "demucs": _demucs,
    }
    return makers[family](variant, to, seed)


# ── Open-Unmix ───────────────────────────────────────────────────────────────────────────────────────────────────


def _openunmix(variant: str, to: Path, seed: int) -> Path:
    """One state for each source; the two older releases also hold the STFT window and the rate, as published."""
    import torch

    import_openunmix()
    from openunmix.model import OpenUnmix

    hidden, names = OPENUNMIX[variant]
    folder = _folder(to / "openunmix" / variant)
    for place, name in enumerate(names):
        torch.manual_seed(1000 * seed + 10 * hidden + place)
        state = dict(OpenUnmix(2049, 2, hidden, max_bin=1487).state_dict())
        if variant != "umxl":
            window = torch.hann_window(4096)
            state |= {"stft.window": window, "transform.0.window": window, "sample_rate": torch.tensor(44_100)}
        torch.save(state, folder / f"{name}.pth", _use_new_zipfile_serialization=variant == "umxl")
    return folder


# ── Spleeter ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _spleeter(variant: str, to: Path, seed: int) -> Path:
    """In a process of its own: this one would keep TensorFlow and its memory."""
    folder = _folder(to / "spleeter" / variant.removeprefix("spleeter:"))
    program = f"from bench.full_size_weights import spleeter_checkpoint; spleeter_checkpoint({variant!r}, {seed})"
    environment = {**os.environ, "TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3", "STEMMOS_TO": str(folder)}
    root = Path(__file__).resolve().parents[1]
    subprocess.run([sys.executable, "-W", "ignore", "-c", program], cwd=root, env=environment, check=True)
    return folder


def spleeter_checkpoint(variant: str, seed: int) -> None:
    """Build the package's graph, draw its values anew and save them into the folder `STEMMOS_TO`."""
    import tensorflow as tf
    from spleeter.model import EstimatorSpecBuilder, InputProviderFactory
    from spleeter.utils.configuration import load_configuration

    tf.get_logger().setLevel("ERROR")
    with tf.Graph().as_default():
        tf.compat.v1.keras.backend.set_learning_phase(0)
        configuration = load_configuration(variant)
        features = InputProviderFactory.get(configuration).get_input_dict_placeholders()  # type: ignore[no-untyped-call]
        _ = EstimatorSpecBuilder(features, configuration).outputs  # a property that builds the graph
        tf.compat.v1.train.get_or_create_global_step()
        _save_redrawn(tf, np.random.default_rng([seed, len(variant), int(variant[-6])]))


def _save_redrawn(tf: Any, rng: np.random.Generator) -> None:
    """The package draws every kernel with one seed, which would make all sources equal."""
    variables = tf.compat.v1.global_variables()
    with tf.compat.v1.Session() as session:
        session.run(tf.compat.v1.global_variables_initializer())
        for variable in variables:
            if variable.op.name.endswith("kernel"):
                variable.load(_drawn(variable.shape.as_list(), rng), session)
        saver = tf.compat.v1.train.Saver(variables, save_relative_paths=True)
        saver.save(session, os.path.join(os.environ["STEMMOS_TO"], "model"), write_meta_graph=False)


def _drawn(shape: list[int], rng: np.random.Generator) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Normal values of the variance that keeps a signal's size through a rectified layer (He et al. 2015, eq. 10)."""
    deviation = np.sqrt(2.0 / np.prod(shape[:-1]))
    return cast("np.ndarray[Any, np.dtype[np.float32]]", (deviation * rng.standard_normal(shape)).astype(np.float32))


# ── Demucs ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _demucs(variant: str, to: Path, seed: int) -> Path:
    """`<signature>.safetensors` in half precision, with the package's class and arguments as its metadata."""
    import torch
    from safetensors.torch import save_file

    folder = _folder(to / "demucs")
    layout, signatures = DEMUCS[variant]
    for signature in signatures:
        torch.manual_seed(int(signature, 16) + seed)
        model, keywords = demucs_model(layout)
        state = {name: value.half().contiguous() for name, value in model.state_dict().items()}
        klass = f"{type(model).__module__}.{type(model).__name__}"
        metadata = {"klass": klass, "args": "[]", "kwargs": json.dumps(keywords, default=_as_json)}
        path = folder / f"{signature}.safetensors"
        save_file(state, path, metadata=metadata)
        path.chmod(0o644)
    return folder


def demucs_model(layout: str) -> tuple[Any, dict[str, Any]]:
    """A new model of one of the three architectures, and the arguments that made it."""
    from demucs.hdemucs import HDemucs
    from demucs.htdemucs import HTDemucs

    if layout == "hdemucs":
        keywords: dict[str, Any] = {"sources": list(FOUR), "segment": 44}
        return HDemucs(**keywords), keywords
    sources = SIX if layout == "htdemucs_6s" else FOUR
    keywords = {"sources": list(sources), "segment": SEGMENT, **TRANSFORMER}
    if layout == "htdemucs":
        keywords["bottom_channels"] = 512
    return HTDemucs(**keywords), keywords


def _as_json(value: object) -> dict[str, Any]:
    """The package's own form of a fraction."""
    fraction = cast(Fraction, value)
    return {"_type": "fraction", "numerator": fraction.numerator, "denominator": fraction.denominator}


def _folder(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path


if __name__ == "__main__":
    main()
