"""The listener's page in a real browser: what opens when, what keys do, and what a bad network cannot lose."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from listening_test.listener_access import cookie_name
from listening_test.models import CalibrationHeard, Clip, ListeningSession, Rating, Study, Trial
from listening_test.services.studies import study_close
from tests.config.running import until
from tests.factories import encoded, sound
from tests.listening_test.factories import SYSTEMS, study_open_make
from tests.listening_test.visits import session_at

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Step = ListeningSession.Step
Enter = Callable[..., ListeningSession]

QUALITY = "Quality — How natural does it sound?"
CONTAMINATION = "Contamination — How much of the other instruments can you hear?"
UNSAVED = re.compile(r"Answers not sent yet: \d\.")
OFFLINE = "The connection is missing."
LONG_SECONDS = 5.0


@pytest.fixture
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    """A small phone that reads English."""
    return {**browser_context_args, "locale": "en-GB", "viewport": {"width": 360, "height": 740}}


@pytest.fixture
def study(live_server: LiveServer) -> Study:
    return study_open_make(show_mixture=True)


@pytest.fixture
def long_clips(study: Study) -> None:
    """Long enough for something to happen in the middle, on a busy machine too."""
    data = encoded(sound(LONG_SECONDS, seed=5))
    for clip in study.clips.filter(purpose=Clip.Purpose.TEST):
        with clip.file.storage.open(str(clip.file.name), "wb") as file:
            file.write(data)
    study.clips.filter(purpose=Clip.Purpose.TEST).update(samples=round(LONG_SECONDS * 44_100))


@pytest.fixture
def enter(study: Study, context: BrowserContext, page: Page, live_server: LiveServer) -> Iterator[Enter]:
    """Opens the page of a session at `step`; at the end no script may have failed, nor the policy been broken."""
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda line: troubles.append(line.text) if "Content Security Policy" in line.text else None)

    def begin(step: str = Step.TRIALS) -> ListeningSession:
        session = session_at(study, step)
        cookie = {"name": cookie_name(study), "value": session.token, "url": live_server.url}
        context.add_cookies([cookie])  # type: ignore[list-item]
        page.goto(f"{live_server.url}/s/{study.token}/")
        if step == Step.TRIALS:
            ready(page)
        return session

    yield begin
    assert troubles == []


def ready(page: Page) -> None:
    expect(page.locator("#trial")).not_to_have_attribute("aria-busy", "true")


def scale(page: Page, name: str) -> Locator:
    return page.get_by_role("group", name=name)


def step(page: Page, name: str, value: int) -> Locator:
    return scale(page, name).get_by_role("radio").nth(value - 1)


def hear(page: Page) -> None:
    page.locator("#play").click()
    expect(step(page, QUALITY, 1)).to_be_enabled()


def answer(page: Page, name: str, value: int) -> None:
    step(page, name, value).check(force=True)


def saved(page: Page) -> None:
    expect(page.locator("#saving")).to_have_text("Saved")


def first_trial(session: ListeningSession, fact: str = "heard_at") -> Trial:
    """Once the server knows this of it: a page that says too soon what it has heard asks again."""
    until(lambda: bool(getattr(session.trials.get(position=0), fact)), seconds=15, what=f"{fact} of the first trial")
    return session.trials.get(position=0)


def ratings() -> dict[str, int]:
    return dict(Rating.objects.values_list("scale", "value"))


# ── Hearing first ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_questions_open_once_the_clip_was_heard_to_its_end(enter: Enter, page: Page) -> None:
    session = enter()
    for name in (QUALITY, CONTAMINATION):
        expect(step(page, name, 3)).to_be_disabled()
        expect(scale(page, name)).to_be_visible()
    expect(page.get_by_text("The questions open at the end of the clip.")).to_be_visible()
    hear(page)
    expect(step(page, CONTAMINATION, 3)).to_be_enabled()
    expect(page.locator("#next")).to_be_disabled()
    answer(page, QUALITY, 4)
    expect(page.locator("#next")).to_be_disabled()
    answer(page, CONTAMINATION, 2)
    expect(page.locator("#next")).to_be_enabled()
    saved(page)
    trial = session.trials.get(position=0)
    assert ratings() == {"quality": 4, "contamination": 2}
    assert trial.heard_seconds == pytest.approx(0.5, abs=0.01)
    assert trial.plays == 1


def test_a_clip_that_was_stopped_was_not_heard(enter: Enter, page: Page, long_clips: None) -> None:
    session = enter()
    play = page.get_by_role("button", name="Play the clip")
    play.click()
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_text("Stopped. The clip starts again from its beginning.")).to_be_visible()
    expect(step(page, QUALITY, 3)).to_be_disabled()
    play.click()
    expect(page.get_by_text("Listening…")).to_be_visible()
    page.wait_for_timeout(1000)
    expect(step(page, QUALITY, 3)).to_be_disabled()
    expect(step(page, QUALITY, 3)).to_be_enabled()
    trial = first_trial(session)
    assert trial.heard_at is not None
    assert trial.opened_at is not None
    assert (trial.heard_at - trial.opened_at).total_seconds() >= 0.9 * LONG_SECONDS
    assert trial.plays == 2


def test_the_mixture_may_be_heard_and_opens_nothing(enter: Enter, page: Page) -> None:
    enter()
    mixture = page.get_by_role("button", name="Hear the original song")
    mixture.click()
    expect(page.get_by_role("button", name="Stop the original song")).to_be_visible()
    expect(mixture).to_be_visible()
    expect(step(page, QUALITY, 3)).to_be_disabled()


def test_a_clip_may_be_heard_again(enter: Enter, page: Page) -> None:
    enter()
    hear(page)
    page.get_by_role("button", name="Play the clip again").click()
    expect(page.get_by_role("button", name="Stop", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Play the clip again")).to_be_visible()


def test_the_device_is_told_once(enter: Enter, page: Page) -> None:
    session = enter()
    told: list[str] = []
    page.on("request", lambda request: told.append(request.url) if request.url.endswith("/device/") else None)
    for _time in range(2):
        hear(page)
        expect(page.get_by_role("button", name="Play the clip again")).to_be_visible()
    page.reload()
    ready(page)
    hear(page)
    page.wait_for_timeout(300)
    session.refresh_from_db()
    assert len(told) == 1
    assert session.device["sample_rate"] == 44_100
    assert session.device["browser"] == "chrome"


# ── Going on and coming back ────────────────────────────────────────────────────────────────────────────────────────


def test_the_next_trial_comes_without_a_new_page(enter: Enter, page: Page) -> None:
    session = enter()
    page.evaluate("() => { window.sameage = true; }")
    hear(page)
    answer(page, QUALITY, 4)
    answer(page, CONTAMINATION, 2)
    page.locator("#next").click()
    expect(page.locator("#number")).to_have_text("2")
    expect(step(page, QUALITY, 3)).to_be_disabled()
    expect(page.locator("input:checked")).to_have_count(0)
    expect(page.locator("#play")).to_be_focused()
    assert page.evaluate("() => window.sameage") is True
    until(lambda: session.trials.get(position=0).finished_at is not None, seconds=15, what="the first trial finished")


def test_a_reload_returns_to_the_same_trial_with_its_answers(enter: Enter, page: Page) -> None:
    enter()
    hear(page)
    answer(page, QUALITY, 5)
    expect(page.locator("#saving")).to_have_text("Saved")
    page.reload()
    ready(page)
    expect(page.locator("#number")).to_have_text("1")
    expect(step(page, QUALITY, 3)).to_be_enabled()
    expect(scale(page, QUALITY).get_by_role("radio", name="5 Excellent")).to_be_checked()
    answer(page, QUALITY, 1)  # and may still be changed
    answer(page, CONTAMINATION, 3)
    expect(page.locator("#next")).to_be_enabled()
    saved(page)
    assert ratings() == {"quality": 1, "contamination": 3}


def test_the_last_next_leads_to_the_last_questions(enter: Enter, page: Page) -> None:
    session = enter()
    for number in range(session.trials.count()):
        expect(page.locator("#number")).to_have_text(str(number + 1))
        hear(page)
        answer(page, QUALITY, 3)
        answer(page, CONTAMINATION, 3)
        page.locator("#next").click()
    expect(page.get_by_role("heading", name="That was the last clip")).to_be_visible()
    assert Rating.objects.count() == 2 * session.trials.count()


def test_a_study_that_closes_in_the_middle_says_so(enter: Enter, page: Page, study: Study) -> None:
    enter()
    hear(page)
    study_close(study=study)
    answer(page, QUALITY, 3)
    expect(page.get_by_role("heading", name="This listening test has closed")).to_be_visible()
    expect(page.get_by_text("Everything that you had rated is saved.")).to_be_visible()


# ── A bad network ───────────────────────────────────────────────────────────────────────────────────────────────────

RATINGS = re.compile("/ratings/")


def test_an_answer_waits_for_the_network_and_is_sent_later(enter: Enter, page: Page) -> None:
    enter()
    hear(page)
    page.route(RATINGS, lambda route: route.abort())
    answer(page, QUALITY, 4)
    expect(page.get_by_text(UNSAVED)).to_be_visible()
    answer(page, CONTAMINATION, 2)
    expect(page.get_by_text("Answers not sent yet: 2.")).to_be_visible()
    assert ratings() == {}
    page.unroute(RATINGS)
    saved(page)
    assert ratings() == {"quality": 4, "contamination": 2}


def test_a_server_in_trouble_is_asked_again(enter: Enter, page: Page) -> None:
    enter()
    hear(page)
    tries: list[int] = []

    def refuse_twice(route: Route) -> None:
        tries.append(1)
        route.fulfill(status=500, body="trouble") if len(tries) < 3 else route.continue_()

    page.route(RATINGS, refuse_twice)
    answer(page, QUALITY, 4)
    saved(page)
    assert ratings() == {"quality": 4}


def test_a_lost_answer_of_the_server_makes_no_second_rating(enter: Enter, page: Page) -> None:
    enter()
    hear(page)
    lost: list[int] = []

    def lose_the_first(route: Route) -> None:
        if lost:
            return route.continue_()
        lost.append(route.fetch().status)  # the server has it, the browser never hears of it
        return route.abort()

    page.route(RATINGS, lose_the_first)
    answer(page, QUALITY, 4)
    expect(page.get_by_text(UNSAVED)).to_be_visible()
    saved(page)
    rating = Rating.objects.get()
    assert lost == [200]
    assert (rating.value, rating.changes) == (4, 0)


def test_half_a_refusal_is_no_refusal(enter: Enter, page: Page) -> None:
    enter()
    hear(page)
    cut: list[int] = []

    def cut_the_first(route: Route) -> None:
        if cut:
            return route.continue_()
        cut.append(1)
        body = '{"code": "too_'
        return route.fulfill(status=409, content_type="application/json", headers={"Content-Length": "90"}, body=body)

    page.route(RATINGS, cut_the_first)
    answer(page, QUALITY, 4)
    saved(page)
    assert cut == [1]
    assert ratings() == {"quality": 4}


def test_an_answer_that_was_not_saved_survives_a_reload(enter: Enter, page: Page) -> None:
    session = enter()
    hear(page)
    expect(page.locator("#next-help")).to_have_text("Answer both questions to go on.")
    first_trial(session)
    page.route(RATINGS, lambda route: route.abort())
    answer(page, QUALITY, 4)
    expect(page.get_by_text(UNSAVED)).to_be_visible()
    page.unroute(RATINGS)
    page.reload()
    ready(page)
    expect(scale(page, QUALITY).get_by_role("radio", name="4 Good")).to_be_checked()
    expect(page.locator("#saving")).to_have_text("Saved")
    assert ratings() == {"quality": 4}


FINISH = re.compile("/finish/")


def rate_both(page: Page, quality: int = 4, contamination: int = 2) -> None:
    hear(page)
    answer(page, QUALITY, quality)
    answer(page, CONTAMINATION, contamination)


def test_one_goes_on_without_the_network_as_far_as_the_clips_are_there(enter: Enter, page: Page) -> None:
    session = enter()
    hear(page)
    expect(page.locator("#saving")).to_have_text("")
    page.wait_for_load_state("networkidle")  # the next clip is there
    page.context.set_offline(True)
    answer(page, QUALITY, 4)
    answer(page, CONTAMINATION, 2)
    page.locator("#next").click()
    expect(page.locator("#number")).to_have_text("2")
    rate_both(page, 1, 5)
    expect(page.get_by_text("Answers not sent yet: 4.")).to_be_visible()
    page.locator("#next").click()
    expect(page.get_by_text("The next clip comes as soon as the connection allows.")).to_be_visible()
    expect(page.locator("#number")).to_have_text("2")
    assert not Rating.objects.exists()
    page.context.set_offline(False)
    expect(page.locator("#number")).to_have_text("3")
    expect(page.get_by_text("not sent yet")).to_be_hidden()
    given = session.trials.filter(position__lt=2).values_list("position", "ratings__scale", "ratings__value")
    everything = {(0, "quality", 4), (0, "contamination", 2), (1, "quality", 1), (1, "contamination", 5)}
    until(lambda: set(given.all()) == everything, seconds=15.0, what="every answer is stored")


def test_the_last_next_waits_until_the_server_has_everything(enter: Enter, page: Page) -> None:
    session = enter()
    last = session.trials.count() - 1
    for number in range(last):
        expect(page.locator("#number")).to_have_text(str(number + 1))
        rate_both(page)
        page.locator("#next").click()
    expect(page.locator("#number")).to_have_text(str(last + 1))
    rate_both(page)
    page.route(FINISH, lambda route: route.abort())
    page.locator("#next").click()
    expect(page.get_by_text(OFFLINE)).to_be_visible()
    expect(page.get_by_role("heading", name="That was the last clip")).to_be_hidden()
    page.unroute(FINISH)
    expect(page.get_by_role("heading", name="That was the last clip")).to_be_visible()


def test_what_was_not_sent_before_a_reload_is_sent_after_it(enter: Enter, page: Page) -> None:
    session = enter()
    hear(page)
    page.wait_for_load_state("networkidle")
    page.route(re.compile("/api/"), lambda route: route.abort())
    answer(page, QUALITY, 4)
    answer(page, CONTAMINATION, 2)
    page.locator("#next").click()
    expect(page.locator("#number")).to_have_text("2")
    page.unroute(re.compile("/api/"))
    page.reload()
    ready(page)
    expect(page.locator("#number")).to_have_text("2")
    assert session.trials.get(position=0).finished_at is not None
    assert ratings() == {"quality": 4, "contamination": 2}


def test_a_second_tab_is_told_kindly_and_may_take_over(enter: Enter, page: Page) -> None:
    enter()
    told = "The listening test is open in another tab"
    second = page.context.new_page()
    second.goto(page.url)
    expect(second.get_by_role("heading", name=told)).to_be_visible()
    expect(second.locator("#rating")).to_be_hidden()
    rate_both(page)
    second.get_by_role("button", name="Go on here").click()
    expect(page.get_by_role("heading", name=told)).to_be_visible()
    ready(second)
    expect(scale(second, QUALITY).get_by_role("radio", name="4 Good")).to_be_checked()
    second.close()


def test_a_tab_that_waits_gets_its_turn_when_the_other_one_is_closed(enter: Enter, page: Page) -> None:
    enter()
    second = page.context.new_page()
    second.goto(page.url)
    expect(second.locator("#elsewhere")).to_be_visible()
    page.close()
    ready(second)
    expect(second.locator("#play")).to_be_visible()
    second.close()


def test_a_clip_that_does_not_come_can_be_asked_for_again(enter: Enter, page: Page) -> None:
    clips = re.compile(r"\.flac$")
    page.route(clips, lambda route: route.abort())
    enter()
    page.locator("#play").click()
    expect(page.get_by_text("The clip could not be fetched.")).to_be_visible()
    page.unroute(clips)
    hear(page)
    expect(page.get_by_text("The clip could not be fetched.")).to_be_hidden()


def test_a_clip_that_is_no_sound_is_explained(enter: Enter, page: Page) -> None:
    page.route(re.compile(r"\.flac$"), lambda route: route.fulfill(body="no sound", content_type="audio/flac"))
    enter()
    page.locator("#play").click()
    expect(page.get_by_text("This browser cannot play the clip.")).to_be_visible()
    expect(step(page, QUALITY, 3)).to_be_disabled()


# ── Hands and eyes ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_everything_works_with_the_keyboard(enter: Enter, page: Page) -> None:
    session = enter()
    page.keyboard.press("3")  # no group has the focus: this is no answer
    page.keyboard.press("Space")
    expect(step(page, QUALITY, 3)).to_be_enabled()
    page.keyboard.press("3")
    expect(page.locator("input:checked")).to_have_count(0)
    groups = (QUALITY, CONTAMINATION) if session.quality_first else (CONTAMINATION, QUALITY)
    for name, digit in zip(groups, "25", strict=True):
        while not scale(page, name).locator("input:focus").count():
            page.keyboard.press("Tab")
        page.keyboard.press(digit)
    expect(page.locator("#next")).to_be_enabled()
    saved(page)
    first, second = ("quality", "contamination") if session.quality_first else ("contamination", "quality")
    assert ratings() == {first: 2, second: 5}
    page.keyboard.press("Enter")
    expect(page.locator("#number")).to_have_text("2")
    page.keyboard.press("Space")
    expect(step(page, QUALITY, 3)).to_be_enabled()


def test_the_two_questions_are_groups_of_five_named_steps(enter: Enter, page: Page) -> None:
    enter()
    words = {
        QUALITY: ["1 Bad", "2 Poor", "3 Fair", "4 Good", "5 Excellent"],
        CONTAMINATION: ["1 Very much", "2 Much", "3 Some", "4 Hardly any", "5 None"],
    }
    assert page.locator("fieldset > legend").count() == 2
    for name, steps in words.items():
        for step in steps:
            expect(scale(page, name).get_by_role("radio", name=step)).to_have_count(1)


def test_targets_are_large_and_nothing_is_wider_than_a_phone(enter: Enter, page: Page) -> None:
    enter()
    hear(page)
    for target in page.locator("main button:visible, main .step").all():
        box = target.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 44
    assert page.evaluate("() => document.documentElement.scrollWidth") == 360


def test_nothing_in_the_page_names_a_system(enter: Enter, page: Page) -> None:
    enter()
    hear(page)
    shown = page.content().lower()
    assert [system for system in SYSTEMS if system in shown] == []


# ── What breaks into a sound ────────────────────────────────────────────────────────────────────────────────────────


HIDE = """() => {
  Object.defineProperty(document, "hidden", { value: true, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
  delete document.hidden;
}"""
UNPLUG = "() => navigator.mediaDevices.dispatchEvent(new Event('devicechange'))"
INTERRUPTED = "The sound was interrupted."

# A busy machine has real gaps in its output: here the browser tells the gaps that a test wants.
TELL_GAPS = """() => {
  window.gaps = 7;
  const stats = { get underrunEvents() { return window.gaps; } };
  Object.defineProperty(AudioContext.prototype, "playbackStats", { value: stats });
}"""
TELL_NO_GAPS = """() => {
  for (const name of ["playbackStats", "playoutStats"])
    Object.defineProperty(AudioContext.prototype, name, { value: undefined });
}"""
FALL_BEHIND = """() => {
  const now = performance.now.bind(performance);
  performance.now = () => now() + 300;
}"""


@pytest.mark.parametrize("happens", [HIDE, UNPLUG], ids=["page hidden", "output device lost"])
def test_an_interrupted_clip_is_played_again_and_counted(
    enter: Enter, page: Page, long_clips: None, happens: str
) -> None:
    session = enter()
    page.evaluate(TELL_GAPS)
    page.locator("#play").click()
    expect(page.get_by_text("Listening…")).to_be_visible()
    page.evaluate(happens)
    expect(page.get_by_text(INTERRUPTED)).to_be_visible()
    expect(step(page, QUALITY, 3)).to_be_disabled()
    page.locator("#play").click()
    expect(step(page, QUALITY, 3)).to_be_enabled()
    trial = first_trial(session)
    assert (trial.interruptions, trial.plays) == (1, 2)
    assert trial.glitches == 0


def test_gaps_that_the_browser_tells_are_counted(enter: Enter, page: Page, long_clips: None) -> None:
    session = enter()
    page.evaluate(TELL_GAPS)
    page.locator("#play").click()
    expect(page.get_by_text("Listening…")).to_be_visible()
    page.evaluate("() => { window.gaps += 2; }")
    expect(step(page, QUALITY, 3)).to_be_enabled()
    assert first_trial(session).glitches == 2


def test_a_clock_that_falls_behind_is_a_gap_where_the_browser_tells_none(
    enter: Enter, page: Page, long_clips: None
) -> None:
    session = enter()
    page.evaluate(TELL_NO_GAPS)
    page.locator("#play").click()
    expect(page.get_by_text("Listening…")).to_be_visible()
    page.wait_for_timeout(500)
    page.evaluate(FALL_BEHIND)
    expect(step(page, QUALITY, 3)).to_be_enabled()
    assert first_trial(session).glitches >= 1


def test_a_page_closed_while_it_played_is_an_interruption(enter: Enter, page: Page, long_clips: None) -> None:
    session = enter()
    page.locator("#play").click()
    expect(page.get_by_text("Listening…")).to_be_visible()
    page.wait_for_timeout(200)
    page.reload()
    ready(page)
    expect(page.get_by_text(INTERRUPTED)).to_be_visible()
    page.locator("#play").click()
    expect(step(page, QUALITY, 3)).to_be_enabled()
    assert first_trial(session).interruptions == 1


# ── What a study may choose ─────────────────────────────────────────────────────────────────────────────────────────


def test_the_questions_open_after_the_seconds_that_the_study_asks(
    enter: Enter, page: Page, study: Study, long_clips: None
) -> None:
    Study.objects.filter(pk=study.pk).update(minimum_seconds=1.0)
    session = enter()
    expect(page.get_by_text("Listen for at least 1 s")).to_be_visible()
    page.locator("#play").click()
    expect(step(page, QUALITY, 3)).to_be_enabled()
    expect(page.get_by_role("button", name="Stop", exact=True)).to_be_visible()  # it goes on playing
    answer(page, QUALITY, 3)
    answer(page, CONTAMINATION, 3)
    page.locator("#next").click()
    expect(page.locator("#number")).to_have_text("2")
    trial = first_trial(session, "finished_at")
    assert 1.0 <= trial.heard_seconds < 0.95 * LONG_SECONDS


def test_a_part_may_be_repeated_where_the_study_allows_it(enter: Enter, page: Page, study: Study) -> None:
    Study.objects.filter(pk=study.pk).update(loop_allowed=True)
    session = enter()
    expect(page.locator("#loop")).to_be_hidden()
    hear(page)
    page.get_by_text("Hear one part again and again").click()
    page.get_by_role("slider", name="From").press("ArrowRight")
    page.get_by_role("button", name="Repeat this part").click()
    page.wait_for_timeout(1700)
    page.locator("#loop-play").click()
    expect(page.get_by_role("button", name="Repeat this part")).to_be_visible()
    assert first_trial(session, "loops").loops >= 2


def test_a_trial_on_one_scale_shows_only_that(enter: Enter, page: Page, study: Study) -> None:
    session = enter(Step.CALIBRATION)
    session.trials.update(scale="contamination")
    ListeningSession.objects.filter(pk=session.pk).update(step=Step.TRIALS)
    page.reload()
    ready(page)
    expect(scale(page, QUALITY)).to_be_hidden()
    page.locator("#play").click()
    expect(step(page, CONTAMINATION, 1)).to_be_enabled()
    expect(page.get_by_text("Answer the question to go on.")).to_be_visible()
    answer(page, CONTAMINATION, 2)
    page.locator("#next").click()
    expect(page.locator("#number")).to_have_text("2")


def test_an_instruction_stands_above_the_questions(enter: Enter, page: Page) -> None:
    session = enter(Step.CALIBRATION)
    session.trials.filter(position=0).update(instructed=2)
    ListeningSession.objects.filter(pk=session.pk).update(step=Step.TRIALS)
    page.reload()
    ready(page)
    expect(page.locator("#instruction")).to_have_text(
        "For this clip, please choose 2 on both scales, however it sounds."
    )
    rate_both(page)
    page.locator("#next").click()
    expect(page.locator("#number")).to_have_text("2")
    expect(page.locator("#instruction")).to_be_hidden()


def test_a_pause_is_offered_and_ended_by_hand(enter: Enter, page: Page, study: Study) -> None:
    Study.objects.filter(pk=study.pk).update(block_trials=1)
    enter()
    rate_both(page)
    page.locator("#next").click()
    expect(page.get_by_role("heading", name="Time for a short break")).to_be_focused()
    expect(page.get_by_text("1 of 4 clips are done")).to_be_visible()
    expect(page.locator("#play")).to_be_hidden()
    page.keyboard.press("Space")  # plays nothing
    page.get_by_role("button", name="Go on with the clips").click()
    expect(page.locator("#play")).to_be_focused()
    expect(page.locator("#number")).to_have_text("2")


def test_a_key_held_down_goes_on_once(enter: Enter, page: Page) -> None:
    enter()
    rate_both(page)
    step(page, CONTAMINATION, 2).focus()
    for _repeat in range(5):
        page.keyboard.down("Enter")
    page.keyboard.up("Enter")
    expect(page.locator("#number")).to_have_text("2")
    expect(page.get_by_text("Listen to the whole clip")).to_be_visible()  # nor has it begun to play


# ── Calibration ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_calibration_opens_the_way_once_all_four_were_heard(enter: Enter, page: Page) -> None:
    session = enter(Step.CALIBRATION)
    go_on = page.get_by_role("button", name="Begin with the clips")
    expect(go_on).to_be_disabled()
    examples = page.locator(".example")
    for number in range(3):
        examples.nth(number).get_by_role("button").click()
        expect(examples.nth(number).locator(".heard-mark")).to_be_visible()
    expect(go_on).to_be_disabled()
    expect(examples.nth(2)).to_have_attribute("data-done", "yes")
    page.reload()
    expect(page.locator(".heard-mark:visible")).to_have_count(3)  # they stay heard
    examples.nth(3).get_by_role("button").click()
    expect(go_on).to_be_enabled()
    go_on.click()
    ready(page)
    assert CalibrationHeard.objects.filter(session=session).count() == 4
