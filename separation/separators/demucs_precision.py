"""How a model of the demucs family computes: exactly, and in the named fast precision."""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional

BFLOAT16, INT8, SAME = "bfloat16", "int8 transformer", "float32"
"""Names of what fast precision does, for the record of a job. `float32`: nothing is faster here, so it is exact."""

LEAST_SNR_DB = {"cpu": 45.0, "cuda": 40.0}
"""A form further than this from exact is not used, by the type of the device. Kernels can be plainly wrong: on a CPU
with AMX, torch 2.13 gives noise for a strided bfloat16 convolution of 12 channels, which the small demo model has and
the published ones have not.
"""

PROBE_SAMPLES = 8 * 44_100
"""At most so much is run to find out; a window of HTDemucs is shorter."""


def use_fused_attention() -> None:
    """Let attention run in `scaled_dot_product_attention`; its result differs by rounding only.

    For encoder layers in inference torch would take a path of its own, which on a CPU multiplies the whole matrix of
    attention weights out: a tenth of HTDemucs's time.
    """
    torch.backends.mha.set_fastpath_enabled(False)


@dataclass(frozen=True)
class FastForm:
    """The fast form of the models of a bag."""

    name: str
    models: list[Any]
    run: Callable[[int, Any], Any]  # model's place in the bag, batch [n, 2, samples] -> [n, sources, 2, samples]

    @property
    def is_exact(self) -> bool:
        return self.name == SAME


def fast_form(models: list[Any], device: torch.device, window: int) -> FastForm:
    """What is fastest on this device and close to exact for noise of `window` samples; the models stay as they are."""
    probe = torch.randn(1, 2, min(window, PROBE_SAMPLES), generator=torch.Generator().manual_seed(1)).to(device)
    with torch.inference_mode():
        exact = models[0](probe)
        for form in _forms(models, device):
            if snr_db(exact, form.run(0, probe)) >= LEAST_SNR_DB[device.type]:
                return form
    return FastForm(SAME, models, lambda place, batch: models[place](batch))


def snr_db(exact: Any, fast: Any) -> float:
    """dB of signal to noise: how far fast precision is from exact; infinite where they are equal."""
    signal, noise = exact.float().square().sum().item(), (exact.float() - fast.float()).square().sum().item()
    if noise == 0:
        return math.inf
    return 10 * math.log10(signal / noise) if signal > 0 and math.isfinite(noise) else -math.inf


def _forms(models: list[Any], device: torch.device) -> Iterator[FastForm]:
    """What could be faster here, the fastest first."""
    if device.type == "cuda" or computes_in_bfloat16():

        def autocast(place: int, batch: Any) -> Any:
            with torch.autocast(device.type, dtype=torch.bfloat16):
                return models[place](batch)

        yield FastForm(BFLOAT16, models, autocast)
    if device.type == "cpu" and any(hasattr(model, "crosstransformer") for model in models):
        quantized = [_quantized(model) for model in models]
        yield FastForm(INT8, quantized, lambda place, batch: quantized[place](batch))


def computes_in_bfloat16() -> bool:
    """Whether the CPU multiplies in bfloat16 (AVX512-BF16, AMX); others imitate it, slower than float32."""
    asked = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, name, lambda: False)() for name in asked)


def _quantized(model: Any) -> Any:
    """A copy whose transformer multiplies by 8 bit weights, one scale for each output, inputs scaled as they come."""
    from torch.ao.quantization import per_channel_dynamic_qconfig, quantize_dynamic

    if getattr(model, "crosstransformer", None) is None:
        return model
    made = copy.deepcopy(model)
    transformer = made.crosstransformer
    for layer in [*transformer.layers, *transformer.layers_t]:
        for name in ("self_attn", "cross_attn"):
            if hasattr(layer, name):
                setattr(layer, name, _Attention(getattr(layer, name)))
    linear = {name: per_channel_dynamic_qconfig for name, m in transformer.named_modules() if isinstance(m, nn.Linear)}
    with warnings.catch_warnings(action="ignore"):  # that this door of torch will move to another package
        quantize_dynamic(transformer, linear, dtype=torch.qint8, inplace=True)
    return made


class _Attention(nn.Module):  # type: ignore[misc]  # torch is not followed
    """`nn.MultiheadAttention` without masks, its projections as linear layers of their own, which can be quantized."""

    def __init__(self, attention: nn.MultiheadAttention) -> None:
        super().__init__()
        width = attention.embed_dim
        self.heads = attention.num_heads
        self.batch_first = attention.batch_first
        weight, bias = attention.in_proj_weight, attention.in_proj_bias
        self.query = _linear(weight[:width], bias[:width])
        self.key_value = _linear(weight[width:], bias[width:])
        self.out = _linear(attention.out_proj.weight, attention.out_proj.bias)

    def forward(self, query: Any, key: Any, value: Any, **unused: Any) -> tuple[Any, None]:
        """`[batch, tokens, width]`; in this family, `value` is `key`."""
        keys, values = self.key_value(key).chunk(2, dim=-1)
        found = functional.scaled_dot_product_attention(
            self._split(self.query(query)), self._split(keys), self._split(values)
        )
        return self.out(found.transpose(1, 2).reshape(query.shape)), None

    def _split(self, x: Any) -> Any:
        return x.view(*x.shape[:2], self.heads, -1).transpose(1, 2)


def _linear(weight: Any, bias: Any) -> nn.Linear:
    made = nn.Linear(weight.shape[1], weight.shape[0])
    made.weight.data, made.bias.data = weight.detach().clone(), bias.detach().clone()
    return made
