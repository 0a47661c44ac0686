"""The table holds exactly what was stored, in one order, in few queries."""

from __future__ import annotations

import pytest
from pytest_django import DjangoAssertNumQueries

from analysis import dataset
from listening_test.models import Clip, Listener, Rating

from .factories import panel_make, rate_all, session_make, song_make, study_make

pytestmark = pytest.mark.django_db


def test_every_stored_rating_is_one_row() -> None:
    study = panel_make(study_make(), listeners=3)
    table = dataset.ratings(study)
    stored = Rating.objects.values_list(
        "trial__session__number", "trial__position", "scale", "value", "trial__clip__system", "trial__clip__source"
    )
    columns = ["session", "position", "scale", "value", "system", "source"]
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
    assert (row["value"], row["language"], row["weights"]) == (4, "en", "published")
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


def test_a_table_costs_two_queries_however_many_ratings(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    study = panel_make(study_make(), listeners=4)
    with django_assert_num_queries(2):
        dataset.ratings(study)


def test_state_changes_with_everything_the_report_shows() -> None:
    study = study_make(titles=["One"])
    seen = [dataset.state(study).version]

    def changed() -> bool:
        seen.append(dataset.state(study).version)
        return len(set(seen)) == len(seen)

    session = session_make(study, done=False)
    assert changed()
    rate_all(session, lambda *_of: 3, finished=False)
    assert changed()
    rating = Rating.objects.first()
    assert rating
    rating.given_at, rating.value = rating.given_at.replace(year=2027), 5
    rating.save()
    assert changed()
    session.trials.update(finished_at=rating.given_at)
    assert changed()
    session.completed_at = rating.given_at
    session.save()
    assert changed()
    Listener.objects.update(simulated=True)
    assert changed()
    study.excerpts.first().song.__class__.objects.update(title="Renamed")  # type: ignore[union-attr]
    assert changed()
    study.name = "Renamed"
    assert changed()


def test_state_stays_when_nothing_happens() -> None:
    study = panel_make(study_make(titles=["One"]), listeners=1)
    song_make("Of another study")
    assert dataset.state(study) == dataset.state(study)
