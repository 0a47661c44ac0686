"""Open-Unmix (package `openunmix`): one recurrent network for each source, then a multichannel Wiener filter.

The networks and the filter are the package's own. What it does in one piece, `Separator.forward`, is done here in
windows of 300 frames with the same result, since its memory grows with the song: only the recurrent layers see the
whole song, in their narrow inner representation.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from separation.separators.base import Audio, Progress, SeparatorSpec
from separation.separators.packaged import PackagedSeparator
from separation.separators.weights import WeightsSet

WINDOW = 300
"""Frames that the Wiener filter takes at once: the package's `wiener_win_len`."""

PUBLISHED_SETTINGS = {"nfft": 4096, "nhop": 1024, "sample_rate": 44100, "nb_channels": 2}
"""What `separator.json` says of the published models; their release has no such file."""


def import_openunmix() -> Any:
    """The package, with empty torchaudio modules where torchaudio is missing: it uses them only to read files."""
    if "torchaudio" not in sys.modules and importlib.util.find_spec("torchaudio") is None:
        stand_in, transforms = ModuleType("torchaudio"), ModuleType("torchaudio.transforms")
        stand_in.transforms = transforms  # type: ignore[attr-defined]
        sys.modules.update({"torchaudio": stand_in, "torchaudio.transforms": transforms})
    import openunmix

    return openunmix


class OpenUnmixSeparator(PackagedSeparator):
    """One of the Open-Unmix models, with one post-processing iteration (`niter=1`)."""

    package = "openunmix"

    def _load(self) -> str:
        from separation.separators.torch_device import described, torch_device

        device = torch_device()
        self._model = _loaded_model(self.spec, self._weights).to(device)
        return described(device)

    def _stems(self, mixture: Audio, progress: Progress) -> dict[str, Audio]:
        import torch

        with torch.inference_mode():
            wave = torch.from_numpy(mixture).to(self._model.sample_rate.device)[None]
            spectrum = self._model.stft(wave)[0].permute(2, 1, 0, 3)  # [frames, bins, 2, real and imaginary]
            targets = self._model.target_models
            stems = torch.empty((len(targets), *spectrum.shape), device=spectrum.device)
            for start, window in self._filtered_windows(spectrum, progress):
                stems[:, start : start + window.shape[1]] = window
            return {name: self._wave(stem, wave.shape[-1]) for name, stem in zip(targets, stems, strict=True)}

    def _wave(self, stem: Any, samples: int) -> Audio:
        """A spectrum `[frames, bins, 2, real and imaginary]` as float32 `[2, samples]`."""
        stft = stem.permute(2, 1, 0, 3).contiguous()[None]
        wave: Audio = self._model.istft(stft, length=samples)[0].cpu().numpy()
        return wave

    def _filtered_windows(self, spectrum: Any, progress: Progress) -> Iterator[tuple[int, Any]]:
        """First frame and stems `[sources, frames, bins, 2, 2]` of one window after the other."""
        import torch
        from openunmix.filtering import wiener

        networks = list(self._model.target_models.values())
        magnitude = torch.linalg.vector_norm(spectrum, dim=-1).transpose(1, 2)  # [frames, 2, bins]
        inner = []
        for done, network in enumerate(networks):
            inner.append(_recurrent(network, magnitude))
            progress(0.4 * (done + 1) / len(networks))
        for start in range(0, len(spectrum), WINDOW):
            frames = slice(start, start + WINDOW)
            pairs = zip(networks, inner, strict=True)
            masked = [_masked(network, hidden[frames], magnitude[frames]) for network, hidden in pairs]
            estimates = torch.stack(masked, dim=-1).transpose(1, 2)  # [frames, bins, 2, sources]
            filtered = wiener(estimates, spectrum[frames], self._model.niter, softmask=False, residual=False)
            yield start, filtered.permute(4, 0, 1, 2, 3)
            progress(0.4 + 0.5 * min(1.0, (start + WINDOW) / len(spectrum)))


def _recurrent(network: Any, magnitude: Any) -> Any:
    """What `OpenUnmix.forward` holds after its recurrent layers: `[frames, 2 × hidden]`."""
    import torch

    narrow = torch.cat([_encoded(network, piece) for piece in magnitude.split(WINDOW)])
    recurrent, _ = network.lstm(narrow[:, None])
    return torch.cat([narrow, recurrent[:, 0]], dim=-1)


def _encoded(network: Any, magnitude: Any) -> Any:
    import torch

    scaled = (magnitude[..., : network.nb_bins] + network.input_mean) * network.input_scale
    return torch.tanh(network.bn1(network.fc1(scaled.flatten(1))))


def _masked(network: Any, hidden: Any, magnitude: Any) -> Any:
    """The rest of `OpenUnmix.forward`: the source's magnitudes `[frames, 2, bins]`."""
    import torch

    wide = network.bn3(network.fc3(torch.relu(network.bn2(network.fc2(hidden)))))
    mask = wide.reshape(magnitude.shape) * network.output_scale + network.output_mean
    return torch.relu(mask) * magnitude


def _loaded_model(spec: SeparatorSpec, weights: WeightsSet) -> Any:
    """The package's `Separator` with the networks of all sources, frozen (without it, dropout stays on)."""
    import_openunmix()
    from openunmix.model import Separator as OpenUnmixModel

    settings = _settings(weights)
    networks = {source: _network(_file_of(source, weights), weights) for source in spec.sources}
    model = OpenUnmixModel(
        target_models=networks,
        niter=1,
        sample_rate=settings["sample_rate"],
        n_fft=settings["nfft"],
        n_hop=settings["nhop"],
        nb_channels=settings["nb_channels"],
        wiener_win_len=WINDOW,
    )
    model.freeze()
    return model


def _settings(weights: WeightsSet) -> dict[str, Any]:
    if any(file.name == "separator.json" for file in weights.files):
        return dict(json.loads((weights.folder / "separator.json").read_text()))
    return PUBLISHED_SETTINGS


def _file_of(source: str, weights: WeightsSet) -> str:
    """`<source>.pth` or `<source>-<hash>.pth`."""
    (name,) = (file.name for file in weights.files if file.name.startswith(source) and file.name.endswith(".pth"))
    return name


def _network(name: str, weights: WeightsSet) -> Any:
    """One network, its sizes read from its own weights, every name and shape checked (`strict=True`)."""
    import torch
    from openunmix.model import OpenUnmix

    try:
        state = torch.load(weights.folder / name, map_location="cpu", weights_only=True)
        hidden, _ = state["fc1.weight"].shape
        network = OpenUnmix(
            nb_bins=len(state["output_mean"]), nb_channels=2, hidden_size=hidden, max_bin=len(state["input_mean"])
        )
        network.load_state_dict(_without_leftovers(state, network), strict=True)
    except Exception as error:  # whatever a damaged or foreign file makes torch raise
        raise weights.unloadable(name, error) from error
    return network


def _without_leftovers(state: dict[str, Any], network: Any) -> dict[str, Any]:
    """The state without tensors of modules that no network has any more: older versions held their STFT window."""
    modules = {name.split(".")[0] for name in network.state_dict()}
    return {name: value for name, value in state.items() if name.split(".")[0] in modules}
