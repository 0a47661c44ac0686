"""A listener's way through the pages in a real browser, by mouse or by keyboard, whatever steps the study has."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

LOOK = Callable[[str], None]
HEARING_MS = 60_000

IN_PAGE = Path(__file__).with_name("in_page.js").read_text()


def asked(page: Page, question: str, argument: Any = None) -> Any:
    """What the function of this name in `in_page.js` says of the page."""
    return page.evaluate(f"(argument) => {IN_PAGE}.{question}(argument)", argument)


def step_of(page: Page) -> str:
    """What the page in front of the listener is."""
    return str(asked(page, "step"))


def visit(page: Page, look: LOOK = lambda _name: None, *, trials: Callable[[Page, LOOK], None] | None = None) -> str:
    """From the page of consent to the completion code, by taps; `look` is called wherever there is something to see."""
    while True:
        settled(page)
        step = step_of(page)
        if step == "done":
            look("done")
            return page.locator("#completion-code").inner_text().strip()
        if step == "trials":
            (trials or rate_all)(page, look)
        else:
            TAPS[step](page, look)


def settled(page: Page) -> None:
    page.wait_for_load_state("load")
    if page.locator("#trial").count():
        expect(page.locator("#trial")).not_to_have_attribute("aria-busy", "true")


def go_on(page: Page) -> None:
    """The way on, and the page it leads to."""
    way = page.locator("#continue:visible, main .go .primary:visible, main form button.primary:visible").first
    expect(way).to_be_enabled(timeout=HEARING_MS)
    with page.expect_navigation():
        way.click()


# ── Step by step ────────────────────────────────────────────────────────────────────────────────────────────────────


def read(name: str) -> Callable[[Page, LOOK], None]:
    def tap(page: Page, look: LOOK) -> None:
        look(name)
        go_on(page)

    return tap


def equipment(page: Page, look: LOOK) -> None:
    """Hears everything and answers with the first choice, or leaves out what may be left out."""
    kind = page.locator("#answers [name=kind]").input_value()
    look(f"equipment {kind}")
    skip = page.locator(".skip-check button")
    if skip.count() and kind in ("antiphase", "huggins"):
        with page.expect_navigation():
            skip.click()
        return
    items = page.locator("#answers .item").all()
    for item in items:
        hear(item.locator(".play"), item)
        item.locator("input[type=radio]").first.check(force=True)
        look(f"equipment {kind} answered") if item is items[0] else None
        with page.expect_navigation() if item is items[-1] else nullcontext():
            page.locator("#continue").click()


def hear(play: Locator, questions: Locator) -> None:
    """Plays the sound, where there is one, until the first of the questions can be answered."""
    if play.count():
        play.click()
    expect(questions.locator("fieldset input").first).to_be_enabled(timeout=HEARING_MS)


def questions(page: Page, look: LOOK) -> None:
    name = step_of(page)
    look(name)
    if page.locator("main form [required]").count():
        go_on(page)  # with nothing answered
        look(f"{name} with errors") if step_of(page) == name and page.locator(".error").count() else None
    answer_required(page)
    go_on(page)


def answer_required(page: Page) -> None:
    """The first choice of every question that has choices; a word where words are asked for."""
    for group in page.locator("main fieldset").all():
        radios = group.locator("input[type=radio]")
        if radios.count():
            radios.first.check(force=True)
    for field in page.locator("main textarea[required], main input[type=text][required]").all():
        field.fill("…")


def calibration(page: Page, look: LOOK) -> None:
    look("calibration")
    for example in page.locator("main .example").all():
        example.locator("button").first.click()
        expect(example.locator(".heard-mark")).to_be_visible(timeout=HEARING_MS)
    look("calibration heard")
    go_on(page)


def practice(page: Page, look: LOOK) -> None:
    look("practice")
    hear(page.locator("#play"), page.locator("#answers"))
    for group in page.locator("#answers fieldset").all():
        group.locator("input[type=radio]").nth(2).check(force=True)
    look("practice answered")
    go_on(page)


def rate_all(page: Page, look: LOOK) -> None:
    total = int(page.locator("#progress").get_attribute("max") or 0)
    for number in range(int(page.locator("#progress").evaluate("bar => bar.value")), total):
        resumed(page, look)
        expect(page.locator("#progress")).to_have_js_property("value", number)
        look("trial") if number == 0 else None
        rate(page, look if number == 0 else lambda _name: None, value=1 + number % 5)
        page.locator("#next").click()
    page.wait_for_selector("main form textarea, #completion-code", timeout=HEARING_MS)


def resumed(page: Page, look: LOOK) -> None:
    """A pause between blocks is left at once."""
    pause = page.locator("#pause:visible, .pause:visible")
    if pause.count():
        look("pause")
        pause.locator("button").last.click()


def rate(page: Page, look: LOOK, value: int = 3) -> None:
    page.locator("#play").click()
    page.wait_for_timeout(300)
    look("trial playing")
    scales = page.locator("#answers fieldset.scale:visible")
    expect(scales.first.locator("input").first).to_be_enabled(timeout=HEARING_MS)
    for scale in scales.all():
        scale.locator(f"input[value='{value}']").check(force=True)
    expect(page.locator("#next")).to_be_enabled()
    look("trial rated")


TAPS: dict[str, Callable[[Page, LOOK], None]] = {
    "consent": read("consent"),
    "equipment": equipment,
    "questionnaire": questions,
    "instructions": read("instructions"),
    "calibration": calibration,
    "practice": practice,
    "practice told": read("practice told"),
    "practice over": read("practice over"),
    "closing": questions,
}


def slug(name: str) -> str:
    return re.sub(r"\W+", "_", name)
