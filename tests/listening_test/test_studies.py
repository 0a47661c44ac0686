"""Making, changing, opening, closing, copying and deleting studies: what is allowed and what is not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.core.files.storage import default_storage
from django.db import connection
from pytest_django import DjangoCaptureOnCommitCallbacks

from listening_test import outline_selectors, selectors
from listening_test.controls import MIXTURE_ANCHOR
from listening_test.models import Clip, Excerpt, Listener, ListeningSession, Rating, Study, StudyText, Trial
from listening_test.models.study import new_token
from listening_test.services import studies
from listening_test.services.studies import Span, StudyContent, StudyRefused
from separation.models import SeparationJob
from separation.selectors import REFERENCE
from tests.factories import song_make
from tests.listening_test.factories import (
    rate,
    references_make,
    separated_make,
    session_make,
    study_make,
    study_open_make,
)

pytestmark = pytest.mark.django_db


def refusal(error: pytest.ExceptionInfo[StudyRefused]) -> str:
    return error.value.code


def excerpts_set(study: Study, *spans: Span) -> None:
    studies.study_update(study=study, content=replace(studies.study_content(study), spans=list(spans)))


def test_a_studys_address_is_letters_and_digits() -> None:
    """A dash in front would be an option to `manage.py export_study`. One draw of 64 had one."""
    assert all(new_token().isalnum() for _draw in range(300))


# ── Drafts ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_study_keeps_what_was_decided() -> None:
    song = song_make()
    content = StudyContent(
        name="Voces",
        sources=["vocals"],
        systems=["umxhq", "htdemucs"],
        trials_per_listener=8,
        show_mixture=True,
        texts={("es", "title"): "¿Cómo suena?", ("en", "title"): "  ", ("en", "consent"): "I agree"},
        spans=[Span(song, 0.5, 2.5), Span(song, 1.0, 3.0)],
    )
    study = studies.study_add(content=content)
    kept = studies.study_content(Study.objects.get(id=study.id))
    assert kept == replace(content, texts={("es", "title"): "¿Cómo suena?", ("en", "consent"): "I agree"})
    assert study.state == Study.State.DRAFT


def test_changing_a_study_keeps_the_rows_of_excerpts_that_stay() -> None:
    study = study_make(songs=2)
    first, second = study.excerpts.all()
    content = studies.study_content(study)
    spans = [Span(first.song, first.start, first.end), Span(second.song, 0.0, 1.5)]
    studies.study_update(study=study, content=replace(content, spans=spans, name="Otro"))
    assert study.excerpts.filter(id=first.id).exists()
    assert not study.excerpts.filter(id=second.id).exists()
    assert {(e.start, e.end) for e in study.excerpts.all()} == {(0.5, 2.0), (0.0, 1.5)}
    assert Study.objects.get().name == "Otro"


def test_changing_a_study_forgets_the_error_of_its_last_preparation() -> None:
    study = study_make(preparation_error={"refusals": [{"code": "preparation_failed", "params": {"error": "X"}}]})
    studies.study_update(study=study, content=studies.study_content(study))
    assert Study.objects.get().preparation_error == {}


@pytest.mark.parametrize(
    ("start", "end", "code"),
    [
        (-0.5, 1.0, "excerpt_outside"),
        (0.0, 40.2, "excerpt_outside"),
        (40.0, 45.0, "excerpt_outside"),
        (float("nan"), 2.0, "excerpt_outside"),
        (0.0, float("inf"), "excerpt_outside"),
        (1.0, 1.5, "excerpt_short"),
        (2.0, 1.0, "excerpt_short"),
        (0.0, 31.0, "excerpt_long"),
    ],
)
def test_an_excerpt_lies_inside_its_song_and_has_a_sensible_length(start: float, end: float, code: str) -> None:
    study = study_make()
    song = song_make()
    song.samples = 40 * 44_100
    with pytest.raises(StudyRefused) as error:
        excerpts_set(study, Span(song, start, end))
    assert refusal(error) == code
    assert study.excerpts.count() == 1


@pytest.mark.parametrize("end", [1.0, 30.0, 40.0])
def test_limits_themselves_are_allowed(end: float) -> None:
    song = song_make()
    song.samples = 40 * 44_100
    assert studies.span_checked(song=song, start=max(0.0, end - 30.0), end=end)


def test_an_end_that_was_rounded_up_past_the_song_means_the_song_s_end() -> None:
    song = song_make()
    song.samples = 123_456  # 2.79946 s, shown as 2.80
    assert studies.span_checked(song=song, start=0.0, end=2.8) == (0.0, song.seconds)


def test_the_same_excerpt_twice_counts_once() -> None:
    study = study_make()
    excerpt = study.excerpts.get()
    excerpts_set(study, *studies.study_content(study).spans * 2)
    assert study.excerpts.get() == excerpt


def test_an_excerpt_can_be_added_and_removed() -> None:
    study = study_make()
    kept = study.excerpts.get()
    before = studies.study_content(study).spans
    excerpts_set(study, *before, Span(kept.song, 0.0, 1.0))
    assert study.excerpts.count() == 2
    excerpts_set(study, *before)
    assert study.excerpts.get() == kept


@pytest.mark.parametrize("state", ["preparing", "open", "closed"])
def test_only_a_draft_can_be_changed(state: str) -> None:
    study = study_open_make()
    Study.objects.update(state=state)
    changes = (
        lambda: studies.study_update(study=study, content=studies.study_content(study)),
        lambda: studies.study_open(study=study),
    )
    for change in changes:
        with pytest.raises(StudyRefused) as error:
            change()
        assert refusal(error) == "not_draft"


# ── Demo ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_study_is_demo_when_a_system_is() -> None:
    study = study_make(systems=("umxhq", "htdemucs"))
    content = studies.study_content(study)
    assert not studies.study_update(study=study, content=content).is_demo
    mixed = replace(content, systems=["umxhq", "htdemucs:demo"])
    assert studies.study_update(study=study, content=mixed).is_demo
    assert not studies.study_update(study=study, content=content).is_demo


def test_a_study_is_demo_when_a_song_is() -> None:
    study = study_make(systems=("umxhq", "htdemucs"))
    before = studies.study_content(study).spans
    excerpts_set(study, *before, Span(song_make(is_demo=True), 0.0, 1.0))
    assert Study.objects.get().is_demo
    excerpts_set(study, *before)
    assert not Study.objects.get().is_demo


# ── Opening ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_empty_study_says_all_that_it_lacks() -> None:
    study = studies.study_add(content=StudyContent(name="Vacío"))
    codes = [problem.code for problem in selectors.study_problems(study)]
    assert codes == ["no_excerpts", "no_sources", "no_systems"]
    with pytest.raises(StudyRefused):
        studies.study_open(study=study)
    assert Study.objects.get().is_editable


def test_missing_stems_are_named_exactly_and_keep_it_from_opening() -> None:
    study = study_make(songs=2, systems=("umxhq", "htdemucs"), sources=("vocals", "drums"))
    first, second = (excerpt.song for excerpt in study.excerpts.all())
    first.jobs.get(separator="umxhq").stems.get(source="drums").delete()
    second.jobs.filter(separator="htdemucs").delete()
    failed = SeparationJob.objects.create(
        song=second, separator="htdemucs", weights="published", state="failed", error_code="weights_missing"
    )
    missing = {(gap.song, gap.system): (gap.sources, gap.job) for gap in selectors.stems_missing(study)}
    assert missing == {
        (first, "umxhq"): (["drums"], first.jobs.get(separator="umxhq")),
        (second, "htdemucs"): (["vocals", "drums"], failed),
    }
    with pytest.raises(StudyRefused) as error:
        studies.study_open(study=study)
    assert refusal(error) == "stems_missing"


@pytest.mark.parametrize("state", ["queued", "running", "failed", "cancelled"])
def test_stems_count_only_when_their_job_is_done(state: str) -> None:
    study = study_make(systems=("umxhq",))
    fields = {"lease_token": study.id, "lease_until": study.created_at} if state == "running" else {}
    study.excerpts.get().song.jobs.update(state=state, error_code="x", **fields)
    assert selectors.stems_missing(study)


def test_one_system_is_advised_against_but_allowed() -> None:
    study = study_make(systems=("umxhq",))
    assert "one_system" in [advice.code for advice in outline_selectors.study_advice(study)]
    assert studies.study_open(study=study).state == Study.State.PREPARING


def test_advice_on_length_and_on_uneven_groups() -> None:
    study = study_make(systems=("umxhq", "htdemucs"), sources=("vocals", "drums"), songs=1, trials_per_listener=3)
    assert "uneven_clips" in [advice.code for advice in outline_selectors.study_advice(study)]
    study.excerpts.update(end=20.0)
    assert "long_excerpts" in [advice.code for advice in outline_selectors.study_advice(study)]
    study.trials_per_listener, study.sources = None, ["vocals"] * 40
    study.save()
    assert "long_session" in [advice.code for advice in outline_selectors.study_advice(study)]


def test_nothing_is_advised_about_a_well_made_study() -> None:
    study = study_make(songs=2, trials_per_listener=4)
    for language in ("es", "en"):
        StudyText.objects.create(study=study, language=language, key="title", text="¿Cómo suena?")
    assert outline_selectors.study_advice(study) == []


def test_advice_on_sessions_that_never_link_on_titles_and_on_controls_without_true_stems() -> None:
    study = study_make(trials_per_listener=2, controls=[REFERENCE, MIXTURE_ANCHOR])
    advice = {each.code: each.params for each in outline_selectors.study_advice(study)}
    assert advice["one_group"] == {"better": 8}
    assert advice["no_title"]["name"] == study.name
    assert advice["no_reference"]["songs"] == "Canción 1"
    references_make(study.excerpts.get().song)
    study.trials_per_listener = 8
    assert {each.code for each in outline_selectors.study_advice(study)} == {"no_title"}


# ── Closing and reopening ───────────────────────────────────────────────────────────────────────────────────────────


def test_close_and_reopen() -> None:
    study = study_open_make()
    closed = studies.study_close(study=study)
    assert (closed.state, closed.closed_at is not None) == (Study.State.CLOSED, True)
    with pytest.raises(StudyRefused):
        studies.study_close(study=study)
    opened = studies.study_reopen(study=study)
    assert (opened.state, opened.closed_at) == (Study.State.OPEN, None)
    with pytest.raises(StudyRefused):
        studies.study_reopen(study=study)


def test_simulated_listeners_keep_a_study_closed() -> None:
    study = study_open_make()
    session_make(study, simulated=True)
    studies.study_close(study=study)
    with pytest.raises(StudyRefused) as error:
        studies.study_reopen(study=study)
    assert refusal(error) == "simulated_stays_closed"


# ── Deleting ────────────────────────────────────────────────────────────────────────────────────────────────────────


def rated_study(*, simulated: bool = False) -> Study:
    study = study_open_make()
    session = session_make(study, simulated=simulated)
    rate(session.trials.all()[0], quality=4, contamination=2)
    return study


def test_ratings_of_real_listeners_ask_for_the_name() -> None:
    study = rated_study()
    for typed in ("", "un estudio", "Un estudi"):
        with pytest.raises(StudyRefused) as error:
            studies.study_delete(study=study, typed_name=typed)
        assert refusal(error) == "name_needed"
    assert Rating.objects.count() == 2
    studies.study_delete(study=study, typed_name="Un estudio")
    assert not Study.objects.exists()


def test_deleting_takes_everything_of_the_study_and_nothing_else(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    study, other = rated_study(simulated=True), rated_study()
    with django_capture_on_commit_callbacks(execute=True):
        studies.study_delete(study=study)
    with pytest.raises(FileNotFoundError):
        default_storage.listdir(f"clips/{study.id}")
    assert default_storage.listdir(f"clips/{other.id}")[1]
    for model in (Clip, ListeningSession):
        assert set(model.objects.values_list("study", flat=True)) == {other.id}
    assert set(Trial.objects.values_list("session__study", flat=True)) == {other.id}
    assert Rating.objects.count() == 2
    assert Listener.objects.count() == 1
    assert Excerpt.objects.count() == 1
    connection.check_constraints()


def test_a_listener_of_two_studies_survives_the_deletion_of_one() -> None:
    study, other = rated_study(simulated=True), rated_study()
    session = other.sessions.get()
    kept = study.sessions.get().listener
    ListeningSession.objects.filter(id=session.id).update(listener=kept)
    studies.study_delete(study=study)
    assert Listener.objects.filter(id=kept.id).exists()


@pytest.mark.parametrize("demo", [True, False])
def test_a_demo_study_and_one_without_ratings_go_without_a_name(demo: bool) -> None:
    study = rated_study() if demo else study_open_make()
    Study.objects.update(is_demo=demo)
    study.refresh_from_db()
    studies.study_delete(study=study)
    assert not Study.objects.exists()


# ── Copies ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_copy_is_a_draft_of_the_same_content_without_ratings() -> None:
    study = rated_study()
    copy = studies.study_duplicate(study=study)
    same = replace(studies.study_content(study), name=copy.name)
    assert studies.study_content(copy) == same
    assert copy.is_editable
    assert copy.seed != study.seed
    assert copy.token != study.token
    assert not copy.sessions.exists()
    assert not copy.clips.exists()


def test_a_copy_of_a_study_with_the_longest_name_fits() -> None:
    copy = studies.study_duplicate(study=study_make(name="x" * 200))
    copy.full_clean()


# ── Counts ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_progress_counts_sessions_and_ratings() -> None:
    study, other = study_open_make(), study_open_make()
    done = session_make(study, done=True)
    session_make(study, simulated=True)
    session_make(other)
    for trial in done.trials.all():
        rate(trial, quality=3, contamination=3)
    rate(study.sessions.get(number=1).trials.all()[0], quality=1)
    progress = selectors.study_progress(study)
    assert (progress.started, progress.completed, progress.simulated) == (2, 1, 1)
    assert progress.ratings == 2 * 4 + 1
    assert progress.ratings_per_clip == (1, 2)
    rows = {row.study: row.progress for row in selectors.study_rows()}
    assert rows[study].ratings == 9
    assert (rows[other].started, rows[other].ratings) == (1, 0)


def test_clips_are_counted_before_any_is_made() -> None:
    study = study_make(songs=2, show_mixture=True)
    assert selectors.clips_expected(study) == 2 * 2 * 2 + 2 + 4 + 5 + 1  # rated, mixtures, examples, practice, level


def test_only_done_jobs_are_offered() -> None:
    song = song_make()
    separated_make(song=song, system="umxhq", sources=("vocals",))
    SeparationJob.objects.create(song=song, separator="htdemucs", weights="published")
    assert selectors.systems_by_song() == {song.id: {"umxhq": {"vocals"}}}
