"""The report of a study as its ratings stand now."""

from __future__ import annotations

from functools import lru_cache
from uuid import UUID

from analysis import dataset
from analysis.exports import ratings_digest
from analysis.report import StudyReport
from analysis.report_make import report_make
from listening_test.models import Study


def study_report(study: Study) -> StudyReport:
    """Made once for each state of the data and kept in this process."""
    return _kept(study.id, dataset.state(study).version)


@lru_cache(maxsize=8)
def _kept(study_id: UUID, version: str) -> StudyReport:
    study = Study.objects.get(id=study_id)
    table = dataset.ratings(study)
    return report_make(
        table,
        study_id=study_id,
        name=study.name,
        version=version,
        is_demo=study.is_demo,
        systems=study.systems,
        sources=study.sources,
        songs=dataset.song_titles(study).values(),
        sessions=dataset.sessions(study),
        digest=ratings_digest(table),
    )
