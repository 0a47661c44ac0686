"""Measurements: what is measured, when it starts, and that it is worked on like jobs."""

from __future__ import annotations

import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.utils import timezone

from config.processes import MEASUREMENT_QUEUE, WORKER_QUEUES, worker_command
from separation import tasks
from separation.models import Measurement, SeparationJob, SourceMeasurement, Stem
from separation.objective import measure
from separation.services import measurements, measuring
from separation.services.comparisons import comparisons, unmatched
from separation.services.measurements import (
    MeasurementRefused,
    measurement_run,
    measurement_start,
    measurements_sweep,
    time_limit,
)
from separation.services.songs import song_delete
from tests.factories import RATE, encoded, job_done_make, job_make, song_make, sound
from tests.separation.measured import TWO, measured, quick, song_with_stems

pytestmark = pytest.mark.django_db
State = Measurement.State


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """Ids and options of the measurements whose message went out."""
    calls: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(
        measurements.current_app, "send_task", lambda name, args, **options: calls.append((args[0], options))
    )
    return calls


# ── what is measured ─────────────────────────────────────────────────────────────────────────────────


def test_the_figures_are_those_of_the_stems() -> None:
    measurement = measured()
    assert measurement.state == State.DONE and measurement.progress == 1.0
    true = {source: sound(3.0, seed=7 + number) for number, source in enumerate(TWO)}
    separated = {source: sound(3.0, seed=20 + number) for number, source in enumerate(TWO)}
    expected = measure(true, separated)
    for found in measurement.sources.all():
        for name in ("sdr", "isr", "sir", "sar", "si_sdr"):
            assert getattr(found, name) == pytest.approx(getattr(expected[found.source], name), abs=0.01)  # 24 bit
        assert [len(values) for values in found.frames.values()] == [3, 3, 3, 3]
    assert measurement.method["packages"]["museval"] and measurement.method["date"]


def test_a_part_is_measured_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gains undone, both from the same sample."""
    heard: list[Any] = []
    quick(monkeypatch)
    made_up = measuring.measure

    def listening(true: Any, separated: Any, *, progress: Any) -> Any:
        heard.append((true["vocals"][:, :5].copy(), separated["vocals"][:, :5].copy(), true["vocals"].shape))
        return made_up(true, separated, progress=progress)

    monkeypatch.setattr(measuring, "measure", listening)
    job = job_done_make(song=song_with_stems(), sources=TWO)
    Stem.objects.filter(job=job).update(gain=0.5)
    measurement_run(measurement_start(job=job, start=RATE, end=2 * RATE).pk)
    ((true, separated, shape),) = heard
    assert shape == (2, RATE)
    assert true == pytest.approx(sound(3.0, seed=7)[:, RATE : RATE + 5], abs=1e-6)
    assert separated == pytest.approx(2 * sound(3.0, seed=20)[:, RATE : RATE + 5], abs=1e-6)


def test_a_separation_of_parts_is_measured_part_by_part(monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)
    song = song_with_stems()
    spans = [[0, RATE], [2 * RATE, 3 * RATE]]
    job = job_make(song=song, state="done", spans=spans, spans_key="x")
    for start, _end in spans:
        stem_part(job, "drums", start, RATE)
    measurements_sweep()
    assert [(each.start, each.end) for each in job.measurements.order_by("start")] == [(0, RATE), (2 * RATE, 3 * RATE)]


def stem_part(job: SeparationJob, source: str, start: int, samples: int) -> None:
    """The stem of a part: its file begins where the part does."""
    stem = Stem(song=job.song, job=job, source=source, start=start, samples=samples, sha256="0" * 64)
    part = sound(3.0, seed=20)[:, start : start + samples]
    stem.file.save(f"{source}.flac", ContentFile(encoded(part, subtype="PCM_24")), save=False)
    stem.save()


def test_stems_of_parts_are_read_from_their_own_start() -> None:
    song = song_with_stems()
    job = job_make(song=song, state="done", spans=[[RATE, 2 * RATE]], spans_key="x")
    stem_part(job, "vocals", RATE, RATE)
    whole = job_done_make(song=song, separator="htdemucs:demo", sources=["vocals"])
    part, cut = measured(job), measurement_start(job=whole, start=RATE, end=2 * RATE)
    measurement_run(cut.pk)
    (of_part,), (of_cut,) = part.sources.all(), cut.sources.all()
    assert part.start == RATE and of_part.sdr == pytest.approx(of_cut.sdr, abs=1e-6)


def test_sources_without_a_true_stem_are_left_out_and_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)
    measurement = measured(job_done_make(song=song_with_stems(), sources=[*TWO, "piano"]))
    notes = {found.source: found.notes for found in measurement.sources.all()}
    assert notes["piano"] == ["no_reference"] and measurement.sources.get(source="piano").sdr is None
    assert set(notes) == {*TWO, "piano"}


def test_a_silent_true_stem_is_said() -> None:
    song = song_with_stems()
    with (Path(song.mixture.storage.location) / str(song.stems.get(source="drums").file.name)).open("wb") as file:
        file.write(encoded(0 * sound(3.0), subtype="PCM_24"))
    found = {each.source: each for each in measured(job_done_make(song=song, sources=TWO)).sources.all()}
    assert found["drums"].notes == ["reference_silent"] and found["drums"].frames["sdr"] == [None] * 3
    assert "other_reference_silent" in found["vocals"].notes and found["vocals"].sdr is not None


# ── ways to take a song apart ────────────────────────────────────────────────────────────────────────


def test_accompaniment_is_the_sum_of_the_rest() -> None:
    (way,) = comparisons({"vocals", "drums", "bass", "other"}, {"vocals", "accompaniment"})
    assert way.references == {"vocals": ("vocals",), "accompaniment": ("drums", "bass", "other")}
    assert way.estimates == ("vocals", "accompaniment")


def test_a_system_with_both_ways_has_its_vocals_measured_in_the_first() -> None:
    two_way, single = comparisons({"vocals", "drums", "bass", "other"}, {"vocals", "drums", "accompaniment"})
    assert two_way.estimates == ("vocals", "accompaniment") and single.estimates == ("drums",)
    assert set(single.references) == {"vocals", "drums", "bass", "other"}


def test_piano_belongs_to_the_others_of_who_does_not_separate_it() -> None:
    four, five = {"vocals", "drums", "bass", "other"}, {"vocals", "drums", "bass", "other", "piano"}
    (way,) = comparisons(five, four)
    assert way.references["other"] == ("other", "piano") and way.notes == {"other": ["reference_summed"]}
    (way,) = comparisons(four, five)
    assert way.references["other"] == ("other",) and way.notes == {"other": ["reference_wider"]}
    assert unmatched(four, five) == ["piano"]


def test_vocals_are_measured_where_the_rest_is_known_in_one_piece() -> None:
    (way,) = comparisons({"vocals", "accompaniment"}, {"vocals", "drums"})
    assert set(way.references) == {"vocals", "accompaniment"} and way.estimates == ("vocals",)
    assert list(comparisons({"vocals"}, {"drums"})) == []


# ── when it starts ───────────────────────────────────────────────────────────────────────────────────


def test_done_separations_of_songs_with_true_stems_are_measured(
    sent: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    wanted = job_done_make(song=song_with_stems(), sources=TWO)
    job_done_make(song=song_make(seed=2))  # nothing to measure against
    job_make(song=wanted.song, separator="htdemucs:demo")  # not done
    with django_capture_on_commit_callbacks(execute=True):
        tasks.sweep_jobs()
        tasks.sweep_jobs()
    (measurement,) = Measurement.objects.all()
    assert (measurement.job, measurement.start, measurement.end) == (wanted, 0, wanted.song.samples)
    assert [(pk, options["queue"]) for pk, options in sent] == [(str(measurement.pk), MEASUREMENT_QUEUE)]
    assert MEASUREMENT_QUEUE in WORKER_QUEUES and MEASUREMENT_QUEUE in ",".join(worker_command())


def test_starting_twice_gives_one(sent: list[Any], django_capture_on_commit_callbacks: Any) -> None:
    job = job_done_make(song=song_with_stems(), sources=TWO)
    with django_capture_on_commit_callbacks(execute=True):
        first, second = measurement_start(job=job), measurement_start(job=job)
    assert first == second and len(sent) == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda job: SeparationJob.objects.filter(pk=job.pk).update(state="queued"), "not_separated"),
        (lambda job: job.song.stems.filter(job__isnull=True).delete(), "no_references"),
    ],
)
def test_what_cannot_be_measured(change: Any, code: str) -> None:
    job = job_done_make(song=song_with_stems(), sources=TWO)
    change(job)
    job.refresh_from_db()
    with pytest.raises(MeasurementRefused) as refusal:
        measurement_start(job=job)
    assert refusal.value.code == code and not Measurement.objects.exists()


@pytest.mark.parametrize(("start", "end"), [(0, 4 * RATE), (RATE, RATE), (2 * RATE, RATE)])
def test_parts_outside_are_refused(start: int, end: int) -> None:
    with pytest.raises(MeasurementRefused, match="span_not_separated"):
        measurement_start(job=job_done_make(song=song_with_stems(), sources=TWO), start=start, end=end)


# ── worked on like jobs ──────────────────────────────────────────────────────────────────────────────


def test_delivered_twice_gives_one_set_of_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)
    measurement = measured()
    tasks.measure(str(measurement.pk))
    tasks.measure(str(uuid.uuid4()))
    measurement.refresh_from_db()
    assert measurement.attempt == 1 and SourceMeasurement.objects.count() == 2


def test_a_lost_stem_fails_with_its_reason() -> None:
    job = job_done_make(song=song_with_stems(), sources=TWO)
    stem = job.stems.get(source="drums")
    stem.file.storage.delete(stem.file.name)
    measurement = measured(job)
    assert (measurement.state, measurement.error_code) == (State.FAILED, "stem_damaged")
    assert measurement.error_params == {"source": "drums"} and measurement.attempt == 1
    assert not SourceMeasurement.objects.exists()


def test_too_long_a_span_is_refused_before_it_takes_the_memory(settings: Any) -> None:
    settings.MEASURE_MEMORY_GB = 0.1
    measurement = measured()
    assert (measurement.state, measurement.error_code) == (State.FAILED, "measurement_too_long")
    assert float(measurement.error_params["needed_gb"]) > 0.1


def test_what_may_pass_is_tried_again_and_then_given_up(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    def failing(*given: Any, **named: Any) -> Any:
        raise OSError("the network disk is away")

    monkeypatch.setattr(measuring, "measure", failing)
    measurement = measured()
    assert measurement.state == State.QUEUED and measurement.not_before is not None
    for _ in range(2):
        Measurement.objects.update(not_before=None)
        measurement_run(measurement.pk)
    measurement.refresh_from_db()
    assert (measurement.state, measurement.error_code, measurement.attempt) == (State.FAILED, "unexpected", 3)


def test_a_failed_one_can_be_tried_again(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    quick(monkeypatch)
    settings.MEASURE_MEMORY_GB = 0
    failed = measured()
    settings.MEASURE_MEMORY_GB = 6
    again = measured(failed.job)
    assert again.pk == failed.pk and again.state == State.DONE and again.error_code == ""


@pytest.mark.parametrize(("attempt", "state", "code"), [(1, State.QUEUED, ""), (3, State.FAILED, "worker_lost")])
def test_a_dead_worker_is_found(attempt: int, state: str, code: str, settings: Any) -> None:
    settings.JOB_LEASE_SECONDS = 0
    measurement = measurement_start(job=job_done_make(song=song_with_stems(), sources=TWO))
    past = timezone.now() - timedelta(hours=1)
    Measurement.objects.update(state=State.RUNNING, lease_token=uuid.uuid4(), lease_until=past, attempt=attempt)
    measurements_sweep()
    measurement.refresh_from_db()
    assert (measurement.state, measurement.error_code) == (state, code)


def test_a_lost_message_is_sent_again(sent: list[Any]) -> None:
    measurement = measurement_start(job=job_done_make(song=song_with_stems(), sources=TWO))
    Measurement.objects.update(sent_at=timezone.now() - timedelta(hours=1))
    measurements_sweep()
    assert str(measurement.pk) in [pk for pk, _ in sent]


def test_time_limit_grows_with_the_span() -> None:
    job = job_done_make(song=song_with_stems(), sources=TWO)
    assert time_limit(Measurement(job=job, start=0, end=60 * RATE)) > time_limit(
        Measurement(job=job, start=0, end=RATE)
    )


def test_it_goes_with_the_song(monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)
    song_delete(song=measured().job.song)
    assert not Measurement.objects.exists() and not SourceMeasurement.objects.exists()


def test_true_stems_that_go_meanwhile_end_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)
    made_up = measuring.measure

    def removing(*given: Any, **named: Any) -> Any:
        Measurement.objects.all().delete()
        return made_up(*given, **named)

    monkeypatch.setattr(measuring, "measure", removing)
    measurement_run(measurement_start(job=job_done_make(song=song_with_stems(), sources=TWO)).pk)
    assert not Measurement.objects.exists() and not SourceMeasurement.objects.exists()
