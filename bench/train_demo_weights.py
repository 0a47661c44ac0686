"""Train the demo weights: small Open-Unmix, Spleeter and HTDemucs models, on synthetic songs, on a CPU.

    python -m bench.train_demo_weights                      all three: 40 minutes on two free cores, by estimate
    python -m bench.train_demo_weights --family spleeter    one of them
    python -m bench.train_demo_weights --quick --to DIR     two steps of each, to see that it runs

Everything is seeded: songs, batches, first weights. Each family's folder is replaced when its training is done: the
checkpoint in the package's own format, and `manifest.json` with the hashes that are checked at every load.
"""

from __future__ import annotations

import argparse
import importlib
import shutil
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from bench.training.songs import TRAINING_SEEDS, Stems, training_songs
from separation.separators.weights import DEMO, DEMO_FOLDERS, write_manifest

FAMILIES = tuple(DEMO_FOLDERS)


def main() -> None:
    asked = _arguments()
    began = time.monotonic()
    songs = training_songs(4 if asked.quick else len(TRAINING_SEEDS))
    _log(began, f"{len(songs)} songs made")
    for family in [asked.family] if asked.family else FAMILIES:
        _train(family, songs, asked.to / DEMO_FOLDERS[family], quick=asked.quick, began=began)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train the demo weights on synthetic songs.")
    parser.add_argument("--family", choices=FAMILIES, help="train this one only")
    parser.add_argument("--quick", action="store_true", help="two steps on four songs; needs --to")
    parser.add_argument("--to", type=Path, default=DEMO, help="the folder of the three folders")
    asked = parser.parse_args()
    if asked.quick and asked.to == DEMO:
        parser.error("--quick would replace the trained weights: give another folder with --to")
    return asked


def _train(family: str, songs: list[Stems], folder: Path, *, quick: bool, began: float) -> None:
    """Train into a folder beside the final one, and put it in its place when all is written."""
    training = importlib.import_module(f"bench.training.{family}")
    plan = replace(training.PLAN, steps=2) if quick else training.PLAN
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f"{folder.name}-", dir=folder.parent))
    fresh.chmod(0o755)
    training.train(songs[: plan.songs], plan, fresh, lambda message: _log(began, message))
    for file in fresh.iterdir():
        file.chmod(0o644)
    write_manifest(fresh)
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)
    size = sum(file.stat().st_size for file in folder.iterdir())
    _log(began, f"{family}: {plan.steps} steps done, {size / 1e6:.1f} MB in {folder}")


def _log(began: float, message: str) -> None:
    print(f"{time.monotonic() - began:7.1f} s  {message}", flush=True)


if __name__ == "__main__":
    main()
