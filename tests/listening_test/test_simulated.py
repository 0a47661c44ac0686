"""Simulated listeners go through whatever steps a study has."""

from __future__ import annotations

import pytest

from listening_test import equipment
from listening_test.equipment import END
from listening_test.models import Clip, ListeningSession
from listening_test.services import simulated
from listening_test.simulation import Latent
from tests.listening_test.factories import clip_make, study_open_make

Step = ListeningSession.Step


@pytest.mark.parametrize("layout", ["together", "apart"])
def test_simulated_listeners_pass_every_step_and_answer_what_is_asked(
    db: None, monkeypatch: pytest.MonkeyPatch, layout: str
) -> None:
    study = study_open_make(
        equipment=dict.fromkeys(equipment.KINDS, END), scale_layout=layout, traps_per_listener=1, repeats_per_listener=1
    )
    clip_make(study=study, purpose=Clip.Purpose.LEVEL)
    clip_make(study=study, purpose=Clip.Purpose.PRACTICE, source="vocals", expected={"quality": [1, 2]})
    worths = {clip.pk: Latent(3.0, 3.0) for clip in study.clips.filter(purpose=Clip.Purpose.TEST)}
    monkeypatch.setattr(simulated, "_worths", lambda _study: worths)
    simulated.listeners_simulate(study=study, count=3)
    assert set(study.sessions.values_list("step", flat=True)) == {Step.DONE}
    for session in study.sessions.all():
        assert set(session.equipment_checks.values_list("passed", flat=True)) == {True}
        assert session.practice_answers.count() == 2
        assert session.warned_at is None
        for trial in session.trials.all():
            asked = {trial.scale} if trial.scale else {"quality", "contamination"}
            given = dict(trial.ratings.values_list("scale", "value"))
            assert set(given) == asked
            assert trial.instructed is None or set(given.values()) == {trial.instructed}
