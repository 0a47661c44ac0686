"""The words of the scales: those of the paper, or the plain ACR words for both."""

from __future__ import annotations

import pytest
from django.utils import translation

from listening_test.models import ListeningSession, Study
from listening_test.scales import scales_in
from tests.listening_test.factories import clip_make, study_open_make
from tests.listening_test.visits import Browser, session_at

pytestmark = pytest.mark.django_db

Step = ListeningSession.Step
AMOUNT = {
    "es": ["Muchísimo", "Mucho", "Algo", "Apenas", "Nada"],
    "en": ["Very much", "Much", "Some", "Hardly any", "None"],
}
ACR = {
    "es": ["Malo", "Pobre", "Regular", "Bien", "Excelente"],
    "en": ["Bad", "Poor", "Fair", "Good", "Excellent"],
}
QUESTION = {
    "amount": "How much of the other instruments can you hear?",
    "acr": "How well is it separated from the other instruments?",
}


@pytest.mark.parametrize("language", ["es", "en"])
def test_the_words_are_those_of_the_scale_that_was_chosen(language: str) -> None:
    with translation.override(language):
        words = {chosen: [str(word) for word in scales_in(chosen)["contamination"].words] for chosen in QUESTION}
        quality = [[str(word) for word in scales_in(chosen)["quality"].words] for chosen in QUESTION]
    assert words == {"amount": AMOUNT[language], "acr": ACR[language]}
    assert quality == [ACR[language]] * 2


def opened(words: str) -> Study:
    study = study_open_make(contamination_words=words)
    clip_make(study=study, purpose="practice", source="vocals", expected={"contamination": [1, 2]})
    return study


@pytest.mark.parametrize("step", [Step.TRIALS, Step.PRACTICE])
@pytest.mark.parametrize("chosen", ["amount", "acr"])
def test_listeners_see_them_where_they_rate(step: str, chosen: str) -> None:
    study = opened(chosen)
    page = Browser(study, session_at(study, step)).get().content.decode()
    other = "acr" if chosen == "amount" else "amount"
    assert QUESTION[chosen] in page and QUESTION[other] not in page
    assert ("Very much" in page) == ("Hardly any" in page) == (chosen == "amount")
    assert page.count("Excellent") == (1 if chosen == "amount" else 2)


def test_the_examples_and_what_practice_tells_have_them_too() -> None:
    study = opened("acr")
    examples = Browser(study, session_at(study, Step.CALIBRATION)).get().content.decode()
    assert examples.count("“Bad”") == examples.count("“Excellent”") == 2
    listener = Browser(study, session_at(study, Step.PRACTICE))
    name = listener.get().context["name"]
    told = listener.post("practice/", {"clip": name, "quality": 4, "contamination": 2}).content.decode()
    assert QUESTION["acr"] in told and "Hardly any" not in told
