"""Spleeter as it is published: its own `Separator`, on the TensorFlow that it asks for, in an environment of its own.

The package needs TensorFlow's Estimator, so it runs on TensorFlow 2.12 and not beside what this project uses.

    python -m bench.spleeter_package        makes the environment in var/bench-spleeter (3 GB)

This file is also run by that environment's Python, as `PYTHON bench/spleeter_package.py KEY`, with `MODEL_PATH` in the
package's own layout; so it imports nothing of the project. The protocol is that of `bench/separation_peers.py`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
PLACE = ROOT / "var" / "bench-spleeter"
REQUIREMENT = "spleeter==2.4.2"


def environment() -> Path | None:
    """The Python of the package's environment, made at the first call; None, with the reason told, where it cannot."""
    python = PLACE / "bin" / "python"
    ready = PLACE / "ready"
    if ready.is_file():
        return python
    install = [str(python), "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", REQUIREMENT]
    try:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(PLACE)], check=True, stdout=sys.stderr)
        subprocess.run(install, check=True, stdout=sys.stderr, stderr=subprocess.PIPE, text=True)
    except subprocess.CalledProcessError as error:
        print(f"{REQUIREMENT} cannot be installed as it is published: {error.stderr or error}", file=sys.stderr)
        return None
    ready.touch()
    return python


def command(python: Path, key: str) -> list[str]:
    """What runs `key` there; its weights are laid out as the package wants them."""
    name = key.partition(":")[2]
    model = PLACE / "models" / name
    model.mkdir(parents=True, exist_ok=True)
    for file in (Path(os.environ["STEMMOS_WEIGHTS"]) / "spleeter" / name).resolve().iterdir():
        link = model / file.name
        link.unlink(missing_ok=True)
        link.symlink_to(file)
    (model / ".probe").write_text("OK", encoding="utf-8")
    return ["env", f"MODEL_PATH={model.parent}", "TF_CPP_MIN_LOG_LEVEL=2", str(python), __file__, key]


def serve(key: str) -> None:
    """In the package's environment: one answer for each line."""
    answers, sys.stdout = sys.stdout, sys.stderr
    from spleeter.separator import Separator

    separator = Separator(key, multiprocess=False)
    for line in sys.stdin:
        scratch = Path(line.rstrip("\n"))
        mixture = np.load(scratch / "mixture.npy").T
        began = time.perf_counter()
        found = separator.separate(mixture)
        seconds = time.perf_counter() - began
        stems = {source: np.ascontiguousarray(stem[: len(mixture)].T) for source, stem in found.items()}
        np.savez(scratch / "stems.npz", **stems)
        print(json.dumps({"seconds": seconds}), file=answers, flush=True)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        serve(sys.argv[1])
    else:
        print(environment() or "")
