"""Ratings under open licences with answers from other people's software, where they lie beside the project."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

FOLDER = Path(__file__).resolve().parents[4] / "shared" / "ratings"

needed = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"the reference ratings are not in {FOLDER.name}/ beside it")


def ratings(name: str) -> pd.DataFrame:
    return pd.read_csv(FOLDER / f"{name}.csv")


def answers(name: str) -> Any:
    return json.loads((FOLDER / "reference" / f"{name}.json").read_text())


def table(name: str) -> pd.DataFrame:
    return pd.read_csv(FOLDER / "reference" / f"{name}.csv")
