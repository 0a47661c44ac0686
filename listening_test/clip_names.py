"""The name under which one session hears one clip.

It is no property of the clip: another listener meets the same clip under another name, and so does the same listener
when it comes back. So names tell neither a system nor a repeat, and a name that is passed on opens nothing.
"""

from __future__ import annotations

import base64

from django.utils.crypto import salted_hmac

from listening_test.models import Clip, ListeningSession

NAME_BYTES = 18  # 144 bits, 24 letters


def clip_name(session: ListeningSession, clip: Clip, place: int | None = None) -> str:
    """`place` is the position of the trial in which it is played; none where the clip is played outside of trials."""
    digest = salted_hmac("listening_test.clip_names", f"{session.pk}/{clip.pk}/{place}", algorithm="sha256").digest()
    return base64.urlsafe_b64encode(digest[:NAME_BYTES]).decode()
