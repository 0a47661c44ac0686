"""A listener in a real browser, through every step of a study that has everything switched on.

`JOURNEY_PICTURES=folder` keeps a picture of every page.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import BrowserContext, Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from listening_test import equipment, session_selectors
from listening_test.equipment import END, RECORD, WARN, Kind
from listening_test.models import Clip, EquipmentCheck, ListeningSession, Study
from tests.listening_test.factories import clip_make, noise, study_open_make

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Step = ListeningSession.Step
PICTURES = os.environ.get("JOURNEY_PICTURES", "")
LANGUAGE = os.environ.get("JOURNEY_LANGUAGE", "en-GB")
WIDTH, HEIGHT = 360, 740
BROKEN_WORDS = """() => [...document.querySelectorAll(".step i, .strip i")].filter((word) => {
  const text = document.createRange();
  text.selectNodeContents(word);
  const lines = new Set([...text.getClientRects()].map((line) => Math.round(line.top)));
  return lines.size > word.textContent.trim().split(/\\s+/).length;
}).map((word) => word.textContent)"""
HEARD_MS = 30_000  # a sound of four seconds, or what is still to be sent, on a slow machine


@pytest.fixture
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    wide = "wide" in PICTURES
    size = {"width": 1440, "height": 900} if wide else {"width": WIDTH, "height": HEIGHT}
    return {
        **browser_context_args,
        "locale": LANGUAGE,
        "viewport": size,
        "color_scheme": "dark" if wide else "light",
        "reduced_motion": "reduce",
    }


@pytest.fixture
def study(live_server: LiveServer) -> Study:
    """Every check a condition, but one of them recorded only and one of them a warning; practice; blocks of two."""
    chosen = {**dict.fromkeys(equipment.KINDS, END), Kind.QUIET: WARN, Kind.ANTIPHASE: RECORD}
    platform = {"kind": "other", "names": ["who"], "completed": "https://panel.example/done?who={who}&code={code}"}
    study = study_open_make(equipment=chosen, block_trials=2, show_mixture=True, platform=platform)
    clip_make(study=study, data=noise(0.5, 3), purpose=Clip.Purpose.LEVEL)
    for number, expected in enumerate(({"quality": [1, 2], "contamination": [4, 5]}, {"quality": [5, 5]})):
        clip_make(
            study=study,
            data=noise(0.5, 20 + number),
            purpose=Clip.Purpose.PRACTICE,
            source="vocals",
            expected=expected,
        )
    return study


class Journey:
    """The pages as somebody goes through them; each is looked at before it is left."""

    def __init__(self, page: Page, study: Study, address: str) -> None:
        self.page, self.study, self.address = page, study, address
        self.number = 0
        self.troubles: list[str] = []
        page.on("pageerror", lambda error: self.troubles.append(str(error)))
        page.on("console", lambda line: self.troubles.append(line.text) if "Security Policy" in line.text else None)

    @property
    def session(self) -> ListeningSession:
        return self.study.sessions.get()

    def enter(self, query: str = "") -> None:
        self.page.goto(f"{self.address}/s/{self.study.token}/{query}")

    def look(self, name: str) -> None:
        """One column that fits the screen, one heading, whole words, targets for thumbs; a picture where wanted."""
        page = self.page
        wide = page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{name} is wider than the screen"
        assert page.locator("h1:visible").count() == 1, name
        assert page.evaluate(BROKEN_WORDS) == [], name
        for target in page.locator("main button:visible, main .step:visible, main .choice:visible").all():
            box = target.bounding_box()
            assert box is not None
            assert min(box["width"], box["height"]) >= 44, (name, target.inner_text())
        self.picture(name)

    def picture(self, name: str) -> None:
        if PICTURES:
            Path(PICTURES).mkdir(parents=True, exist_ok=True)
            self.number += 1
            self.page.screenshot(path=f"{PICTURES}/{self.number:02} {name}.png", full_page=True)

    def go_on(self) -> None:
        """The one button that leads on, by the keyboard."""
        button = self.page.locator("#continue")
        expect(button).to_be_enabled()
        button.focus()
        self.page.keyboard.press("Enter")

    def play(self, button: Locator) -> None:
        """As soon as the page has named it: its script is there."""
        expect(button).to_have_attribute("aria-label", re.compile("."))
        button.click()

    # ── Steps ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def agree(self) -> None:
        self.look("consent")
        self.page.locator("form .primary").click()

    def check(self, right: bool = True) -> None:
        """One check of the equipment, answered from what the server knows."""
        expect(self.page.locator("#equipment")).to_be_visible()
        check = EquipmentCheck.objects.get(session=self.session, passed__isnull=True)
        answers = self._answers(check, right)
        for place, answer in enumerate(answers):
            item = self.page.locator(".item").nth(place)
            if check.kind != Kind.QUIET:
                expect(item.locator("input").first).to_be_disabled()
                self.play(item.locator(".play"))
                expect(item.locator("input").first).to_be_enabled(timeout=HEARD_MS)
            expect(self.page.locator("#continue")).to_be_disabled()
            if place == 0:
                self.look(f"check {check.kind} {check.attempt}")
            item.locator(f'input[value="{answer}"]').check(force=True)
            self.go_on()
        check.refresh_from_db()

    def _answers(self, check: EquipmentCheck, right: bool) -> list[str]:
        if check.kind == Kind.LEVEL:
            return [equipment.COMFORTABLE]
        if check.kind == Kind.QUIET:
            return [equipment.QUIET if right else equipment.NOISY]
        return [item["right"] for item in check.asked]

    def questions(self, name: str) -> None:
        expect(self.page.locator("fieldset.question").first).to_be_visible(timeout=HEARD_MS)
        self.look(name)
        for group in self.page.locator("fieldset.question:has(input[type=radio])").all():
            group.locator("input[type=radio]").first.check(force=True)
        self.page.locator("form .primary").click()

    def instructions(self) -> None:
        expect(self.page.locator('form[action$="instructions/"]')).to_be_visible()
        self.look("instructions")
        self.page.locator("form .primary").click()

    def calibrate(self, name: str = "calibration") -> None:
        expect(self.page.locator("#calibration")).to_be_visible()
        self.look(name)
        for example in self.page.locator(".example").all():
            self.play(example.locator(".play"))
            expect(example).to_have_attribute("data-done", "yes", timeout=HEARD_MS)
        self.picture(f"{name} heard")
        self.go_on()

    def practise(self) -> None:
        expect(self.page.locator("#practice")).to_be_visible()
        expect(self.page.locator("#continue")).to_be_disabled()
        self.play(self.page.locator("#play"))
        expect(self.page.locator(".scale input").first).to_be_enabled(timeout=HEARD_MS)
        self.look("practice")
        for scale in self.page.locator(".scale").all():
            scale.locator('input[value="4"]').check(force=True)
        self.go_on()
        expect(self.page.locator(".told")).to_be_visible()
        self.look("practice feedback")
        self.play(self.page.locator("#play"))  # it can be heard again
        self.go_on()

    def rate(self, number: int) -> None:
        """One trial; `number` from 1."""
        page = self.page
        expect(page.locator("#trial")).not_to_have_attribute("aria-busy", "true")
        expect(page.locator("#number")).to_have_text(str(number))
        pause = page.locator("#pause-end:visible")
        if pause.count():
            self.picture("pause")
            pause.click()
        self.play(page.locator("#play"))
        expect(page.locator("fieldset[data-scale] input").first).to_be_enabled(timeout=HEARD_MS)
        for scale in page.locator("fieldset[data-scale]").all():
            scale.locator(f'input[value="{1 + number % 5}"]').check(force=True)
        if number == 1:
            self.picture("trial")
        expect(page.locator("#next")).to_be_enabled()
        page.locator("#next").click()


@pytest.fixture
def journey(study: Study, context: BrowserContext, page: Page, live_server: LiveServer) -> Iterator[Journey]:
    journey = Journey(page, study, live_server.url)
    yield journey
    assert journey.troubles == []


def test_every_step_of_a_study_with_everything_switched_on(journey: Journey) -> None:
    page = journey.page
    journey.enter("?who=p7")
    journey.agree()
    journey.check(right=False)
    expect(page.locator(".notice.warn").first).to_be_visible()  # one more attempt
    journey.check(right=False)
    expect(page.locator(".notice.warn").first).to_be_visible()  # said, and gone on
    for _kind in (Kind.LEVEL, Kind.SIDES, Kind.ANTIPHASE, Kind.HUGGINS):
        journey.check()
    journey.questions("questionnaire")
    journey.instructions()
    journey.calibrate()
    for _clip in range(2):
        journey.practise()
    expect(page.locator("#practice")).to_have_count(0)
    expect(page.locator("form .primary")).to_be_visible()
    journey.look("practice over")
    page.locator("form .primary").click()
    for number in (1, 2):
        journey.rate(number)
    expect(page.locator("#number")).to_have_text("3")
    _away(journey)
    for number in (3, 4):
        journey.rate(number)
    journey.questions("closing")
    expect(page.locator("#completion-code")).to_be_visible()
    journey.look("done")
    session = journey.session
    assert session.step == Step.DONE
    expect(page.locator("#completion-code")).to_have_text(session.completion_code)
    expect(page.locator("#personal-code")).to_have_text(session.personal_code or "")
    back = f"https://panel.example/done?who=p7&code={session.completion_code}"
    expect(page.locator("#back")).to_have_attribute("href", back)
    assert session.device["sample_rate"] > 0
    assert session.equipment_checks.filter(passed=True).count() == 4


def _away(journey: Journey) -> None:
    """An hour and a half later: the examples again, then the trial where it was."""
    past = timezone.now() - timedelta(hours=1.5)
    ListeningSession.objects.update(seen_at=past)
    journey.session.calibration_heard.update(heard_at=past)
    journey.page.reload()
    journey.calibrate("welcome back")
    expect(journey.page.locator("#trial")).to_be_visible()
    assert not session_selectors.calibration_due(journey.session)


def test_a_condition_that_is_not_met_ends_politely(journey: Journey, study: Study) -> None:
    study.equipment = {Kind.QUIET: END}
    study.platform = {}
    study.save()
    journey.enter()
    journey.agree()
    for _attempt in range(2):
        journey.check(right=False)
    expect(journey.page.locator("#equipment")).to_have_count(0)
    expect(journey.page.get_by_role("heading", level=1)).to_be_visible()
    journey.look("ended")
    assert journey.session.step == Step.ENDED


def test_a_check_is_gone_through_by_keyboard_alone(journey: Journey, study: Study) -> None:
    study.equipment = {Kind.SIDES: END}
    study.save()
    journey.enter()
    journey.agree()
    page = journey.page
    expect(page.locator("#equipment")).to_be_visible()
    answers = [item["right"] for item in EquipmentCheck.objects.get().asked]
    for place, answer in enumerate(answers):
        item = page.locator(".item").nth(place)
        if place == 0:
            expect(item.locator(".play")).to_have_attribute("aria-label", "Play")
            item.locator(".play").focus()
        else:
            expect(item.locator(".which")).to_be_focused()  # a screen reader says which sound it is
            page.keyboard.press("Tab")
        page.keyboard.press("Space")
        expect(item.locator("input").first).to_be_enabled(timeout=HEARD_MS)
        page.keyboard.press("Tab")
        page.keyboard.press("Space")  # the first one: left
        if answer == equipment.RIGHT:
            page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
    expect(page.locator("#equipment")).to_have_count(0)
    assert EquipmentCheck.objects.get().passed is True
