"""What a listener's page asks for while clips are heard and rated. The cookie of the session says who asks.

Every address may be asked again with the same content, as a browser does after a lost answer: nothing happens twice.
"""

from __future__ import annotations

import math
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import RequestDataTooBig
from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import exceptions, status
from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import ScopedRateThrottle
from rest_framework.views import APIView

from listening_test import listener_messages, session_selectors
from listening_test.device import DeviceFacts, browser_family, latency_or_none
from listening_test.listener_access import language_follow, session_of
from listening_test.models import ListeningSession, Study, Trial
from listening_test.refusal import BadValue, Refused
from listening_test.serializers import (
    DeviceSerializer,
    HeardSerializer,
    ListeningSerializer,
    RatingSerializer,
    RefusalSerializer,
    StandingSerializer,
    StateSerializer,
    state_of,
)
from listening_test.services.ratings import rating_save, trial_finish, trial_heard, trial_open
from listening_test.services.sessions import session_calibration_heard, session_device_save, session_returned
from listening_test.small_json import SmallJSONParser, TooLarge

REFUSALS = {
    400: OpenApiResponse(description="What was sent can never be right."),
    403: OpenApiResponse(RefusalSerializer, description="No session's cookie, or no CSRF token."),
    404: OpenApiResponse(description="No such study, trial or clip for this listener at this moment."),
    409: OpenApiResponse(RefusalSerializer, description="Not now: `code` says why."),
    429: OpenApiResponse(RefusalSerializer, description="Too many requests: `wait` says for how many seconds."),
}
DONE = OpenApiResponse(description="Done.")


class ListenerAuthentication(SessionAuthentication):
    """The session's cookie. Unlike for researchers, CSRF is checked for everybody: all listeners are anonymous."""

    def authenticate(self, request: Request) -> tuple[Any, ListeningSession | None]:
        self.enforce_csrf(request)
        study = get_object_or_404(Study, token=request.parser_context["kwargs"]["token"])
        session = session_of(request._request, study)
        if session is not None:
            language_follow(request._request, session)
        return AnonymousUser(), session


class ListenerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = ListenerAuthentication
    name = "listenerCookie"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "cookie", "name": "listen_<token of the study>"}


class HasSession(BasePermission):
    def has_permission(self, request: Request, view: Any) -> bool:
        if not isinstance(request.auth, ListeningSession):
            raise NoSession
        return True


class NoSession(exceptions.PermissionDenied):
    """A browser whose cookie is gone, or who never agreed."""


class ListenerThrottle(ScopedRateThrottle):
    """Each session has its own allowance: a class that listens behind one address is not one listener."""

    def get_ident(self, request: Request) -> str:
        session = request.auth
        return f"session-{session.pk}" if isinstance(session, ListeningSession) else super().get_ident(request)


class ListenerView(APIView):
    authentication_classes = [ListenerAuthentication]
    permission_classes = [HasSession]
    throttle_classes = [ListenerThrottle]
    throttle_scope = "listener"
    parser_classes = [SmallJSONParser]

    def handle_exception(self, exc: Exception) -> Response:
        """Every refusal is a code for the page and a sentence for the person."""
        if isinstance(exc, NoSession):
            return _refused(Refused("no_session"), status.HTTP_403_FORBIDDEN)
        if isinstance(exc, BadValue):
            return _refused(exc, status.HTTP_400_BAD_REQUEST)
        if isinstance(exc, Refused):
            return _refused(exc, status.HTTP_409_CONFLICT)
        if isinstance(exc, exceptions.Throttled):
            return _too_many(exc)
        if isinstance(exc, Http404):
            return _refused(Refused("not_here"), status.HTTP_404_NOT_FOUND)
        if isinstance(exc, RequestDataTooBig):
            exc = TooLarge()
        if isinstance(exc, (exceptions.ParseError, exceptions.ValidationError, TooLarge)):
            return _refused(BadValue("bad_request", reason=exc.detail), exc.status_code)
        return super().handle_exception(exc)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        session_returned(session=self.session(request))

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        return response

    def session(self, request: Request) -> ListeningSession:
        assert isinstance(request.auth, ListeningSession)  # noqa: S101 (HasSession made sure)
        return request.auth

    def trial(self, request: Request, position: int) -> Trial:
        """A trial that this listener has reached: nobody asks about those to come."""
        session = self.session(request)
        trial = get_object_or_404(session.trials.select_related("clip"), position=position)
        current = session_selectors.current_trial(session)
        if trial.finished_at is None and current != trial:
            raise Http404
        trial.session = session
        return trial


def _refused(refusal: Refused, status_code: int) -> Response:
    body = {**refusal.params, "code": refusal.code, "detail": listener_messages.sentence(refusal)}
    return Response(body, status=status_code)


def _too_many(throttled: exceptions.Throttled) -> Response:
    wait = max(1, math.ceil(getattr(throttled, "wait", None) or 1))  # its type stubs do not know it
    response = _refused(Refused("too_many", wait=wait), status.HTTP_429_TOO_MANY_REQUESTS)
    response["Retry-After"] = str(wait)
    return response


@extend_schema(tags=["listener"])
class Current(ListenerView):
    @extend_schema(
        summary="The step of the session, and its current trial", responses={200: StateSerializer, **REFUSALS}
    )
    def get(self, request: Request, token: str) -> Response:
        session = self.session(request)
        if session_selectors.is_shut(session):
            raise Refused("study_closed")
        return Response(state_of(session))


@extend_schema(tags=["listener"])
class TrialOpened(ListenerView):
    @extend_schema(summary="The clip begins to play", request=None, responses={204: DONE, **REFUSALS})
    def post(self, request: Request, token: str, position: int) -> Response:
        trial_open(trial=self.trial(request, position))
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema(tags=["listener"])
class TrialHeard(ListenerView):
    @extend_schema(
        summary="The clip was heard as far as needed", request=HeardSerializer, responses={204: DONE, **REFUSALS}
    )
    def post(self, request: Request, token: str, position: int) -> Response:
        sent = HeardSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        trial_heard(trial=self.trial(request, position), **sent.validated_data)
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema(tags=["listener"])
class TrialRating(ListenerView):
    @extend_schema(
        summary="An answer on one scale; gives the one that stands",
        request=RatingSerializer,
        responses={200: StandingSerializer, **REFUSALS},
    )
    def put(self, request: Request, token: str, position: int, scale: str) -> Response:
        sent = RatingSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        rating = rating_save(trial=self.trial(request, position), scale=scale, **sent.validated_data)
        return Response({"value": rating.value, "changes": rating.changes})


@extend_schema(tags=["listener"])
class TrialFinished(ListenerView):
    @extend_schema(summary="Next: go on", request=ListeningSerializer, responses={200: StateSerializer, **REFUSALS})
    def post(self, request: Request, token: str, position: int) -> Response:
        sent = ListeningSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        trial = trial_finish(trial=self.trial(request, position), **sent.validated_data)
        return Response(state_of(trial.session))


@extend_schema(tags=["listener"])
class CalibrationClipHeard(ListenerView):
    @extend_schema(summary="A calibration clip came to its end", request=None, responses={204: DONE, **REFUSALS})
    def post(self, request: Request, token: str, name: str) -> Response:
        session = self.session(request)
        clip = session_selectors.calibration_clip(session, name)
        if clip is None:
            raise Http404
        session_calibration_heard(session=session, clip=clip)
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema(tags=["listener"])
class Device(ListenerView):
    @extend_schema(summary="What plays the sound", request=DeviceSerializer, responses={204: DONE, **REFUSALS})
    def post(self, request: Request, token: str) -> Response:
        sent = DeviceSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        facts = DeviceFacts(
            sample_rate=sent.validated_data["sample_rate"],
            output_latency=latency_or_none(sent.validated_data.get("output_latency")),
            browser=browser_family(request.headers.get("User-Agent", "")),
        )
        session_device_save(session=self.session(request), facts=facts)
        return Response(status=status.HTTP_204_NO_CONTENT)
