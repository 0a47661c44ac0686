"""The report of a study: as its ratings stand now, or as it was last computed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from time import time
from uuid import UUID

from django.utils.translation import get_language

from analysis import dataset, kept
from analysis.exports import ratings_digest
from analysis.groups import group_report
from analysis.listener_facts import listener_facts
from analysis.measured import clip_figures
from analysis.metrics import metric_report
from analysis.report import StudyReport, study_options
from analysis.report_make import report_make
from analysis.tidy import counted
from listening_test.models import Study

AT_ONCE = 3_000
"""A study with fewer ratings is computed when it is asked for; a larger one in the background, while the last report
is shown."""


@dataclass(frozen=True)
class Shown:
    """What there is to show. `version`: of the report that is shown, "" where there is none yet."""

    state: dataset.State
    version: str
    ratings: int  # that were stored when it was computed
    is_due: bool  # to be computed in the background

    @property
    def waiting(self) -> int:
        """Ratings that have come since."""
        return max(self.state.ratings - self.ratings, 0)

    @property
    def is_fresh(self) -> bool:
        return self.version == self.state.version


def is_large(state: dataset.State) -> bool:
    return state.ratings >= AT_ONCE


def shown(study: Study, page: kept.Page | None = None) -> Shown:
    """What is shown of the study now. A computation begins no sooner after the last one than that had taken."""
    state = dataset.state(study)
    if not is_large(state):
        return Shown(state, state.version, state.ratings, is_due=False)
    page = page or page_kept(study)
    if page is None:
        return Shown(state, "", 0, is_due=True)
    rested = not 0 <= time() - page.at < page.seconds
    return Shown(state, page.version, page.ratings, is_due=rested and page.version != state.version)


def page_kept(study: Study) -> kept.Page | None:
    """In the active language."""
    return kept.page_read(study.id, get_language() or "")


def study_report(study: Study, state: dataset.State | None = None) -> StudyReport:
    """As the ratings stand now, however long that takes. Made once for each state and kept in this process."""
    return _report(study.id, (state or dataset.state(study)).version)


def report_shown(study: Study) -> StudyReport | None:
    """What the page shows, at once: of a large study the last one that was computed; None before the first."""
    state = dataset.state(study)
    if not is_large(state):
        return _report(study.id, state.version)
    page = page_kept(study)
    return _loaded(study.id, page.version) if page else None


@lru_cache(maxsize=8)
def _report(study_id: UUID, version: str) -> StudyReport:
    found = kept.report_read(study_id)
    return found if found and found.version == version else report_computed(study_id, version)


@lru_cache(maxsize=2)
def _loaded(study_id: UUID, version: str) -> StudyReport | None:
    return kept.report_read(study_id)


def report_computed(study_id: UUID, version: str) -> StudyReport:
    study = Study.objects.get(id=study_id)
    stored = dataset.stored(study)
    report = report_make(
        stored.ratings,
        study_id=study_id,
        name=study.name,
        version=version,
        is_demo=study.is_demo,
        systems=[*study.systems, *study.controls],
        sources=study.sources,
        songs=dataset.song_titles(study).values(),
        sessions=dataset.sessions(study),
        digest=ratings_digest(stored.ratings),
        options=study_options(seed=study.seed, listeners=len(stored.listeners)),
        known=stored.listeners,
        contamination_words=study.contamination_words,
    )
    if report.analysed is None:
        return report
    return replace(
        report,
        metrics=metric_report(report.analysed, clip_figures(study), seed=study.seed),
        groups=group_report(report.analysed, counted(stored.ratings), listener_facts(study)),
    )
