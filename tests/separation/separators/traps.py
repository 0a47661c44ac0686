"""A pickle that does something where it is read."""

from __future__ import annotations

from pathlib import Path


class Trap:
    """Creates a file where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (spring, (str(self.path),))


def spring(path: str) -> None:
    Path(path).touch()
