"""A listener's pages for everybody: axe-core's rules (WCAG 2.2 AA), and what axe-core does not see.

Every page of a session and those around it, in four settings that hold every pair of: Spanish or English, 360 or
1440 px, light or dark.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from listening_test.listener_access import cookie_name
from listening_test.models import Clip, ListeningSession, Study
from listening_test.services.studies import study_close
from tests.journeys.listener_pages import answer_required, asked, step_of, visit
from tests.listening_test.factories import clip_make, study_open_make
from tests.listening_test.visits import session_at

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Step = ListeningSession.Step
Setting = tuple[str, int, str]
SETTINGS: tuple[Setting, ...] = (
    ("es", 360, "light"),
    ("es", 1440, "dark"),
    ("en", 360, "dark"),
    ("en", 1440, "light"),
)
HEIGHTS = {360: 740, 1440: 900}
AXE = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
EQUIPMENT = {"quiet": "record", "level": "record", "sides": "warn", "antiphase": "record", "huggins": "record"}
PRACTISED = {"quality": [1, 2], "contamination": [4, 5]}


@pytest.fixture
def study(live_server: LiveServer) -> Study:
    """With every step that a study can have."""
    study = study_open_make(sources=["vocals"], show_mixture=True, loop_allowed=True, equipment=EQUIPMENT)
    clip_make(study=study, purpose=Clip.Purpose.LEVEL, source="vocals")
    for _clip in range(2):
        clip_make(study=study, purpose=Clip.Purpose.PRACTICE, source="vocals", expected=PRACTISED)
    return study


class Visitor:
    """A browser's window in one setting, on the pages of one study."""

    def __init__(self, study: Study, base: str, context: BrowserContext) -> None:
        self.study, self.base, self.context = study, base, context
        self.page = context.new_page()

    def at(self, step: str) -> Page:
        """The page of a session that has come as far as `step`."""
        session = session_at(self.study, step) if step not in (Step.DONE, Step.ENDED) else over(self.study, step)
        cookie = {"name": cookie_name(self.study), "value": session.token, "url": self.base}
        self.context.add_cookies([cookie])  # type: ignore[list-item]
        return self.to(f"/s/{self.study.token}/")

    def to(self, path: str) -> Page:
        self.page.goto(self.base + path)
        if self.page.locator("#trial").count():
            expect(self.page.locator("#trial")).not_to_have_attribute("aria-busy", "true")
        return self.page


def over(study: Study, step: str) -> ListeningSession:
    session = session_at(study, Step.CLOSING)
    session.step, session.completed_at = step, timezone.now()
    session.ended_reason = "equipment_sides" if step == Step.ENDED else ""
    session.save()
    return session


@pytest.fixture
def window(browser: Browser, study: Study, live_server: LiveServer) -> Iterator[Callable[..., Visitor]]:
    contexts: list[BrowserContext] = []

    def opened(setting: Setting = SETTINGS[0], **options: Any) -> Visitor:
        language, width, scheme = setting
        context = browser.new_context(
            locale=language,
            viewport={"width": width, "height": HEIGHTS[width]},
            color_scheme=scheme,  # type: ignore[arg-type]
            has_touch=width < 1000,
            **options,
        )
        context.add_cookies([{"name": "django_language", "value": language, "url": live_server.url}])
        contexts.append(context)
        return Visitor(study, live_server.url, context)

    yield opened
    for context in contexts:
        context.close()


# ── Every page ──────────────────────────────────────────────────────────────────────────────────────────────────────


def check_by_check(visitor: Visitor) -> Iterator[tuple[str, Page]]:
    """The pages of the sound checks; each counts as passed as soon as it was seen."""
    page = visitor.at(Step.EQUIPMENT)
    session = visitor.study.sessions.latest("number")
    for number in range(len(EQUIPMENT)):
        if number:
            session.equipment_checks.filter(passed__isnull=True).update(passed=True, judged_at=timezone.now())
            visitor.to(f"/s/{visitor.study.token}/")
        yield f"equipment {page.locator('#answers [name=kind]').input_value()}", page


def every_page(visitor: Visitor) -> Iterator[tuple[str, Page]]:
    """(name, the page as it stands) of all that a listener can meet."""
    page = visitor.page
    yield "consent", visitor.to(f"/s/{visitor.study.token}/")
    yield from check_by_check(visitor)
    yield "questionnaire", visitor.at(Step.QUESTIONNAIRE)
    page.locator("main form button.primary").click()
    page.wait_for_selector(".error")
    yield "questionnaire with errors", page
    yield "instructions", visitor.at(Step.INSTRUCTIONS)
    yield "calibration", visitor.at(Step.CALIBRATION)
    yield "practice", visitor.at(Step.PRACTICE)
    hear(page)
    for group in page.locator("#answers fieldset").all():
        group.locator("input").first.check(force=True)
    page.locator("#continue").click()
    page.wait_for_selector(".told")
    yield "practice told", page
    yield "trial", visitor.at(Step.TRIALS)
    hear(page)
    yield "trial heard", page
    yield "closing", visitor.at(Step.CLOSING)
    yield "done", visitor.at(Step.DONE)
    yield "ended", visitor.at(Step.ENDED)
    yield "my code", visitor.to(f"/s/{visitor.study.token}/code/")
    yield "my data", visitor.to("/me/")
    page.fill("[name=code]", visitor.study.sessions.latest("number").personal_code)
    page.locator("main form button").first.click()
    page.wait_for_selector("dl.mine")
    yield "my data shown", page
    yield "unknown", visitor.to("/s/nothing/")
    study_close(study=visitor.study)
    visitor.context.clear_cookies()
    yield "closed", visitor.to(f"/s/{visitor.study.token}/")


def hear(page: Page) -> None:
    page.locator("#play").click()
    expect(page.locator("#answers fieldset input").first).to_be_enabled(timeout=20_000)


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: "_".join(map(str, setting)))
def test_every_page_is_for_everybody(setting: Setting, window: Callable[..., Visitor]) -> None:
    """Each page once, looked at in every way: loading them all again for each rule would take long."""
    troubles = []
    seen = []
    for name, page in every_page(window(setting)):
        seen.append(name)
        page.evaluate("() => Promise.all(document.getAnimations().map((one) => one.finished.catch(() => null)))")
        for rule in RULES if setting[1] < 1000 else RULES[:-2]:
            troubles += [f"{name}: {trouble}" for trouble in rule(page, setting)]
    assert troubles == []
    assert len(seen) >= 20


def axe(page: Page, setting: Setting) -> Iterator[str]:
    for found in Axe().run(page, options={"runOnly": AXE}).response["violations"]:
        yield from (f"{found['id']}: {node['html'][:160]}" for node in found["nodes"])


def own_rules(page: Page, setting: Setting) -> list[str]:
    """Legends, names, one heading, what describes what, targets of 44 px on touch, nothing wider than the page."""
    return list(asked(page, "ownRules", {"touch": setting[1] < 1000}))


def language(page: Page, setting: Setting) -> list[str]:
    here = page.locator("html").get_attribute("lang")
    return [] if here == setting[0] else [f"in {here}"]


def focus(page: Page, setting: Setting) -> Iterator[str]:
    """Tab goes down the page, in its order, and is seen."""
    stops = focus_order(page)
    paths = [[int(part) for part in stop["path"].split(".")] for stop in stops]
    yield from (f"the focus is not seen: {stop['html']}" for stop in stops if not stop["ring"])
    if not stops or paths != sorted(paths):
        yield f"the focus goes another way than the page: {[stop['html'] for stop in stops]}"
    for before, after in pairwise(stops):
        if after["bottom"] < before["top"] - 1:
            yield f"the focus jumps up to {after['html']}"


def rest(page: Page, setting: Setting) -> list[str]:
    """Nothing moves for those who ask for that."""
    page.emulate_media(reduced_motion="reduce")
    found = [f"it moves: {one}" for one in asked(page, "moving")]
    page.emulate_media(reduced_motion="no-preference")
    return found


def turned_round(page: Page, setting: Setting) -> list[str]:
    """As a language from right to left would have it."""
    page.evaluate("() => { document.documentElement.dir = 'rtl'; }")
    found = [*too_wide(page, setting[1]), *(f"stays on the left: {one}" for one in asked(page, "stuckLeft"))]
    page.evaluate("() => { document.documentElement.dir = 'ltr'; }")
    return [f"from right to left: {one}" for one in found]


def narrow(page: Page, setting: Setting) -> list[str]:
    """The smallest phone."""
    page.set_viewport_size({"width": 320, "height": 640})
    found = [f"at 320 px: {one}" for one in too_wide(page, 320)]
    page.set_viewport_size({"width": setting[1], "height": HEIGHTS[setting[1]]})
    return found


def large_letters(page: Page, setting: Setting) -> list[str]:
    """Twice the size, as WCAG 1.4.4 asks."""
    page.evaluate("() => { document.documentElement.style.fontSize = '200%'; }")
    wide = page.evaluate("() => document.documentElement.scrollWidth")
    page.evaluate("() => { document.documentElement.style.fontSize = ''; }")
    return [f"{wide} px wide with large letters"] if wide > setting[1] else []


def too_wide(page: Page, width: int) -> Iterator[str]:
    wide = page.evaluate("() => document.documentElement.scrollWidth")
    if wide > width:
        yield f"{wide} px wide"
    yield from (f"cut off: {one}" for one in asked(page, "cutOff"))


RULES = (axe, own_rules, language, focus, rest, turned_round, narrow, large_letters)
"""The last two are of phones."""


# ── Hands on the keyboard ───────────────────────────────────────────────────────────────────────────────────────────


def focus_order(page: Page) -> list[dict[str, Any]]:
    """What Tab reaches, in its order, until it leaves the page or comes round."""
    stops: list[dict[str, Any]] = []
    page.evaluate("() => { document.activeElement?.blur(); window.scrollTo(0, 0); }")
    for _stop in range(150):
        page.keyboard.press("Tab")
        stop = asked(page, "focused")
        if stop is None or stop["path"] in [one["path"] for one in stops]:
            break
        stops.append(stop)
    return stops


def tab_to(page: Page, target: Locator) -> None:
    for _stop in range(150):
        if target.evaluate(
            "(element) => element === document.activeElement || element.contains(document.activeElement)"
        ):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not reach {target}")


def press(page: Page, target: Locator, key: str = "Enter") -> None:
    tab_to(page, target)
    page.keyboard.press(key)


def test_a_whole_session_by_keyboard(window: Callable[..., Visitor], study: Study) -> None:
    study.equipment = {"quiet": "record", "sides": "record"}
    study.save()
    visitor = window(("en", 1440, "light"))
    page = visitor.to(f"/s/{study.token}/")
    page.mouse.move(0, 0)
    steps = []
    for _page in range(60):
        page.wait_for_load_state("load")
        step = step_of(page)
        steps.append(step)
        if step == "done":
            break
        BY_KEYBOARD[step](page)
    session = study.sessions.get()
    assert session.step == Step.DONE
    assert [*dict.fromkeys(steps)] == [
        "consent",
        "equipment",
        "questionnaire",
        "instructions",
        "calibration",
        "practice",
        "practice told",
        "practice over",
        "trials",
        "closing",
        "done",
    ]
    trials = list(session.trials.order_by("position"))
    assert [{rating.scale: rating.value for rating in trial.ratings.all()} for trial in trials] == [
        {"quality": 1 + place, "contamination": 5 - place} for place in range(len(trials))
    ]


def forward(page: Page) -> None:
    with page.expect_navigation():
        press(page, page.locator("#continue:visible, main .go .primary:visible, main form .primary:visible").first)


def check_by_keyboard(page: Page) -> None:
    items = page.locator("#answers .item").all()
    for item in items:
        if item.locator(".play").count():
            press(page, item.locator(".play"), "Space")
            expect(item.locator("fieldset input").first).to_be_enabled(timeout=30_000)
        press(page, item.locator("fieldset.answer"), "Space")
        expect(item.locator("input:checked")).to_have_count(1)
        with page.expect_navigation() if item is items[-1] else nullcontext():
            press(page, page.locator("#continue"))


def questions_by_keyboard(page: Page) -> None:
    for group in page.locator("main fieldset:has(input[type=radio])").all():
        press(page, group, "Space")
        expect(group.locator("input:checked")).to_have_count(1)
    forward(page)


def examples_by_keyboard(page: Page) -> None:
    for example in page.locator(".example").all():
        press(page, example.locator("button"), "Space")
        expect(example.locator(".heard-mark")).to_be_visible(timeout=30_000)
    expect(page.locator("#continue")).to_be_enabled()
    forward(page)


def practice_by_keyboard(page: Page) -> None:
    press(page, page.locator("#play"), "Space")
    expect(page.locator("#answers fieldset input").first).to_be_enabled(timeout=30_000)
    questions_by_keyboard(page)


def trials_by_keyboard(page: Page) -> None:
    """Space plays, 1–5 answer where Tab is, Enter goes on: once, however often and long it is pressed."""
    expect(page.locator("#trial")).not_to_have_attribute("aria-busy", "true")
    total = int(page.locator("#total").inner_text())
    for place in range(total):
        expect(page.locator("#number")).to_have_text(str(place + 1))
        tab_to(page, page.locator("#play"))
        page.keyboard.press("Space")
        for scale, digit in (("quality", 1 + place), ("contamination", 5 - place)):
            group = page.locator(f"fieldset[data-scale={scale}]")
            expect(group.locator("input").first).to_be_enabled(timeout=30_000)
            press(page, group, str(digit))
            expect(group.locator("input:checked")).to_have_value(str(digit))
        expect(page.locator("#next")).to_be_enabled()
        for _time in range(5):
            page.keyboard.press("Enter")
    page.wait_for_selector("main form textarea")


BY_KEYBOARD: dict[str, Callable[[Page], None]] = {
    "consent": forward,
    "equipment": check_by_keyboard,
    "questionnaire": questions_by_keyboard,
    "instructions": forward,
    "calibration": examples_by_keyboard,
    "practice": practice_by_keyboard,
    "practice told": forward,
    "practice over": forward,
    "trials": trials_by_keyboard,
    "closing": questions_by_keyboard,
}


# ── From right to left ──────────────────────────────────────────────────────────────────────────────────────────────


def test_progress_fills_from_where_reading_begins(window: Callable[..., Visitor]) -> None:
    page = window(("en", 360, "light")).at(Step.TRIALS)
    bar = page.locator("#progress")
    bar.evaluate("(bar) => { bar.value = bar.max / 2; bar.style.width = '200px'; }")
    page.wait_for_timeout(600)
    assert filled_half(bar) == "left"
    page.evaluate("() => { document.documentElement.dir = 'rtl'; }")
    page.wait_for_timeout(600)
    assert filled_half(bar) == "right"


def filled_half(bar: Locator) -> str:
    """The darker half of its picture."""
    pixels = np.asarray(Image.open(io.BytesIO(bar.screenshot())).convert("L"), dtype=float)
    left, right = np.array_split(pixels, 2, axis=1)
    return "left" if left.mean() < right.mean() else "right"


# ── With a mouse, and no eyes on the details ────────────────────────────────────────────────────────────────────────


def test_a_session_with_every_step_comes_to_its_end(window: Callable[..., Visitor], study: Study) -> None:
    visitor = window(("es", 360, "light"))
    seen: list[str] = []
    code = visit(visitor.to(f"/s/{study.token}/"), seen.append)
    assert study.sessions.get().completion_code == code
    assert {"consent", "equipment sides", "calibration heard", "practice told", "trial rated", "done"} <= set(seen)


def test_errors_are_said_and_found(window: Callable[..., Visitor]) -> None:
    """An alert says that something is missing, and each group that misses it is tied to its own sentence."""
    page = window(("en", 360, "light")).at(Step.QUESTIONNAIRE)
    page.locator("main form button.primary").click()
    page.wait_for_selector(".error")
    expect(page.get_by_role("alert").first).to_be_visible()
    marked = page.locator("fieldset:has(.error)")
    assert marked.count() > 0
    for group in marked.all():
        described = (group.get_attribute("aria-describedby") or "").split()
        assert any(page.locator(f"[id='{name}']").is_visible() for name in described), group.inner_text()
    answer_required(page)
    page.locator("main form button.primary").click()
    expect(page.locator(".error")).to_have_count(0)
