"""Jobs with the real separators: the demo weights of the repository, and published ones that are not there."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from audio.metrics import sdr
from audio.reading import Audio, read_flac
from separation import messages, selectors
from separation.models import SeparationJob
from separation.services.jobs import job_run
from separation.services.songs import song_add_synthetic
from tests.factories import SOURCES, files_in, job_make

State = SeparationJob.State
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("separator", ["umx:demo", "spleeter:demo", "htdemucs:demo"])
def test_demo_weights_separate_a_song(separator: str) -> None:
    song = song_add_synthetic(seed=90_001, seconds=5.0)
    job = job_make(song=song, separator=separator)
    job_run(job.pk)
    job.refresh_from_db()
    assert job.state == State.DONE, (job.error_code, job.error_params)
    assert job.ran["weights"] == "demo" and job.ran["weights_sha256"] and job.ran["seconds"] > 0
    mixture = read_flac(Path(song.mixture.path))

    def stem(source: str, system: str) -> Audio:
        found = selectors.stem_for(song=song, source=source, system=system)
        assert found is not None
        return read_flac(Path(found.file.path)) / found.gain

    gains = []
    for source in SOURCES:
        truth, estimate = stem(source, "reference"), stem(source, separator)
        assert estimate.shape == mixture.shape
        gains.append(sdr(truth, estimate) - sdr(truth, mixture))
    assert math.fsum(gains) / len(gains) > 3.0, "better than the mixture itself"


@pytest.mark.parametrize("separator", ["umxhq", "spleeter:4stems", "htdemucs"])
def test_published_weights_that_are_missing_fail_the_job_and_say_how_to_get_them(
    separator: str, media: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEMMOS_WEIGHTS", str(tmp_path / "weights"))
    job = job_make(separator=separator)
    job_run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.attempt, job.error_code) == (State.FAILED, 1, "weights_missing")
    sentence = messages.sentence(job.error_code, job.error_params)
    assert str(tmp_path / "weights") in sentence and f"weights fetch {separator}" in sentence
    assert not any(name.startswith("stems/") for name in files_in(media))
    assert not (tmp_path / "weights").exists()
