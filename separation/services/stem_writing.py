"""Stems on their way to disk: pieces come in while the separation runs, finished files go out at its end.

The gain with which a stem fits into its file is known when its last sample is, so the pieces wait as float32 in scratch
files on the disk of the data. These have no names: whatever kills the process, nothing of them stays.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass
from threading import Event
from types import TracebackType

import numpy as np

from audio.writing import BLOCK_FRAMES, fitting_gain
from separation.models import SeparationJob, Stem
from separation.separators.base import Audio, Progress, SeparatorError, Span
from separation.services.flac_files import flac_saved
from separation.services.scratch import scratch_file

FRAME_BYTES = 8  # two channels of float32
THREADS = 4  # at most; encoding does not hold Python's lock
WAIT_SECONDS = 0.25


class BadStems(SeparatorError):
    """What the separator hands over is not what it promised: a fault of the separator, or of its weights."""

    code = "bad_stems"


class Stopped(Exception):
    """The other threads need not go on."""


@dataclass
class Part:
    """One source of one span, in its source's scratch file."""

    source: str
    span: Span
    offset: int  # frames
    peak: float = 0.0

    @property
    def frames(self) -> int:
        return self.span[1] - self.span[0]


class StemWriter:
    """A `separators.base.Sink` for one attempt at a job. Memory is flat in the length of the song."""

    def __init__(self, job: SeparationJob, sources: Sequence[str], spans: Sequence[Span]) -> None:
        self.job = job
        self.parts = [
            Part(source, span, sum(end - start for start, end in spans[:number]))
            for number, span in enumerate(spans)
            for source in sources
        ]
        self._opened = ExitStack()
        self._scratch = {source: self._opened.enter_context(scratch_file()) for source in sources}
        self._waiting = list(spans)
        self._next = spans[0][0]
        self._stop = Event()
        self._encoded = 0  # frames of all parts

    # ── pieces come in ───────────────────────────────────────────────────────────────────────────────

    def write(self, start: int, pieces: dict[str, Audio]) -> None:
        """The next piece of every stem. Raises `BadStems` for anything else, and `OSError`."""
        length = self._checked_length(start, pieces)
        for part in self.parts:
            if part.span == self._waiting[0]:
                self._append(part, pieces[part.source])
        self._next = start + length
        if self._next == self._waiting[0][1]:
            self._waiting.pop(0)
            self._next = self._waiting[0][0] if self._waiting else -1

    def _checked_length(self, start: int, pieces: dict[str, Audio]) -> int:
        if not self._waiting or start != self._next:
            raise BadStems(f"a piece at {start}, where {self._next} was awaited")
        if set(pieces) != set(self._scratch):
            raise BadStems(f"stems of {sorted(pieces)}, where {sorted(self._scratch)} were awaited")
        shapes = {(piece.shape, str(piece.dtype)) for piece in pieces.values()}
        (shape, dtype), *others = shapes
        if others or dtype != "float32" or len(shape) != 2 or shape[0] != 2 or shape[1] == 0:
            raise BadStems(f"pieces of {shapes}, where float32 [2, n] was awaited")
        if start + shape[1] > self._waiting[0][1]:
            raise BadStems(f"{shape[1]} samples at {start} go beyond the end at {self._waiting[0][1]}")
        return int(shape[1])

    def _append(self, part: Part, piece: Audio) -> None:
        peak = float(max(piece.max(), -piece.min()))
        if not np.isfinite(peak):
            raise BadStems(f"the stem of {part.source} holds NaN or infinity")
        part.peak = max(part.peak, peak)
        self._scratch[part.source].write(np.ascontiguousarray(piece.T).data)

    # ── files go out ─────────────────────────────────────────────────────────────────────────────────

    def stems(self, progress: Progress = lambda done: None) -> list[Stem]:
        """The files, in the folder of the job's attempt, and their rows, not yet saved.

        Raises `BadStems` where samples are missing, `OSError`, and whatever `progress` raises.
        """
        if self._waiting:
            raise BadStems(f"the stems end at sample {self._next}, before {self._waiting[-1][1]}")
        for file in self._scratch.values():
            file.flush()
        with ThreadPoolExecutor(min(THREADS, os.cpu_count() or 1), thread_name_prefix="flac") as pool:
            files = [pool.submit(self._stem, part) for part in self.parts]
            try:
                self._wait(files, progress)
            except BaseException:
                self._stop.set()
                pool.shutdown(cancel_futures=True)
                raise
        return [file.result() for file in files]

    def _wait(self, files: list[Future[Stem]], progress: Progress) -> None:
        """Until all are written, or one has failed, which raises its error."""
        total, waiting = sum(part.frames for part in self.parts), set(files)
        while waiting:
            done, waiting = wait(waiting, timeout=WAIT_SECONDS, return_when=FIRST_EXCEPTION)
            for file in done:
                file.result()
            progress(min(1.0, self._encoded / total))

    def _stem(self, part: Part) -> Stem:
        gain = fitting_gain(part.peak)
        stem = Stem(song=self.job.song, job=self.job, source=part.source, start=part.span[0], gain=gain)
        stem.samples = None if self.job.is_whole else part.frames
        stem.sha256 = flac_saved(stem.file, f"{part.source}.flac", self._blocks(part), gain)
        return stem

    def _blocks(self, part: Part) -> Iterator[Audio]:
        handle = self._scratch[part.source].fileno()
        for first in range(0, part.frames, BLOCK_FRAMES):
            if self._stop.is_set():
                raise Stopped
            count = min(BLOCK_FRAMES, part.frames - first)
            data = os.pread(handle, count * FRAME_BYTES, (part.offset + first) * FRAME_BYTES)
            yield np.frombuffer(data, dtype=np.float32).reshape(-1, 2).T
            self._encoded += count

    def close(self) -> None:
        self._stop.set()
        self._opened.close()

    def __enter__(self) -> StemWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self.close()
