"""The only reader of objective measurements for the analysis: what was measured of each clip of a study.

A clip's figures are those of its excerpt: of a measurement of that very span where there is one; else, of the shortest
measurement around it, the medians over the whole seconds that lie inside the excerpt. SI-SDR has no seconds: there it
is that of the whole measured span.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
from django.conf import settings

from listening_test.models import Clip, Study
from separation.measurement_selectors import State
from separation.measurement_words import METRICS as MEASURED
from separation.models import Measurement, SourceMeasurement

METRICS = tuple(metric.key for metric in MEASURED)
FRAMED = tuple(key for key in METRICS if key != "si_sdr")
SHAKY = ("isr", "sir", "sar")  # where `filters_wild` is noted they hang on rounding errors and are left out

Spans = Mapping[tuple[UUID, str], list[SourceMeasurement]]


def clip_figures(study: Study) -> pd.DataFrame:
    """One row per measured clip (index: its id as in the ratings), a column for each of `METRICS`, NaN where undefined;
    `is_exact`: the excerpt itself was measured."""
    clips = Clip.objects.filter(study=study, purpose=Clip.Purpose.TEST, stem__job__isnull=False)
    clips = clips.select_related("excerpt", "stem").order_by("id")
    found = _by_job_and_source(study)
    rows = {}
    for clip in clips:
        if clip.stem and clip.stem.job_id and clip.excerpt:
            spans = found.get((clip.stem.job_id, clip.source), [])
            if row := _figures(spans, *clip.excerpt.span):
                rows[str(clip.id)] = row
    table = pd.DataFrame.from_dict(rows, orient="index", columns=[*METRICS, "is_exact"])
    return table.astype({**dict.fromkeys(METRICS, float), "is_exact": bool})


def _by_job_and_source(study: Study) -> Spans:
    jobs = Clip.objects.filter(study=study, purpose=Clip.Purpose.TEST).values("stem__job_id")
    done = SourceMeasurement.objects.filter(measurement__state=State.DONE, measurement__job__in=jobs)
    found = defaultdict(list)
    for row in done.select_related("measurement").order_by("measurement__start", "measurement__end", "id"):
        found[row.measurement.job_id, row.source].append(row)
    return found


def _figures(spans: Iterable[SourceMeasurement], start: int, end: int) -> list[Any]:
    """Of the excerpt from sample `start` to `end`; empty where nothing was measured of it."""
    around = [row for row in spans if row.measurement.start <= start and end <= row.measurement.end]
    if not around:
        return []
    best = min(around, key=lambda row: row.measurement.end - row.measurement.start)
    exact = (best.measurement.start, best.measurement.end) == (start, end)
    values = {"si_sdr": best.si_sdr}
    for key in FRAMED:
        values[key] = getattr(best, key) if exact else _median_inside(best, key, start, end)
    if "filters_wild" in best.notes:
        values |= dict.fromkeys(SHAKY)
    return [np.nan if values[key] is None else values[key] for key in METRICS] + [exact]


def _median_inside(row: SourceMeasurement, key: str, start: int, end: int) -> float | None:
    rate = settings.SAMPLE_RATE
    first = -(-(start - row.measurement.start) // rate)
    last = (end - row.measurement.start) // rate
    seconds = [value for value in row.frames.get(key, [])[first:last] if value is not None]
    return float(np.median(seconds)) if seconds else None


def measured_state(study: Study) -> tuple[Any, ...]:
    """Differs as soon as something else has been measured; cheap."""
    done = Measurement.objects.filter(state=State.DONE, job__song__excerpts__study=study)
    return tuple(done.order_by("-finished_at").values_list("finished_at", "id").first() or ())
