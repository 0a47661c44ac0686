"""The methods paragraph says what is known, leaves gaps for what is not, and makes nothing up."""

from __future__ import annotations

import pytest
from django.utils import translation

from analysis import dataset
from analysis.exports.methods import methods_text, paragraphs
from analysis.presentation import scale_views
from analysis.selectors import study_report
from analysis.study_facts import StudyFacts, study_facts
from listening_test.models import Answer, EquipmentCheck, ListeningSession
from tests.analysis.factories import panel_make, study_make
from tests.analysis.tables import crossed, report


def english(found: object, facts: StudyFacts) -> str:
    with translation.override("en"):
        return "\n".join(paragraphs(found, facts))  # type: ignore[arg-type]


def test_of_a_foreign_table_nothing_is_claimed() -> None:
    said = english(report(crossed(listeners=6, songs=5)), StudyFacts())
    for gap in ("the test method", "loud", "how many clips each listener rated", "experience", "language"):
        assert any(gap in part for part in said.split("[fill in: ")[1:]), gap
    for claim in ("ACR, ITU-T P.800):", "web browser", "LUFS", "FLAC", "seed 7"):
        assert claim not in said
    assert "360 ratings of 6 listeners" in said and "5 songs" in said


@pytest.mark.django_db
def test_of_a_study_it_tells_what_is_stored() -> None:
    study = study_make(
        seed=4321,
        trials_per_listener=9,
        repeats_per_listener=2,
        loudness_rule="mixture",
        equipment={"antiphase": "record"},
        sources=["vocals"],
    )
    panel_make(study, listeners=6)
    sessions = list(ListeningSession.objects.filter(study=study))
    for number, session in enumerate(sessions):
        Answer.objects.create(session=session, question="experience", value="trained" if number < 2 else "casual")
        EquipmentCheck.objects.create(session=session, kind="antiphase", attempt=0, passed=number > 0)
    EquipmentCheck.objects.create(session=sessions[0], kind="antiphase", attempt=1, passed=True)
    said = english(study_report(study), study_facts(study))
    for fact in (
        "absolute category rating (ACR, ITU-T P.800)",
        "1 “Bad”",
        "seed 4321",
        "9 clips",
        "2 clips came back",
        "All clips of an excerpt had one gain",
        "3 excerpts of 8.5 s",
        "Spanish (6)",
        "I have trained my hearing for tests like this one (2)",
        "Headphones: tones in antiphase 6/6",
        "6 sessions were begun and 6 completed on",
        dataset.ratings(study)["song"].iloc[0],
        "sha256",
    ):
        assert fact in said, fact
    assert "[fill in: experience" not in said and "[fill in: age" in said


@pytest.mark.django_db
def test_the_words_of_the_scales_are_those_that_listeners_read() -> None:
    study = panel_make(study_make(titles=["One"], contamination_words="acr"), listeners=3)
    found = study_report(study)
    said = english(found, study_facts(study))
    assert said.count("1 “Bad”, 2 “Poor”, 3 “Fair”, 4 “Good”, 5 “Excellent”") == 2
    assert "“How well is it separated from the other instruments?”" in said
    with translation.override("en"):
        assert [view.question for view in scale_views(found)][
            1
        ] == "How well is it separated from the other instruments?"


@pytest.mark.django_db
def test_simulated_listeners_are_named_first() -> None:
    study = panel_make(study_make(titles=["One"], is_demo=True), listeners=3, simulated=True)
    first, second, *_rest = english(study_report(study), study_facts(study)).split(". ")
    assert "simulated" in first and "demonstration" in second


def test_both_languages_and_no_words_of_the_other() -> None:
    text = methods_text(report(crossed(listeners=6, songs=5)), StudyFacts(), ["es", "en"])
    spanish, _english = text.split("\n\n\n")
    assert spanish.startswith("Español") and _english.startswith("English")
    assert "[completar: " in spanish and "[fill in: " not in spanish
