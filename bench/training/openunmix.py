"""Train a small Open-Unmix: one `OpenUnmix` network for each source, on magnitude spectrograms.

The loss is that of the package's own training script, the mean squared error of the magnitudes (Stöter et al.
2019, doi 10.21105/joss.01667); the four networks see the same mixtures.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from audio.synthesis import SOURCES
from bench.training.songs import Log, Plan, Stems, batch_of, rate_at
from separation.separators.openunmix import import_openunmix

PLAN = Plan(steps=900, batch=12, seconds=2.6, rate=4e-3, seed=11, songs=112)

FOURIER = {"sample_rate": 44100, "nfft": 4096, "nhop": 1024, "nb_channels": 2}
HIDDEN = 40
MAX_BIN = 1022  # bins up to 11 kHz are read; all 2,049 are written


def train(songs: list[Stems], plan: Plan, folder: Path, log: Log) -> None:
    """Train the four networks and write `separator.json`, `<source>.json` and `<source>.pth` into `folder`."""
    import torch

    torch.manual_seed(plan.seed)
    rng = np.random.default_rng(plan.seed)
    encoder = _encoder()
    networks = _networks(*_statistics(songs, rng, plan, encoder))
    optimizer = torch.optim.Adam([p for n in networks.values() for p in n.parameters()], lr=plan.rate)
    for step in range(plan.steps):
        for group in optimizer.param_groups:
            group["lr"] = rate_at(step, plan)
        losses = _losses(networks, *_magnitudes(songs, rng, plan, encoder))
        optimizer.zero_grad()
        sum(losses.values()).backward()
        optimizer.step()
        if step % 25 == 0:
            log(f"openunmix step {step}: " + " ".join(f"{k} {v.item():.3f}" for k, v in losses.items()))
    _write(networks, folder)


def _encoder() -> Any:
    import_openunmix()
    from openunmix.transforms import make_filterbanks

    return make_filterbanks(n_fft=FOURIER["nfft"], n_hop=FOURIER["nhop"], center=True)[0]


def _magnitudes(songs: list[Stems], rng: np.random.Generator, plan: Plan, encoder: Any) -> tuple[Any, Any]:
    """Magnitudes of the mixtures `[batch, 2, bins, frames]` and of the stems `[4, batch, 2, bins, frames]`."""
    import torch

    waves = torch.from_numpy(batch_of(songs, rng, plan.batch, round(plan.seconds * 44_100))).transpose(0, 1)
    with torch.no_grad():
        spectra = torch.stack([torch.view_as_complex(encoder(stem.contiguous())) for stem in waves])
        return spectra.sum(0).abs(), spectra.abs()


def _statistics(songs: list[Stems], rng: np.random.Generator, plan: Plan, encoder: Any) -> tuple[Any, Any]:
    """Mean and deviation of the mixtures' magnitude in each bin, as the package's training script takes them."""
    frames = np.concatenate(
        [_magnitudes(songs, rng, plan, encoder)[0].mean(1).transpose(1, 2).reshape(-1, 2049).numpy() for _ in range(8)]
    )
    deviation = frames.std(0)
    return frames.mean(0), np.maximum(deviation, 1e-4 * deviation.max())


def _networks(mean: Any, deviation: Any) -> dict[str, Any]:
    from openunmix.model import OpenUnmix

    return {
        source: OpenUnmix(2049, 2, HIDDEN, input_mean=mean, input_scale=deviation, max_bin=MAX_BIN).train()
        for source in SOURCES
    }


def _losses(networks: dict[str, Any], mixture: Any, stems: Any) -> dict[str, Any]:
    from torch.nn.functional import mse_loss

    return {source: mse_loss(networks[source](mixture), stems[SOURCES.index(source)]) for source in SOURCES}


def _write(networks: dict[str, Any], folder: Path) -> None:
    import torch

    (folder / "separator.json").write_text(json.dumps(FOURIER, indent=1) + "\n")
    for source, network in networks.items():
        arguments = {"args": {**FOURIER, "hidden_size": HIDDEN, "max_bin": MAX_BIN}}
        (folder / f"{source}.json").write_text(json.dumps(arguments, indent=1) + "\n")
        torch.save(network.state_dict(), folder / f"{source}.pth")
