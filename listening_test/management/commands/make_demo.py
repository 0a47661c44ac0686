"""`manage.py make_demo [--wait]`: the demo study and the demo results, made by the workers."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

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
        demo_begin()
        if options["wait"]:
            self._wait(options["patience"])
        else:
            self.stdout.write(_("The demo has been asked for. The workers make it; its study opens by itself."))

    def _wait(self, patience: float) -> None:
        last, moved_at = "", time.monotonic()
        while True:
            demo_advance()
            progress = demo_progress()
            if progress.failure:
                raise CommandError(progress.failure)
            if (line := self._line(progress)) != last:
                last, moved_at = line, time.monotonic()
                self.stdout.write(line)
            if progress.is_ready:
                return
            if time.monotonic() - moved_at > patience:
                raise CommandError(
                    _("Nothing has moved for %(seconds)d s. Is a worker running?") % {"seconds": patience}
                )
            time.sleep(SECONDS_BETWEEN_LOOKS)

    def _line(self, progress: DemoProgress) -> str:
        return _(
            "separations %(jobs_done)d/%(jobs)d · clips %(clips_made)d/%(clips)d · simulated listeners %(listeners)d"
        ) % {
            "jobs_done": progress.jobs_done,
            "jobs": progress.jobs,
            "clips_made": progress.clips_made,
            "clips": progress.clips,
            "listeners": progress.listeners,
        }
