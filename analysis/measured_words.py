"""Names of objective metrics."""

from __future__ import annotations

from separation.measurement_words import METRICS

NAMES = {metric.key: metric.name for metric in METRICS}


def metric_name(key: str) -> str:
    """As it is written; the key itself for a metric that this service does not measure."""
    return NAMES.get(key, key.upper())
