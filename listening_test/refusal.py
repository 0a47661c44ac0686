"""What a listener's browser, or a researcher, asks for and does not get. Pure: sentences are in the messages."""

from __future__ import annotations

from typing import Any


class Refused(Exception):
    """Nothing was changed. `code` names the reason; `params` fill its sentence and tell the browser what to do."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code, self.params = code, params


class BadValue(Refused):
    """What was sent can never be right, whenever it is sent."""


class StudyRefused(Exception):
    """Something a study does not allow its researcher. `code` and `params`: see `listening_test.messages`."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code, self.params = code, params
