"""What a listener's browser and the server say to each other. Nothing here can tell which system is heard."""

from __future__ import annotations

import math
from typing import Any
from uuid import UUID

from django.urls import reverse
from rest_framework import serializers

from listening_test import listener_messages
from listening_test.models import ListeningSession, Trial
from listening_test.scales import HIGHEST, LOWEST
from listening_test.services.ratings import MOST_CHANGES, MOST_COUNT, MOST_SECONDS
from listening_test.session_selectors import Place, calibration_due, clip_seconds, place_of, step_shown
from listening_test.trial_selectors import is_written_trap, pause_before, scales_asked, seconds_to_hear, warned_here
from separation.models import Source


class WholeNumber(serializers.IntegerField):
    """A JSON integer and nothing that could be read as one: not `true`, not `3.0`, not `"3"`."""

    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int:
            self.fail("invalid")
        return super().to_internal_value(data)


class RealNumber(serializers.FloatField):
    def to_internal_value(self, data: Any) -> float:
        if type(data) not in (int, float) or not math.isfinite(data):
            self.fail("invalid")
        return super().to_internal_value(data)


class Key(serializers.UUIDField):
    def to_internal_value(self, data: Any) -> UUID:
        if not isinstance(data, str):
            self.fail("invalid", value=data)
        return super().to_internal_value(data)


# ── In ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


class ListeningSerializer(serializers.Serializer[Any]):
    """What the browser says of a trial: always in all so far, so that a message that is lost or late does no harm."""

    seconds = RealNumber(min_value=0, max_value=MOST_SECONDS, required=False, help_text="Heard of this clip.")
    plays = WholeNumber(min_value=0, max_value=MOST_COUNT, required=False, help_text="How often it was begun.")
    loops = WholeNumber(min_value=0, max_value=MOST_COUNT, required=False, help_text="How often a part came again.")
    interruptions = WholeNumber(
        min_value=0, max_value=MOST_COUNT, required=False, help_text="A call, a hidden page, a lost output device."
    )
    glitches = WholeNumber(min_value=0, max_value=MOST_COUNT, required=False, help_text="Gaps in the sound output.")


class HeardSerializer(ListeningSerializer):
    seconds = RealNumber(min_value=0, max_value=MOST_SECONDS, help_text="Heard of this clip.")
    plays = WholeNumber(min_value=0, max_value=MOST_COUNT, help_text="How often it was begun.")


class RatingSerializer(serializers.Serializer[Any]):
    value = WholeNumber(min_value=LOWEST, max_value=HIGHEST)
    key = Key(help_text="Made by the browser for this answer: the same answer sent twice is one rating.")
    changes = WholeNumber(min_value=0, max_value=MOST_CHANGES, help_text="Answers given before it on this scale.")


class DeviceSerializer(serializers.Serializer[Any]):
    sample_rate = WholeNumber(min_value=1_000, max_value=1_000_000, help_text="Of the audio output, in Hz.")
    output_latency = RealNumber(min_value=0, max_value=60, allow_null=True, required=False, help_text="In seconds.")


# ── Out ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


class StandingSerializer(serializers.Serializer[Any]):
    value = serializers.IntegerField()
    changes = serializers.IntegerField()


class StandingsSerializer(serializers.Serializer[Any]):
    quality = StandingSerializer(required=False)
    contamination = StandingSerializer(required=False)


class SourceSerializer(serializers.Serializer[Any]):
    key = serializers.CharField()
    name = serializers.CharField(help_text="In the listener's language.")


class TrialSerializer(serializers.Serializer[Any]):
    position = serializers.IntegerField(help_text="0 first")
    total = serializers.IntegerField()
    minutes_left = serializers.IntegerField()
    source = SourceSerializer()  # type: ignore[assignment]  # a field of that name, as everywhere else
    clip = serializers.CharField(help_text="Address of the clip: a FLAC file, sealed as `unsealed.js` opens it.")
    seconds = serializers.FloatField(help_text="Length of the clip.")
    minimum_seconds = serializers.FloatField(allow_null=True, help_text="To hear before rating; null: the whole clip.")
    loop = serializers.BooleanField(help_text="A part of it may be repeated, once it was heard.")
    scales = serializers.ListField(child=serializers.CharField(), help_text="What is asked, in this order.")
    instruction = serializers.CharField(allow_null=True, help_text="What the page says about this clip.")
    next_clip = serializers.CharField(allow_null=True, help_text="To be fetched while this one is rated.")
    mixture = serializers.CharField(allow_null=True, help_text="Where the study lets listeners hear it.")
    heard = serializers.BooleanField(help_text="As far as needed, at least once: it may be rated.")
    heard_seconds = serializers.FloatField()
    plays = serializers.IntegerField()
    loops = serializers.IntegerField()
    interruptions = serializers.IntegerField()
    glitches = serializers.IntegerField()
    ratings = StandingsSerializer()


class NextSerializer(serializers.Serializer[Any]):
    step = serializers.ChoiceField(choices=ListeningSession.Step.choices)
    trial = TrialSerializer()
    pause = serializers.BooleanField()


class StateSerializer(serializers.Serializer[Any]):
    step = serializers.ChoiceField(choices=ListeningSession.Step.choices)
    trial = TrialSerializer(allow_null=True, help_text="The current one; null before the first and after the last.")
    pause = serializers.BooleanField(help_text="A pause is offered before this trial.")
    notice = serializers.CharField(allow_null=True, help_text="A kind word to this listener, told once.")
    next = NextSerializer(
        allow_null=True, help_text="The state after this trial: the page goes there at once, and asks afterwards."
    )


class RefusalSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    detail = serializers.CharField(help_text="For a person, in the listener's language.")
    wait = serializers.FloatField(required=False, help_text="Seconds after which to ask again (`too_soon`).")


def state_of(session: ListeningSession) -> dict[str, Any]:
    place = None if calibration_due(session) else place_of(session)
    if place is None:
        return {"step": step_shown(session), "trial": None, "pause": False, "notice": None, "next": None}
    notice = str(listener_messages.ATTENTION) if warned_here(place.trial) else None
    return {**_at(place), "notice": notice, "next": _at(place.upcoming) if place.upcoming else None}


def _at(place: Place) -> dict[str, Any]:
    session = place.trial.session
    return {"step": session.step, "trial": _trial(session, place), "pause": pause_before(place.trial)}


def _trial(session: ListeningSession, place: Place) -> dict[str, Any]:
    trial, clip = place.trial, place.trial.clip
    length, needed = clip_seconds(clip), seconds_to_hear(trial)
    source = Source(trial.announced.source or Source.VOCALS)  # none in checks of sessions begun before version 0.4
    return {
        "position": trial.position,
        "total": place.total,
        "minutes_left": place.minutes_left,
        "source": {"key": source.value, "name": str(source.label)},
        "clip": _address(session, place.clip_name),
        "seconds": length,
        "minimum_seconds": needed if needed < length else None,
        "loop": session.study.loop_allowed,
        "scales": list(scales_asked(trial)),
        "instruction": _instruction(trial),
        "next_clip": _address(session, place.upcoming_name),
        "mixture": _address(session, place.mixture_name),
        "heard": trial.heard_at is not None,
        "heard_seconds": trial.heard_seconds,
        "plays": trial.plays,
        "loops": trial.loops,
        "interruptions": trial.interruptions,
        "glitches": trial.glitches,
        "ratings": {rating.scale: {"value": rating.value, "changes": rating.changes} for rating in trial.ratings.all()},
    }


def _instruction(trial: Trial) -> str | None:
    if not is_written_trap(trial):
        return None
    words = listener_messages.CHOOSE if trial.scale else listener_messages.CHOOSE_ON_BOTH
    return str(words) % {"value": trial.instructed}


def _address(session: ListeningSession, name: str | None) -> str | None:
    return reverse("listen_clip", args=[session.study.token, name]) if name else None
