"""Train a small HTDemucs on waveforms, with the L1 loss of the package's own recipe (Rouard et al. 2023,
arXiv 2211.08553), and write it in the package's safetensors format.
"""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from audio.synthesis import SOURCES
from bench.training.songs import Log, Plan, Stems, batch_of, rate_at

SEGMENT = Fraction(2, 1)  # s, of training and of each window when separating
PLAN = Plan(steps=800, batch=4, seconds=float(SEGMENT), rate=3e-3, seed=13, songs=112)

ORDER = ["drums", "bass", "other", "vocals"]  # as in the published model
SIGNATURE = "demo0001"
ARCHITECTURE: dict[str, Any] = {
    "sources": ORDER,
    "channels": 12,
    "dconv_mode": 3,
    "t_layers": 1,
    "t_heads": 2,
    "segment": SEGMENT,
}


def train(songs: list[Stems], plan: Plan, folder: Path, log: Log) -> None:
    """Train one HTDemucs and write `htdemucs.yaml` and `<signature>.safetensors` into `folder`."""
    import torch
    from demucs.htdemucs import HTDemucs

    torch.manual_seed(plan.seed)
    rng = np.random.default_rng(plan.seed)
    model = HTDemucs(**ARCHITECTURE).train()
    average = torch.optim.swa_utils.AveragedModel(model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.98))
    optimizer = torch.optim.Adam(model.parameters(), lr=plan.rate, betas=(0.9, 0.99))
    for step in range(plan.steps):
        for group in optimizer.param_groups:
            group["lr"] = rate_at(step, plan)
        mixture, stems = _example(songs, rng, plan)
        losses = (model(mixture) - stems).abs().mean((0, 2, 3))
        optimizer.zero_grad()
        losses.mean().backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        average.update_parameters(model)
        if step % 25 == 0:
            log(f"demucs step {step}: " + " ".join(f"{k} {v:.4f}" for k, v in zip(ORDER, losses.tolist(), strict=True)))
    _write(average.module, folder)


def _example(songs: list[Stems], rng: np.random.Generator, plan: Plan) -> tuple[Any, Any]:
    """Mixtures `[batch, 2, samples]`, normalised as when separating, and their stems `[batch, 4, 2, samples]`."""
    import torch

    stems = torch.from_numpy(batch_of(songs, rng, plan.batch, round(plan.seconds * 44_100)))
    stems = stems[:, [SOURCES.index(source) for source in ORDER]]
    mixture = stems.sum(1)
    mono = mixture.mean(1)
    mean, deviation = mono.mean(-1)[:, None, None], mono.std(-1)[:, None, None] + 1e-6
    return (mixture - mean) / deviation, stems / deviation[:, None]


def _write(model: Any, folder: Path) -> None:
    from safetensors.torch import save_file

    keywords = {**ARCHITECTURE, "segment": _as_json(SEGMENT)}
    state = {name: value.detach().contiguous() for name, value in model.state_dict().items()}
    metadata = {"klass": "demucs.htdemucs.HTDemucs", "args": "[]", "kwargs": json.dumps(keywords)}
    save_file(state, folder / f"{SIGNATURE}.safetensors", metadata=metadata)
    (folder / "htdemucs.yaml").write_text(f"models: ['{SIGNATURE}']\n")


def _as_json(fraction: Fraction) -> dict[str, Any]:
    return {"_type": "fraction", "numerator": fraction.numerator, "denominator": fraction.denominator}
