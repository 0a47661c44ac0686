"""The models of the demucs family, loaded from verified files: one, or the several of a bag.

A file names the class and the arguments of its model, and the package would make whatever it names. Here only the
three model classes of the package are made, after the file was found to hold exactly the listed names and shapes.
"""

from __future__ import annotations

import json
from typing import Any

from separation.separators.base import SAMPLE_RATE, SeparatorSpec
from separation.separators.weights import WeightsFile, WeightsSet, contents
from separation.separators.weights.catalogue import BAG_SEGMENTS, BAG_WEIGHTS, BAGS

CLASSES = {
    "htdemucs": "demucs.htdemucs.HTDemucs",
    "htdemucs_6s": "demucs.htdemucs.HTDemucs",
    "hdemucs": "demucs.hdemucs.HDemucs",
}
"""The class of each layout; weights without a layout (the demo's) are of the first."""

ORDER = ["drums", "bass", "other", "vocals", "guitar", "piano"]
"""In which every published model gives its sources, the last two where it has them."""

Loaded = tuple[list[Any], list[list[float]] | None, float | None]


def loaded_models(spec: SeparatorSpec, weights: WeightsSet) -> Loaded:
    """The models on the CPU, in `eval` mode, what each contributes to each source, and the window in s.

    The contributions (one list for each model, in the order of the models' own `sources`) are None where all models
    contribute alike; the window is None where it is the models' own. Together they are what the package's
    `BagOfModels` takes. Raises `WeightsMissing` or `WeightsMismatch` for every file that is not exactly what it should
    be: its bytes, class, sources, sample rate, channels, names, shapes or number of parameters.
    """
    weights.verify()
    files = [file for file in weights.files if file.name.endswith((".safetensors", ".th"))]
    models = [_loaded(spec, weights, file) for file in files]
    if len(models) != len(BAGS.get(spec.base_key, (spec.key,))):
        raise weights.unloadable(weights.files[0].name, f"there are {len(models)} models instead of a bag")
    return models, BAG_WEIGHTS.get(spec.base_key), BAG_SEGMENTS.get(spec.base_key)


def _loaded(spec: SeparatorSpec, weights: WeightsSet, file: WeightsFile) -> Any:
    try:
        model = _from_pickle(weights, file) if file.name.endswith(".th") else _from_safetensors(weights, file)
        _check_fits(spec, model, file.layout)
    except Exception as error:  # whatever a damaged or foreign file makes the loaders raise
        raise weights.unloadable(file.name, error) from error
    return model.eval()


def _from_safetensors(weights: WeightsSet, file: WeightsFile) -> Any:
    """Its metadata is JSON: a class, arguments, and perhaps the structure of a state, which could name any class."""
    from demucs.hf import load_safetensors_model

    path = weights.folder / file.name
    header, _ = contents.safetensors_header(path)
    metadata = header.get("__metadata__", {})
    expected = CLASSES.get(file.layout, CLASSES["htdemucs"])
    if metadata.get("klass") != expected or "structure" in metadata:
        raise ValueError(f"it holds {metadata.get('klass')} and not a plain {expected}")
    _check_arguments(json.loads(metadata["kwargs"]))
    return load_safetensors_model(path)


def _from_pickle(weights: WeightsSet, file: WeightsFile) -> Any:
    """Reading a pickle can run the code in it: here it cannot, and the bytes are known besides."""
    from demucs.states import load_model

    if file.sha256 is None and not weights.is_unpinned:
        raise ValueError("a .th file without a known sha256 is never opened")
    package = contents.restricted_load(weights.folder / file.name)
    klass = package.get("klass")
    found = f"{getattr(klass, '__module__', '')}.{getattr(klass, '__name__', klass)}"
    expected = CLASSES.get(file.layout, CLASSES["htdemucs"])
    if found != expected or package.get("state", {}).get("__quantized"):
        raise ValueError(f"it holds {found} and not a plain {expected}")
    _check_arguments(package.get("kwargs", {}))
    return load_model(package)  # type: ignore[no-untyped-call]


LARGEST = 2048
"""No argument of the published models is larger but for two table sizes; a file could ask for any amount of memory."""


def _check_arguments(arguments: dict[str, Any]) -> None:
    large = {
        name: value
        for name, value in arguments.items()
        if isinstance(value, int | float) and abs(value) > LARGEST and name not in {"nfft", "samplerate"}
        if not name.startswith("t_max")
    }
    if large:
        raise ValueError(f"its arguments are out of range: {large}")


def _check_fits(spec: SeparatorSpec, model: Any, layout: str) -> None:
    sources = [source for source in ORDER if source in spec.sources]
    found = (sorted(model.sources) if not layout else list(model.sources), model.samplerate, model.audio_channels)
    expected = (sorted(sources) if not layout else sources, SAMPLE_RATE, 2)
    if found != expected:
        raise ValueError(f"it holds {found} instead of {expected}")
    if not layout:
        return
    contents.compare(contents.shapes_of(model.state_dict()), contents.listing(layout))
