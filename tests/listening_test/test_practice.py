"""Practice: an answer first, then what fits; nothing before tells it, and nothing of it is a rating."""

from __future__ import annotations

import re
from typing import Any

import pytest

from listening_test import practice
from listening_test.models import Clip, ListeningSession, PracticeAnswer, Rating, Study
from listening_test.scales import SCALES, ScaleKey
from tests.listening_test.factories import clip_make, noise, study_open_make
from tests.listening_test.visits import Browser, session_at

Step = ListeningSession.Step
EXPECTED = [{"quality": [1, 2], "contamination": [4, 5]}, {"quality": [4, 5], "contamination": [1, 1]}]


def study_practising(**fields: Any) -> Study:
    study = study_open_make(**fields)
    for number, expected in enumerate(EXPECTED):
        data = noise(0.5, 20 + number)
        clip_make(study=study, data=data, purpose=Clip.Purpose.PRACTICE, source="vocals", expected=expected)
    return study


@pytest.fixture
def listener(db: None) -> Browser:
    study = study_practising()
    return Browser(study, session_at(study, Step.PRACTICE))


def page(listener: Browser) -> str:
    return listener.get().content.decode()


def name_of(shown: str) -> str:
    found = re.search(r'name="clip" value="([^"]+)"', shown)
    assert found
    return found[1]


def clip_shown(listener: Browser) -> Clip:
    session = listener.session
    answered = session.practice_answers.values("clip")
    return listener.study.clips.filter(purpose=Clip.Purpose.PRACTICE).exclude(pk__in=answered).order_by("pk")[0]


def answer(listener: Browser, quality: object, contamination: object, name: str | None = None) -> str:
    sent = {"clip": name or name_of(page(listener)), "quality": quality, "contamination": contamination}
    return listener.post("practice/", sent).content.decode()


@pytest.mark.parametrize(
    ("value", "kind"), [(1, practice.LOWER), (2, practice.FITS), (3, practice.FITS), (4, practice.HIGHER)]
)
def test_feedback_says_on_which_side_an_answer_lies(value: int, kind: str) -> None:
    (told,) = practice.feedback({"quality": (2, 3)}, {"quality": value}, SCALES)
    assert (told.kind, told.least, told.most, told.value) == (kind, 2, 3, value)


def test_a_scale_for_which_the_clip_was_not_made_is_free() -> None:
    told = practice.feedback({"quality": (2, 3)}, {"contamination": 1, "quality": 3}, SCALES)
    assert [(each.scale.key, each.kind) for each in told] == [("contamination", "free"), ("quality", "fits")]


def test_after_every_clip_comes_what_fits_and_after_the_last_the_way_on(listener: Browser) -> None:
    expected = clip_shown(listener).expected["quality"]
    told = answer(listener, 3, 3)
    assert "The answer was 3." in told
    assert f"This clip was made to lie between {expected[0]} and {expected[1]}." in told
    assert "1 practice clip left" in told
    answer(listener, 3, 3)
    assert listener.session.step == Step.PRACTICE
    assert "That was the practice." in page(listener)
    listener.post("practice/")
    assert listener.session.step == Step.TRIALS
    assert PracticeAnswer.objects.count() == 4
    assert not Rating.objects.exists()


def test_fitting_answers_are_told_so(listener: Browser) -> None:
    expected = clip_shown(listener).expected
    told = answer(listener, expected["quality"][0], expected["contamination"][0])
    assert told.count("That fits well.") == 2
    assert "Play it again" not in told


def test_before_the_answer_nothing_tells_what_fits(db: None) -> None:
    """The same page, to a letter, for clips that were made for opposite answers."""
    pages = set()
    for turned in (False, True):
        study = study_practising(name="one and the same")
        for clip, expected in zip(
            study.clips.filter(purpose=Clip.Purpose.PRACTICE), EXPECTED[:: -1 if turned else 1], strict=True
        ):
            clip.expected = expected
            clip.save()
        session = session_at(study, Step.PRACTICE)
        shown = page(Browser(study, session))
        pages.add(re.sub(r'value="[^"]{20,}"|clip/[^"]+|/s/[^"]+|listen/[^"]+', "", shown))
    assert len(pages) == 1


def test_the_answers_that_were_given_first_stay(listener: Browser) -> None:
    name = name_of(page(listener))
    answer(listener, 2, 4, name)
    assert "The answer was 2." in answer(listener, 5, 5, name)
    assert set(PracticeAnswer.objects.values_list("scale", "value")) == {("quality", 2), ("contamination", 4)}


@pytest.mark.parametrize("bad", ["0", "6", "3.5", "5; drop", "", "-1", "²", "9" * 20, "9" * 5000, "0" * 5000 + "3"])
def test_what_is_no_answer_is_not_stored_and_said_so(listener: Browser, bad: str) -> None:
    assert "Please answer what is asked" in answer(listener, bad, 3)
    assert not PracticeAnswer.objects.exists()


def test_another_clip_than_those_of_the_practice_is_not_answered(listener: Browser) -> None:
    for name in ("nothing", str(listener.study.clips.filter(purpose=Clip.Purpose.TEST)[0].token)):
        answer(listener, 3, 3, name)
    assert not PracticeAnswer.objects.exists()


def test_the_practice_cannot_be_skipped(listener: Browser) -> None:
    listener.post("practice/")
    assert listener.session.step == Step.PRACTICE


def test_practice_clips_are_heard_in_their_step_only(listener: Browser) -> None:
    found = re.search(r'data-clip="([^"]+)"', page(listener))
    assert found
    assert listener.client.get(found[1]).status_code == 200
    ListeningSession.objects.update(step=Step.TRIALS)
    assert listener.client.get(found[1]).status_code == 404


@pytest.mark.parametrize("scale", ScaleKey)
def test_both_scales_stand_in_the_order_of_the_session(listener: Browser, scale: str) -> None:
    ListeningSession.objects.update(quality_first=scale == "quality")
    shown = page(listener)
    first, second = shown.index(f'name="{scale}"'), max(shown.index(f'name="{each}"') for each in ScaleKey)
    assert first < second


@pytest.mark.parametrize("fields", [{"practice": False}, {}])
def test_a_study_without_practice_has_no_such_step(db: None, fields: dict[str, Any]) -> None:
    study = study_practising(**fields) if fields else study_open_make()
    study.clips.filter(purpose=Clip.Purpose.CALIBRATION).delete()
    listener = Browser(study, session_at(study, Step.CALIBRATION))
    listener.post("calibration/")
    assert listener.session.step == Step.TRIALS
