"""`python -m config.worker`: one more worker, on this machine or another one, for all separations or for some.

STEMMOS_QUEUES names the queues, WORKER_CONCURRENCY how many separations run at a time. The command itself is the one of
`config/processes.py`; `script/server` runs the same.
"""

from __future__ import annotations

import os
import sys

from config import environment, processes


def wanted_command() -> list[str]:
    """Raises `BadSetting`."""
    concurrency = environment.whole("WORKER_CONCURRENCY", processes.WORKER_CONCURRENCY)
    try:
        queues = processes.queues_wanted(environment.text("STEMMOS_QUEUES"))
    except ValueError as error:
        raise environment.BadSetting(f"STEMMOS_QUEUES cannot be used: {error}.") from error
    return processes.worker_command(concurrency=concurrency, queues=queues)


def main() -> int:
    try:
        command = wanted_command()
    except environment.BadSetting as error:
        print(error, file=sys.stderr)
        return 1
    os.execv(command[0], command)  # noqa: S606  our own command line


if __name__ == "__main__":
    sys.exit(main())
