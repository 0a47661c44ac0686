"""How a model of the demucs family computes: exactly, and in the named fast precision."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional

BFLOAT16, INT8, SAME = "bfloat16", "int8 transformer", "float32"
"""Names of what fast precision does, for the record of a job. `float32`: nothing is faster here, so it is exact."""


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


def fast_form(models: list[Any], device: torch.device) -> FastForm:
    """What is fastest on this device; the models themselves stay as they are."""
    if device.type == "cuda" or computes_in_bfloat16():

        def autocast(place: int, batch: Any) -> Any:
            with torch.autocast(device.type, dtype=torch.bfloat16):
                return models[place](batch)

        return FastForm(BFLOAT16, models, autocast)
    quantized = [_quantized(model) for model in models]
    name = INT8 if any(hasattr(model, "crosstransformer") for model in models) else SAME
    return FastForm(name, quantized, lambda place, batch: quantized[place](batch))


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
