"""The progress that a person sees moves every moment, never falls, and never says more than is so."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest

from audio.reading import Audio
from separation.models import SeparationJob
from separation.separators import registry
from separation.separators.base import Progress
from separation.services import jobs, leases
from separation.services.pace import Pace
from tests.factories import job_make
from tests.separation.fake import FakeSeparator, fake_separator


def test_it_creeps_towards_the_end_of_a_silent_phase_and_never_reaches_it() -> None:
    pace = Pace()
    pace.phase(0.05)
    seen = [pace.share for _ in range(300) if pace.creep()]
    assert all(before < after < 0.05 for before, after in pairwise(seen))
    assert len(seen) == 300, "five minutes of loading, a move every second"


def test_between_two_words_it_creeps_by_less_than_a_step() -> None:
    pace = Pace()
    pace.phase(1.0, expected=0.1)
    for word in (0.1, 0.2, 0.3):
        for _ in range(100):
            pace.creep()
        assert pace.share < word
        pace.reached(word)
        assert pace.share == word


def test_it_never_falls() -> None:
    pace = Pace()
    pace.phase(0.5)
    seen = []
    for share in (0.3, 0.2, 0.25, 0.4, 0.1):
        pace.reached(share)
        pace.creep()
        seen.append(pace.share)
    assert seen == sorted(seen) and seen[-1] >= 0.4


@pytest.mark.django_db(transaction=True)
def test_a_person_sees_it_move_while_weights_load_and_windows_take_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "PROGRESS_SECONDS", 0.0)
    monkeypatch.setattr(leases, "CREEP_SECONDS", 0.05)
    job = job_make()
    seen: list[float] = []

    def look(seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            seen.append(SeparationJob.objects.get(pk=job.pk).progress)
            time.sleep(0.1)

    def work(mixture: Audio, progress: Progress) -> None:
        look(0.5)
        progress(0.5)
        look(0.5)

    fake: FakeSeparator = fake_separator(monkeypatch, work)

    def load(key: str) -> FakeSeparator:
        look(0.5)
        return fake

    monkeypatch.setattr(registry, "get", load)
    jobs.job_run(job.pk)
    assert seen == sorted(seen)
    assert len(set(seen)) > 0.6 * len(seen), "it moved between most looks"
    job.refresh_from_db()
    assert job.progress == 1.0
