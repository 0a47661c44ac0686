"""A visit from its place in the design to its completion code."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from listening_test import questionnaire, session_selectors
from listening_test.device import DeviceFacts
from listening_test.models import Clip, Listener, ListeningSession, Study
from listening_test.refusal import BadValue, Refused
from listening_test.services import sessions
from listening_test.services.studies import study_close
from listening_test.texts import consent_sha256
from tests.listening_test.factories import study_make, study_open_make
from tests.listening_test.visits import CLIP_SECONDS, Clock, answers_to, session_at, trial_do

Step = ListeningSession.Step


def clips_of(session: ListeningSession) -> list[Clip]:
    return [trial.clip for trial in session.trials.select_related("clip").order_by("position")]


# ── Beginning ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_sessions_get_the_next_place_and_alternate_the_order_of_scales(study: Study) -> None:
    visits = [sessions.session_start(study=study, language="es") for _visit in range(4)]
    assert [visit.number for visit in visits] == [0, 1, 2, 3]
    assert [visit.quality_first for visit in visits] == [True, False, True, False]
    assert len({visit.token for visit in visits} | {visit.completion_code for visit in visits}) == 8


def test_a_place_is_not_given_twice_after_one_was_deleted(study: Study) -> None:
    first = sessions.session_start(study=study, language="es")
    sessions.session_start(study=study, language="es")
    first.delete()
    assert sessions.session_start(study=study, language="es").number == 2


def test_all_trials_are_planned_at_once_from_rated_clips_only(study: Study) -> None:
    session = sessions.session_start(study=study, language="es")
    rated = study.clips.filter(purpose=Clip.Purpose.TEST)
    assert [trial.position for trial in session.trials.order_by("position")] == [0, 1, 2, 3]
    assert {clip.pk for clip in clips_of(session)} == {clip.pk for clip in rated}


def test_a_limit_gives_whole_groups_and_shares_them_out(db: None) -> None:
    study = study_open_make(songs=2, trials_per_listener=5)  # 4 groups of 2 clips
    visits = [sessions.session_start(study=study, language="es") for _visit in range(2)]
    heard = [clip.pk for visit in visits for clip in clips_of(visit)]
    assert [visit.trials.count() for visit in visits] == [4, 4]
    assert len(set(heard)) == 8


def test_the_order_comes_from_the_seed_of_the_study(db: None) -> None:
    orders = []
    for _copy in range(2):
        study = study_open_make(seed=77)
        orders.append(
            [(clip.source, clip.system) for clip in clips_of(sessions.session_start(study=study, language="es"))]
        )
    assert orders[0] == orders[1]


@pytest.mark.parametrize("state", ["draft", "preparing", "closed"])
def test_only_open_studies_take_listeners(db: None, state: str) -> None:
    study = study_make(state=state)
    with pytest.raises(Refused, match="study_not_open"):
        sessions.session_start(study=study, language="es")
    assert not Listener.objects.exists()


def test_a_plan_that_cannot_be_saved_leaves_no_session(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_args: object, **_fields: object) -> None:
        raise IntegrityError

    monkeypatch.setattr(sessions.Trial.objects, "bulk_create", fails)
    with pytest.raises(IntegrityError), transaction.atomic():
        sessions.session_start(study=study, language="es")
    assert not study.sessions.exists()
    assert not Listener.objects.exists()


# ── Steps ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_consent_is_stored_with_the_version_of_its_text(study: Study) -> None:
    study.texts.create(language="en", key="consent", text="Yes?")
    session = sessions.session_start(study=study, language="en")
    sessions.session_consent(session=session)
    assert (session.step, session.consent_sha256) == (Step.QUESTIONNAIRE, consent_sha256(study, "en"))
    assert session.consented_at is not None
    assert session.consent_sha256 != consent_sha256(study, "es")


def test_the_questionnaire_waits_for_what_is_required(study: Study) -> None:
    session = sessions.session_start(study=study, language="es")
    sessions.session_consent(session=session)
    with pytest.raises(Refused, match="step_incomplete") as refusal:
        sessions.session_step_forward(session=session)
    assert "experience" in refusal.value.params["missing"]
    questions = session_selectors.opening_questions(study)
    sessions.session_answers_save(session=session, answers=answers_to(questions) | {"age_band": "25-34"})
    sessions.session_step_forward(session=session)
    assert session.step == Step.INSTRUCTIONS
    stored = dict(session.answers.values_list("question", "value"))
    song = study.excerpts.get().song
    assert stored == {f"familiarity:{song.id}": 1, "experience": "casual", "age_band": "25-34"}


def test_answers_given_again_replace(study: Study) -> None:
    session = sessions.session_start(study=study, language="es")
    sessions.session_consent(session=session)
    answers = answers_to(session_selectors.opening_questions(study))
    for experience in ("casual", "trained"):
        sessions.session_answers_save(session=session, answers=answers | {"experience": experience})
    assert session.answers.get(question="experience").value == "trained"


def test_bad_answers_store_nothing(study: Study) -> None:
    session = sessions.session_start(study=study, language="es")
    sessions.session_consent(session=session)
    answers = answers_to(session_selectors.opening_questions(study))
    with pytest.raises(BadValue):
        sessions.session_answers_save(session=session, answers=answers | {"experience": "wizard"})
    assert not session.answers.exists()


def test_answers_are_taken_in_their_own_step_only(study: Study) -> None:
    session = session_at(study, Step.CALIBRATION)
    with pytest.raises(Refused, match="not_now"):
        sessions.session_answers_save(session=session, answers={"attention": 3, "distraction": 3})


def test_a_step_asked_for_twice_goes_forward_once(study: Study) -> None:
    session = session_at(study, Step.INSTRUCTIONS)
    again = ListeningSession.objects.get(pk=session.pk)
    sessions.session_step_forward(session=session)
    sessions.session_step_forward(session=again)
    assert session.step == again.step == Step.CALIBRATION


def test_calibration_waits_for_all_four_and_believes_the_clock(study: Study, clock: Clock) -> None:
    session = session_at(study, Step.CALIBRATION)
    clips = list(session_selectors.calibration_clips(study))
    assert len(clips) == 4
    clock.forward(CLIP_SECONDS)
    sessions.session_calibration_heard(session=session, clip=clips[0])
    with pytest.raises(Refused, match="too_soon") as refusal:
        sessions.session_calibration_heard(session=session, clip=clips[1])
    assert 0 < refusal.value.params["wait"] <= CLIP_SECONDS
    sessions.session_calibration_heard(session=session, clip=clips[0])  # again: nothing new, nothing refused
    for clip in clips[1:]:
        with pytest.raises(Refused, match="step_incomplete"):
            sessions.session_step_forward(session=session)
        clock.forward(CLIP_SECONDS)
        sessions.session_calibration_heard(session=session, clip=clip)
    sessions.session_step_forward(session=session)
    assert session.step == Step.TRIALS


def test_calibration_is_heard_in_its_step_only(study: Study, clock: Clock) -> None:
    session = session_at(study, Step.INSTRUCTIONS)
    clock.forward(60)
    with pytest.raises(Refused, match="not_now"):
        sessions.session_calibration_heard(session=session, clip=session_selectors.calibration_clips(study)[0])


def test_the_whole_visit_ends_with_a_date(study: Study, clock: Clock) -> None:
    session = session_at(study, Step.TRIALS)
    for _trial in range(4):
        trial_do(session, clock)
    session.refresh_from_db()
    assert session.step == Step.CLOSING
    sessions.session_answers_save(session=session, answers=answers_to(questionnaire.closing()))
    sessions.session_step_forward(session=session)
    assert session.step == Step.DONE
    assert session.completed_at is not None


# ── Closing in the middle ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_closed_study_stops_those_under_way(study: Study, clock: Clock) -> None:
    session = session_at(study, Step.CALIBRATION)
    clock.forward(60)
    study_close(study=study)
    with pytest.raises(Refused, match="study_closed"):
        sessions.session_calibration_heard(session=session, clip=session_selectors.calibration_clips(study)[0])
    with pytest.raises(Refused, match="study_closed"):
        sessions.session_step_forward(session=session)


def test_who_has_rated_everything_may_still_finish(study: Study, clock: Clock) -> None:
    session = session_at(study, Step.TRIALS)
    for _trial in range(4):
        trial_do(session, clock)
    study_close(study=study)
    session.refresh_from_db()
    sessions.session_answers_save(session=session, answers=answers_to(questionnaire.closing()))
    sessions.session_step_forward(session=session)
    assert session.step == Step.DONE


# ── Device ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_device_is_noted_once(study: Study) -> None:
    session = session_at(study, Step.CALIBRATION)
    for rate in (44_100, 48_000):
        sessions.session_device_save(session=session, facts=DeviceFacts(rate, 0.02, "firefox"))
    session.refresh_from_db()
    assert session.device == {"sample_rate": 44_100, "output_latency": 0.02, "browser": "firefox"}
