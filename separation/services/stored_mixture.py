"""The song as it was uploaded, read piece by piece from its file."""

from __future__ import annotations

import hashlib
from contextlib import ExitStack
from types import TracebackType

import numpy as np
import soundfile

from separation.models import Song
from separation.separators.base import Audio, SeparatorError

BLOCK_FRAMES = 2**18
HELD_SAMPLES = 2**20  # 24 s: more than any separator's window


class MixtureMissing(SeparatorError):
    """The song's own file has been removed behind our back."""

    code = "mixture_missing"


class MixtureDamaged(SeparatorError):
    """The song's own file is not what was stored."""

    code = "mixture_damaged"


class StoredMixture:
    """A `separators.base.Mixture`: peaks beyond full scale included, at the song's own level.

    The file is opened once. A piece that begins inside the one before it, as overlapping windows do, is taken from
    there as far as that goes, so that reading on is never a seek. Not for several threads.
    """

    def __init__(self, song: Song) -> None:
        """Raises `MixtureMissing` or `MixtureDamaged`."""
        self.song = song
        self.samples: int = song.samples
        self._gain = np.float32(song.mixture_gain)
        self._opened = ExitStack()
        self._held: tuple[int, Audio] = (0, np.zeros((2, 0), dtype=np.float32))
        try:
            self._file = self._opened.enter_context(song.mixture.storage.open(str(song.mixture.name), "rb"))
            self._sound = self._opened.enter_context(soundfile.SoundFile(self._file))
        except FileNotFoundError as error:
            raise MixtureMissing(f"{song.mixture.name} is gone") from error
        except soundfile.SoundFileError as error:
            raise self._damaged(error) from error
        if (self._sound.frames, self._sound.channels) != (song.samples, 2):
            raise self._damaged(f"{self._sound.channels} × {self._sound.frames} samples")

    def read(self, start: int, end: int) -> Audio:
        """float32 `[2, end - start]`, the caller's own. Raises `MixtureDamaged`."""
        if not 0 <= start < end <= self.samples:
            raise ValueError(f"samples {start} to {end} do not lie inside a song of {self.samples}")
        piece = np.empty((2, end - start), dtype=np.float32)
        first, held = self._held
        known = held[:, start - first : end - first] if first <= start < first + held.shape[1] else held[:, :0]
        piece[:, : known.shape[1]] = known
        self._decode(piece[:, known.shape[1] :], start + known.shape[1])
        tail = min(piece.shape[1], HELD_SAMPLES)
        self._held = (end - tail, piece[:, -tail:].copy())
        return piece

    def _decode(self, target: Audio, start: int) -> None:
        """Fill `target` with what begins at sample `start`."""
        try:
            if target.shape[1] and self._sound.tell() != start:
                self._sound.seek(start)
            for at in range(0, target.shape[1], BLOCK_FRAMES):
                part = target[:, at : at + BLOCK_FRAMES]
                part[:] = self._block(part.shape[1])
        except soundfile.SoundFileError as error:
            raise self._damaged(error) from error

    def _block(self, frames: int) -> Audio:
        block = self._sound.read(frames, dtype="float32", always_2d=True)
        if len(block) != frames:
            raise self._damaged(f"{frames - len(block)} samples are missing before {self._sound.tell()}")
        samples: Audio = block.T if self._gain == 1.0 else block.T / self._gain
        return samples

    def _damaged(self, why: object) -> MixtureDamaged:
        return MixtureDamaged(f"{self.song.mixture.name} is not what was stored: {why}")

    def close(self) -> None:
        self._opened.close()

    def __enter__(self) -> StoredMixture:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self.close()


def mixture_sha256(song: Song) -> str:
    """Of the stored file; songs from before it was kept get it now. Raises `MixtureMissing`."""
    if not song.mixture_sha256:
        try:
            with song.mixture.storage.open(str(song.mixture.name), "rb") as file:
                song.mixture_sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        except FileNotFoundError as error:
            raise MixtureMissing(f"{song.mixture.name} is gone") from error
        Song.objects.filter(pk=song.pk).update(mixture_sha256=song.mixture_sha256)
    return song.mixture_sha256
