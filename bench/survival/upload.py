"""A song sent to the web server as a browser does, slowly enough to be interrupted."""

from __future__ import annotations

import http.client
import io
import time
import uuid

import soundfile

from audio.synthesis import synthetic_song

PIECES, PIECE_SECONDS = 20, 0.02


class Upload:
    """One request of a researcher who is logged in."""

    def __init__(self, port: int, sound: bytes, separator: str) -> None:
        self.port = port
        self.boundary = uuid.uuid4().hex
        self.body = self._form(sound, separator)
        self.cookies, self.token = _logged_in()
        self.answer = "not sent"

    def _form(self, sound: bytes, separator: str) -> bytes:
        line = f"--{self.boundary}\r\nContent-Disposition: form-data; name="
        head = f'{line}"separators"\r\n\r\n{separator}\r\n{line}"sounds"; filename="song.wav"\r\n\r\n'
        return head.encode() + sound + f"\r\n--{self.boundary}--\r\n".encode()

    def send(self) -> None:
        """`answer` says what came back."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            self.answer = self._sent(connection)
        except (OSError, http.client.HTTPException) as error:
            self.answer = f"no answer ({type(error).__name__})"
        finally:
            connection.close()

    def _sent(self, connection: http.client.HTTPConnection) -> str:
        connection.putrequest("POST", "/songs/add/")
        for name, value in {
            "Content-Type": f"multipart/form-data; boundary={self.boundary}",
            "Content-Length": str(len(self.body)),
            "Cookie": self.cookies,
            "X-CSRFToken": self.token,
            "Accept": "application/json",
        }.items():
            connection.putheader(name, value)
        connection.endheaders()
        step = -(-len(self.body) // PIECES)
        for start in range(0, len(self.body), step):
            connection.send(self.body[start : start + step])
            time.sleep(PIECE_SECONDS)
        return f"answer {connection.getresponse().status}"


def sound_file(seed: int, seconds: float) -> bytes:
    """A synthetic song as WAV."""
    file = io.BytesIO()
    soundfile.write(file, synthetic_song(seed, seconds).mixture.T, 44_100, format="WAV", subtype="FLOAT")
    return file.getvalue()


def _logged_in() -> tuple[str, str]:
    """The cookies of the researcher's session, and the token that forms carry."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.auth.models import User
    from django.contrib.sessions.backends.db import SessionStore

    user, _made = User.objects.get_or_create(username="survival", defaults={"is_staff": True, "is_superuser": True})
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    token = uuid.uuid4().hex
    return f"sessionid={session.session_key}; csrftoken={token}", token
