"""What is true of the files of a variant: for people who ask, where a separator would stop at the first fault."""

from __future__ import annotations

from separation.separators.base import SeparatorError, WeightsMismatch
from separation.separators.weights.files import WeightsSet


def state_of(wanted: WeightsSet) -> str:
    """ "missing" (nothing is there), "partial", "wrong" (a size), or "present". Looks at names and sizes only."""
    there = [file for file in wanted.files if (wanted.folder / file.name).is_file()]
    if not there:
        return "missing"
    try:
        WeightsSet(wanted.folder, tuple(there), wanted.origin).check_present()
    except WeightsMismatch:
        return "wrong"
    return "present" if len(there) == len(wanted.files) else "partial"


def faults_of(wanted: WeightsSet) -> list[str]:
    """A sentence for every file that is missing or is not exactly what was published; every file is opened."""
    faults = []
    for file in wanted.files:
        try:
            WeightsSet(wanted.folder, (file,), wanted.origin).verify()
        except SeparatorError as error:
            faults.append(str(error))
    return faults
