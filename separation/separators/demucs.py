"""The demucs family (package `demucs`): networks on the waveform and the spectrogram, in overlapping windows.

The same as `demucs.api.Separator(shifts=0).separate_tensor`: normalise by the whole song's mono mixture, `apply_model`
in windows on a fixed grid, triangular weights, undo. `shifts=0`, since the package's default of one random shift gives
another result at every run. Here the windows are run one after the other, so that a part of a song costs only the
windows that touch it and a long song no more memory than a short one; the sums are made in the package's order.

Exact precision is float32. It is faster than the package all the same: attention runs in torch's fused kernel, which
the package's transformer misses where torch takes its "fast path" for encoder layers. Fast precision is bfloat16 where
the device computes in it (a GPU, or a CPU with AVX512-BF16 or AMX), else 8 bit integers in the transformer's linear
layers; a form that is not close to exact on this machine is passed over when the model is loaded. How far it is from
exact is told in every job's record: measured on the loudest window of the first song and of every long one, since it
costs as much as one window more; a short job tells what was measured last.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from separation.separators.base import EXACT, FAST, SAMPLE_RATE, Audio, Progress, Sink, Span
from separation.separators.demucs_loading import loaded_models
from separation.separators.mixture import CheckedMixture
from separation.separators.packaged import PackagedSeparator

OVERLAP = 0.25
"""Share of a window that the next one covers again: the package's default."""

GPU_BATCH = 4
"""Windows at once on a GPU; on a CPU batches were measured to be slower than one window after the other."""

MEASURED_FROM = 20
"""Windows of a job from which on it measures its own distance from exact: a twentieth of its time at most."""

LEVEL_BLOCK = 2**20  # samples read at once where only their level matters

LAYERS = ("encoder", "tencoder", "decoder", "tdecoder", "crosstransformer.layers", "crosstransformer.layers_t")
"""Lists of layers, each run once for every window, after which progress can be told."""


class DemucsSeparator(PackagedSeparator):
    """One model of the family, or a bag of several whose outputs are averaged with weights."""

    package = "demucs"
    part_way = "windows"

    def _load(self) -> str:
        from separation.separators import demucs_precision
        from separation.separators.torch_device import described, torch_device

        device = torch_device()
        models, self._shares, segment = loaded_models(self.spec, self._weights)
        demucs_precision.use_fused_attention()
        self._models = [model.to(device).eval() for model in models]
        self._sources = list(models[0].sources)
        self._window = math.floor(SAMPLE_RATE * float(segment or models[0].segment))
        self._snr: float | None = None
        self._measured_at = -1
        self._fast = None
        if self.spec.precision == FAST:
            self._fast = demucs_precision.fast_form(self._models, device, self._window)
        return described(device)

    def _precision(self) -> str:
        return EXACT if self._fast is None or self._fast.is_exact else FAST

    def _settings(self) -> dict[str, Any]:
        settings: dict[str, Any] = {"shifts": 0, "overlap": OVERLAP, "window_samples": self._window}
        return settings | ({"fast": self._fast.name} if self._fast and not self._fast.is_exact else {})

    def _notes(self) -> dict[str, Any]:
        if self._fast and self._fast.is_exact:
            return {"fast": self._fast.name}
        return {"fast_snr_db": round(self._snr, 1)} if self._snr is not None else {}

    def _separate(self, song: CheckedMixture, spans: list[Span], sink: Sink, progress: Progress) -> None:
        import torch

        normal = Normalised(song)
        windows = [start for span in spans for start in self._windows(span, song.samples)]
        self._measured_at = self._loudest(song, windows) if self._measures(len(windows)) else -1
        ticks = _Ticks(progress, len(windows) * len(self._models))
        with torch.inference_mode(), ticks.on(self._models if self._fast is None else self._fast.models):
            for span in spans:
                for start, stems in self._pieces(normal, span, ticks):
                    found = stems * normal.deviation + normal.mean
                    sink(start, {name: stem.numpy() for name, stem in zip(self._sources, found, strict=True)})

    def _measures(self, windows: int) -> bool:
        return self._precision() == FAST and (self._snr is None or windows >= MEASURED_FROM)

    def _loudest(self, song: CheckedMixture, windows: list[int]) -> int:
        """The first sample of the loudest of these windows; silence would tell nothing."""
        return max(windows, key=lambda start: float(np.square(_window_of(song, start, self._window)).sum()))

    def _windows(self, span: Span, samples: int) -> list[int]:
        """First samples of the windows of the whole song's grid that touch the span."""
        stride = int((1 - OVERLAP) * self._window)
        first = max(0, (span[0] - self._window) // stride + 1)
        return list(range(first * stride, min(span[1], samples), stride))

    def _pieces(self, song: Normalised, span: Span, ticks: _Ticks) -> Iterator[tuple[int, Any]]:
        """First sample and stems `[sources, 2, n]` of one finished piece after the other: the bag's average."""
        each = [self._pieces_of(place, song, span, ticks) for place in range(len(self._models))]
        for pieces in zip(*each, strict=True):
            yield pieces[0][0], self._averaged([stems for _start, stems in pieces])

    def _averaged(self, stems: list[Any]) -> Any:
        """The average over the bag, in the order in which `apply_model` sums it."""
        import torch

        if len(stems) == 1:
            return stems[0]
        shares = torch.tensor(self._shares or [[1.0] * len(self._sources)] * len(stems))[:, :, None, None]
        total = 0.0
        for one, share in zip(stems, shares, strict=True):
            total = total + one * share
        return total / shares.sum(0)

    def _pieces_of(self, place: int, song: Normalised, span: Span, ticks: _Ticks) -> Iterator[tuple[int, Any]]:
        """One model's windows, weighted and added up; a piece is finished where no later window begins before it."""
        import torch

        size, stride = self._window, int((1 - OVERLAP) * self._window)
        rise = torch.cat([torch.arange(1, size // 2 + 1), torch.arange(size - size // 2, 0, -1)])
        weight = rise / rise.max()
        total, weights = torch.zeros(len(self._sources), 2, size), torch.zeros(size)
        for start, window in self._outputs(place, song, span, ticks):
            n = window.shape[-1]
            total[..., :n] += weight[:n] * window
            weights[:n] += weight[:n]
            first, last = max(span[0], start), min(span[1], start + min(stride, n))
            if first < last:
                part = slice(first - start, last - start)
                yield first, total[..., part] / weights[part]
            total = torch.cat([total[..., stride:], torch.zeros(len(self._sources), 2, stride)], dim=-1)
            weights = torch.cat([weights[stride:], torch.zeros(stride)])

    def _outputs(self, place: int, song: Normalised, span: Span, ticks: _Ticks) -> Iterator[tuple[int, Any]]:
        """First sample and output `[sources, 2, n]` of every window, on the CPU."""
        from demucs.utils import center_trim

        starts = self._windows(span, song.samples)
        size = GPU_BATCH if self._device != "cpu" else 1
        for at in range(0, len(starts), size):
            windows = [(start, min(self._window, song.samples - start)) for start in starts[at : at + size]]
            inputs = [self._input(place, song, start, n) for start, n in windows]
            measured = place == 0 and self._measured_at in starts[at : at + size]
            for (start, n), output in zip(windows, self._run(place, inputs, ticks, measured), strict=True):
                yield start, center_trim(output, n)

    def _input(self, place: int, song: Normalised, start: int, n: int) -> Any:
        """A window with as much of the song around it as the model wants."""
        model = self._models[place]
        wanted = model.valid_length(n) if hasattr(model, "valid_length") else n
        begin = start - (wanted - n) // 2
        return song.window(begin, begin + wanted)

    def _run(self, place: int, inputs: list[Any], ticks: _Ticks, measured: bool) -> Iterator[Any]:
        """Outputs on the CPU: windows of one length together, as many as there are."""
        import torch

        device = next(self._models[place].parameters()).device
        alike = len({one.shape[-1] for one in inputs}) == 1
        for batch in [torch.stack(inputs)] if alike else [one[None] for one in inputs]:
            ticks.window(len(batch))
            yield from self._computed(place, batch.to(device), measured).float().cpu()
            ticks.window_done()

    def _computed(self, place: int, batch: Any, measured: bool) -> Any:
        from separation.separators.demucs_precision import snr_db

        if self._fast is None:
            return self._models[place](batch)
        outputs = self._fast.run(place, batch)
        if measured:
            found = snr_db(self._models[place](batch), outputs)
            self._snr = found if math.isfinite(found) else self._snr
        return outputs


class Normalised:
    """A song of mean 0 and standard deviation 1, as the package makes it from the mono mixture of the whole song."""

    def __init__(self, song: CheckedMixture) -> None:
        self._song, self.samples = song, song.samples
        self.mean, self.deviation = level(song)

    def window(self, start: int, end: int) -> Any:
        """`[2, end - start]`, with silence beyond the song's ends."""
        import torch

        first, last = max(0, start), min(self.samples, end)
        normal = (torch.from_numpy(self._song.read(first, last)) - self.mean) / self.deviation
        return torch.nn.functional.pad(normal, (first - start, end - last))


def level(song: CheckedMixture) -> tuple[float, float]:
    """Mean and standard deviation (with 1e-8 added, as the package does) of the whole song's mono mixture."""
    blocks = [(at, min(song.samples, at + LEVEL_BLOCK)) for at in range(0, song.samples, LEVEL_BLOCK)]
    mean = sum(_mono(song, *block).sum() for block in blocks) / song.samples
    squares = sum(np.square(_mono(song, *block) - mean).sum() for block in blocks)
    return float(mean), float(np.sqrt(squares / (song.samples - 1))) + 1e-8


def _window_of(song: CheckedMixture, start: int, size: int) -> Audio:
    return song.read(start, min(song.samples, start + size))


def _mono(song: CheckedMixture, start: int, end: int) -> Any:
    return song.read(start, end).mean(axis=0, dtype=np.float64)


class _Ticks:
    """Progress inside of windows: a window of a large model takes longer than a person waits for a sign of life."""

    def __init__(self, progress: Progress, windows: int) -> None:
        self._progress, self._windows = progress, windows
        self._done = self._at_once = self._layers = self._layers_done = 0

    def window(self, at_once: int) -> None:
        self._at_once, self._layers_done = at_once, 0

    def window_done(self) -> None:
        self._done += self._at_once
        self._at_once = 0
        self._progress(min(1.0, self._done / self._windows))

    @contextmanager
    def on(self, models: list[Any]) -> Iterator[None]:
        """Inside, every layer of the models tells when it is done."""
        self._layers = max(1, len(_layers(models[0])))
        hooks = [layer.register_forward_hook(self._layer) for model in models for layer in _layers(model)]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def _layer(self, *_ignored: Any) -> None:
        self._layers_done += 1
        share = min(1.0, self._layers_done / self._layers) * self._at_once
        self._progress(min(1.0, (self._done + share) / self._windows))


def _layers(model: Any) -> list[Any]:
    found = dict(model.named_modules())
    return [layer for name in LAYERS if name in found for layer in found[name]]
