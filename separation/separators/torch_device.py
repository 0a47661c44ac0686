"""The device that the two torch separators run on. Imports torch: only they import this module."""

from __future__ import annotations

import torch


def torch_device() -> torch.device:
    """The first GPU where there is one, else the CPU.

    On a GPU, float32 stays float32: torch by itself lets cuDNN round convolutions and recurrent layers to TF32.
    """
    if not torch.cuda.is_available():
        return torch.device("cpu")
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
    return torch.device("cuda:0")


def described(device: torch.device) -> str:
    """E.g. "cpu" or "cuda:0 (NVIDIA …)"."""
    return str(device) if device.type == "cpu" else f"{device} ({torch.cuda.get_device_name(device)})"
