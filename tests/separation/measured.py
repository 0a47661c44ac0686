"""Songs with true stems, and measurements of their separations."""

from __future__ import annotations

from typing import Any

import pytest

from separation.models import Measurement, SeparationJob, Song
from separation.objective import METRICS, SourceFigures
from separation.services import measuring
from separation.services.measurements import measurement_run, measurement_start
from tests.factories import job_done_make, song_make, stem_make

TWO = ("vocals", "drums")


def song_with_stems(*sources: str, seconds: float = 3.0) -> Song:
    song = song_make(seconds=seconds)
    for number, source in enumerate(sources or TWO):
        stem_make(song=song, source=source, seed=7 + number)
    return song


def measured(job: SeparationJob | None = None) -> Measurement:
    job = job or job_done_make(song=song_with_stems(), sources=TWO)
    measurement = measurement_start(job=job)
    measurement_run(measurement.pk)
    measurement.refresh_from_db()
    return measurement


def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measuring takes seconds; where the figures do not matter they are made up."""

    def made_up(references: Any, estimates: Any, *, progress: Any) -> Any:
        progress(1.0)
        frames = {name: [1.25, None, 3.0] for name in METRICS}
        return {name: SourceFigures(2.125, 2.0, None, -0.04, 1.0, frames, ["windows_left_out"]) for name in estimates}

    monkeypatch.setattr(measuring, "measure", made_up)
