"""The beat's clock: one that never jumps.

Celery's own scheduler goes by the time of day. When that is set back by hours, it sends nothing for as many hours, and
the sweeps, which have to notice what went wrong, sleep while it goes wrong.
"""

from __future__ import annotations

import time
from typing import Any

from celery.beat import ScheduleEntry, Scheduler

LONGEST_WAIT = 5.0  # seconds


class SteadyScheduler(Scheduler):
    """Sends every entry of the settings' schedule at its interval. It keeps no file, so several may run."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self._due: dict[str, float] = {}
        super().__init__(*args, **options)

    def tick(self, *args: Any, **options: Any) -> float:
        """Send what is due; returns the seconds until something is."""
        waits = [self._send_if_due(name, entry) for name, entry in self.schedule.items()]
        return max(0.0, min([*waits, LONGEST_WAIT]))

    def _send_if_due(self, name: str, entry: ScheduleEntry) -> float:
        """Seconds until it is due again."""
        interval = getattr(entry.schedule, "run_every", None)
        if interval is None:
            raise TypeError(f"{name} asks for a time of day; intervals only")
        if time.monotonic() >= self._due.get(name, 0.0):
            self._due[name] = time.monotonic() + interval.total_seconds()
            self.apply_entry(entry, producer=self.producer)
        return self._due[name] - time.monotonic()
