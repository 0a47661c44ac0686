"""Files of a study's results, each made when it is asked for."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from typing import IO
from uuid import UUID

from django.http import FileResponse, Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET

from analysis import dataset, presentation
from analysis.exports.files import Material, export_file
from analysis.package import package_write
from analysis.selectors import report_shown, study_report
from analysis.study_facts import study_facts
from listening_test.models import Study
from separation.access import researcher_required

IN_MEMORY = 2**20  # bytes of a file that is being made; what is larger goes to the disk


@researcher_required
@require_GET
def results_file(request: HttpRequest, study_id: UUID, name: str) -> FileResponse:
    """One of `export_files`, of the report that the page shows: nobody waits for a large study to be computed."""
    study = get_object_or_404(Study, id=study_id)
    report = report_shown(study)
    chosen = export_file(report, name) if report else None
    if report is None or chosen is None:
        raise Http404
    material = Material(report, lambda: dataset.ratings(study), lambda: study_facts(study))
    sent_as = presentation.file_name(report, chosen.stem, chosen.extension)
    return _sent(lambda file: chosen.write(material, file), sent_as, chosen.content_type)


@researcher_required
@require_GET
def results_package(request: HttpRequest, study_id: UUID) -> FileResponse:
    study = get_object_or_404(Study, id=study_id)
    report = study_report(study)
    if not report.counts.counted:
        raise Http404  # there are no numbers to put into it
    sent_as = presentation.file_name(report, "results-package", "zip")
    return _sent(lambda file: package_write(report, dataset.ratings(study), file), sent_as, "application/zip")


def _sent(write: Callable[[IO[bytes]], None], sent_as: str, content_type: str) -> FileResponse:
    """Written to its end before the first byte is sent: no half files."""
    file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  the response closes it
    try:
        write(file)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=sent_as, content_type=content_type)
