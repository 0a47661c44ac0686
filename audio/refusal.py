"""Why a file that somebody uploaded cannot be used."""

from __future__ import annotations


class UnreadableAudio(Exception):
    """`code` is stable and short; `params` (numbers and short words) fill the sentence that the person reads.

    | code | meaning | params |
    |---|---|---|
    | empty_file | not one byte | |
    | not_audio | no audio that we know, whatever its name says | |
    | no_audio_track | a container without sound | |
    | truncated | it ends before its own structure says, or cannot be decoded to its end | `seconds`, if known |
    | header_implausible | the header claims a length that no song has | |
    | unpacks_too_large | a small file that unpacks to gigabytes | `packed_mb`, `unpacked_mb` |
    | too_long, too_short | outside what a song may last | `seconds`, `limit` |
    | channels_unsupported | a channel layout that cannot be mixed down | `channels` |
    | sample_rate_unsupported | below 4 kHz or above 384 kHz | `sample_rate` |
    | bad_samples | NaN, infinity, or more than 60 dB over full scale | |
    | silent | never louder than -60 dBFS | |
    | too_costly | decoding ran out of its memory or time | |
    | disk_full | no room for the decoded audio | |
    """

    def __init__(self, code: str, **params: float | str) -> None:
        super().__init__(f"{code} {params}" if params else code)
        self.code = code
        self.params = params
