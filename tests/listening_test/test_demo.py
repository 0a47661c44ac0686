"""The demo study and the demo results, small: one song, two systems, a few simulated listeners."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from pytest_django import DjangoCaptureOnCommitCallbacks

from listening_test import selectors
from listening_test.models import Answer, Clip, Listener, ListeningSession, Rating, Study
from listening_test.services import demo, preparation, simulated, studies
from listening_test.services.studies import StudyRefused
from separation.models import SeparationJob, Song, Stem
from tests.factories import song_make, sound
from tests.listening_test.factories import stem_make, study_make

pytestmark = pytest.mark.django_db

Capture = DjangoCaptureOnCommitCallbacks
SEED, SECONDS = 2, 3.0


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "SONGS", {SEED: "folk"})
    monkeypatch.setattr(demo, "SYSTEMS", ["umx:demo", "htdemucs:demo"])
    monkeypatch.setattr(demo, "SOURCES", ["vocals", "drums"])
    monkeypatch.setattr(demo, "START", 0.5)
    monkeypatch.setattr(demo, "END", 2.0)
    monkeypatch.setattr(demo, "CLIPS_PER_SIMULATED_LISTENER", None)
    monkeypatch.setitem(simulated.listeners_simulate.__kwdefaults__, "count", 6)


@pytest.fixture(autouse=True)
def song(small: None) -> Song:
    """The demo's song, found there already: composing one takes seconds. Noise with true stems does for these tests."""
    song = song_make(seconds=SECONDS, is_demo=True, synthesis_seed=SEED)
    for number, source in enumerate(("vocals", "drums", "bass", "other")):
        stem_make(song=song, source=source, samples=sound(SECONDS, seed=40 + number))
    return song


def separate(*, good: float = 0.05, bad: float = 1.0) -> None:
    """All jobs done: one system near the truth, the other with as much of the drums as of the voice."""
    for job in SeparationJob.objects.all():
        share = good if job.separator == "umx:demo" else bad
        for source in ("vocals", "drums", "bass", "other"):
            true = sound(SECONDS, seed=40 + ["vocals", "drums", "bass", "other"].index(source))
            stem_make(song=job.song, source=source, job=job, samples=true + share * sound(SECONDS, seed=43))
        job.state, job.attempt = SeparationJob.State.DONE, 1
        job.save()


def prepare(capture: Capture) -> None:
    for study in Study.objects.filter(state=Study.State.PREPARING):
        with capture(execute=True):
            preparation.preparation_run(study_id=study.id)


@pytest.fixture
def whole(django_capture_on_commit_callbacks: Capture) -> None:
    demo.demo_begin()
    separate()
    demo.demo_advance()
    prepare(django_capture_on_commit_callbacks)
    demo.demo_advance()


def the(seed: int) -> Study:
    return Study.objects.get(seed=seed)


def test_beginning_asks_for_jobs_and_makes_two_drafts() -> None:
    demo.demo_begin()
    assert {(job.separator, job.state) for job in SeparationJob.objects.all()} == {
        ("umx:demo", "queued"),
        ("htdemucs:demo", "queued"),
    }
    assert {study.state for study in Study.objects.all()} == {"draft"}
    assert all(study.is_demo for study in Study.objects.all())


def test_nothing_opens_before_the_stems_are_there() -> None:
    demo.demo_begin()
    demo.demo_advance()
    assert {study.state for study in Study.objects.all()} == {"draft"}


def test_a_song_is_made_where_there_is_none(monkeypatch: pytest.MonkeyPatch, song: Song) -> None:
    made: list[dict[str, Any]] = []
    monkeypatch.setattr(demo, "song_add_synthetic", lambda **asked: made.append(asked) or song)
    monkeypatch.setattr(demo, "SONGS", {SEED: "folk", 6: "pop"})
    demo.demo_begin()
    assert made == [{"seed": 6, "style": "pop"}]


def test_the_whole_of_it(whole: None) -> None:
    study, results = the(demo.STUDY_SEED), the(demo.RESULTS_SEED)
    assert (study.state, results.state) == (Study.State.OPEN, Study.State.CLOSED)
    assert study.is_demo
    assert results.is_demo
    assert study.clips.count() == results.clips.count() == selectors.clips_expected(study)
    assert selectors.rated_clips_expected(study) == 4
    assert not study.sessions.exists()
    assert demo.demo_progress().is_ready
    assert demo.demo_progress().failure == ""


def test_simulated_listeners_leave_whole_sessions(whole: None) -> None:
    results = the(demo.RESULTS_SEED)
    assert all(listener.simulated for listener in Listener.objects.all())
    assert results.sessions.count() == 6
    for session in results.sessions.all():
        assert session.step == ListeningSession.Step.DONE
        assert session.trials.filter(finished_at__isnull=False).count() == 4
        assert session.calibration_heard.count() == 4
    assert Rating.objects.count() == 6 * 4 * 2
    assert set(Answer.objects.values_list("question", flat=True)) >= {"attention", "distraction", "experience"}
    assert set(results.sessions.values_list("language", flat=True)) == {"es", "en"}


def mean(system: str, scale: str) -> float:
    values = Rating.objects.filter(trial__clip__system=system, trial__clip__source="vocals", scale=scale)
    return float(np.mean(values.values_list("value", flat=True)))


def test_the_better_system_is_rated_better(whole: None) -> None:
    for scale in ("quality", "contamination"):
        assert mean("umx:demo", scale) > mean("htdemucs:demo", scale) + 1


def test_the_same_seeds_give_the_same_ratings(whole: None, django_capture_on_commit_callbacks: Capture) -> None:
    def ratings() -> list[tuple[Any, ...]]:
        key = ("trial__session__number", "trial__clip__source", "trial__clip__system", "scale", "value")
        return sorted(Rating.objects.values_list(*key))

    before = ratings()
    studies.study_delete(study=the(demo.RESULTS_SEED))
    assert ratings() == []
    demo.demo_begin()
    demo.demo_advance()
    prepare(django_capture_on_commit_callbacks)
    demo.demo_advance()
    assert ratings() == before


def test_a_second_time_changes_nothing(whole: None) -> None:
    def everything() -> list[Any]:
        models = (Song, SeparationJob, Stem, Study, Clip, Listener, ListeningSession, Rating)
        return [sorted(map(str, model.objects.values_list("pk", flat=True))) for model in models]

    before = everything()
    demo.demo_begin()
    demo.demo_advance()
    assert everything() == before


def test_simulated_and_real_listeners_never_mix(whole: None) -> None:
    with pytest.raises(StudyRefused):
        studies.study_reopen(study=the(demo.RESULTS_SEED))
    assert not selectors.has_simulated(the(demo.STUDY_SEED))


def test_a_simulation_cut_short_goes_on_with_the_missing_listeners(
    django_capture_on_commit_callbacks: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    demo.demo_begin()
    separate()
    demo.demo_advance()
    prepare(django_capture_on_commit_callbacks)
    results = the(demo.RESULTS_SEED)
    simulated.listeners_simulate(study=results, count=2)
    rate = simulated._rate

    def killed(*args: Any, **kwargs: Any) -> None:
        if Listener.objects.count() == 4:
            raise KeyboardInterrupt
        rate(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(simulated, "_rate", killed)
        with pytest.raises(KeyboardInterrupt):
            demo.demo_advance()
    assert Listener.objects.count() == 3  # nobody is left half way
    demo.demo_advance()
    assert Listener.objects.count() == 6
    assert the(demo.RESULTS_SEED).state == Study.State.CLOSED


@pytest.mark.parametrize("what", ["stopped", "deleted", "closed"])
def test_what_a_researcher_does_with_the_demo_study_stays(
    what: str, django_capture_on_commit_callbacks: Capture
) -> None:
    demo.demo_begin()
    separate()
    demo.demo_advance()
    study = the(demo.STUDY_SEED)
    if what == "closed":
        prepare(django_capture_on_commit_callbacks)
        studies.study_close(study=study)
    else:
        act: Callable[..., Any] = studies.study_preparation_stop if what == "stopped" else studies.study_delete
        act(study=study)
    demo.demo_advance()
    left = Study.objects.filter(seed=demo.STUDY_SEED).first()
    assert (left.state if left else "deleted") == {"stopped": "draft"}.get(what, what)


def test_studies_of_researchers_are_never_touched(researcher: Any) -> None:
    study = study_make(systems=("umx:demo",), sources=("vocals",), seed=demo.STUDY_SEED, created_by=researcher)
    Study.objects.update(is_demo=True)
    demo.demo_advance()
    study.refresh_from_db()
    assert study.is_editable


# ── The command ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_command_alone_asks_and_leaves() -> None:
    call_command("make_demo", stdout=StringIO())
    assert SeparationJob.objects.filter(state="queued").count() == 2


def test_waiting_says_how_far_it_is_until_all_is_there(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Capture
) -> None:
    from listening_test.management.commands import make_demo

    steps = iter([lambda: separate(), lambda: prepare(django_capture_on_commit_callbacks)])
    monkeypatch.setattr(make_demo.time, "sleep", lambda _seconds: next(steps, lambda: None)())
    out = StringIO()
    call_command("make_demo", wait=True, stdout=out)
    lines = out.getvalue().splitlines()
    assert "0/2" in lines[1]
    clips = 2 * selectors.clips_expected(the(demo.STUDY_SEED))
    assert f"0/{clips}" in lines[1]
    assert "2/2" in lines[-1]
    assert f"{clips}/{clips}" in lines[-1]
    assert the(demo.STUDY_SEED).is_open
    assert the(demo.RESULTS_SEED).state == Study.State.CLOSED


def test_waiting_ends_with_the_reason_of_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    from listening_test.management.commands import make_demo

    def fail(_seconds: float) -> None:
        SeparationJob.objects.filter(separator="umx:demo").update(state="failed", error_code="disk_full")

    monkeypatch.setattr(make_demo.time, "sleep", fail)
    with pytest.raises(CommandError) as error:
        call_command("make_demo", wait=True, stdout=StringIO())
    assert "umx:demo" in str(error.value)
    assert len(str(error.value)) > 40


def test_waiting_without_a_worker_gives_up() -> None:
    with pytest.raises(CommandError):
        call_command("make_demo", wait=True, patience=0.0, stdout=StringIO())


def test_running_it_again_retries_what_failed() -> None:
    call_command("make_demo", stdout=StringIO())
    SeparationJob.objects.update(state="failed", error_code="disk_full")
    Study.objects.update(preparation_error={"refusals": [{"code": "preparation_disk_full", "params": {}}]})
    call_command("make_demo", stdout=StringIO())
    assert set(SeparationJob.objects.values_list("state", flat=True)) == {"queued"}
    assert demo.demo_progress().failure == ""


def test_the_demo_keeps_the_stems_of_earlier_weights(whole: None) -> None:
    SeparationJob.objects.update(ran={"weights_sha256": {"vocals.pth": "ab" * 32}})
    before = set(Stem.objects.values_list("pk", flat=True))
    demo.demo_begin()
    assert set(Stem.objects.values_list("pk", flat=True)) == before
