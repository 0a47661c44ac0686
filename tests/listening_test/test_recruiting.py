"""Who comes by which link: open and single-use links, recruiting platforms, quotas, trial runs, and the way back."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from listening_test import messages, recruiting, recruiting_selectors
from listening_test.listener_access import cookie_name
from listening_test.models import Invitation, ListeningSession, Study
from listening_test.refusal import Refused
from listening_test.services import recruiting as services
from listening_test.services.rights import personal_data_remove, session_erase
from listening_test.texts import consent_sha256
from tests.listening_test.factories import study_open_make
from tests.listening_test.test_arrivals import together
from tests.listening_test.visits import Browser

pytestmark = pytest.mark.django_db

BACK = "https://app.prolific.com/submissions/complete?cc=C1A2B3"
PROLIFIC = recruiting.platform_checked(
    {
        "kind": "prolific",
        "completed": BACK,
        "screened_out": "https://app.prolific.com/submissions/complete?cc=SCREEN",
        "full": "https://example.org/full?who={PROLIFIC_PID}",
    }
)
LINK = "?PROLIFIC_PID=5f0c&STUDY_ID=s1&SESSION_ID=x9&utm_source=mail"


def arrive(study: Study, address: str = "", client: Client | None = None) -> Browser:
    """A browser that has opened the link and been sent to the clean address."""
    browser = Browser(study, client=client)
    answer = browser.get(address)
    if address:
        assert answer.url == browser.page
    return browser


def invitation_make(study: Study, **fields: Any) -> Invitation:
    return Invitation.objects.create(study=study, **fields)


# ── What comes in ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_prolific_s_parameters_are_kept_with_the_session_and_leave_the_address(study: Study) -> None:
    study.platform = PROLIFIC
    study.save()
    browser = arrive(study, LINK)
    assert not study.sessions.exists()  # looking at the link takes nobody's place
    browser.agree()
    assert browser.session.platform == {"PROLIFIC_PID": "5f0c", "STUDY_ID": "s1", "SESSION_ID": "x9"}


def test_parameters_survive_the_choice_of_a_language(study: Study) -> None:
    study.platform = PROLIFIC
    study.save()
    browser = arrive(study, LINK + "&lang=en")
    browser.get("?lang=es")
    browser.agree()
    assert (browser.session.platform["PROLIFIC_PID"], browser.session.language) == ("5f0c", "es")


@pytest.mark.parametrize("query", ["?PROLIFIC_PID=5f0c", "?pid=7", "?i=nobody&PROLIFIC_PID=1"])
def test_a_study_without_a_platform_keeps_nothing_of_a_link(study: Study, query: str) -> None:
    browser = Browser(study)
    browser.get(query)
    browser.agree()
    assert browser.session.platform == {}


def test_generic_parameters_are_those_that_the_researcher_names(study: Study) -> None:
    study.platform = recruiting.platform_checked({"kind": "other", "names": ["panel_id", "batch"]})
    study.save()
    browser = arrive(study, "?panel_id=a%20b&batch=3&secret=no&" + "x" * 300)
    browser.agree()
    assert browser.session.platform == {"panel_id": "a b", "batch": "3"}


def test_a_value_that_is_too_long_is_left_out(study: Study) -> None:
    study.platform = PROLIFIC
    study.save()
    browser = arrive(study, f"?PROLIFIC_PID=5f0c&STUDY_ID={'x' * 201}")
    browser.agree()
    assert browser.session.platform == {"PROLIFIC_PID": "5f0c"}


def test_the_same_participant_goes_on_in_another_browser_instead_of_beginning_again(study: Study) -> None:
    study.platform = PROLIFIC
    study.save()
    first = arrive(study, LINK)
    first.agree()
    second = arrive(study, LINK)
    assert second.session == first.session
    assert study.sessions.count() == 1


def test_knowing_a_participant_s_name_goes_on_with_the_rating_and_shows_no_personal_code(study: Study) -> None:
    study.platform = PROLIFIC
    study.save()
    first = arrive(study, LINK)
    first.agree()
    code = first.session.personal_code
    assert code in first.get("code/").content.decode()
    stranger = arrive(study, LINK)
    assert stranger.get("code/").url == "/me/"
    stranger.get()
    assert stranger.get("code/").url == "/me/"  # a page seen makes nobody the owner
    ListeningSession.objects.update(step="done", completed_at=timezone.now())
    assert code not in stranger.get().content.decode()
    assert code in first.get().content.decode()
    stranger.client.post("/me/resume/", {"code": code})
    assert code in stranger.get("code/").content.decode()


def test_agreeing_late_under_a_participant_s_name_shows_no_personal_code(study: Study) -> None:
    """The page was opened before the participant began."""
    study.platform = PROLIFIC
    study.save()
    stranger, participant = arrive(study, LINK), arrive(study, LINK)
    shown = stranger.get().context["sha256"]
    participant.agree()
    stranger.post("consent/", {"sha256": shown})
    assert stranger.session == participant.session
    assert stranger.get("code/").url == "/me/"


def test_a_participant_who_opens_the_link_again_keeps_what_is_theirs(study: Study) -> None:
    study.platform = PROLIFIC
    study.save()
    browser = arrive(study, LINK)
    browser.agree()
    browser.get(LINK)
    assert browser.session.personal_code in browser.get("code/").content.decode()


def test_a_pass_is_of_no_use_for_another_session_or_once_the_data_are_forgotten(study: Study) -> None:
    study.platform = PROLIFIC
    study.save()
    first = arrive(study, LINK)
    first.agree()
    stranger = arrive(study, LINK)
    other = services.session_enter(study=study, language="en")
    name = cookie_name(study)
    held = stranger.client.cookies[name].value
    stranger.client.cookies[name] = held.replace(str(first.session.pk), str(other.pk))
    assert "agree to take part" in stranger.get().content.decode()
    stranger.client.cookies[name] = held
    assert stranger.session == first.session
    personal_data_remove(session=first.session)
    assert "agree to take part" in stranger.get().content.decode()


# ── An answer that is lost on its way ───────────────────────────────────────────────────────────────────────────────


def agree_unheard(browser: Browser) -> None:
    """The server makes the session; its answer, with the cookie, never arrives."""
    kept = {name: cookie.value for name, cookie in browser.client.cookies.items()}
    deaf = Browser(browser.study)
    for name, value in kept.items():
        deaf.client.cookies[name] = value
    deaf.post("consent/", {"sha256": consent_sha256(browser.study, "en")})
    assert browser.study.sessions.count() == 1


@pytest.mark.parametrize("then", ["agrees again", "reloads", "opens the link again"])
@pytest.mark.parametrize("kind", ["single", "quota", "open", "platform"])
def test_who_never_heard_that_they_are_in_is_in(kind: str, then: str) -> None:
    fields = {"single": {"links": "single"}, "quota": {"quota": 1}, "platform": {"platform": PROLIFIC}}.get(kind, {})
    study = study_open_make(**fields)
    invitation = invitation_make(study)
    link = {"single": f"?i={invitation.token}", "platform": LINK}.get(kind, "")
    browser = arrive(study, link)
    shown = browser.get().context["sha256"]
    agree_unheard(browser)
    if then == "agrees again":
        browser.post("consent/", {"sha256": shown})
    elif then == "opens the link again":
        browser.get(link)
    answer = browser.get()
    assert answer.status_code == 200
    assert "agree to take part" not in answer.content.decode()
    assert study.sessions.count() == 1
    assert browser.session == study.sessions.get()
    assert browser.client.cookies[cookie_name(study)].value == browser.session.token
    assert browser.session.personal_code in browser.get("code/").content.decode()


def test_who_agreed_as_the_service_stopped_can_agree_again() -> None:
    study = study_open_make(links="single")
    browser = arrive(study, f"?i={invitation_make(study).token}")
    browser.get()
    agree_unheard(browser)
    ListeningSession.objects.update(step="consent", consented_at=None)
    browser.agree()
    assert browser.session.consented_at is not None


@pytest.mark.django_db(transaction=True)
def test_agreeing_many_times_at_once_is_agreeing_once() -> None:
    study = study_open_make()
    browser = Browser(study)
    shown = browser.get().context["sha256"]
    kept = {name: cookie.value for name, cookie in browser.client.cookies.items()}

    def agree(_number: int) -> str:
        tab = Browser(study)
        for name, value in kept.items():
            tab.client.cookies[name] = value
        return tab.post("consent/", {"sha256": shown}).cookies[cookie_name(study)].value

    assert len(set(together(agree, 8))) == 1
    assert study.sessions.count() == 1


def test_two_tabs_of_one_participant_that_agree_one_after_the_other_have_one_session(study: Study) -> None:
    study.platform = PROLIFIC
    study.save()
    first, second = arrive(study, LINK), arrive(study, LINK)
    first.agree()
    shown = Browser(study).get()
    second.post("consent/", {"sha256": shown.context["sha256"]})
    assert study.sessions.count() == 1
    assert second.session == first.session


def test_another_participant_at_the_same_browser_gets_a_session_of_their_own(study: Study) -> None:
    study.platform = PROLIFIC
    study.save()
    browser = arrive(study, LINK)
    browser.agree()
    first = browser.session
    browser.get(LINK.replace("5f0c", "77aa"))
    browser.agree()
    assert browser.session != first
    assert study.sessions.count() == 2


def test_a_forged_cookie_of_arrival_says_nothing(study: Study) -> None:
    study.platform = PROLIFIC
    study.save()
    browser = Browser(study)
    browser.client.cookies[f"arrive_{study.token}"] = "eyJpbnZpdGF0aW9uIjoiIn0:1:forged"
    browser.agree()
    assert browser.session.platform == {}


# ── The way back ────────────────────────────────────────────────────────────────────────────────────────────────────


def session_at(study: Study, step: str, **fields: Any) -> ListeningSession:
    session = services.session_enter(study=study, language="en", platform={"PROLIFIC_PID": "5f0c"})
    session.step, session.consented_at = step, timezone.now()
    session.completed_at = timezone.now() if step == "done" else None
    for name, value in fields.items():
        setattr(session, name, value)
    session.save()
    return session


def test_the_way_back_is_shown_only_when_everything_has_arrived() -> None:
    study = study_open_make(platform=PROLIFIC)
    for step in ListeningSession.Step.values:
        session = session_at(study, step)
        expected = {"done": BACK, "ended": PROLIFIC["screened_out"]}.get(step)
        assert recruiting.return_address(session) == expected, step
        session.delete()


def test_the_last_page_leads_back_and_a_trial_run_does_not() -> None:
    study = study_open_make(platform=PROLIFIC)
    session = session_at(study, "done")
    assert BACK in Browser(study, session).get().content.decode()
    session.is_test, session.slot = True, None
    session.save()
    assert "prolific" not in Browser(study, session).get().content.decode()


def test_codes_and_parameters_are_filled_in_and_escaped() -> None:
    platform = recruiting.platform_checked(
        {"kind": "other", "names": ["pid"], "completed": "https://panel.example/end?p={pid}&code={code}#x"}
    )
    filled = recruiting.address(platform, "completed", {"pid": "a b&c=d/é"}, code="ABCD2345")
    assert filled == "https://panel.example/end?p=a%20b%26c%3Dd%2F%C3%A9&code=ABCD2345#x"


@pytest.mark.parametrize(
    "address",
    [
        "http://panel.example/",
        "javascript:alert(1)",
        "//panel.example/",
        "https://",
        "https://user:pw@panel.example/",
        "https://panel.example/ x",
        'https://panel.example/"onload=',
        "https://{pid}.example/",
        "https://panel.example/{nobody}",
        "https://panel.example/{",
        "https://[::1/",
        "https://panel.example/" + "x" * 500,
    ],
)
def test_addresses_that_listeners_are_not_sent_to(address: str) -> None:
    with pytest.raises(Refused) as refusal:
        recruiting.platform_checked({"kind": "other", "names": ["pid"], "completed": address})
    assert refusal.value.code in ("platform_address_bad", "platform_placeholder_bad")
    assert not messages.sentence(refusal.value.code, refusal.value.params).startswith("Something")


@pytest.mark.parametrize("names", [["lang"], ["i"], ["a b"], ["1a"], ["a", "a"], list("abcdefg"), "pid", [5]])
def test_names_that_are_no_parameters(names: Any) -> None:
    with pytest.raises(Refused, match="platform_name_bad"):
        recruiting.platform_checked({"kind": "other", "names": names})


def test_the_link_for_the_platform_has_its_placeholders() -> None:
    assert recruiting.entry_link(PROLIFIC, "https://x/s/a/") == (
        "https://x/s/a/?PROLIFIC_PID={{%PROLIFIC_PID%}}&STUDY_ID={{%STUDY_ID%}}&SESSION_ID={{%SESSION_ID%}}"
    )


# ── Quota ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_full_study_says_so_before_anybody_agrees_and_leads_back() -> None:
    study = study_open_make(quota=1, platform=PROLIFIC)
    arrive(study, LINK).agree()
    late = Browser(study)
    late.get(LINK.replace("5f0c", "77aa"))
    answer = late.get()
    assert answer.status_code == 403
    assert "has all its listeners" in answer.content.decode()
    assert "https://example.org/full?who=77aa" in answer.content.decode()
    assert study.sessions.count() == 1


def test_a_closed_study_leads_back_whoever_was_under_way_or_comes_late() -> None:
    study = study_open_make(platform=PROLIFIC)
    browser = arrive(study, LINK)
    browser.agree()
    late = arrive(study, LINK.replace("5f0c", "77aa"))
    Study.objects.update(state="closed")
    assert "https://example.org/full?who=5f0c" in browser.get().content.decode()
    assert "https://example.org/full?who=77aa" in late.get().content.decode()


def test_the_last_place_goes_to_one_of_two_who_have_read_the_text() -> None:
    study = study_open_make(quota=1)
    first, second = Browser(study), Browser(study)
    shown = second.get().context["sha256"]
    first.agree()
    second.post("consent/", {"sha256": shown})
    assert study.sessions.count() == 1
    assert "has all its listeners" in second.get().content.decode()


def test_who_has_a_place_goes_on_when_the_study_is_full() -> None:
    study = study_open_make(quota=1)
    browser = Browser(study)
    browser.agree()
    assert browser.get().status_code == 200


# ── Links for one listener ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_link_lets_one_listener_in() -> None:
    study = study_open_make(links="single")
    invitation = invitation_make(study, label="Ana")
    browser = arrive(study, f"?i={invitation.token}")
    browser.agree()
    assert browser.session.invitation == invitation
    assert browser.get().status_code == 200  # and again, in the same browser
    other = arrive(study, f"?i={invitation.token}")
    answer = other.get()
    assert answer.status_code == 403
    assert "This link has been used already" in answer.content.decode()
    assert study.sessions.count() == 1


def test_without_a_link_of_their_own_nobody_enters_a_study_by_invitation() -> None:
    study = study_open_make(links="single")
    browser = Browser(study)
    answer = browser.get()
    assert answer.status_code == 403
    assert "by invitation" in answer.content.decode()
    browser.post("consent/", {"sha256": consent_sha256(study, "en")})
    assert not study.sessions.exists()


def test_a_link_of_another_study_is_none() -> None:
    study, other = study_open_make(links="single"), study_open_make()
    token = invitation_make(other).token
    assert arrive(study, f"?i={token}").get().status_code == 403


def test_a_used_link_stays_and_an_unused_one_can_be_removed() -> None:
    study = study_open_make()
    used, unused = services.invitations_add(study=study, count=2, labels=["Ana"])
    assert [used.label, unused.label] == ["Ana", ""]
    services.session_enter(study=study, language="es", invitation=used)
    services.invitation_remove(invitation=unused)
    with pytest.raises(Refused, match="invitation_used"):
        services.invitation_remove(invitation=used)
    assert list(study.invitations.all()) == [used]


@pytest.mark.parametrize("count", [0, 501, -1])
def test_a_sensible_number_of_links_is_made(count: int) -> None:
    with pytest.raises(Refused, match="invitations_many"):
        services.invitations_add(study=study_open_make(), count=count)


# ── Trial runs ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_trial_run_takes_no_place_and_is_counted_apart() -> None:
    study = study_open_make(quota=1, links="single")
    invitation = services.try_link_add(study=study)
    browser = arrive(study, f"?i={invitation.token}")
    browser.agree()
    session = browser.session
    assert session.is_test
    assert session.slot is None
    told = recruiting_selectors.recruited(study)
    assert (told.begun, told.tests) == (0, 1)
    assert not recruiting_selectors.is_full(study)


def test_a_study_that_is_not_open_cannot_be_tried() -> None:
    study = study_open_make()
    Study.objects.update(state="closed")
    study.refresh_from_db()
    with pytest.raises(Refused, match="study_not_open"):
        services.try_link_add(study=study)


# ── At the same moment ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db(transaction=True)
def test_one_participant_in_many_tabs_at_once_has_one_session() -> None:
    study = study_open_make(platform=PROLIFIC)
    came = together(
        lambda _number: services.session_enter(study=study, language="es", platform={"PROLIFIC_PID": "5f0c"}).pk, 12
    )
    assert len(set(came)) == 1
    assert study.sessions.count() == 1


@pytest.mark.django_db(transaction=True)
def test_one_link_opened_by_many_at_once_lets_one_in() -> None:
    study = study_open_make(links="single")
    invitation = invitation_make(study)

    def enter(_number: int) -> bool:
        try:
            services.session_enter(study=study, language="es", invitation=invitation)
        except Refused:
            return False
        return True

    assert sum(map(bool, together(enter, 12))) == 1
    assert study.sessions.count() == 1


@pytest.mark.django_db(transaction=True)
def test_places_stay_whole_while_some_erase_and_others_arrive() -> None:
    study = study_open_make()
    early = [services.session_enter(study=study, language="es") for _number in range(6)]

    def come_or_go(number: int) -> None:
        if number < len(early):
            session_erase(session=early[number])
        else:
            services.session_enter(study=study, language="es")

    together(come_or_go, 18)
    held = list(study.sessions.values_list("slot", flat=True))
    assert (len(held), len(set(held))) == (12, 12)
    assert max(held) < 18
