"""The checks of a listener's equipment: drawn, judged and followed up on the server; nothing tells the answers."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest
import soundfile
from django.http import HttpResponse

from listening_test import check_sounds, equipment, session_selectors
from listening_test.equipment import END, OFF, RECORD, WARN, Kind
from listening_test.models import Clip, EquipmentCheck, ListeningSession, Study
from listening_test.services.studies import study_close
from tests.listening_test.factories import clip_make, noise, study_open_make
from tests.listening_test.hearing import opened
from tests.listening_test.visits import CLIP_SECONDS, Browser, Clock, session_at

Step = ListeningSession.Step
RIDDLES = (Kind.SIDES, Kind.ANTIPHASE, Kind.HUGGINS)
TOLD = 'class="notice warn warning"'
LONG_ENOUGH = 60.0  # seconds: every sound of a check was heard by then


def study_checking(**chosen: str) -> Study:
    study = study_open_make(equipment=chosen)
    clip_make(study=study, data=noise(0.5, 3), purpose=Clip.Purpose.LEVEL)
    return study


def check_now(session: ListeningSession) -> EquipmentCheck:
    return session.equipment_checks.get(passed__isnull=True)


def right(check: EquipmentCheck) -> list[str]:
    stated = {Kind.LEVEL: [equipment.COMFORTABLE], Kind.QUIET: [equipment.QUIET]}
    return stated[Kind(check.kind)] if check.kind in stated else [item["right"] for item in check.asked]


def wrong(check: EquipmentCheck) -> list[str]:
    stated = {Kind.LEVEL: [equipment.NOT_COMFORTABLE], Kind.QUIET: [equipment.NOISY]}
    other = {"left": "right", "right": "left", "1": "2", "2": "3", "3": "1"}
    return stated[Kind(check.kind)] if check.kind in stated else [other[item["right"]] for item in check.asked]


def send(browser: Browser, check: EquipmentCheck, answers: list[str], **others: str) -> HttpResponse:
    sent = {f"answer-{place}": answer for place, answer in enumerate(answers)}
    return browser.post("equipment/", {"kind": check.kind, "attempt": str(check.attempt), **sent, **others})


def page(browser: Browser) -> str:
    return browser.get().content.decode()


def checking(study: Study) -> Browser:
    """A listener at the first check, which their page shows."""
    browser = Browser(study, session_at(study, Step.EQUIPMENT))
    assert browser.get().status_code == 200
    return browser


def fail(browser: Browser, clock: Clock, times: int = 2) -> EquipmentCheck:
    for _attempt in range(times):
        page(browser)
        check = check_now(browser.session)
        clock.forward(LONG_ENOUGH)
        send(browser, check, wrong(check))
    return browser.session.equipment_checks.get(kind=check.kind, attempt=times - 1)


# ── Rules ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", RIDDLES)
def test_every_answer_is_right_equally_often_and_in_an_order_of_its_own(kind: Kind) -> None:
    drawn = [equipment.right_answers(kind, [7, number]) for number in range(40)]
    assert all(len(set(Counter(answers).values())) == 1 for answers in drawn)
    assert {len(answers) for answers in drawn} == {equipment.RULES[kind].items}
    assert len({tuple(answers) for answers in drawn}) > 5
    assert equipment.right_answers(kind, [7, 3]) == drawn[3]


@pytest.mark.parametrize(
    ("kind", "errors", "passed"),
    [
        (Kind.SIDES, 0, True),
        (Kind.SIDES, 1, False),
        (Kind.ANTIPHASE, 0, True),
        (Kind.ANTIPHASE, 1, True),
        (Kind.ANTIPHASE, 2, False),
        (Kind.HUGGINS, 0, True),
        (Kind.HUGGINS, 1, False),
    ],
)
def test_the_papers_say_how_many_right_answers_pass(kind: Kind, errors: int, passed: bool) -> None:
    asked = equipment.right_answers(kind, [1])
    answers = [("3" if answer != "3" else "1") if place < errors else answer for place, answer in enumerate(asked)]
    assert equipment.passed(kind, asked, answers) is passed


def test_nothing_answered_is_not_passed() -> None:
    for kind in equipment.KINDS:
        assert not equipment.passed(kind, equipment.right_answers(kind, [1]), [])


def test_what_a_study_does_not_say_is_off() -> None:
    assert equipment.kinds_asked({}) == ()
    assert equipment.kinds_asked({"sides": WARN, "huggins": OFF, "level": "nonsense"}) == (Kind.SIDES,)
    assert set(equipment.DEFAULT) == set(equipment.KINDS) == set(Kind)
    assert set(equipment.DEFAULT.values()) <= set(equipment.CONSEQUENCES)


# ── The way through ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_study_without_checks_has_no_such_step(study: Study) -> None:
    browser = Browser(study)
    browser.agree()
    assert browser.session.step == Step.QUESTIONNAIRE


def test_all_checks_in_their_order_lead_to_the_questionnaire(db: None, clock: Clock) -> None:
    study = study_checking(**dict.fromkeys(equipment.KINDS, END))
    browser = Browser(study)
    browser.agree()
    met: list[str] = []
    while browser.session.step == Step.EQUIPMENT:
        assert f"Sound check {len(met) + 1} of 5" in page(browser)
        check = check_now(browser.session)
        met.append(check.kind)
        clock.forward(LONG_ENOUGH)
        send(browser, check, right(check))
    assert met == ["quiet", "level", "sides", "antiphase", "huggins"]
    assert browser.session.step == Step.QUESTIONNAIRE
    assert set(browser.session.equipment_checks.values_list("passed", flat=True)) == {True}


def test_a_reload_shows_the_same_attempt_with_the_same_sounds(db: None) -> None:
    browser = checking(study_checking(huggins=END))
    before = check_now(browser.session).asked
    assert sounds(page(browser)) == sounds(page(browser))
    assert check_now(browser.session).asked == before
    assert browser.session.equipment_checks.count() == 1


def test_without_its_clip_the_volume_is_not_asked_about(db: None) -> None:
    study = study_open_make(equipment={"level": END})
    assert session_selectors.checks_asked(study) == ()


# ── Judged on the server ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("bad", [["left"] * 3, ["left"] * 3 + ["up"], ["left"] * 3 + [""], []])
def test_what_is_no_answer_is_not_judged(db: None, clock: Clock, bad: list[str]) -> None:
    browser = checking(study_checking(sides=END))
    clock.forward(LONG_ENOUGH)
    answer = send(browser, check_now(browser.session), bad)
    assert "Please answer every question of this check." in answer.content.decode()
    assert check_now(browser.session).answers == []


@pytest.mark.parametrize("attempt", ["", "x", "-1", "1", "²", "9" * 20, "9" * 5000])
@pytest.mark.parametrize("button", [{}, {"skip": "1"}])
def test_another_attempt_than_the_listener_is_at_changes_nothing(
    db: None, clock: Clock, attempt: str, button: dict[str, str]
) -> None:
    browser = checking(study_checking(sides=RECORD))
    check = check_now(browser.session)
    clock.forward(LONG_ENOUGH)
    answers = {f"answer-{place}": answer for place, answer in enumerate(right(check))}
    sent = browser.post("equipment/", {"kind": "sides", "attempt": attempt, **answers, **button})
    assert sent.status_code == 302
    assert check_now(browser.session) == check


@pytest.mark.parametrize("kind", [*RIDDLES, Kind.LEVEL])
def test_nobody_answers_before_the_sounds_can_have_been_heard(db: None, clock: Clock, kind: Kind) -> None:
    browser = checking(study_checking(**{kind: END}))
    check = check_now(browser.session)
    answer = send(browser, check, right(check))
    assert "Please listen to" in answer.content.decode()
    assert check_now(browser.session).passed is None
    clock.forward(LONG_ENOUGH)
    send(browser, check, right(check))
    assert browser.session.step == Step.QUESTIONNAIRE


@pytest.mark.parametrize(
    "forged", [{"kind": "quiet"}, {"kind": "x"}, {"attempt": "1"}, {"attempt": "-1"}, {"kind": ""}]
)
def test_another_check_than_the_one_under_way_is_not_answered(db: None, clock: Clock, forged: dict[str, str]) -> None:
    browser = checking(study_checking(sides=END, quiet=OFF))
    check = check_now(browser.session)
    clock.forward(LONG_ENOUGH)
    assert send(browser, check, right(check), **forged).status_code == 302
    assert check_now(browser.session).answers == []


def test_the_same_answers_sent_again_are_no_second_attempt(db: None, clock: Clock) -> None:
    browser = checking(study_checking(sides=WARN))
    check = check_now(browser.session)
    clock.forward(LONG_ENOUGH)
    for _time in range(3):
        send(browser, check, wrong(check))
    assert browser.session.step == Step.EQUIPMENT
    assert browser.session.equipment_checks.filter(passed=False).count() == 1


def test_answers_from_another_step_or_a_closed_study_go_nowhere(db: None, clock: Clock) -> None:
    study = study_checking(sides=END)
    browser = checking(study)
    check = check_now(browser.session)
    clock.forward(LONG_ENOUGH)
    study_close(study=study)
    send(browser, check, right(check))
    assert EquipmentCheck.objects.get().passed is None
    later = Browser(study_checking(sides=END), session_at(study_checking(sides=END), Step.TRIALS))
    assert later.post("equipment/", {"kind": "sides", "attempt": "0"}).status_code == 302


# ── Consequences ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", equipment.KINDS)
def test_what_is_only_recorded_is_asked_once_and_goes_on_without_a_word(db: None, clock: Clock, kind: Kind) -> None:
    browser = checking(study_checking(**{kind: RECORD}))
    check = fail(browser, clock, times=1)
    assert check.passed is False
    assert check.answers == wrong(check)
    assert browser.session.step == Step.QUESTIONNAIRE
    assert TOLD not in page(browser)


@pytest.mark.parametrize("kind", equipment.KINDS)
def test_a_warning_is_said_after_two_attempts_and_the_listener_goes_on(db: None, clock: Clock, kind: Kind) -> None:
    browser = checking(study_checking(**{kind: WARN}))
    fail(browser, clock, times=1)
    assert 'class="notice warn" role="status"' in page(browser)
    assert browser.session.step == Step.EQUIPMENT
    first, second = browser.session.equipment_checks.order_by("attempt")
    assert (first.passed, second.passed) == (False, None)
    assert not first.asked or first.asked != second.asked
    clock.forward(LONG_ENOUGH)
    send(browser, second, wrong(second))
    assert browser.session.step == Step.QUESTIONNAIRE
    assert TOLD in page(browser)
    assert TOLD not in page(browser)  # once


def test_a_second_attempt_may_pass(db: None, clock: Clock) -> None:
    browser = checking(study_checking(antiphase=END))
    fail(browser, clock, times=1)
    page(browser)
    check = check_now(browser.session)
    clock.forward(LONG_ENOUGH)
    send(browser, check, right(check))
    assert browser.session.step == Step.QUESTIONNAIRE


@pytest.mark.parametrize("kind", equipment.KINDS)
def test_a_condition_that_is_not_met_ends_the_session_politely(db: None, clock: Clock, kind: Kind) -> None:
    study = study_checking(**{kind: END})
    browser = checking(study)
    fail(browser, clock)
    session = browser.session
    assert (session.step, session.ended_reason) == (Step.ENDED, f"equipment_{kind}")
    assert session.given_up_at is not None
    for _visit in range(2):
        shown = page(browser)
        assert "Thank you: it ends here" in shown
        assert "This listening test needs" in shown
        assert session.completion_code not in shown
    assert browser.state()["step"] == "ended"
    study_close(study=study)
    assert "Thank you: it ends here" in page(browser)


def test_who_ended_gets_the_platform_s_way_back(db: None, clock: Clock) -> None:
    study = study_checking(sides=END)
    study.platform = {"kind": "other", "names": ["who"], "screened_out": "https://panel.example/out?who={who}"}
    study.save()
    browser = checking(study)
    ListeningSession.objects.update(platform={"who": "p7"})
    fail(browser, clock)
    assert 'href="https://panel.example/out?who=p7"' in page(browser)


def test_nothing_follows_the_end(db: None, clock: Clock) -> None:
    browser = checking(study_checking(sides=END))
    fail(browser, clock)
    for step in ("questionnaire/", "instructions/", "calibration/", "practice/", "closing/"):
        browser.post(step)
    assert browser.session.step == Step.ENDED
    assert browser.trial("POST", "opened/").status_code == 404


def test_only_a_check_on_which_nothing_depends_may_be_left_out(db: None, clock: Clock) -> None:
    free = checking(study_checking(huggins=RECORD))
    assert "Leave out this check" in page(free)
    send(free, check_now(free.session), [], skip="1")
    assert free.session.step == Step.QUESTIONNAIRE
    assert free.session.equipment_checks.get().passed is False
    for consequence in (WARN, END):
        bound = checking(study_checking(huggins=consequence))
        assert "Leave out this check" not in page(bound)
        answer = send(bound, check_now(bound.session), [], skip="1")
        assert "cannot be left out" in answer.content.decode()
        assert check_now(bound.session).passed is None


# ── Nothing tells the answers ───────────────────────────────────────────────────────────────────────────────────────


def sounds(shown: str) -> list[str]:
    return re.findall(r'data-clip="([^"]+)"', shown)


def plain(shown: str) -> str:
    """The page without what is random in every page: names of sounds and CSRF tokens."""
    return re.sub(r'data-clip="[^"]+"|name="csrfmiddlewaretoken" value="[^"]+"', "", shown)


@pytest.mark.parametrize("kind", RIDDLES)
def test_pages_with_different_answers_are_the_same(db: None, kind: Kind) -> None:
    study = study_checking(**{kind: END})
    browsers = [checking(study) for _listener in range(6)]
    asked = [[item["right"] for item in check_now(browser.session).asked] for browser in browsers]
    assert len({tuple(answers) for answers in asked}) > 1
    assert len({plain(page(browser)) for browser in browsers}) == 1


@pytest.mark.parametrize("kind", RIDDLES)
def test_sounds_of_all_answers_have_one_size_length_and_headers(db: None, kind: Kind) -> None:
    browser = checking(study_checking(**{kind: END}))
    check = check_now(browser.session)
    answers = [browser.client.get(address) for address in sounds(page(browser))]
    assert len(answers) == len(check.asked) == equipment.RULES[kind].items
    assert len({tuple(answer.items()) for answer in answers}) == 1
    assert len({len(answer.content) for answer in answers}) == 1
    heard = [soundfile.info(opened(answer.content)) for answer in answers]
    assert len({(info.frames, info.samplerate, info.channels) for info in heard}) == 1


def test_a_sound_asked_for_again_is_the_same_and_is_not_made_again(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    honest = check_sounds.equipment_sound

    def counted(kind: str, answer: str, seeds: list[int]) -> Any:
        made.append(answer)
        return honest(kind, answer, seeds)

    monkeypatch.setattr(check_sounds, "equipment_sound", counted)
    browser = checking(study_checking(sides=END))
    address = sounds(page(browser))[0]
    first = browser.client.get(address).content
    before = len(made)
    assert browser.client.get(address).content == first
    assert len(made) == before


def test_a_sound_is_there_for_its_listener_and_its_attempt_only(db: None, clock: Clock) -> None:
    study = study_checking(sides=WARN)
    browser, other = checking(study), checking(study)
    address = sounds(page(browser))[0]
    assert browser.client.get(address).status_code == 200
    assert other.client.get(address).status_code == 404
    assert Browser(study).client.get(address).status_code == 404
    assert browser.get("sound/nothing.flac").status_code == 404
    fail(browser, clock, times=1)
    assert browser.client.get(address).status_code == 404
    assert browser.client.get(sounds(page(other))[0]).status_code == 404


def test_the_clip_for_the_volume_is_heard_in_its_step_only(db: None, clock: Clock) -> None:
    browser = checking(study_checking(level=END))
    (address,) = sounds(page(browser))
    assert browser.client.get(address).status_code == 200
    clock.forward(CLIP_SECONDS)
    check = check_now(browser.session)
    send(browser, check, right(check))
    assert browser.client.get(address).status_code == 404


@pytest.mark.django_db
def test_who_stands_at_the_checks_with_nothing_left_to_check_goes_on() -> None:
    study = study_checking(quiet=RECORD)
    browser = checking(study)
    Study.objects.filter(pk=study.pk).update(equipment={Kind.QUIET: OFF})
    browser.session.study.refresh_from_db()
    assert browser.get().status_code == 302
    assert browser.get().status_code == 200
    browser.session.refresh_from_db()
    assert browser.session.step == Step.QUESTIONNAIRE
