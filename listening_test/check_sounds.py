"""The sounds of the equipment checks as a browser gets them: of one length and size, whatever the right answer is."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache

from django.utils.crypto import salted_hmac

from audio.equipment_sounds import equipment_sound
from audio.reading import SAMPLE_RATE
from audio.writing import encode_flac
from listening_test.equipment import FIRST, LEFT, RIGHT, SECOND, THIRD, Kind
from listening_test.models import EquipmentCheck
from listening_test.sealing import sealed_size
from listening_test.stimulus import BITS

STEP_BYTES = 4096  # sizes are whole numbers of these: the items of a check have all the same
KEPT_ITEMS = 16  # of some hundred kB each: an item asked for again costs nothing
NAME_BYTES = 18  # 144 bits, 24 letters
PLAYABLE: Mapping[str, tuple[str, ...]] = {
    Kind.SIDES: (LEFT, RIGHT),
    Kind.ANTIPHASE: (FIRST, SECOND, THIRD),
    Kind.HUGGINS: (FIRST, SECOND, THIRD),
}


def sound_name(check: EquipmentCheck, place: int) -> str:
    """Under which the listener's browser asks for the item of this number; it tells nothing of what is heard."""
    digest = salted_hmac("listening_test.check_sounds", f"{check.pk}/{place}", algorithm="sha256").digest()
    return base64.urlsafe_b64encode(digest[:NAME_BYTES]).decode()


def sound_file(kind: str, answer: str, seed: Iterable[int]) -> tuple[bytes, int]:
    """FLAC, 16 bit, of the item of `kind` to which `answer` is right, and the size in bytes that it is sent with.

    The size, and the time that all this takes, would be the same if another answer were right.
    """
    files = _files(kind, tuple(seed))
    longest = max(len(data) for data in files.values())
    return files[answer], sealed_size(-(-longest // STEP_BYTES) * STEP_BYTES)


@lru_cache(maxsize=KEPT_ITEMS)
def _files(kind: str, seed: tuple[int, ...]) -> dict[str, bytes]:
    """What the item of this seed would be for every answer: made together and kept together, so that neither the first
    request nor the next ones tell by their time which is right."""
    return {answer: encode_flac(equipment_sound(kind, answer, list(seed)), bits=BITS)[0] for answer in PLAYABLE[kind]}


@cache
def sound_seconds(kind: str) -> float:
    """How long one item lasts."""
    samples: int = equipment_sound(kind, PLAYABLE[kind][0], [0]).shape[1]
    return samples / SAMPLE_RATE
