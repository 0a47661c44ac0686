"""Sending a stored sound file to a browser, whole or in part.

Django's own FileResponse knows no Range, which Safari's audio element insists on, and it tells the file's name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from django.db.models.fields.files import FieldFile
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse

CHUNK_BYTES = 64 * 1024
RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})$")  # no file has a place of more digits


def audio_response(
    request: HttpRequest, field_file: FieldFile, *, content_type: str = "audio/flac"
) -> HttpResponseBase:
    """200 with the whole file, 206 with the one range asked for, or 416 where that lies outside (RFC 9110, section 14).

    Several ranges at once, and anything that is no byte range, get the whole file, as the standard allows.
    """
    size = _size(field_file)
    wanted = RANGE.match(request.headers.get("Range", "").strip())
    if wanted is None or wanted.groups() == ("", ""):
        return _part(request, field_file, 0, size, content_type)
    first, last = _bounds(wanted, size)
    if first > last:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    response = _part(request, field_file, first, last + 1 - first, content_type)
    response.status_code = 206
    response["Content-Range"] = f"bytes {first}-{last}/{size}"
    return response


def _size(field_file: FieldFile) -> int:
    try:
        return field_file.size
    except (FileNotFoundError, ValueError) as error:
        raise Http404 from error


def _bounds(wanted: re.Match[str], size: int) -> tuple[int, int]:
    """(first, last) byte; first > last where nothing of the range lies inside the file."""
    start, end = wanted.groups()
    if not start:  # the last `end` bytes
        return (max(0, size - int(end)), size - 1) if int(end) else (size, size - 1)
    return int(start), min(int(end), size - 1) if end else size - 1


def _part(
    request: HttpRequest, field_file: FieldFile, start: int, length: int, content_type: str
) -> StreamingHttpResponse:
    chunks = iter(()) if request.method == "HEAD" else _chunks(field_file, start, length)
    response = StreamingHttpResponse(chunks, content_type=content_type)
    response["Content-Length"] = str(length)
    response["Accept-Ranges"] = "bytes"
    response["Cache-Control"] = "private, max-age=3600"
    return response


def _chunks(field_file: FieldFile, start: int, length: int) -> Iterator[bytes]:
    """The file is opened when the first byte is asked for, and closed with the last one."""
    with field_file.storage.open(str(field_file.name), "rb") as file:
        file.seek(start)
        while length > 0 and (chunk := file.read(min(CHUNK_BYTES, length))):
            length -= len(chunk)
            yield chunk
