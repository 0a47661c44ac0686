"""`manage.py make_demo [--wait]`: the demo study and the demo results, made by the workers.

It speaks plain English, like everything else in the terminal of `script/server`.
"""

from __future__ import annotations

import time
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from listening_test.services.demo import DemoProgress, demo_advance, demo_begin, demo_progress

SECONDS_BETWEEN_LOOKS = 1.0


class Command(BaseCommand):
    help = "Make the demo study and the demo results. Safe to run again: it goes on where it stopped."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--wait", action="store_true", help="wait until both are there, and say how far they are")
        parser.add_argument(
            "--patience", type=float, default=600.0, help="seconds without any progress after which to give up (600)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write("Composing the songs…")
        demo_begin()
        if options["wait"]:
            self._wait(options["patience"])
        else:
            self.stdout.write("The demo has been asked for. The workers make it; its study opens by itself.")

    def _wait(self, patience: float) -> None:
        self._said, self._moved_at = "", time.monotonic()
        while not self._tell().is_ready:
            if time.monotonic() - self._moved_at > patience:
                raise CommandError(f"Nothing has moved for {patience:.0f} s. Is a worker running?")
            time.sleep(SECONDS_BETWEEN_LOOKS)
            demo_advance(after_each=self._tell)

    def _tell(self) -> DemoProgress:
        """A line of how far it is, where that is news."""
        progress = demo_progress()
        if progress.failure:
            raise CommandError(progress.failure)
        if (line := _line(progress)) != self._said:
            self._said, self._moved_at = line, time.monotonic()
            self.stdout.write(line)
        return progress


def _line(progress: DemoProgress) -> str:
    return ("separations {jobs_done}/{jobs} · clips {clips_made}/{clips} · simulated listeners {listeners}").format_map(
        asdict(progress)
    )
