"""Receiving uploads: straight to a file on the media's own disk, and never more than the limit."""

from __future__ import annotations

import errno

from django.conf import settings
from django.core.files.uploadhandler import SkipFile, TemporaryFileUploadHandler
from django.http import HttpRequest

from separation.services.songs import shown_name


class LimitedUploadHandler(TemporaryFileUploadHandler):
    """Stops keeping a file once it passes the limit or the disk is full, and remembers why.

    `refused` holds (name, code) of each such file, in order. The rest of the request is still read, so that the
    browser gets the page with the sentence and not a broken connection.
    """

    def __init__(self, request: HttpRequest | None = None, *, limit: int | None = None) -> None:
        """`limit`: bytes; that of a song if not given."""
        super().__init__(request)
        self.limit = limit or settings.UPLOAD_MAX_BYTES
        self.refused: list[tuple[str, str]] = []

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        if start + len(raw_data) > self.limit:
            self._refuse("too_big")
        try:
            super().receive_data_chunk(raw_data, start)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            self._refuse("disk_full")
        return None

    def _refuse(self, code: str) -> None:
        self.refused.append((shown_name(self.file_name or ""), code))
        raise SkipFile


def limit_params() -> dict[str, int]:
    """What fills the sentence about a file that is too large."""
    return {"limit_mb": settings.UPLOAD_MAX_BYTES // 2**20}
