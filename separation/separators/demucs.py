"""HTDemucs (package `demucs`): a hybrid transformer on the waveform and the spectrogram.

The same as `demucs.api.Separator(shifts=0).separate_tensor`: normalise by the mono mixture, `apply_model`, undo.
`shifts=0`, since the package's default of one random shift gives another result at every run.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from separation.separators.base import Audio, Progress, SeparatorSpec
from separation.separators.packaged import PackagedSeparator
from separation.separators.weights import WeightsSet

MODEL_CLASS = "demucs.htdemucs.HTDemucs"
"""The only class that a weights file may name: the package would make whatever class the file asks for."""

PARAMETERS = {"htdemucs": 41_984_456}
"""Of the published models: a smaller model in a file of the published name is not the published model."""


class DemucsSeparator(PackagedSeparator):
    """One HTDemucs model."""

    package = "demucs"

    def _load(self) -> str:
        from separation.separators.torch_device import described, torch_device

        device = torch_device()
        self._model = _loaded_model(self.spec, self._weights).to(device).eval()
        return described(device)

    def _stems(self, mixture: Audio, progress: Progress) -> dict[str, Audio]:
        import torch
        from demucs.apply import apply_model

        wave = torch.from_numpy(mixture)
        mono = wave.mean(0)
        mean, deviation = mono.mean(), mono.std() + 1e-8
        normal = ((wave - mean) / deviation)[None]
        device = next(self._model.parameters()).device
        report = _window_report(progress, wave.shape[1])
        stems = apply_model(self._model, normal, shifts=0, split=True, device=device, callback=report)
        stems = (stems * deviation + mean)[0]
        return {source: stem.numpy() for source, stem in zip(self._model.sources, stems, strict=True)}


def _window_report(progress: Progress, samples: int) -> Callable[[dict[str, Any]], None]:
    """A callback for `apply_model`, which calls it before and after every window of the song."""
    return lambda state: progress(min(1.0, state["segment_offset"] / samples))


def _loaded_model(spec: SeparatorSpec, weights: WeightsSet) -> Any:
    """The model in a `.safetensors` file, or in a `.th` pickle, which is opened only where its sha256 is pinned."""
    (file,) = (file for file in weights.files if file.name.endswith((".safetensors", ".th")))
    try:
        model = _from_pickle(weights, file.sha256) if file.name.endswith(".th") else _from_safetensors(weights)
        _check_fits(spec, model)
    except Exception as error:  # whatever a damaged or foreign file makes the loaders raise
        raise weights.unloadable(file.name, error) from error
    return model


def _from_safetensors(weights: WeightsSet) -> Any:
    from demucs.hf import load_safetensors_model
    from safetensors import safe_open

    path = weights.path(".safetensors")
    with safe_open(str(path), framework="pt") as stream:
        metadata = stream.metadata() or {}
    if metadata.get("klass") != MODEL_CLASS or "structure" in metadata:
        raise ValueError(f"it holds {metadata.get('klass')} and not a plain {MODEL_CLASS}")
    return load_safetensors_model(path)


def _from_pickle(weights: WeightsSet, pinned: str | None) -> Any:
    """Reading a pickle runs the code in it, so `verify` must have found exactly the bytes that are expected."""
    from demucs.states import load_model

    if pinned is None:
        raise ValueError("a .th file without a known sha256 is never opened")
    return load_model(weights.path(".th"))  # type: ignore[no-untyped-call]


def _check_fits(spec: SeparatorSpec, model: Any) -> None:
    found = (type(model).__name__, sorted(model.sources), model.samplerate, model.audio_channels)
    expected = ("HTDemucs", sorted(spec.sources), 44_100, 2)
    if found != expected:
        raise ValueError(f"it holds {found} instead of {expected}")
    parameters = sum(parameter.numel() for parameter in model.parameters())
    if parameters != PARAMETERS.get(spec.key, parameters):
        raise ValueError(f"it holds {parameters} parameters instead of {PARAMETERS[spec.key]}")
