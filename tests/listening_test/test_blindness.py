"""Nothing that reaches a listener tells which system is heard, which clip is a control, or which one comes back.

A few listeners, whose browsers keep every byte, go through a real study: systems as different as a band-limited one and
a quiet one, hidden reference, anchors, repeats, spoken attention checks, the mixture, each scale by itself. Then four
questions are asked of all that they were told: is there a word that gives something away; can pairs of clips that share
a system be told from those that do not; can a clip that comes back be told from the others of its excerpt and source;
can a spoken attention check be told from the clips, but by hearing it.

All but the first are asked by `eavesdropping.findings`, of the best single feature and of all together. Each of the
six tries raises an alarm where none of `DRAWS` exchanges of the labels does as well, which for a blind study happens
with a probability of 1 / (1 + DRAWS): one false alarm in 160 studies. All that is random here is seeded, so that the
answer for this study is always the same.

Not looked at, and why: the samples (hearing them is the task), and time by a clock (a test of it would fail by chance;
that every clip costs the server the same queries and the same way to its file stands for it).
"""

from __future__ import annotations

import os
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.contrib.staticfiles import finders
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import F
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from scipy import signal

from listening_test import controls, serializers, session_selectors
from listening_test.api import ListenerThrottle
from listening_test.listener_access import cookie_name
from listening_test.models import Clip, Excerpt, ListeningSession, Study, Trial
from listening_test.services import clips as clip_service
from listening_test.services.traps import trap_recording_add
from listening_test.systems import system_name
from listening_test.views import listener as listener_views
from tests.factories import RATE, Audio, encoded, job_make, song_make
from tests.listening_test.eavesdropping import (
    Eavesdropper,
    Finding,
    Presentation,
    comes_back,
    companions,
    findings,
    neighbours,
    pair_features,
    same_system,
    stands_out,
    strangers,
)
from tests.listening_test.factories import stem_make
from tests.listening_test.visits import Clock, session_at

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(1800)]  # whole visits: a minute, more on a busy machine

SYSTEMS = ("umxhq", "spleeter:4stems", "htdemucs")
SOURCES = ("vocals", "drums")
SECONDS, SPAN = 1.6, (0.3, 1.4)
LISTENERS, REPEATS, CHECKS = 2, 4, 4
FACTORS: dict[str, Any] = {
    "controls": list(controls.CONTROLS),
    "repeats_per_listener": REPEATS,
    "traps_per_listener": CHECKS,
    "trap_kind": "spoken",
    "scale_layout": "apart",
    "show_mixture": True,
    "equipment": {"quiet": "record", "sides": "record"},
}
# Where one leak is planted, the study is as small as shows it.
PLAIN: dict[str, Any] = {"equipment": {}, "practice": False, "traps_per_listener": 0, "scale_layout": "together"}
DRAWS = 999
ALARM = 1 / (1 + DRAWS)
# Repeats stand far from their first, and checks are spread, which is no secret; so for them all that follows from a
# trial's place is left out.
PLACE_IN_ORDER = (
    r"position|minutes_left|next|expires|pause|notice|^finish|^(?!clip|mixture).*(bytes|content-length|tags)$"
)


# ── The study ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(autouse=True)
def seeded(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    """Names and keys come from a seed, so that what is found by chance is always the same."""
    source = random.Random(2026)
    monkeypatch.setattr(os, "urandom", source.randbytes)
    monkeypatch.setattr(random, "_urandom", source.randbytes)
    settings.SECRET_KEY = "known-to-the-tests"
    monkeypatch.setattr(ListenerThrottle, "THROTTLE_RATES", {"listener": None})  # a visit here takes a second or two


def blind_study(songs: int = 2, **fields: Any) -> Study:
    """Songs with true stems, separated in three ways that could not be less alike."""
    study = Study.objects.create(
        name="Estudio 7",
        seed=77,
        sources=list(SOURCES),
        systems=list(SYSTEMS),
        **{**FACTORS, **fields},
    )
    for number in range(songs):
        song = song_make(title=f"Canción {number + 1}", seconds=SECONDS, seed=number)
        true = {source: played(10 * number + place) for place, source in enumerate(SOURCES)}
        for source, samples in true.items():
            stem_make(song=song, source=source, samples=samples)
        for system, spoil in zip(SYSTEMS, (leaky, narrow, quiet), strict=True):
            job = job_make(song=song, separator=system, state="done", attempt=1, finished_at=timezone.now())
            for source, samples in true.items():
                others = sum(other for name, other in true.items() if name != source)
                stem_make(song=song, source=source, job=job, samples=spoil(samples, others))
        Excerpt.objects.create(study=study, song=song, start=SPAN[0], end=SPAN[1])
    for answer in (2, 4):
        spoken = SimpleUploadedFile(f"elija-{answer}.wav", encoded(played(answer)[:, : RATE // 2], format="WAV"))
        trap_recording_add(study=study, language="en", file=spoken, answer=answer)
    clip_service.clips_make(study=study)
    study.state, study.opened_at = Study.State.OPEN, timezone.now()
    study.save()
    return study


def played(seed: int) -> Audio:
    """Coloured noise in the rhythm of notes."""
    rng = np.random.default_rng(seed)
    samples = round(SECONDS * RATE)
    notes = np.repeat(rng.uniform(0.2, 1.0, 16), samples // 16 + 1)[:samples]
    colour = signal.butter(1, rng.uniform(500, 4000), fs=RATE, output="sos")
    return (0.3 * notes * signal.sosfilt(colour, rng.standard_normal((2, samples)))).astype(np.float32)


def leaky(samples: Audio, others: Any) -> Audio:
    return np.asarray(samples + 0.3 * others, dtype=np.float32)


def narrow(samples: Audio, others: Any) -> Audio:
    return signal.sosfilt(signal.butter(8, 4000, fs=RATE, output="sos"), samples).astype(np.float32)


def quiet(samples: Audio, others: Any) -> Audio:
    return np.asarray(0.1 * samples, dtype=np.float32)


# ── Whole visits ────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Recording:
    """Every trial of some listeners, the text of all they were told, and what it must not hold."""

    presentations: list[Presentation]
    told: str
    secrets: list[str]
    sessions: list[ListeningSession]


WHOLE: list[Recording] = []


@pytest.fixture
def whole(seeded: None, clock: Clock) -> Recording:
    """Whole visits to the study as it is, made once for all tests that look at them."""
    if not WHOLE:
        WHOLE.append(recorded(blind_study(), clock, [before_trials] * LISTENERS))
    return WHOLE[0]


Begin = Callable[[Eavesdropper, Clock], None]


def recorded(study: Study, clock: Clock, begins: list[Begin]) -> Recording:
    """One listener for each of `begins`, which brings them to their first trial."""
    recording = Recording([], "", sorted(set(secrets_of(study))), [])
    for number, begin in enumerate(begins):
        browser = Eavesdropper(study, client=Client(headers={"Accept-Language": "en"}))
        browser.exchanges = []
        begin(browser, clock)
        for trial in browser.session.trials.select_related("clip", "stands_for").order_by("position"):
            since = len(browser.exchanges)
            take(browser, clock, trial.position)
            recording.presentations.append(Presentation(number, trial, browser.heard_of(since)))
        after_trials(browser)
        assert browser.session.step == "done"
        recording.told += browser.everything()
        recording.sessions.append(browser.session)
    return recording


def at_once(browser: Eavesdropper, clock: Clock) -> None:
    """A session that begins with its trials."""
    browser.client.cookies[cookie_name(browser.study)] = session_at(browser.study, "trials").token


def before_trials(browser: Eavesdropper, clock: Clock) -> None:
    browser.ask("page", browser.get)
    browser.ask("consent", browser.agree)
    for _page in range(60):
        step = browser.session.step
        if step == "trials":
            return
        browser.ask("page", browser.get)
        STEPS[step](browser, clock)
    raise AssertionError(f"no way out of {step}")


def questionnaire(browser: Eavesdropper, clock: Clock) -> None:
    browser.ask("questionnaire", browser.post, "questionnaire/", {"experience": "casual"})  # with an error
    songs = {f"familiarity:{excerpt.song_id}": "3" for excerpt in browser.study.excerpts.all()}
    browser.ask("questionnaire", browser.post, "questionnaire/", {"experience": "casual", **songs})


def instructions(browser: Eavesdropper, clock: Clock) -> None:
    browser.ask("instructions", browser.post, "instructions/")


def calibration(browser: Eavesdropper, clock: Clock) -> None:
    for clip in browser.study.clips.filter(purpose=Clip.Purpose.CALIBRATION):
        name = browser.name_of(clip)
        browser.ask("example", browser.get, f"clip/{name}.flac")
        clock.forward(clip.samples / RATE)
        browser.ask("example heard", browser.send, "POST", f"calibration/{name}/heard/")
    browser.ask("calibration", browser.post, "calibration/")


def equipment(browser: Eavesdropper, clock: Clock) -> None:
    page = browser.ask("check", browser.get).content.decode()
    sent = {name: found(page, f'name="{name}" value="([^"]+)"') for name in ("kind", "attempt")}
    sounds = re.findall(r'data-clip="([^"]+)"', page)
    for place, address in enumerate(sounds):
        browser.ask(f"check {sent['kind']}", browser.client.get, address)
        sent[f"answer-{place}"] = found(page, f'name="answer-{place}" value="([^"]+)"')
    clock.forward(60)
    sent |= {"answer-0": found(page, 'name="answer-0" value="([^"]+)"')}
    browser.ask("check answered", browser.post, "equipment/", sent)


def practice(browser: Eavesdropper, clock: Clock) -> None:
    page = browser.ask("practice", browser.get).content.decode()
    if 'data-clip="' in page:
        browser.ask("practice clip", browser.client.get, found(page, r'data-clip="([^"]+)"'))
        clock.forward(30)
        name = found(page, r'name="clip" value="([^"]+)"')
        sent = {"clip": name, "quality": "3", "contamination": "3"}
        browser.ask("practice told", browser.post, "practice/", sent)
    else:
        browser.ask("practice over", browser.post, "practice/", {})


def found(page: str, pattern: str) -> str:
    match = re.search(pattern, page)
    assert match is not None, pattern
    return match[1]


STEPS: dict[str, Callable[[Eavesdropper, Clock], None]] = {
    "equipment": equipment,
    "questionnaire": questionnaire,
    "instructions": instructions,
    "calibration": calibration,
    "practice": practice,
}


def take(browser: Eavesdropper, clock: Clock, position: int) -> None:
    """One trial, with everything that could be asked about it."""
    browser.ask("page", browser.get)
    trial = browser.ask("state", browser.client.get, browser.api).json()["trial"]
    fetch(browser, trial["clip"])
    for door in ("mixture", "next_clip"):
        if trial[door]:
            browser.ask(door, browser.client.get, trial[door])
    heard = {"seconds": trial["seconds"], "plays": 1}
    browser.ask("too early", browser.rate, position=position)
    browser.ask("opened", browser.trial, "POST", "opened/", position=position)
    browser.ask("too soon", browser.trial, "POST", "heard/", heard, position)
    clock.forward(trial["seconds"])
    browser.ask("heard", browser.trial, "POST", "heard/", heard, position)
    for scale in trial.get("scales", ("quality", "contamination")):
        browser.ask("rating", browser.rate, scale, position)
    browser.ask("finish", browser.trial, "POST", "finish/", position=position)


def fetch(browser: Eavesdropper, address: str) -> None:
    """Whole, as a question, in part, and once more."""
    fresh = {"If-None-Match": "*", "If-Modified-Since": "Thu, 26 Nov 2099 02:00:00 GMT"}
    browser.ask("clip", browser.client.get, address)
    browser.ask("clip head", browser.client.head, address)
    browser.ask("clip part", browser.client.get, address, headers={"Range": "bytes=-100"})
    browser.ask("clip again", browser.client.get, address, headers=fresh)


def after_trials(browser: Eavesdropper) -> None:
    browser.ask("page", browser.get)
    browser.ask("closing", browser.post, "closing/", {"attention": "4", "distraction": "1"})
    browser.ask("page", browser.get)


# ── What was given away ─────────────────────────────────────────────────────────────────────────────────────────────


def given_away(recording: Recording) -> list[str]:
    """A line for every alarm."""
    words = [f"the word {word}" for word in recording.secrets if word.lower() in recording.told]
    presentations = recording.presentations
    return [
        *words,
        *alarms("shared systems", shared(presentations)),
        *alarms("repeats", repeated(presentations)),
        *alarms("checks", checked(presentations)),
    ]


def shared(presentations: list[Presentation]) -> list[Finding]:
    pairs = strangers(presentations)
    features, names = pair_features(presentations, pairs)
    return findings(features, names, *same_system(presentations, pairs, draws=DRAWS, seed=5))


def repeated(presentations: list[Presentation]) -> list[Finding]:
    pairs = neighbours(presentations)
    features, names = pair_features(presentations, pairs, leave_out=PLACE_IN_ORDER)
    return findings(features, names, *comes_back(presentations, pairs, draws=DRAWS, seed=6))


def checked(presentations: list[Presentation]) -> list[Finding]:
    """No finding where there is no spoken check."""
    if not any(presentation.is_spoken_check for presentation in presentations):
        return []
    pairs = companions(presentations)
    features, names = pair_features(presentations, pairs, leave_out=PLACE_IN_ORDER)
    return findings(features, names, *stands_out(presentations, pairs, draws=DRAWS, seed=7))


def alarms(what: str, found: list[Finding]) -> list[str]:
    return [f"{what} by {one.by}: AUC {one.auc:.2f}, p {one.p:.4f}" for one in found if one.p <= ALARM]


def secrets_of(study: Study) -> Iterator[str]:
    """Names, keys, numbers and digests of everything behind the clips, and the words for what they are."""
    for system in (*study.systems, *study.controls):
        yield from (system, system_name(system))
    for clip in study.clips.select_related("stem"):
        yield from (str(clip.pk), clip.pk.hex, clip.sha256, clip.token, str(clip.file.name))
        yield from (f"{clip.gain_db:.4f}", f"{clip.loudness_lufs:.4f}", f"{clip.true_peak_dbtp:.4f}")
    for excerpt in study.excerpts.select_related("song"):
        for stem in excerpt.song.stems.all():
            yield from (str(stem.pk), stem.pk.hex, stem.sha256, str(stem.file.name))
        for job in excerpt.song.jobs.all():
            yield from (str(job.pk), job.pk.hex)
    yield from ("demucs", "open-unmix", "spleeter", "lufs", "gain_db", "filename", "design_digest")
    yield from ('"repeat":', "instructed", "expected", "anchor:", "hidden reference", '"system', "controls")
    yield from (str(study.pk), study.pk.hex, f'"{study.seed}"', "elija-")


# ── The tests ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_whole_visits_give_nothing_away(whole: Recording) -> None:
    assert given_away(whole) == []


def test_the_eavesdropper_does_hear(whole: Recording) -> None:
    """What may be known is found: the completion code among the words, the source by the features."""
    assert all(session.completion_code.lower() in whole.told for session in whole.sessions)
    presentations = whole.presentations
    pairs = strangers(presentations)
    features, names = pair_features(presentations, pairs)
    source = np.array([presentations[i].place[1] == presentations[j].place[1] for i, j in pairs])
    rng = np.random.default_rng(1)
    chance = np.column_stack([rng.permutation(source) for _draw in range(DRAWS)])
    assert [one.p <= ALARM for one in findings(features, names, source, chance)] == [True, True]


def test_alarms_are_as_rare_as_stated() -> None:
    """Values that have nothing to do with the truth: p-values are spread evenly, as they have to be."""
    rng = np.random.default_rng(3)
    below = []
    for _study in range(60):
        features = rng.standard_normal((200, 12))
        truth = rng.random(200) < 0.3
        chance = np.column_stack([rng.permutation(truth) for _draw in range(99)])
        below += [one.p <= 0.1 for one in findings(features, [str(n) for n in range(12)], truth, chance)]
    assert 0.03 <= np.mean(below) <= 0.18


def test_scripts_and_styles_name_no_system(whole: Recording) -> None:
    files = {Path(str(finders.find(name))) for name in re.findall(r"/static/([\w./-]+)", whole.told)}
    modules = {file.parent / name for file in files for name in re.findall(r'from "\./([\w./]+)"', file.read_text())}
    text = "\n".join(file.read_text() for file in files | modules).lower()
    words = [system.lower() for key in (*SYSTEMS, *controls.CONTROLS) for system in (key, system_name(key))]
    assert len(files | modules) > 10
    assert [word for word in words if word in text] == []


def test_a_repeat_is_another_file_under_another_name(whole: Recording) -> None:
    again = [one for one in whole.presentations if one.trial.repeat]
    assert len(again) == LISTENERS * REPEATS
    for second in again:
        first = next(one for one in whole.presentations if same_clip(one, second))
        answers = [next(e for e in one.exchanges if e.door == "clip") for one in (first, second)]
        assert answers[0].url != answers[1].url
        assert answers[0].body != answers[1].body
        assert len(answers[0].body) == len(answers[1].body)


def same_clip(one: Presentation, other: Presentation) -> bool:
    return (one.session, one.clip) == (other.session, other.clip) and not one.trial.repeat


# ── Planted leaks: each must be found ───────────────────────────────────────────────────────────────────────────────

Plant = Callable[[pytest.MonkeyPatch, Study], None]
SYSTEM_KEYS = (*SYSTEMS, *controls.CONTROLS)


def header_by(name: str, value: Callable[[Clip], str]) -> Plant:
    def plant(monkeypatch: pytest.MonkeyPatch, study: Study) -> None:
        def tell(response: Any, clip: Clip) -> Any:
            response[name] = value(clip)
            return response

        answered_otherwise(monkeypatch, tell)

    return plant


def answered_otherwise(monkeypatch: pytest.MonkeyPatch, change: Callable[[Any, Clip], Any]) -> None:
    """What the address of a clip answers, changed by somebody who knows which clip it is."""
    honest = listener_views.sealed_response

    def changed(request: Any, file: Any, **options: Any) -> Any:
        return change(honest(request, file, **options), Clip.objects.get(file=file.name))

    monkeypatch.setattr(listener_views, "sealed_response", changed)


def longer(monkeypatch: pytest.MonkeyPatch, study: Study) -> None:
    """Files of the size that their sound needs."""

    def lengthen(response: Any, clip: Clip) -> Any:
        response.content = response.content + bytes(4 * SYSTEM_KEYS.index(clip.system) if clip.system else 0)
        return response

    answered_otherwise(monkeypatch, lengthen)


def bare(monkeypatch: pytest.MonkeyPatch, study: Study) -> None:
    """The FLAC itself, filled up to one size: the filling begins where the sound's entropy says."""
    size = max(clip.file.size for clip in study.clips.all())

    def unseal(response: Any, clip: Clip) -> Any:
        with clip.file.open("rb") as file:
            response.content = file.read().ljust(size, b"\0")
        return response

    answered_otherwise(monkeypatch, unseal)


def numbered(monkeypatch: pytest.MonkeyPatch, study: Study) -> None:
    """Names that count the clips as they were made."""
    clips = study.clips.order_by("purpose", "excerpt", "source", "system")
    number = {pk: place for place, pk in enumerate(clips.values_list("pk", flat=True))}

    def counting(_session: Any, clip: Clip, place: int | None = None) -> str:
        return f"c{number[clip.pk]:05}"

    monkeypatch.setattr(session_selectors, "clip_name", counting)


def sorted_by_system(monkeypatch: pytest.MonkeyPatch, study: Study) -> None:
    """Trials in the order of the study's systems."""
    honest = at_once

    def sorting(browser: Eavesdropper, clock: Clock) -> None:
        honest(browser, clock)
        trials = browser.session.trials
        wanted = sorted(
            trials.select_related("clip"), key=lambda trial: (SYSTEM_KEYS.index(trial.clip.system), trial.pk)
        )
        trials.update(position=F("position") + 1000)
        for place, trial in enumerate(wanted):
            trials.filter(pk=trial.pk).update(position=place)

    monkeypatch.setitem(globals(), "at_once", sorting)


def in_the_query(monkeypatch: pytest.MonkeyPatch, study: Study) -> None:
    honest = serializers.state_of

    def telling(session: ListeningSession) -> Any:
        state = honest(session)
        if state["trial"]:
            trial = session.trials.get(position=state["trial"]["position"])
            state["trial"]["clip"] += f"?v={SYSTEM_KEYS.index(trial.clip.system)}"
        return state

    monkeypatch.setattr("listening_test.api.state_of", telling)


def silent_check(monkeypatch: pytest.MonkeyPatch, study: Study) -> None:
    """Beside a spoken check there is no song to hear."""
    honest = session_selectors._mixture

    def mixture(study: Study, trial: Trial) -> Clip | None:
        return None if trial.stands_for else honest(study, trial)

    monkeypatch.setattr(session_selectors, "_mixture", mixture)


PLANTS: dict[str, tuple[Plant, str]] = {
    "a system's name in a header": (header_by("X-Model", lambda clip: clip.system), "the word htdemucs"),
    "a number for the system in a header": (header_by("X-Cache", lambda clip: str(len(clip.system))), "header x-cache"),
    "the size of the file": (longer, "bytes"),
    "where the padding begins": (bare, "shared systems by"),
    "names that count": (numbered, "last of the address"),
    "a digest of the clip": (header_by("ETag", lambda clip: clip.sha256), "repeats by"),
    "the order of the systems": (sorted_by_system, "position"),
    "a parameter of the address": (in_the_query, "query"),
    "no song beside a spoken check": (silent_check, "checks by"),
}


@pytest.mark.parametrize("leak", PLANTS)
def test_a_planted_leak_is_found(leak: str, seeded: None, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    plant, told_by = PLANTS[leak]
    checks = 6 if plant is silent_check else 0  # of one listener: with fewer, chance would draw the truth itself
    study = blind_study(**{**PLAIN, "traps_per_listener": checks})
    plant(monkeypatch, study)
    lines = given_away(recorded(study, clock, [at_once]))
    assert [line for line in lines if told_by in line] != [], lines
