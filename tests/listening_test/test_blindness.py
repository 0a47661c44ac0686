"""Nothing that reaches a listener tells which system is heard."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from django.http import HttpResponseBase

from listening_test.models import Clip, Study
from listening_test.systems import system_name
from tests.listening_test.factories import references_make, study_open_make
from tests.listening_test.visits import CLIP_SECONDS, Browser, Clock

SYSTEMS = ("umxhq", "htdemucs", "reference")


class Eavesdropper(Browser):
    """A browser that writes down all that comes back but the sound itself: headers, cookies, bodies."""

    heard: list[bytes]

    def note(self, response: HttpResponseBase) -> HttpResponseBase:
        content = b"" if response.streaming else response.content
        headers = "".join(f"{name}: {value}\n" for name, value in response.items())
        self.heard.append(f"{headers}{response.cookies.output()}\n".encode() + content)
        return response

    def everything(self) -> str:
        return b"\n".join(self.heard).decode(errors="replace").lower()


@pytest.fixture
def blind_study(db: None) -> Study:
    study = study_open_make(systems=SYSTEMS[:2], show_mixture=True, name="Estudio 7")
    study.systems = list(SYSTEMS)
    study.save()
    references_make(study.excerpts.get().song)
    for source in study.sources:
        like = study.clips.filter(purpose=Clip.Purpose.TEST, source=source)[0]
        like.pk, like.token, like.system = uuid.uuid4(), f"random{source}", "reference"
        like.save(force_insert=True)
    return study


def visit(browser: Eavesdropper, clock: Clock) -> None:
    study = browser.study
    browser.note(browser.get())
    browser.note(browser.agree())
    browser.note(browser.get())
    songs = {f"familiarity:{excerpt.song_id}": "3" for excerpt in study.excerpts.all()}
    browser.note(browser.post("questionnaire/", {"experience": "casual"}))  # with an error
    browser.note(browser.post("questionnaire/", {"experience": "casual", **songs}))
    browser.note(browser.get())
    browser.note(browser.post("instructions/"))
    browser.note(browser.get())
    for clip in study.clips.filter(purpose=Clip.Purpose.CALIBRATION):
        browser.note(browser.get(f"clip/{clip.token}.flac"))
        clock.forward(CLIP_SECONDS)
        browser.note(browser.send("POST", f"calibration/{clip.token}/heard/"))
    browser.note(browser.post("calibration/"))
    browser.note(browser.get())
    for position in range(6):
        trial(browser, clock, position)
    browser.note(browser.get())
    browser.note(browser.post("closing/", {"attention": "4", "distraction": "1"}))
    browser.note(browser.get())
    assert browser.session.step == "done"


def trial(browser: Eavesdropper, clock: Clock, position: int) -> None:
    state = browser.note(browser.client.get(browser.api)).json()["trial"]
    for address in filter(None, (state["clip"], state["next_clip"], state["mixture"])):
        browser.note(browser.client.get(address))
        browser.note(browser.client.head(address))
    browser.note(browser.rate(position=position))  # too early: refusals are answers too
    browser.note(browser.trial("POST", "opened/", position=position))
    clock.forward(CLIP_SECONDS)
    browser.note(browser.trial("POST", "heard/", {"seconds": CLIP_SECONDS, "plays": 1}, position))
    for scale in ("quality", "contamination"):
        browser.note(browser.rate(scale, position=position))
    browser.note(browser.trial("POST", "finish/", position=position))


def secrets_of(study: Study) -> Iterator[str]:
    for system in SYSTEMS:
        yield from (system, system_name(system))
    for clip in study.clips.select_related("stem"):
        yield from (str(clip.pk), clip.pk.hex, clip.sha256, str(clip.file.name))
    for excerpt in study.excerpts.select_related("song"):
        for stem in excerpt.song.stems.all():
            yield from (str(stem.pk), stem.pk.hex, str(stem.file.name))
        for job in excerpt.song.jobs.all():
            yield from (str(job.pk), job.pk.hex)
    yield from ("demucs", "open-unmix", "spleeter", "lufs", "gain_db", str(study.seed), str(study.pk), "filename")


def test_a_whole_visit_tells_nothing(blind_study: Study, clock: Clock) -> None:
    browser = Eavesdropper(blind_study)
    browser.heard = []
    visit(browser, clock)
    told = browser.everything()
    assert [secret for secret in secrets_of(blind_study) if secret.lower() in told] == []
    assert browser.session.completion_code.lower() in told  # the eavesdropper does hear


def test_names_of_clips_do_not_follow_their_systems(blind_study: Study) -> None:
    tokens = [clip.token for clip in blind_study.clips.filter(purpose=Clip.Purpose.TEST).exclude(system="reference")]
    assert len(set(tokens)) == len(tokens)
    assert min(map(len, tokens)) >= 20
