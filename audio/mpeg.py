"""The frames of an MP3 file, walked without decoding: how much music there is, and whether it was cut off.

An MP3 has no length of its own. What can be known comes from two places: the Xing/Info or VBRI header that most
encoders write into the first frame (how many frames follow), and the frames themselves (whether the last is whole).
Sources: ISO/IEC 11172-3 section 2.4.2 and 13818-3 (header), the public descriptions of the Xing and VBRI headers.
"""

from __future__ import annotations

from dataclasses import dataclass

_BITRATES = {  # kbit/s by (MPEG-1?, layer)
    (True, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}  # by version bits
SEARCH_BYTES = 64 * 1024
"""How far a first frame is looked for after the tags."""


@dataclass(frozen=True)
class Frame:
    version: int  # 3: MPEG-1, 2: MPEG-2, 0: MPEG-2.5
    layer: int  # 1–3
    sample_rate: int  # Hz
    samples: int  # per channel
    size: int  # bytes, header included


@dataclass(frozen=True)
class Walk:
    """`frames`: whole frames of music. `promised`: as many as the Xing or VBRI header says, None without one.

    `cut`: the last frame has a header but not all of its bytes.
    """

    frames: int
    promised: int | None
    cut: bool
    samples: int  # per channel, encoder padding included
    sample_rate: int

    @property
    def is_whole(self) -> bool:
        # One frame of grace: some encoders count the header's own frame, some do not.
        return not self.cut and (self.promised is None or self.frames >= self.promised - 1)


def frame_at(data: bytes, at: int) -> Frame | None:
    """The frame whose header stands at byte `at`, or None (no header, reserved values, or free format)."""
    if at + 4 > len(data) or data[at] != 0xFF or data[at + 1] & 0xE0 != 0xE0:
        return None
    version, layer = (data[at + 1] >> 3) & 3, 4 - ((data[at + 1] >> 1) & 3)
    rate, rates = data[at + 2] >> 4, (data[at + 2] >> 2) & 3
    if version == 1 or layer == 4 or rate in (0, 15) or rates == 3:
        return None
    bits = _BITRATES[version == 3, layer][rate - 1] * 1000
    sample_rate, padding = _RATES[version][rates], (data[at + 2] >> 1) & 1
    samples = {1: 384, 2: 1152, 3: 1152 if version == 3 else 576}[layer]
    size = (12 * bits // sample_rate + padding) * 4 if layer == 1 else samples // 8 * bits // sample_rate + padding
    return Frame(version, layer, sample_rate, samples, size)


def walk(data: bytes) -> Walk | None:
    """All frames of an MP3 file's bytes; None where no two frames follow each other near its start."""
    end = _music_end(data)
    at = _first_frame(data, end)
    if at is None:
        return None
    first = frame_at(data, at)
    assert first is not None  # noqa: S101
    promised = _promised(data, at, first)
    count, at, cut = _counted(data, at, end, first)
    music = count - 1 if promised is not None else count
    return Walk(music, promised, cut, music * first.samples, first.sample_rate)


def _counted(data: bytes, at: int, end: int, first: Frame) -> tuple[int, int, bool]:
    """(whole frames, where they end, whether the last one is cut off), stepping over what is no frame."""
    count = 0
    while at < end - 4:
        frame = frame_at(data, at)
        if frame is None or not _alike(frame, first):
            at = data.find(b"\xff", at + 1, end)
            if at < 0:
                return count, end, False
            continue
        if at + frame.size > end:
            return count, at, not _looks_like_padding(data[at:end])
        count, at = count + 1, at + frame.size
    return count, at, False


def _looks_like_padding(rest: bytes) -> bool:
    """Some editors leave 0xFF bytes after the last frame, which read like a header."""
    return len(set(rest)) <= 1


def _alike(one: Frame, other: Frame) -> bool:
    return (one.version, one.layer, one.sample_rate) == (other.version, other.layer, other.sample_rate)


def _first_frame(data: bytes, end: int) -> int | None:
    """Where the first frame starts that is followed by another of its kind."""
    start = after_tags(data)
    for at in range(start, min(end, start + SEARCH_BYTES)):
        frame = frame_at(data, at)
        if frame is None:
            continue
        following = frame_at(data, at + frame.size)
        if following is not None and _alike(frame, following):
            return at
    return None


def after_tags(data: bytes) -> int:
    """Where the ID3v2 tags at the start of the file end."""
    at = 0
    while data[at : at + 3] == b"ID3" and len(data) >= at + 10:
        size = 0
        for byte in data[at + 6 : at + 10]:
            size = size << 7 | byte & 0x7F
        at += 10 + size + (10 if data[at + 5] & 0x10 else 0)  # bit 4: a footer follows
    return at


def _music_end(data: bytes) -> int:
    """Where the tags at the end of the file (ID3v1, APEv2) begin."""
    end = len(data)
    if data[end - 128 : end - 125] == b"TAG":
        end -= 128
    if data[end - 32 : end - 24] == b"APETAGEX":
        size = int.from_bytes(data[end - 20 : end - 16], "little")
        header = 32 if data[end - 9] & 0x80 else 0
        end = max(0, end - size - header)
    return end


def _promised(data: bytes, at: int, first: Frame) -> int | None:
    """How many frames the Xing, Info or VBRI header in the first frame promises."""
    head = data[at : at + first.size]
    for name in (b"Xing", b"Info"):
        found = head.find(name, 4, 64)
        if found >= 0:
            has_count = head[found + 7] & 1
            return int.from_bytes(head[found + 8 : found + 12], "big") if has_count else 0
    if head[36:40] == b"VBRI":
        return int.from_bytes(head[50:54], "big")
    return None
