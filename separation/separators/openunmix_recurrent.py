"""The recurrent layers of Open-Unmix over a song of any length: in pieces with carried state, in bounded memory."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import BinaryIO

import numpy as np
import torch
from torch import nn

PIECE = 512
"""Frames that a layer takes at once, about 12 s."""

FLOAT = 4  # bytes

Told = Callable[[float], None]


def recurrent_layers(lstm: nn.LSTM) -> RecurrentLayers:
    """The layers of a bidirectional LSTM, each direction by itself, with the same weights."""
    return RecurrentLayers([(_one(lstm, layer, ""), _one(lstm, layer, "_reverse")) for layer in range(lstm.num_layers)])


def _one(lstm: nn.LSTM, layer: int, direction: str) -> nn.LSTM:
    made = nn.LSTM(lstm.input_size if layer == 0 else 2 * lstm.hidden_size, lstm.hidden_size)
    for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
        setattr(made, f"{name}_l0", getattr(lstm, f"{name}_l{layer}{direction}"))
    return made.eval()


class RecurrentLayers:
    """As `nn.LSTM(…, bidirectional=True)` in evaluation, for one song."""

    def __init__(self, layers: list[tuple[nn.LSTM, nn.LSTM]]) -> None:
        self._layers = layers

    def __call__(self, inputs: torch.Tensor, told: Told) -> torch.Tensor:
        """`[frames, width]` -> `[frames, 2 × hidden]`, on the CPU; `told` is called with the share done."""
        for place, pair in enumerate(self._layers):

            def layer_told(done: float, place: int = place) -> None:
                told((place + done) / len(self._layers))

            inputs = _both(pair, inputs, layer_told)
        return inputs


def _both(pair: tuple[nn.LSTM, nn.LSTM], inputs: torch.Tensor, told: Told) -> torch.Tensor:
    """One layer, its two directions at once, each on one core.

    A step is too small to be shared by cores: on a quiet machine that is a tenth slower, and on a busy one, where every
    step waits for the slower core, it was measured to take eighty times as long.
    """
    hidden, threads, stop = pair[0].hidden_size, torch.get_num_threads(), Event()
    outputs = torch.empty(len(inputs), 2 * hidden)
    with ThreadPoolExecutor(1) as other:
        reverse = other.submit(_backwards_alone, pair[1], inputs, outputs[:, hidden:], stop)
        try:
            torch.set_num_threads(1)
            _forwards(pair[0], inputs, outputs[:, :hidden], told)
        except BaseException:
            stop.set()
            raise
        finally:
            torch.set_num_threads(threads)
        reverse.result()
    return outputs


def _backwards_alone(lstm: nn.LSTM, inputs: torch.Tensor, outputs: torch.Tensor, stop: Event) -> None:
    """In a thread of its own, which has its own number of cores and its own inference mode."""
    torch.set_num_threads(1)
    with torch.inference_mode():
        _backwards(lstm, inputs, outputs, stop)


def _forwards(lstm: nn.LSTM, inputs: torch.Tensor, outputs: torch.Tensor, told: Told) -> None:
    state = None
    for start in range(0, len(inputs), PIECE):
        piece = _moved(inputs[start : start + PIECE], lstm)
        found, state = lstm(piece[:, None], state)
        outputs[start : start + PIECE] = found[:, 0].cpu()
        told(min(1.0, (start + PIECE) / len(inputs)))


def _backwards(lstm: nn.LSTM, inputs: torch.Tensor, outputs: torch.Tensor, stop: Event) -> None:
    state = None
    for end in range(len(inputs), 0, -PIECE):
        if stop.is_set():
            return
        start = max(0, end - PIECE)
        piece = _moved(inputs[start:end], lstm).flip(0)
        found, state = lstm(piece[:, None], state)
        outputs[start:end] = found[:, 0].flip(0).cpu()


def _moved(piece: torch.Tensor, lstm: nn.LSTM) -> torch.Tensor:
    return piece.to(lstm.weight_ih_l0.device)


class Rows:
    """Rows of float32 for each network, in nameless temporary files: half an hour of them is half a gigabyte."""

    def __init__(self, rows: int, networks: int) -> None:
        self.rows, self._widths = rows, [0] * networks
        self._files: list[BinaryIO] = []

    def __enter__(self) -> Rows:
        self._files = [tempfile.TemporaryFile() for _ in self._widths]  # noqa: SIM115  closed in __exit__
        return self

    def __exit__(self, *error: object) -> None:
        for file in self._files:
            file.close()

    def write(self, network: int, start: int, rows: torch.Tensor) -> None:
        """`rows`: `[n, width]`, all of one network of one width."""
        self._widths[network] = rows.shape[1]
        self._files[network].seek(start * rows.shape[1] * FLOAT)
        self._files[network].write(np.ascontiguousarray(rows.cpu().numpy()).data)

    def read(self, network: int, start: int, end: int) -> torch.Tensor:
        """`[end - start, width]`, on the CPU."""
        found = np.empty((end - start, self._widths[network]), dtype=np.float32)
        self._files[network].seek(start * found.shape[1] * FLOAT)
        self._files[network].readinto(found.data.cast("B"))  # type: ignore[attr-defined]
        return torch.from_numpy(found)
