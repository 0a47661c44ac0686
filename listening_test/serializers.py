"""What a listener's browser and the server say to each other. Nothing here can tell which system is heard."""

from __future__ import annotations

import math
from typing import Any
from uuid import UUID

from django.urls import reverse
from rest_framework import serializers

from listening_test.models import Clip, ListeningSession
from listening_test.scales import HIGHEST, LOWEST
from listening_test.services.ratings import MOST_CHANGES, MOST_PLAYS, MOST_SECONDS
from listening_test.session_selectors import Place, clip_seconds, place_of


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


class HeardSerializer(serializers.Serializer[Any]):
    seconds = RealNumber(min_value=0, max_value=MOST_SECONDS, help_text="Heard of this clip so far, in all.")
    plays = WholeNumber(min_value=0, max_value=MOST_PLAYS, help_text="How often it was begun so far.")


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
    clip = serializers.CharField(help_text="Address of the FLAC file.")
    seconds = serializers.FloatField(help_text="Length of the clip.")
    next_clip = serializers.CharField(allow_null=True, help_text="To be fetched while this one is rated.")
    mixture = serializers.CharField(allow_null=True, help_text="Where the study lets listeners hear it.")
    heard = serializers.BooleanField(help_text="To its end, at least once: it may be rated.")
    heard_seconds = serializers.FloatField()
    plays = serializers.IntegerField()
    ratings = StandingsSerializer()


class StateSerializer(serializers.Serializer[Any]):
    step = serializers.ChoiceField(choices=ListeningSession.Step.choices)
    trial = TrialSerializer(allow_null=True, help_text="The current one; null before the first and after the last.")


class RefusalSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    detail = serializers.CharField(help_text="For a person, in the listener's language.")
    wait = serializers.FloatField(required=False, help_text="Seconds after which to ask again (`too_soon`).")


def state_of(session: ListeningSession) -> dict[str, Any]:
    place = place_of(session)
    return {"step": session.step, "trial": _trial(session, place) if place else None}


def _trial(session: ListeningSession, place: Place) -> dict[str, Any]:
    trial, clip = place.trial, place.trial.clip
    return {
        "position": trial.position,
        "total": place.total,
        "minutes_left": place.minutes_left,
        "source": {"key": clip.source, "name": clip.get_source_display()},
        "clip": _address(session, clip),
        "seconds": clip_seconds(clip),
        "next_clip": _address(session, place.upcoming),
        "mixture": _address(session, place.mixture),
        "heard": trial.heard_at is not None,
        "heard_seconds": trial.heard_seconds,
        "plays": trial.plays,
        "ratings": {rating.scale: {"value": rating.value, "changes": rating.changes} for rating in trial.ratings.all()},
    }


def _address(session: ListeningSession, clip: Clip | None) -> str | None:
    return reverse("listen_clip", args=[session.study.token, clip.token]) if clip else None
