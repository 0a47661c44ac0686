"""What went wrong, in a code; whether trying again can help; and when.

Transient: the machine or its services (database, broker, disk, memory, a worker that died). Permanent: the same input
and the same code give the same fault again.
"""

from __future__ import annotations

import errno
import random
from dataclasses import dataclass, field
from datetime import timedelta

from django.conf import settings

from separation.separators.base import SeparatorError

NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
PERMANENT = (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, AssertionError, ImportError)
"""Faults of the code, which will find the same input when it is run again."""


@dataclass(frozen=True)
class Fault:
    code: str
    permanent: bool
    params: dict[str, str] = field(default_factory=dict)  # of the sentence that a person reads


def fault_of(error: Exception, *, attempt: int) -> Fault:
    """Memory may run out at the first attempt; whatever ended that one, there is not enough if it runs out later."""
    if isinstance(error, SeparatorError):
        return Fault(error.code, error.permanent, error.params)
    if is_out_of_memory(error):
        return Fault("out_of_memory", permanent=attempt > 1)
    if isinstance(error, OSError) and error.errno in NO_SPACE:
        return Fault("disk_full", permanent=True)
    return Fault("unexpected", isinstance(error, PERMANENT), {"error": type(error).__name__})


def is_out_of_memory(error: Exception) -> bool:
    """Python's own error, torch's on a GPU, and torch's plain RuntimeError where the machine itself has no more."""
    if isinstance(error, MemoryError) or type(error).__name__ in ("OutOfMemoryError", "ResourceExhaustedError"):
        return True
    said = str(error)
    return isinstance(error, (RuntimeError, OSError)) and (
        getattr(error, "errno", None) == errno.ENOMEM or "not enough memory" in said or "can't allocate memory" in said
    )


def back_off(attempt: int) -> timedelta:
    """Time to wait after the attempt of this number (from 1): twice as long each time, and a little at random, so that
    what failed together is not tried again together."""
    longest: float = settings.JOB_RETRY_MAX_SECONDS
    seconds = min(longest, settings.JOB_RETRY_SECONDS * 2.0 ** (attempt - 1))
    return timedelta(seconds=seconds * random.uniform(0.5, 1.0))  # noqa: S311  no secret
