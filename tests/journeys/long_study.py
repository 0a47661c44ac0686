"""Fills the database of a service with one open study of many short clips, and one listener who is about to rate them.

    python -m tests.journeys.long_study [--songs 5] [--seconds 10] [--minimum 1]

prints, as JSON: the study's token, name and value of the listener's cookie, their personal code, and how many clips
there are. It is for journeys and benches that need a study in a process of its own; the sounds are noise.
"""

from __future__ import annotations

import argparse
import json
import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.utils import timezone  # noqa: E402

from listening_test.listener_access import cookie_name  # noqa: E402
from listening_test.models import Clip, ListeningSession, Study  # noqa: E402
from listening_test.services import sessions  # noqa: E402
from tests.factories import encoded, sound  # noqa: E402
from tests.listening_test.factories import clip_make, clips_make, noise, study_make  # noqa: E402

SOURCES = ("vocals", "drums", "bass", "other")
SYSTEMS = ("umxhq", "umxl", "spleeter:4stems", "htdemucs", "htdemucs_ft")


def study_fill(*, songs: int, seconds: float, minimum: float | None) -> Study:
    study = study_make(songs=songs, systems=(), sources=SOURCES, minimum_seconds=minimum, block_trials=None)
    study.systems = list(SYSTEMS)
    study.save()
    if seconds:
        _long_clips_make(study, seconds)
    else:
        clips_make(study)
    study.state, study.opened_at = Study.State.OPEN, timezone.now()
    study.save()
    return study


def _long_clips_make(study: Study, seconds: float) -> None:
    """Of noise, which packs worst: more to fetch and to decode than any music."""
    data = encoded(sound(seconds, seed=5), subtype="PCM_24")
    for excerpt in study.excerpts.all():
        for source in study.sources:
            for system in study.systems:
                clip_make(study=study, data=data, excerpt=excerpt, source=source, system=system)
    for role in Clip.Role:
        clip_make(study=study, data=noise(0.5, 3), purpose=Clip.Purpose.CALIBRATION, role=role, source="vocals")


def session_begin(study: Study) -> ListeningSession:
    """At the first clip: what lies before it is tested elsewhere."""
    session = sessions.session_start(study=study, language="en")
    session.step, session.consented_at, session.calibrated_at = (
        ListeningSession.Step.TRIALS,
        timezone.now(),
        timezone.now(),
    )
    session.save()
    return session


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--songs", type=int, default=5)
    arguments.add_argument("--seconds", type=float, default=0.0, help="length of a clip; half a second without it")
    arguments.add_argument("--minimum", type=float, help="seconds to hear before rating; else the whole clip")
    given = arguments.parse_args()
    study = study_fill(songs=given.songs, seconds=given.seconds, minimum=given.minimum)
    session = session_begin(study)
    told = {"study": study.token, "cookie": cookie_name(study), "value": session.token}
    print(json.dumps({**told, "code": session.personal_code, "trials": session.trials.count()}))


if __name__ == "__main__":
    main()
