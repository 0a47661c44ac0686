"""Whether the stems of a done job are what its separator would give now, and how they make way for new ones."""

from __future__ import annotations

from separation.models import SeparationJob
from separation.separators import registry
from separation.services.files import job_files_delete_after_commit, stem_files_delete_after_commit
from separation.uses import players_of


class StemsInUse(Exception):
    """Clips of studies were cut from these stems, and tell by them what they are. params: `studies`."""

    code = "stems_in_use"

    def __init__(self, studies: str) -> None:
        super().__init__(f"{self.code}: {studies}")
        self.params = {"studies": studies}


def is_current(job: SeparationJob) -> bool:
    """Whether all its files are there, and made with the weights that lie here now."""
    return stems_are_there(job) and weights_are_the_same(job)


def stems_are_there(job: SeparationJob) -> bool:
    return all(stem.file.storage.exists(str(stem.file.name)) for stem in job.stems.all())


def weights_are_the_same(job: SeparationJob) -> bool:
    """True also where that cannot be told: of another package's weights, and of weights that are gone meanwhile."""
    ran, now = job.ran.get("weights_sha256"), registry.weights_sha256(job.separator)
    return not ran or not now or ran == now


def job_replaced(job: SeparationJob) -> None:
    """Delete a job that another one takes the place of. Raises `StemsInUse`. Inside the transaction that makes it."""
    if studies := studies_of(job):
        raise StemsInUse(", ".join(studies))
    job_delete(job)


def studies_of(job: SeparationJob) -> list[str]:
    """Names of the studies whose clips were cut from its stems; while there are any, nothing takes its place."""
    return players_of([stem.pk for stem in job.stems.all()])


def job_delete(job: SeparationJob) -> None:
    """The job, its stems, and their files but for those that another job shares. Inside a transaction."""
    stem_files_delete_after_commit(list(job.stems.all()))
    job_files_delete_after_commit(job.pk)
    job.delete()
