"""Sending a sound to a listener's browser: sealed, whole, and with headers that are the same for all of them.

There are no parts (Range): only media elements ask for them, and the listener's page fetches and decodes.
"""

from __future__ import annotations

from django.db.models.fields.files import FieldFile
from django.http import Http404, HttpRequest, HttpResponse

from listening_test.sealing import sealed

CONTENT_TYPE = "application/octet-stream"


def sealed_response(request: HttpRequest, file: FieldFile, *, name: str, size: int) -> HttpResponse:
    """A stored sound, under the name by which this listener knows it, in at least `size` bytes."""
    try:
        with file.storage.open(str(file.name), "rb") as opened:
            return sound_response(opened.read(), name=name, size=size)
    except (FileNotFoundError, ValueError) as error:
        raise Http404 from error


def sound_response(data: bytes, *, name: str, size: int = 0) -> HttpResponse:
    """The same for a sound that is made when it is asked for."""
    response = HttpResponse(sealed(data, name=name, size=size), content_type=CONTENT_TYPE)
    response["Cache-Control"] = "private, max-age=3600"
    return response
