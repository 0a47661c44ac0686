"""The table holds exactly what was stored, in one order, in few queries."""

from __future__ import annotations

import uuid
from importlib import import_module

import pandas as pd
import pytest
from django.apps import apps
from pytest_django import DjangoAssertNumQueries

from analysis import dataset
from listening_test.models import Clip, EquipmentCheck, Listener, ListeningSession, Rating, Trial
from listening_test.services.ratings import rating_save, trial_finish
from listening_test.services.rights import session_erase

from .factories import panel_make, rate_all, session_make, song_make, study_make

pytestmark = pytest.mark.django_db


def test_every_stored_rating_is_one_row() -> None:
    study = panel_make(study_make(), listeners=3)
    table = dataset.ratings(study)
    stored = Rating.objects.values_list(
        "trial__session__number", "trial__position", "scale", "value", "trial__clip__system", "trial__clip__source"
    )
    columns = ["session", "position", "scale", "score", "system", "source"]
    assert sorted(table[columns].itertuples(index=False, name=None)) == sorted(stored)
    assert len(table) == 3 * 18 * 2


def test_the_order_is_session_place_scale_whatever_the_database_does() -> None:
    table = dataset.ratings(panel_make(study_make(), listeners=2))
    keys = list(table[["session", "position", "scale"]].itertuples(index=False, name=None))
    assert keys == sorted(keys)


def test_what_is_known_of_a_rating() -> None:
    study = study_make(titles=["Milonga"], systems=["htdemucs"], sources=["drums"])
    session = session_make(study, language="en")
    rate_all(session, lambda number, clip, scale: {"quality": 4, "contamination": 2}[scale])
    row = dataset.ratings(study).set_index("scale").loc["quality"]
    clip = Clip.objects.get()
    assert row["study"] == str(study.id)
    assert row["listener"] == str(session.listener_id)
    assert row["clip"] == str(clip.id)
    assert (row["song"], row["song_id"]) == ("Milonga", str(clip.excerpt.song_id))  # type: ignore[union-attr]
    assert (row["excerpt_start"], row["excerpt_end"]) == (1.0, 9.5)
    assert (row["score"], row["language"], row["weights"]) == (4, "en", "published")
    assert (row["heard_seconds"], row["plays"], row["changes"], row["repeat"]) == (8.5, 1, 0, 0)
    assert row["quality_first"] and row["completed"] and row["finished"]
    assert not row["simulated"] and not row["demo"]
    assert tuple(dataset.ratings(study).columns) == dataset.COLUMNS


def test_ratings_of_open_trials_and_sessions_are_there_and_marked() -> None:
    study = study_make(titles=["One"], systems=["umxhq"], sources=["vocals"])
    rate_all(session_make(study, done=False), lambda *_of: 3, finished=False)
    table = dataset.ratings(study)
    assert len(table) == 2
    assert not table["finished"].any() and not table["completed"].any()


@pytest.mark.parametrize(
    ("fields", "system", "weights", "demo"),
    [
        ({}, "umxhq", "published", False),
        ({}, "umx:demo", "demo", True),
        ({}, "reference", "", False),
        ({"is_demo": True}, "umxhq", "published", True),
        ({"song_fields": {"is_demo": True}}, "umxhq", "published", True),
    ],
    ids=["real", "demo weights", "true stem", "demo study", "demo song"],
)
def test_demo_is_marked_wherever_it_comes_from(
    fields: dict[str, object], system: str, weights: str, demo: bool
) -> None:
    study = study_make(titles=["One"], systems=[system], sources=["vocals"], **fields)  # type: ignore[arg-type]
    rate_all(session_make(study), lambda *_of: 3)
    table = dataset.ratings(study)
    assert set(table["weights"]) == {weights}
    assert set(table["demo"]) == {demo}


def test_the_weights_are_known_when_the_stem_is_gone() -> None:
    study = study_make(titles=["One"], systems=["umx:demo", "htdemucs"], sources=["vocals"])
    rate_all(session_make(study), lambda *_of: 3)
    Clip.objects.update(stem=None)
    table = dataset.ratings(study)
    assert dict(zip(table["system"], table["weights"], strict=True)) == {"umx:demo": "demo", "htdemucs": "published"}


def test_songs_of_one_title_stay_two_songs() -> None:
    study = study_make(titles=["Intro", "Intro", "Intro (2)"], systems=["umxhq"], sources=["vocals"])
    rate_all(session_make(study), lambda *_of: 3)
    table = dataset.ratings(study)
    assert table.groupby("song_id")["song"].unique().map(len).tolist() == [1, 1, 1]
    assert table["song"].nunique() == 3


def test_other_studies_and_clips_that_are_not_rated_stay_out() -> None:
    study = study_make(titles=["One"], sources=["vocals"])
    other = study_make(titles=["Two"])
    panel_make(other, listeners=2)
    assert dataset.ratings(study).empty
    rate_all(session_make(study), lambda *_of: 3)
    Clip.objects.filter(study=study, system="umxhq").update(purpose="mixture")
    assert "umxhq" not in set(dataset.ratings(study)["system"])


def test_a_table_costs_five_queries_however_many_ratings(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    study = panel_make(study_make(), listeners=4)
    with django_assert_num_queries(5):
        dataset.ratings(study)


def test_a_table_read_in_pieces_is_the_same_table(monkeypatch: pytest.MonkeyPatch) -> None:
    study = panel_make(study_make(), listeners=3)
    whole = dataset.ratings(study)
    monkeypatch.setattr(dataset, "_ROWS_AT_ONCE", 7)
    pd.testing.assert_frame_equal(dataset.ratings(study), whole)


def test_a_trial_run_is_in_no_table() -> None:
    study = panel_make(study_make(titles=["One"]), listeners=2)
    before = dataset.ratings(study), dataset.state(study)
    rate_all(session_make(study, is_test=True), lambda *_of: 1)
    pd.testing.assert_frame_equal(dataset.ratings(study), before[0])
    assert dataset.state(study) == before[1]


# ── Facts about listeners ───────────────────────────────────────────────────────────────────────────────────────────


def test_missed_attention_checks_are_counted_and_their_answers_are_no_ratings() -> None:
    study = study_make(titles=["One"], systems=["umxhq"])
    sessions = [session_make(study) for _one in range(3)]
    for session, answers in zip(sessions, ((2, 2), (2, 5), (4, 5)), strict=True):
        rate_all(session, lambda *_of: 3)
        for value in answers:
            trap_rate(session, value, instructed=2)
    stored = dataset.stored(study)
    for session, failed in zip(sessions, (0.0, 0.5, 1.0), strict=True):
        assert stored.listeners.loc[str(session.listener_id), "traps_failed"] == failed
    assert set(stored.ratings["score"]) == {3}, "answers to attention checks are no ratings"


def trap_rate(session: ListeningSession, value: int, *, instructed: int) -> None:
    at = session.consented_at
    trial = Trial.objects.create(
        session=session,
        clip=session.study.clips.first(),
        position=session.trials.count(),
        instructed=instructed,
        opened_at=at,
        heard_at=at,
        finished_at=at,
    )
    for scale in ("quality", "contamination"):
        Rating.objects.create(trial=trial, scale=scale, value=value, key=uuid.uuid4(), given_at=at)


def test_the_time_of_an_answer_is_the_median_over_clips_and_simulated_listeners_have_none() -> None:
    study = study_make(titles=["One"], sources=["vocals"])
    quick, robot = session_make(study), session_make(study, simulated=True)
    clips = list(study.clips.order_by("id"))
    for clip, seconds in zip(clips, (1.0, 3.0, 50.0), strict=True):
        rate_all(quick, lambda *_of: 3, clips=[clip], seconds=seconds)
    rate_all(robot, lambda *_of: 3, seconds=0.0)
    seconds = dataset.stored(study).listeners["seconds"]
    assert seconds[str(quick.listener_id)] == 1.5  # two answers in three seconds
    assert pd.isna(seconds[str(robot.listener_id)])


def test_equipment_has_failed_where_a_check_was_passed_in_no_attempt() -> None:
    study = study_make(titles=["One"])
    passed, second, failed, unasked = (session_make(study) for _one in range(4))
    for session in (passed, second, failed, unasked):
        rate_all(session, lambda *_of: 3)
    checks = [(passed, "sides", 0, True), (second, "sides", 0, False), (second, "sides", 1, True)]
    checks += [(failed, "sides", 0, True), (failed, "huggins", 0, False), (failed, "huggins", 1, None)]
    for session, kind, attempt, is_passed in checks:
        EquipmentCheck.objects.create(session=session, kind=kind, attempt=attempt, passed=is_passed)
    found = dataset.stored(study).listeners["equipment_failed"]
    assert [found[str(one.listener_id)] for one in (passed, second, failed)] == [0.0, 0.0, 1.0]
    assert pd.isna(found[str(unasked.listener_id)])


# ── State ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_state_changes_with_everything_the_report_shows() -> None:
    study = study_make(titles=["One"], systems=["umxhq"], sources=["vocals", "drums"])
    seen = [dataset.state(study).version]

    def changed() -> bool:
        seen.append(dataset.state(study).version)
        return len(set(seen)) == len(seen)

    session = session_make(study, done=False)
    assert changed()
    trial = Trial.objects.create(
        session=session,
        clip=study.clips.first(),
        position=0,
        opened_at=session.consented_at,
        heard_at=session.consented_at,
    )
    Trial.objects.create(session=session, clip=study.clips.last(), position=1)
    first = uuid.uuid4()
    rating_save(trial=trial, scale="quality", value=3, key=first)
    assert changed() and dataset.state(study).ratings == 1
    rating_save(trial=trial, scale="quality", value=3, key=first)
    assert not changed() and seen.pop()
    rating_save(trial=trial, scale="quality", value=4, key=uuid.uuid4(), changes=1)
    assert changed() and dataset.state(study).ratings == 1
    rating_save(trial=trial, scale="contamination", value=4, key=uuid.uuid4())
    assert changed() and dataset.state(study).ratings == 2
    trial_finish(trial=trial)
    assert changed()
    session.refresh_from_db()
    session.completed_at = session.consented_at
    session.save()
    assert changed()
    Listener.objects.update(simulated=True)
    assert changed()
    study.excerpts.first().song.__class__.objects.update(title="Renamed")  # type: ignore[union-attr]
    assert changed()
    study.name = "Renamed"
    assert changed()
    session_erase(session=session)
    assert changed() and dataset.state(study).ratings == 0


def test_state_costs_the_same_however_many_ratings(django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    study = panel_make(study_make(), listeners=4)
    with django_assert_max_num_queries(3) as asked:
        dataset.state(study)
    assert not any("listening_test_rating" in query["sql"] for query in asked.captured_queries)


def test_ratings_of_before_are_counted_by_the_migration() -> None:
    study = panel_make(study_make(titles=["One"]), listeners=2)
    trap_rate(study.sessions.first(), 2, instructed=2)  # type: ignore[arg-type]
    ListeningSession.objects.update(rating_count=0, rating_changes=0)
    import_module("listening_test.migrations.0006_rating_counts").count(apps, None)
    assert set(ListeningSession.objects.values_list("rating_count", "rating_changes")) == {(12, 12)}
    assert dataset.state(study).ratings == len(dataset.ratings(study))


def test_state_stays_when_nothing_happens() -> None:
    study = panel_make(study_make(titles=["One"]), listeners=1)
    song_make("Of another study")
    assert dataset.state(study) == dataset.state(study)
