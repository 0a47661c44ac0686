"""Objective metrics against listeners: what is read of a study, what is found, and what the page and the file say."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from analysis.exports.questions import METRIC_COLUMNS, metrics_csv
from analysis.figures import drawing
from analysis.figures.catalogue import CHARTS
from analysis.measured import METRICS, clip_figures
from analysis.metric_views import metrics_context
from analysis.metrics import metric_report
from analysis.report import StudyReport
from analysis.selectors import study_report
from analysis.statistics.correlation import LEVELS
from listening_test.models import Clip, Study
from separation.models import Measurement, SeparationJob, SourceMeasurement

from .factories import panel_make, study_make
from .statistics import reference
from .tables import crossed, report, with_metrics

SECOND = 44_100


@pytest.fixture(scope="module")
def measured() -> StudyReport:
    return with_metrics(report(crossed(listeners=7, songs=6)))


# ── Numbers ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_scale_and_source_has_its_own_numbers(measured: StudyReport) -> None:
    assert measured.metrics
    assert {(part.scale, part.source) for part in measured.metrics.parts} == {
        (scale, source) for scale in ("quality", "contamination") for source in ("vocals", "drums")
    }
    for part in measured.metrics.parts:
        assert part.study and part.drawn == "songs" and len(part.clips) == 18
        own = np.array([(clip.mos, *clip.figures[:2]) for clip in part.clips])
        wanted = np.corrcoef(own.T)[0]
        assert part.study.of("sdr", "clip", "pearson").value == pytest.approx(wanted[1])
        assert part.study.of("sir", "clip", "pearson").value == pytest.approx(wanted[2])
        assert part.study.of("sir", "clip", "pearson").value < 0  # the sign is kept
        assert part.study.of("sdr", "clip", "spearman").low < part.study.of("sdr", "clip", "spearman").value


def test_several_excerpts_of_a_song_are_all_used() -> None:
    table = crossed(listeners=6, songs=4, sources=("vocals",))
    again = table.assign(excerpt_start=20.0, clip=table["clip"] + "/2")
    found = report(pd.concat([table, again], ignore_index=True))
    assert found.analysed
    figures = pd.DataFrame({"sdr": np.arange(24.0)}, index=found.analysed.ratings.names["clip"])
    for part in metric_report(found.analysed, figures, replicates=5).parts:
        assert part.drawn == "excerpts"
        assert part.study and part.study.of("sdr", "clip", "pearson").n == 24


@reference.needed
def test_published_ratings_through_the_report() -> None:
    """Golden numbers: scipy, reference/gensvs_objective_correlations.json, to 1e-9."""
    from analysis.analysed import Options, analysed

    data = reference.ratings("gensvs_dcr").rename(columns={"rater": "listener", "content": "song"})
    objective = reference.ratings("gensvs_objective").set_index("clip")[["sdr", "sir", "sar", "isr", "sisdr"]]
    found = analysed(data[["listener", "clip", "song", "system", "score"]], Options(replicates=0))
    [part] = metric_report(found, objective, replicates=0).parts
    wanted = reference.answers("gensvs_objective_correlations")
    assert part.study
    for name in objective:
        for kind, key in [("pearson", "pearson"), ("spearman", "spearman"), ("kendall", "kendall_b")]:
            assert part.study.of(name, "clip", kind).value == pytest.approx(wanted["clip_level"][name][key], abs=1e-9)
        for kind in ("pearson", "spearman"):
            assert part.study.of(name, "system", kind).value == pytest.approx(
                wanted["system_level"][name][kind], abs=1e-9
            )
        within = part.study.of(name, "within_system", "spearman").value
        assert within == pytest.approx(wanted["within_system_mean_srcc"][name], abs=1e-9)


def test_too_little_says_so(in_english: None) -> None:
    found = report(crossed(listeners=3, songs=2, sources=("vocals",)))
    assert found.analysed
    few = pd.DataFrame({"sdr": [1.0, 2.0]}, index=found.analysed.ratings.names["clip"][:2])
    some = replace(found, metrics=metric_report(found.analysed, few))
    assert "at least three clips" in metrics_context(some)["metrics"].parts[0].sentence
    nothing = replace(found, metrics=metric_report(found.analysed, few.iloc[:0]))
    view = metrics_context(nothing)["metrics"]
    assert not view.parts and "true stems" in view.summary[0]
    assert CHARTS["quality-metrics"].why_not(nothing).endswith(".")


# ── Words, figure, file ─────────────────────────────────────────────────────────────────────────────────────────────


def test_the_page_says_which_metric_follows_listeners(measured: StudyReport, in_english: None) -> None:
    view = metrics_context(measured)["metrics"]
    quality = view.parts[0]
    assert quality.title == "Quality, Vocals"
    assert "SDR follows listeners best" in quality.sentence and "could reach" in quality.sentence
    assert [line.name for line in quality.lines] == ["SDR", "SIR", "ISR"]
    [within, clips] = (texts for _level, texts in quality.differences)
    assert any(text.startswith("SDR follows listeners better than SIR") for text in clips)
    assert len(within) == len(clips) == 3
    assert all(len(line.cells) == len(LEVELS) for line in quality.lines)


@pytest.mark.parametrize("width", ["wide", "narrow"])
def test_the_scatter_has_a_line_through_each_system(measured: StudyReport, width: str) -> None:
    figure = drawing.figure_of(measured, CHARTS["quality-metrics"], width=width)
    panel = figure.axes[0]
    lines = [line for line in panel.lines if line.get_linestyle() == "-" and len(line.get_xdata()) == 2]
    assert len(lines) == 3
    dots = sum(len(line.get_xdata()) for line in panel.lines if line.get_linestyle() == "None")
    assert dots == 18
    content = drawing.draw(measured, "quality-metrics", width=width)
    assert content == drawing.draw(measured, "quality-metrics", width=width)
    assert len(CHARTS["quality-metrics"].numbers(measured).lines) == 36


def test_the_file_has_every_number(measured: StudyReport) -> None:
    rows = list(csv.DictReader(io.StringIO(metrics_csv(measured).decode())))
    assert tuple(rows[0]) == METRIC_COLUMNS
    assert measured.metrics
    part = measured.metrics.parts[0]
    assert part.study
    one = part.study.of("sdr", "within_song", "spearman")
    [row] = [
        row
        for row in rows
        if (row["scale"], row["source"], row["level"], row["kind"], row["metric"], row["minus"])
        == (part.scale, part.source, "within_song", "spearman", "sdr", "")
    ]
    assert (float(row["value"]), float(row["low"])) == (one.value, one.low)
    assert not any("nan" in value for row in rows for value in row.values())


# ── A study in the database ─────────────────────────────────────────────────────────────────────────────────────────


def measure(clip: Clip, start: int, end: int, **figures: float) -> SourceMeasurement:
    assert clip.stem and clip.stem.job
    measurement, _new = Measurement.objects.get_or_create(
        job=clip.stem.job, start=start, end=end, defaults={"state": "done", "finished_at": timezone.now()}
    )
    seconds = [float(value) for value in range((end - start) // SECOND)]
    return SourceMeasurement.objects.create(
        measurement=measurement, source=clip.source, frames={"sdr": seconds, "sir": seconds}, **figures
    )


@pytest.fixture
def study(db: None) -> Study:
    """Excerpts from 1 to 9.5 s."""
    return panel_make(study_make(systems=("umxhq", "htdemucs", "reference"), sources=("vocals",)), listeners=6)


def test_of_a_whole_song_the_seconds_of_the_excerpt_count(study: Study) -> None:
    clip = study.clips.filter(system="umxhq").first()
    assert clip
    measure(clip, 0, 12 * SECOND, sdr=99.0, si_sdr=7.0)
    table = clip_figures(study)
    assert list(table.index) == [str(clip.id)]
    row = table.loc[str(clip.id)]
    assert row["sdr"] == 4.5  # the median of seconds 1 to 8: the ninth is cut in half
    assert row["si_sdr"] == 7.0 and np.isnan(row["sar"]) and not row["is_exact"]


def test_the_excerpts_own_measurement_goes_first(study: Study) -> None:
    clip = study.clips.filter(system="umxhq").first()
    assert clip and clip.excerpt
    measure(clip, 0, 12 * SECOND, sdr=99.0, si_sdr=7.0)
    measure(clip, *clip.excerpt.span, sdr=3.0, sir=2.0, si_sdr=1.0)
    row = clip_figures(study).loc[str(clip.id)]
    assert (row["sdr"], row["sir"], row["si_sdr"], bool(row["is_exact"])) == (3.0, 2.0, 1.0, True)


def test_shaky_figures_and_spans_beside_the_excerpt_are_left_out(study: Study) -> None:
    first, second = study.clips.filter(system="umxhq")[:2]
    measure(first, 0, 12 * SECOND, sdr=1.0, notes=["filters_wild"])
    measure(second, 2 * SECOND, 12 * SECOND, sdr=1.0)
    table = clip_figures(study)
    assert list(table.index) == [str(first.id)]
    assert np.isnan(table.loc[str(first.id), "sir"]) and table.loc[str(first.id), "sdr"] == 4.5
    assert tuple(table.columns) == (*METRICS, "is_exact")


def test_the_results_page_shows_what_was_measured(study: Study, english: Client) -> None:
    page = english.get(reverse("results", args=[study.id])).content.decode()
    assert "None of the rated clips has objective measurements" in page
    before = study_report(study).version
    for number, clip in enumerate(study.clips.exclude(system="reference").order_by("id")):
        assert clip.excerpt
        measure(clip, *clip.excerpt.span, sdr=float(number), si_sdr=-float(number))
    assert SeparationJob.objects.exists()
    found = study_report(study)
    assert found.version != before  # measurements renew the page as ratings do
    assert found.metrics and (found.metrics.rated, found.metrics.measured, found.metrics.exact) == (9, 6, 6)
    assert found.metrics.metrics == ("sdr", "si_sdr")
    page = english.get(reverse("results", args=[study.id])).content.decode()
    assert "6 of 9 rated clips have measurements" in page and "SI-SDR" in page
    answer = english.get(reverse("results_file", args=[study.id, "metrics.csv"]))
    assert b"".join(answer).decode().count("si_sdr") > 10  # type: ignore[call-overload]
    picture = english.get(reverse("results_chart", args=[study.id, "quality-metrics", "svg"]))
    assert picture.status_code == 200
