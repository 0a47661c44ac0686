"""The form of a study in a real browser: the questionnaire is built, by keyboard alone, and the outline follows."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from listening_test.models import Study
from listening_test.services.recruiting import invitations_add, session_enter
from tests.listening_test.factories import study_make, study_open_make
from tests.listening_test.test_questionnaire import AGE, ROOM

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]


@pytest.fixture
def page(signed_in: Page) -> Page:
    return signed_in


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent"))


def test_a_questionnaire_is_built_by_keyboard_alone(page: Page) -> None:
    study = study_make()
    page.goto(f"/studies/{study.id}/edit/")
    page.locator("#questionnaire > summary").focus()
    page.keyboard.press("Enter")
    rows = page.locator(".question-row")
    expect(rows).to_have_count(10)  # StemMOS's own choice

    page.locator("[data-key=genres] [data-move='-1']").focus()
    page.keyboard.press("Enter")
    expect(rows.first).to_contain_text("Which music do you like?")
    assert focused(page) == "Move up: Which music do you like?"  # the focus moves with the question
    page.locator("[data-key=age_band] [data-drop]").focus()
    page.keyboard.press("Space")
    expect(rows).to_have_count(9)
    page.locator("[data-key=hearing_difficulty] [data-set=needed]").focus()
    page.keyboard.press("Space")
    page.locator("#piece").focus()
    page.locator("#piece").select_option("musician")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(rows).to_have_count(10)

    page.locator("[data-add=own]").focus()
    page.keyboard.press("Enter")
    own = page.locator("[data-key='own:q1']")
    expect(own.locator("[data-set=kind]")).to_be_focused()
    for language, label, options in (("es", "¿Dónde?", "Casa\nCalle"), ("en", "Where?", "Home\nStreet")):
        own.locator(f"[data-words=label][data-language={language}]").fill(label)
        own.locator(f"[data-words=options][data-language={language}]").fill(options)
    expect(own.locator("[data-name]")).to_have_text("Where?")
    page.locator(".actions button.primary").click()
    page.wait_for_url(f"**/studies/{study.id}/")

    questions = Study.objects.get().questions
    assert questions is not None
    keys = [entry.get("own") or entry["piece"] for entry in questions]
    assert keys[0] == "genres"
    assert "age_band" not in keys
    assert keys[-2:] == ["musician", "q1"]
    assert {entry.get("piece"): entry["needed"] for entry in questions}["hearing_difficulty"] is True
    assert questions[-1]["options"] == [{"es": "Casa", "en": "Home"}, {"es": "Calle", "en": "Street"}]


def test_an_untouched_questionnaire_stays_the_product_s_own_and_can_become_it_again(page: Page) -> None:
    study = study_make(questions=[{"piece": "experience", "place": "opening", "needed": True}])
    page.goto(f"/studies/{study.id}/edit/")
    page.locator("#questionnaire > summary").click()
    expect(page.locator(".question-row")).to_have_count(1)
    page.locator("[data-reset]").click()
    expect(page.locator(".question-row")).to_have_count(10)
    page.locator(".actions button.primary").click()
    page.wait_for_url(f"**/studies/{study.id}/")
    assert Study.objects.get().questions is None


def test_a_scale_has_words_at_its_ends(page: Page) -> None:
    study = study_make()
    page.goto(f"/studies/{study.id}/edit/")
    page.locator("#questionnaire > summary").click()
    page.locator("[data-add=own]").click()
    own = page.locator("[data-key='own:q1']")
    own.locator("[data-set=kind]").select_option("steps")
    for language in ("es", "en"):
        own.locator(f"[data-words=label][data-language={language}]").fill("X")
        own.locator(f"[data-words=options][data-language={language}]").fill("low\n-\nhigh")
    page.locator(".actions button.primary").click()
    page.wait_for_url(f"**/studies/{study.id}/")
    words = [option["en"] for option in (Study.objects.get().questions or [])[-1]["options"]]
    assert words == ["low", "", "high"]


def test_the_outline_follows_what_is_chosen(page: Page) -> None:
    study = study_make(songs=2)
    page.goto(f"/studies/{study.id}/edit/")
    expect(page.locator("#outline-summary")).to_contain_text("A session: 8 clips")
    page.locator("[name=trials_per_listener]").fill("3")
    expect(page.locator("#outline-summary")).to_contain_text("A session: 3 clips")
    expect(page.locator("#outline-advice")).to_contain_text("cannot be shared out evenly among 2 systems")
    page.locator("[name=scale_layout][value=apart]").check()
    expect(page.locator("#outline-summary")).to_contain_text("A session: 6 clips")


def test_a_trial_run_opens_beside_and_the_page_stays(page: Page) -> None:
    study = study_open_make()
    page.goto(f"/studies/{study.id}/")
    with page.expect_popup() as opened:
        page.get_by_role("button", name="Try it as a listener").click()
    trial = opened.value
    trial.wait_for_load_state()
    assert trial.url.endswith(f"/s/{study.token}/")
    trial.get_by_role("button", name="I have read this and agree to take part").click()
    trial.wait_for_load_state()
    assert study.sessions.get().is_test


def test_the_pages_are_for_everybody(page: Page) -> None:
    """axe-core's rules of WCAG 2.2 AA on the form with all its parts open, on the pages of a study, and on /me/."""
    questions = [{"piece": "experience", "place": "opening", "needed": True}, ROOM, AGE]
    draft = study_make(questions=questions, traps_per_listener=1, trap_kind="spoken", controls=["reference"])
    study = study_open_make(quota=3)
    first, _second = invitations_add(study=study, count=2, labels=["Ana"])
    session = session_enter(study=study, language="en", invitation=first)
    addresses = (
        f"{draft.id}/edit/",
        f"{draft.id}/",
        f"{study.id}/",
        f"{study.id}/recruiting/",
        f"{study.id}/listeners/",
    )
    for address in addresses:
        page.goto(f"/studies/{address}")
        page.evaluate("document.querySelectorAll('details').forEach((part) => (part.open = true))")
        page.wait_for_load_state("networkidle")
        assert violations(page) == [], address
    page.goto("/me/")
    assert violations(page) == []
    page.fill("#code", session.personal_code or "")
    page.get_by_role("button", name="Show my data").click()
    page.wait_for_load_state("networkidle")
    assert violations(page) == []


def violations(page: Page) -> list[str]:
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
    return [f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in found.response["violations"]]
