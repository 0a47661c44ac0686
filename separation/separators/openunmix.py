"""Open-Unmix (package `openunmix`): one recurrent network for each source, then a multichannel Wiener filter.

The networks and the filter are the package's own. What it does in one piece, `Separator.forward`, is done here in
pieces with the same result, since its memory grows with the song. The recurrent layers need the whole song, forwards
and backwards: they run over it in pieces with carried state, both directions at once, and what they give is kept in a
file. Everything after them (the masks, the filter in its windows of 300 frames, the inverse transform) is done only
where a part of the song needs it.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterator
from functools import partial
from types import ModuleType
from typing import Any

from separation.separators.base import Audio, Progress, SeparatorSpec, Sink, Span
from separation.separators.mixture import CheckedMixture
from separation.separators.packaged import PackagedSeparator
from separation.separators.weights import WeightsSet

WINDOW = 300
"""Frames that the Wiener filter takes at once: the package's `wiener_win_len`."""

OVERLAP = 4
"""Frames of an inverse transform that one sample depends on: the frame length over the hop."""

RECURRENT_SHARE = 0.6
"""Of the progress, when a whole song is separated."""

ENCODING_SHARE = 0.3
"""Of the progress over the whole song, before the recurrent layers."""

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
    part_way = "recurrent"

    def _load(self) -> str:
        from separation.separators.openunmix_recurrent import recurrent_layers
        from separation.separators.torch_device import described, torch_device

        device = torch_device()
        self._model = loaded_model(self.spec, self._weights).to(device)
        self._frame, self._hop = self._model.stft.n_fft, self._model.stft.n_hop
        self._networks = list(self._model.target_models.values())
        self._recurrent = [recurrent_layers(network.lstm) for network in self._networks]
        return described(device)

    def _settings(self) -> dict[str, Any]:
        return {"niter": self._model.niter, "wiener_window_frames": WINDOW}

    def _separate(self, song: CheckedMixture, spans: list[Span], sink: Sink, progress: Progress) -> None:
        import torch

        from separation.separators.openunmix_recurrent import Rows

        frames = 1 + song.samples // self._hop
        with torch.inference_mode(), Rows(frames, len(self._networks)) as inner:
            recurrent = RECURRENT_SHARE if spans == [(0, song.samples)] else 0.9
            self._recur(song, inner, lambda done: progress(recurrent * done))
            total, done = sum(end - start for start, end in spans), 0
            for span in spans:
                for start, stems in self._pieces(song, span, frames, inner):
                    sink(start, stems)
                    done += next(iter(stems.values())).shape[1]
                    progress(recurrent + (1 - recurrent) * done / total)

    # ── the recurrent layers, over the whole song ───────────────────────────────────────────────────────────────

    def _recur(self, song: CheckedMixture, inner: Any, progress: Progress) -> None:
        """Write what every network holds after its first dense layer, `[frames, hidden]`, to `inner`."""
        for start in range(0, inner.rows, WINDOW):
            magnitude = _magnitude(self._spectrum(song, start, min(inner.rows, start + WINDOW)))
            for place, network in enumerate(self._networks):
                inner.write(place, start, _encoded(network, magnitude))
            progress(ENCODING_SHARE * start / inner.rows)
        for place in range(len(self._networks)):
            self._recur_one(place, inner, partial(_network_told, progress, place, len(self._networks)))

    def _recur_one(self, place: int, inner: Any, told: Progress) -> None:
        import torch

        narrow = inner.read(place, 0, inner.rows)
        outputs = self._recurrent[place](narrow, told)
        for start in range(0, inner.rows, WINDOW):
            part = slice(start, start + WINDOW)
            both = torch.cat([narrow[part], outputs[part]], dim=-1).to(self._model.sample_rate.device)
            inner.write(place, start, _dense(self._networks[place], both))

    # ── the rest, where it is needed ────────────────────────────────────────────────────────────────────────────

    def _pieces(
        self, song: CheckedMixture, span: Span, frames: int, inner: Any
    ) -> Iterator[tuple[int, dict[str, Audio]]]:
        """First sample and stems of one finished piece of the span after the other.

        A sample is finished when all frames around it are there, so each inverse transform begins with the last
        frames of the window before.
        """
        import torch

        first, last = self._frames_of(span, frames)
        kept, at, told = None, first, span[0]
        for start in range(first - first % WINDOW, last, WINDOW):
            window = self._filtered(song, start, min(frames, start + WINDOW), inner)[:, max(0, first - start) :]
            together = window if kept is None else torch.cat([kept, window], dim=1)
            end = at + together.shape[1]
            finished = min(span[1], song.samples if end == frames else self._hop * (end - OVERLAP // 2))
            if finished > told:
                waves = self._inverse(together, song.samples - self._hop * at if end == frames else None)
                part = slice(told - self._hop * at, finished - self._hop * at)
                found = [wave[:, part].cpu().numpy() for wave in waves]
                yield told, dict(zip(self._model.target_models, found, strict=True))
                told = finished
            kept = together[:, -(OVERLAP - 1) :]
            at = end - kept.shape[1]

    def _frames_of(self, span: Span, frames: int) -> tuple[int, int]:
        """First frame that the span's samples depend on, and the first one after them."""
        before = span[0] // self._hop - OVERLAP
        after = (span[1] - 1) // self._hop + OVERLAP
        return max(0, before), min(frames, after + 1)

    def _filtered(self, song: CheckedMixture, start: int, end: int, inner: Any) -> Any:
        """The stems' spectra `[sources, frames, bins, 2, real and imaginary]` of one window of the Wiener filter."""
        import torch
        from openunmix.filtering import wiener

        spectrum = self._spectrum(song, start, end)
        magnitude = _magnitude(spectrum)
        masked = [
            _masked(network, inner.read(place, start, end).to(spectrum.device), magnitude)
            for place, network in enumerate(self._networks)
        ]
        estimates = torch.stack(masked, dim=-1).transpose(1, 2)  # [frames, bins, 2, sources]
        found = wiener(estimates, spectrum, self._model.niter, softmask=False, residual=False)
        return found.permute(4, 0, 1, 2, 3)

    def _spectrum(self, song: CheckedMixture, start: int, end: int) -> Any:
        """Frames `[frames, bins, 2, real and imaginary]` of the song's transform; the song is mirrored at its ends."""
        import torch

        half = self._frame // 2
        piece = song.reflected(start * self._hop - half, (end - 1) * self._hop + half)
        window = self._model.stft.window
        spectrum = torch.stft(
            torch.from_numpy(piece).to(window.device),
            self._frame,
            self._hop,
            window=window,
            center=False,
            return_complex=True,
        )
        return torch.view_as_real(spectrum).permute(2, 1, 0, 3)

    def _inverse(self, spectra: Any, samples: int | None) -> Any:
        """`[sources, 2, samples]`, from the middle of the first frame on."""
        return self._model.istft(spectra.permute(0, 3, 2, 1, 4).contiguous()[None], length=samples)[0]


def _network_told(progress: Progress, place: int, networks: int, done: float) -> None:
    progress(ENCODING_SHARE + (1 - ENCODING_SHARE) * (place + done) / networks)


def _magnitude(spectrum: Any) -> Any:
    """`[frames, 2, bins]`"""
    import torch

    return torch.linalg.vector_norm(spectrum, dim=-1).transpose(1, 2)


def _encoded(network: Any, magnitude: Any) -> Any:
    """`OpenUnmix.forward` up to its recurrent layers: `[frames, hidden]`."""
    import torch

    scaled = (magnitude[..., : network.nb_bins] + network.input_mean) * network.input_scale
    return torch.tanh(network.bn1(network.fc1(scaled.flatten(1))))


def _dense(network: Any, hidden: Any) -> Any:
    """From what goes into and comes out of the recurrent layers, `[frames, 2 × hidden]`, to `[frames, hidden]`."""
    import torch

    return torch.relu(network.bn2(network.fc2(hidden)))


def _masked(network: Any, hidden: Any, magnitude: Any) -> Any:
    """The rest of `OpenUnmix.forward`: the source's magnitudes `[frames, 2, bins]`."""
    import torch

    wide = network.bn3(network.fc3(hidden))
    mask = wide.reshape(magnitude.shape) * network.output_scale + network.output_mean
    return torch.relu(mask) * magnitude


def loaded_model(spec: SeparatorSpec, weights: WeightsSet) -> Any:
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
