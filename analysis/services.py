"""Reports of large studies, computed in the background and kept."""

from __future__ import annotations

import logging
from threading import Thread
from time import monotonic, time
from uuid import UUID

from celery import current_app
from django.conf import settings
from django.db.models import Sum
from django.utils import translation
from kombu.exceptions import OperationalError as BrokerAway

from analysis import dataset, kept, page
from analysis.report import StudyReport
from analysis.selectors import AT_ONCE, report_computed, shown
from listening_test.models import Study

TASK = "analysis.tasks.compute"
ASK_SECONDS = 20.0  # between two messages for one study: a lost one costs no more
SEND_SECONDS = 0.1  # that a page waits for the broker; where that is away, a try takes seconds

log = logging.getLogger(__name__)


def results_ask(*, study: Study) -> bool:
    """Have the study's report computed, unless somebody is at it or was asked a moment ago."""
    if kept.is_computing(study.id) or not kept.may_ask(study.id, ASK_SECONDS):
        return False
    sending = Thread(target=_send, args=[study.id], daemon=True)
    sending.start()
    sending.join(SEND_SECONDS)
    return True


def _send(study_id: UUID) -> None:
    try:
        current_app.send_task(TASK, args=[str(study_id)], retry=False)
    except BrokerAway:
        log.warning("study %s: the broker cannot be reached, its results wait", study_id)


def results_compute(*, study_id: UUID) -> bool:
    """Compute and keep the report and its pages. False where another process does, or where all is up to date."""
    study = Study.objects.filter(id=study_id).first()
    if study is None:
        return False
    with kept.computing(study_id) as is_ours:
        if not is_ours or shown(study).is_fresh:
            return False
        state, begun = dataset.state(study), monotonic()
        report = report_computed(study_id, state.version)
        kept.report_write(report)
        pages = {code: page_html(study, report, code) for code in _languages()}
        for code, html in pages.items():
            made = kept.Page(state.version, state.ratings, report.counts.simulated, monotonic() - begun, time(), html)
            kept.page_write(study_id, code, made)
    log.info("study %s: results of %d ratings in %.1f s", study_id, report.counts.stored, monotonic() - begun)
    return True


def page_html(study: Study, report: StudyReport, language: str) -> str:
    """The results page without its frame."""
    with translation.override(language):
        return page.html_of(report, study)


def _languages() -> list[str]:
    """The default one last: once its page is there, all are."""
    return sorted(dict(settings.LANGUAGES), key=lambda code: code == settings.LANGUAGE_CODE)


def results_sweep() -> None:
    """Ask for what is due, so that it is there before somebody looks; forget what belongs to no large study."""
    large = Study.objects.annotate(ratings=Sum("sessions__rating_count")).filter(ratings__gte=AT_ONCE).order_by("id")
    for study in large:
        if shown(study).is_due:
            results_ask(study=study)
    for study_id in set(kept.studies()).difference(str(study.id) for study in large):
        kept.forget(study_id)
