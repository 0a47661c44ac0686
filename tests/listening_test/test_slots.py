"""Places in a study's design: who gets which, who loses theirs, and who may come in at all."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from listening_test import design_selectors, selectors
from listening_test.design import plan
from listening_test.models import Invitation, Listener, ListeningSession, Study, Trial
from listening_test.refusal import Refused
from listening_test.services import rights, sessions, slots
from listening_test.services.studies import study_close
from listening_test.tasks import sweep
from tests.listening_test.factories import clip_make, study_open_make
from tests.listening_test.visits import Clock

Step = ListeningSession.Step


def begin(study: Study, **fields: Any) -> ListeningSession:
    return sessions.session_start(study=study, language="en", **fields)


def finish(session: ListeningSession) -> None:
    ListeningSession.objects.filter(pk=session.pk).update(
        step=Step.DONE, consented_at=timezone.now(), completed_at=timezone.now()
    )


def clips_of(session: ListeningSession) -> list[str]:
    return [str(clip) for clip in session.trials.order_by("position").values_list("clip", flat=True)]


def is_given_up(session: ListeningSession) -> bool:
    session.refresh_from_db()
    return session.given_up_at is not None


# ── Given up and filled again ───────────────────────────────────────────────────────────────────────────────────────


def test_a_silent_place_goes_to_the_next_listener(study: Study, clock: Clock) -> None:
    first, second = begin(study), begin(study)
    clock.forward(30 * 60)
    sessions.session_returned(session=second)
    clock.forward(31 * 60)
    third = begin(study)
    assert is_given_up(first) and not is_given_up(second)
    assert (third.number, third.slot) == (2, 0)
    assert clips_of(third) == clips_of(first)
    assert begin(study).slot == 2


def test_the_lowest_place_is_filled_first(study: Study, clock: Clock) -> None:
    for _visit in range(4):
        begin(study)
    study.sessions.filter(slot__in=(1, 2)).update(given_up_at=timezone.now())
    assert [begin(study).slot for _visit in range(3)] == [1, 2, 4]


@pytest.mark.parametrize(
    "free",
    [(0,), (255,), (256,), (511,), (519,), (3, 300), tuple(range(256, 512)), tuple(range(200, 520))],
    ids=lambda free: f"{free[0]} and {len(free) - 1} more",
)
def test_the_lowest_of_many_places_is_found(study: Study, free: tuple[int, ...]) -> None:
    held = [slot for slot in range(521) if slot not in free]
    listeners = Listener.objects.bulk_create([Listener() for _slot in held])
    ListeningSession.objects.bulk_create(
        ListeningSession(study=study, listener=listener, number=slot, slot=slot, language="en", quality_first=True)
        for slot, listener in zip(held, listeners, strict=True)
    )
    assert slots.slot_free(study=study) == free[0]
    with CaptureQueriesContext(connection) as asked:
        slots.slot_free(study=study)
    assert len([query for query in asked if "SELECT" in query["sql"]]) <= 4


def test_a_place_whose_listener_had_everything_erased_is_filled_again(study: Study) -> None:
    first, second = begin(study), begin(study)
    rights.session_erase(session=first)
    third = begin(study)
    assert (third.number, third.slot) == (2, 0)
    assert second.slot == 1


def test_the_study_says_how_long_it_waits(db: None, clock: Clock) -> None:
    study = study_open_make(give_up_minutes=10)
    session = begin(study)
    clock.forward(9 * 60)
    assert slots.slots_give_up(study=study) == 0
    clock.forward(2 * 60)
    assert slots.slots_give_up(study=study) == 1
    assert is_given_up(session)
    assert slots.slots_give_up(study=study) == 0


@pytest.mark.parametrize("step", [Step.CLOSING, Step.DONE])
def test_who_has_rated_everything_keeps_the_place(study: Study, clock: Clock, step: str) -> None:
    session = begin(study)
    session.step, session.consented_at = step, timezone.now()
    session.completed_at = timezone.now() if step == Step.DONE else None
    session.save()
    clock.forward(24 * 3600)
    assert slots.slots_give_up(study=study) == 0
    assert begin(study).slot == 1


def test_a_session_that_ended_before_the_rating_leaves_its_place_at_once(study: Study) -> None:
    session = begin(study)
    ListeningSession.objects.filter(pk=session.pk).update(
        step=Step.ENDED, consented_at=timezone.now(), ended_reason="equipment_antiphase"
    )
    assert begin(study).slot == 0


def test_the_sweep_gives_up_in_open_studies(db: None, clock: Clock) -> None:
    studies = [study_open_make(seed=seed) for seed in (1, 2)]
    visits = [begin(study) for study in studies]
    study_close(study=studies[1])
    clock.forward(2 * 3600)
    sweep()
    assert [is_given_up(visit) for visit in visits] == [True, False]


def test_ratings_of_a_given_up_session_stay(study: Study, clock: Clock) -> None:
    session = begin(study)
    session.trials.first().ratings.create(scale="quality", value=4, key="00000000-0000-4000-8000-000000000001")  # type: ignore[union-attr]
    clock.forward(2 * 3600)
    begin(study)
    assert is_given_up(session)
    assert session.trials.filter(ratings__value=4).count() == 1


# ── Coming back ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_who_comes_back_takes_the_place_back_while_it_is_free(study: Study, clock: Clock) -> None:
    session = begin(study)
    clock.forward(2 * 3600)
    slots.slots_sweep()
    assert is_given_up(session)
    sessions.session_returned(session=session)
    assert not is_given_up(session)
    assert begin(study).slot == 1


def test_who_comes_back_too_late_goes_on_beside_the_plan_and_is_counted(db: None, clock: Clock) -> None:
    study = study_open_make(quota=2)
    session = begin(study)
    clock.forward(2 * 3600)
    begin(study)
    sessions.session_returned(session=session)
    sessions.session_consent(session=session)
    assert is_given_up(session)
    assert session.step != Step.CONSENT
    finish(session)
    with pytest.raises(Refused, match="study_full"):
        begin(study)


# ── Full, closed, used ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_full_study_takes_nobody_until_somebody_gives_up(db: None, clock: Clock) -> None:
    study = study_open_make(quota=2)
    finish(begin(study))
    begin(study)
    with pytest.raises(Refused, match="study_full"):
        begin(study)
    assert study.sessions.count() == 2
    clock.forward(2 * 3600)
    assert begin(study).slot == 1
    with pytest.raises(Refused, match="study_full"):
        begin(study)


def test_a_link_for_one_listener_brings_one(study: Study) -> None:
    link = Invitation.objects.create(study=study)
    session = begin(study, invitation=link, platform={"PROLIFIC_PID": "p1"})
    assert (session.invitation, session.platform) == (link, {"PROLIFIC_PID": "p1"})
    with pytest.raises(Refused, match="link_used"):
        begin(study, invitation=link)
    assert study.sessions.count() == 1


def test_a_test_link_takes_no_place_and_never_counts(db: None, clock: Clock) -> None:
    study = study_open_make(quota=1)
    trying = [begin(study, invitation=Invitation.objects.create(study=study, is_test=True)) for _time in range(2)]
    assert [(session.is_test, session.slot) for session in trying] == [(True, None)] * 2
    assert trying[0].trials.count() == 4
    assert clips_of(trying[0]) != clips_of(trying[1])
    assert selectors.study_progress(study).started == 0
    assert begin(study).slot == 0
    clock.forward(2 * 3600)
    slots.slots_give_up(study=study)
    sessions.session_returned(session=trying[0])
    assert not is_given_up(trying[0])


def test_the_study_is_locked_before_the_session_as_everywhere(study: Study, clock: Clock) -> None:
    """The other way round, somebody who comes back and somebody who erases could wait for each other for ever."""
    session = begin(study)
    clock.forward(2 * 3600)
    slots.slots_give_up(study=study)
    with CaptureQueriesContext(connection) as asked:
        sessions.session_returned(session=session)
    rows = [row[1] for query in asked if (row := re.match(r'SELECT "listening_test_(\w+)"\."id",', query["sql"]))]
    assert rows[:2] == ["study", "listeningsession"]
    assert not is_given_up(session)


def test_who_is_erased_while_coming_back_begins_anew(study: Study, clock: Clock) -> None:
    session = begin(study)
    clock.forward(60)
    rights.session_erase(session=session)
    with pytest.raises(Refused, match="no_session"):
        sessions.session_returned(session=session)


# ── What a place means ──────────────────────────────────────────────────────────────────────────────────────────────


def test_trials_are_the_plan_of_the_place(db: None) -> None:
    study = study_open_make(
        songs=3, repeats_per_listener=1, traps_per_listener=1, scale_layout="apart", trials_per_listener=8
    )
    for slot in range(3):
        session = begin(study)
        planned = plan(design_selectors.study_design(study), seed=study.seed, slot=slot)
        stored = session.trials.order_by("position").values_list("clip", "scale", "repeat", "instructed")
        assert [(str(clip), *rest) for clip, *rest in stored] == [
            (trial.key, trial.scale, trial.repeat, trial.instructed) for trial in planned
        ]
        assert session.quality_first == (planned[0].scale == "quality")


def test_spoken_checks_play_recordings_in_the_listeners_language(db: None) -> None:
    study = study_open_make(songs=2, traps_per_listener=2, trap_kind="spoken")
    for language, answer in (("en", 2), ("en", 4), ("es", 5)):
        expected = {scale: [answer, answer] for scale in ("quality", "contamination")}
        clip_make(study=study, purpose="trap", language=language, expected=expected)
    checks = Trial.objects.filter(session=begin(study), instructed__isnull=False).select_related("clip")
    assert len(checks) == 2
    for trial in checks:
        assert (trial.clip.purpose, trial.clip.language) == ("trap", "en")
        assert trial.clip.expected["quality"] == [trial.instructed, trial.instructed]


def test_without_a_recording_in_the_language_checks_are_written(db: None) -> None:
    study = study_open_make(songs=2, traps_per_listener=2, trap_kind="spoken")
    checks = begin(study).trials.filter(instructed__isnull=False).select_related("clip")
    assert [trial.clip.purpose for trial in checks] == ["test", "test"]


def test_a_sign_of_life_keeps_the_place(study: Study, clock: Clock) -> None:
    """A sign of life at the last moment is one."""
    session = begin(study)
    clock.forward(59 * 60)
    sessions.session_returned(session=session)
    clock.forward(59 * 60)
    assert slots.slots_give_up(study=study) == 0
    assert session.seen_at == clock.time - timedelta(minutes=59)
