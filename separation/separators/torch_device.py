"""The device that the two torch separators run on. Imports torch: only they import this module."""

from __future__ import annotations

import torch


def torch_device() -> torch.device:
    """The first GPU where there is one, else the CPU."""
    return torch.device("cuda:0" if torch.cuda.is_available() else "cpu")


def described(device: torch.device) -> str:
    """E.g. "cpu" or "cuda:0 (NVIDIA …)"."""
    return str(device) if device.type == "cpu" else f"{device} ({torch.cuda.get_device_name(device)})"
