"""Synthetic songs with exact stems: the music of the demo study and of the demo weights' training.

Pure numpy and scipy. A song is composed (tempo, key, chords, melody, drum and bass patterns), played by
`audio.instruments`, panned, put into one small room and balanced. Everything follows from the seed: the same seed
gives the same bytes, and each part has a stream of its own, so that a change in one leaves the others alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import signal

from audio import instruments
from audio.instruments import RATE, Mono, Timbre

Audio = npt.NDArray[np.float32]
"""float32 `[2, samples]` at 44.1 kHz; full scale is ±1."""

SOURCES = ("vocals", "drums", "bass", "other")

NOTES = ("C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B")
SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}
PROGRESSIONS = {  # scale degrees, one chord a bar
    "major": ((0, 4, 5, 3), (0, 5, 3, 4), (0, 3, 0, 4), (5, 3, 0, 4), (0, 2, 3, 4), (1, 4, 0, 5)),
    "minor": ((0, 5, 2, 6), (0, 3, 6, 2), (0, 6, 5, 6), (0, 5, 3, 6), (0, 3, 0, 6), (0, 2, 5, 6)),
}
KICKS = ((0, 8), (0, 6, 8), (0, 8, 10), (0, 7, 10), (0, 4, 8, 12), (0, 3, 8, 11))  # sixteenths of a bar
SNARES = ((4, 12), (4, 12), (4, 12, 15), (4, 7, 12), (8,))
BASS_LINES = (  # (sixteenth, length in sixteenths, scale steps above the chord's root)
    tuple((step, 2, 0) for step in range(0, 16, 2)),
    ((0, 3, 0), (3, 3, 0), (6, 2, 4), (8, 3, 0), (11, 3, 0), (14, 2, 4)),
    ((0, 4, 0), (4, 4, 2), (8, 4, 4), (12, 4, 2)),
    ((0, 6, 0), (6, 2, 0), (8, 6, 4), (14, 2, 2)),
    ((0, 3, 0), (4, 2, 0), (6, 3, 7), (10, 2, 0), (12, 2, 4), (14, 2, 0)),
)
COMPING = (  # sixteenths at which a chord is played, and how long it rings
    ((0, 4), (4, 4), (8, 4), (12, 4)),
    ((0, 6), (6, 6), (12, 4)),
    ((0, 3), (3, 3), (6, 4), (10, 2), (12, 4)),
    ((0, 8), (8, 8)),
)
PLUCKED = (instruments.GUITAR, instruments.HARP, instruments.PIANO, instruments.BELLS)
SUSTAINED = (instruments.REED, instruments.STRINGS)
BASSES = (instruments.ROUND_BASS, instruments.PICKED_BASS, instruments.HOLLOW_BASS)

TITLE_HEADS = ("Faro", "Luz", "Calle", "Marea", "Puerta", "Noche", "Camino", "Jardín", "Tren", "Espejo", "Isla")
TITLE_TAILS = ("abril", "sal", "cobre", "papel", "agua", "octubre", "cristal", "arena", "humo", "plata", "mayo", "miel")


@dataclass(frozen=True)
class SyntheticSong:
    """A song and its stems: each float32 `[2, samples]` at 44.1 kHz, in the order of `SOURCES`."""

    seed: int
    title: str
    tempo: float  # beats a minute
    key: str  # e.g. "E♭ minor"
    stems: dict[str, Audio]

    @cached_property
    def mixture(self) -> Audio:
        """float32 `[2, samples]`: the sum of the stems, sample by sample, with a peak below 1."""
        vocals, drums, bass, other = (self.stems[source] for source in SOURCES)
        return vocals + drums + bass + other


@dataclass(frozen=True)
class Score:
    """What is played: the decisions that all four parts share."""

    seed: int
    seconds: float
    tempo: float
    tonic: int  # pitch class, 0 is C
    mode: str
    chords: tuple[int, ...]  # scale degree of the chord of each bar

    @property
    def sixteenth(self) -> float:
        return 15.0 / self.tempo  # s

    @property
    def samples(self) -> int:
        return round(self.seconds * RATE)

    def part(self, number: int) -> np.random.Generator:
        """The random stream of one part; streams of different parts and songs are independent."""
        return np.random.default_rng([self.seed, number])

    def midi(self, degree: int, lowest: int) -> int:
        """MIDI note of a scale degree (any integer), counted from the first tonic at or above `lowest`."""
        octave, step = divmod(degree, 7)
        return lowest + (self.tonic - lowest) % 12 + 12 * octave + SCALES[self.mode][step]

    def onset(self, bar: int, sixteenth: float) -> float:
        """Time in seconds of a place in the bar."""
        return (16 * bar + sixteenth) * self.sixteenth


def synthetic_song(seed: int, seconds: float = 12.0) -> SyntheticSong:
    """Compose and play the song of `seed` (a non-negative integer), `seconds` s long (at least 1).

    Every source sounds nearly all the time. Raises `ValueError` for a negative seed or a shorter song.
    """
    if seed < 0 or seconds < 1.0:
        raise ValueError("a synthetic song needs a seed of 0 or more and at least 1 second")
    score = _composed(seed, seconds)
    parts = {"vocals": _vocals(score), "drums": _drums(score), "bass": _bass(score), "other": _other(score)}
    return SyntheticSong(
        seed=seed,
        title=_title(score.part(9)),
        tempo=score.tempo,
        key=f"{NOTES[score.tonic]} {score.mode}",
        stems=_balanced(parts, score.part(5)),
    )


def _composed(seed: int, seconds: float) -> Score:
    rng = np.random.default_rng([seed, 0])
    mode = str(rng.choice(["major", "minor"]))
    tempo = float(np.round(rng.uniform(82.0, 132.0), 1))
    bars = int(np.ceil(seconds * tempo / 240.0))
    progression = PROGRESSIONS[mode][rng.integers(len(PROGRESSIONS[mode]))]
    chords = tuple(progression[bar % len(progression)] for bar in range(bars))
    return Score(seed, seconds, tempo, int(rng.integers(12)), mode, chords)


def _title(rng: np.random.Generator) -> str:
    return f"{rng.choice(TITLE_HEADS)} de {rng.choice(TITLE_TAILS)}"


def _place(track: Mono, sound: Mono, seconds: float, gain: float = 1.0, pan: float = 0.0) -> None:
    """Add a mono sound to the stereo track at `seconds`, panned -1 (left) to 1 (right) with constant power."""
    start = round(max(0.0, seconds) * RATE)
    heard = sound[: max(0, track.shape[1] - start)]
    angle = (pan + 1.0) * np.pi / 4
    track[0, start : start + len(heard)] += gain * np.cos(angle) * heard
    track[1, start : start + len(heard)] += gain * np.sin(angle) * heard


# ── drums ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _drums(score: Score) -> Mono:
    rng = score.part(1)
    kit: dict[str, tuple[Mono, float, float]] = {  # sound, gain, pan
        "kick": (instruments.kick(rng), 1.0, 0.0),
        "snare": (instruments.snare(rng), rng.uniform(0.6, 0.9), rng.uniform(-0.15, 0.15)),
        "hat": (instruments.cymbal(rng, rng.uniform(0.02, 0.04)), rng.uniform(0.2, 0.4), rng.uniform(-0.5, 0.5)),
        "open": (instruments.cymbal(rng, rng.uniform(0.1, 0.2)), rng.uniform(0.2, 0.35), rng.uniform(-0.5, 0.5)),
        "crash": (instruments.cymbal(rng, 0.5), rng.uniform(0.25, 0.4), rng.uniform(-0.6, 0.6)),
        "tom": (instruments.tom(rng), 0.7, rng.uniform(-0.4, 0.4)),
    }
    track = np.zeros((2, score.samples))
    for bar, step, piece, force in _drum_hits(score, rng):
        sound, gain, pan = kit[piece]
        _place(track, sound, score.onset(bar, step) + rng.normal(0, 0.002), gain * force * rng.uniform(0.85, 1.0), pan)
    return track


def _drum_hits(score: Score, rng: np.random.Generator) -> list[tuple[int, int, str, float]]:
    """(bar, sixteenth, piece, force 0–1) of every hit: one groove, with a fill at the end of every fourth bar."""
    kicks, snares = KICKS[rng.integers(len(KICKS))], SNARES[rng.integers(len(SNARES))]
    pulse = int(rng.choice([1, 2, 2, 4]))
    groove = [(step, "kick", 1.0) for step in kicks] + [(step, "snare", 1.0) for step in snares]
    groove += [(step, "hat", 1.0 if step % 4 == 0 else 0.6) for step in range(0, 16, pulse)]
    groove += [(14, "open", 0.8)] if rng.random() < 0.5 else []
    fill = [(step, "tom", 0.6 + 0.1 * (step - 12)) for step in (12, 13, 14, 15)]
    hits = []
    for bar in range(len(score.chords)):
        hits += [(bar, *hit) for hit in groove + (fill if bar % 4 == 3 else [])]
        hits += [(bar, 0, "crash", 1.0)] if bar % 4 == 0 and bar > 0 else []
    return hits


# ── bass and chords ──────────────────────────────────────────────────────────────────────────────────────────────


def _bass(score: Score) -> Mono:
    rng = score.part(2)
    line, timbre = BASS_LINES[rng.integers(len(BASS_LINES))], BASSES[rng.integers(len(BASSES))]
    lowest = int(rng.integers(28, 33))
    notes = _note_maker(timbre)
    track = np.zeros((2, score.samples))
    for bar, chord in enumerate(score.chords):
        for step, length, above in line:
            sound = notes(score.midi(chord % 7 + above, lowest), length * score.sixteenth * 0.97)
            _place(track, sound, score.onset(bar, step), rng.uniform(0.8, 1.0))
    return track


def _note_maker(timbre: Timbre) -> Callable[[int, float], Mono]:
    """A function (MIDI note, seconds) → sound that renders each different note once."""
    made: dict[tuple[int, float], Mono] = {}

    def maker(midi: int, seconds: float) -> Mono:
        if (midi, seconds) not in made:
            made[midi, seconds] = instruments.note(float(instruments.hertz(midi)), seconds, timbre)
        return made[midi, seconds]

    return maker


def _other(score: Score) -> Mono:
    """A plucked or struck instrument over a quiet sustained one, at two sides of the stage."""
    rng = score.part(3)
    side = rng.uniform(0.15, 0.6) * rng.choice([-1, 1])
    track = np.zeros((2, score.samples))
    plucked = PLUCKED[rng.integers(len(PLUCKED))]
    if rng.random() < 0.5:
        _arpeggio(score, track, plucked, side, rng)
    else:
        _strummed(score, track, plucked, side, rng)
    _pad(score, track, SUSTAINED[rng.integers(len(SUSTAINED))], -side, rng)
    return track


def _voicing(score: Score, chord: int) -> list[int]:
    """The chord's four notes as near to each other as they come, between G3 and about G4."""
    triad = sorted(55 + (score.midi(chord + above, 48) - 55) % 12 for above in (0, 2, 4))
    return [*triad, triad[0] + 12]


def _arpeggio(score: Score, track: Mono, timbre: Timbre, pan: float, rng: np.random.Generator) -> None:
    notes, length = _note_maker(timbre), int(rng.choice([2, 2, 1]))
    order = rng.permutation(4) if rng.random() < 0.5 else np.arange(4)
    for bar, chord in enumerate(score.chords):
        tones = _voicing(score, chord)
        for count, step in enumerate(range(0, 16, length)):
            sound = notes(tones[order[count % 4]], 4 * score.sixteenth)
            _place(track, sound, score.onset(bar, step) + rng.normal(0, 0.003), rng.uniform(0.6, 0.9), pan)


def _strummed(score: Score, track: Mono, timbre: Timbre, pan: float, rng: np.random.Generator) -> None:
    notes, rhythm = _note_maker(timbre), COMPING[rng.integers(len(COMPING))]
    stagger = rng.uniform(0.004, 0.018)
    for bar, chord in enumerate(score.chords):
        tones = _voicing(score, chord)
        for step, length in rhythm:
            force = rng.uniform(0.35, 0.5)
            for string, tone in enumerate(tones):
                place = score.onset(bar, step) + string * stagger
                _place(track, notes(tone, length * score.sixteenth), place, force, pan)


def _pad(score: Score, track: Mono, timbre: Timbre, pan: float, rng: np.random.Generator) -> None:
    notes, gain = _note_maker(timbre), rng.uniform(0.1, 0.28)
    for bar, chord in enumerate(score.chords):
        for tone in _voicing(score, chord)[:3]:
            sound = notes(tone + 12 * int(tone < 58), 16 * score.sixteenth * 1.03)
            _place(track, sound, score.onset(bar, 0), gain, pan)


# ── voice ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _vocals(score: Score) -> Mono:
    rng = score.part(4)
    lowest = int(rng.choice([45, 50, 55, 59]))  # from baritone to soprano
    melody = _melody(score, lowest, rng)
    pitch, level, vowels = _voice_curves(score, melody, rng)
    voice = instruments.sung_voice(pitch, level, vowels, breath=rng.uniform(0.01, 0.05), rng=rng)
    track = np.zeros((2, score.samples))
    _place(track, instruments.unit_peak(voice), 0.0, 1.0, rng.uniform(-0.15, 0.15))
    for onset, _, _ in melody:
        if rng.random() < 0.45:
            _place(track, _consonant(rng), onset - 0.05, rng.uniform(0.04, 0.12))
    return track


def _consonant(rng: np.random.Generator) -> Mono:
    length = round(rng.uniform(0.03, 0.08) * RATE)
    low = rng.uniform(2000, 5000)
    hiss = instruments.unit_peak(instruments.filtered_noise(rng, length, low, low + 3500.0))
    return instruments.soft_edges(hiss, 0.01, 0.015)


def _melody(score: Score, lowest: int, rng: np.random.Generator) -> list[tuple[float, float, int]]:
    """(onset s, length s, MIDI note) of a sung line: steps within the key, chord tones on the strong beats.

    Phrases last two bars and leave one beat for breath.
    """
    line, degree = [], int(rng.integers(0, 7))
    for bar, chord in enumerate(score.chords):
        step, end = 0, 16 if bar % 2 == 0 else 12
        while step < end:
            length = min(int(rng.choice([2, 2, 4, 4, 6, 8])), end - step)
            degree = _next_degree(degree, chord, strong=step % 8 == 0, rng=rng)
            line.append((score.onset(bar, step), length * score.sixteenth, score.midi(degree, lowest)))
            step += length
    return line


def _next_degree(degree: int, chord: int, strong: bool, rng: np.random.Generator) -> int:
    wanted = degree + int(rng.choice([-2, -1, -1, 0, 1, 1, 2]))
    wanted = int(np.clip(wanted, 0, 8))
    if not strong:
        return wanted
    tones = [tone for tone in range(0, 9) if (tone - chord) % 7 in (0, 2, 4)]
    return min(tones, key=lambda tone: abs(tone - wanted))


def _voice_curves(
    score: Score, melody: list[tuple[float, float, int]], rng: np.random.Generator
) -> tuple[Mono, Mono, Mono]:
    """Pitch (MIDI), level (0–1) and formants (`[4, samples]`, Hz) at every sample of the song."""
    samples = score.samples
    pitch, level = np.full(samples, float(melody[0][2])), np.zeros(samples)
    formants = np.tile(np.array(instruments.VOWELS["a"])[:, None], samples)
    names, size = list(instruments.VOWELS), rng.uniform(0.95, 1.18)  # size: of the singer's vocal tract
    for onset, length, midi in melody:
        start, stop = round(onset * RATE), min(samples, round((onset + length) * RATE))
        if start >= samples:
            break
        pitch[start:] = midi
        level[start:stop] = rng.uniform(0.75, 1.0) * _syllable(stop - start)
        formants[:, start:] = np.array(instruments.VOWELS[names[rng.integers(5)]])[:, None] * size
    return _with_vibrato(_glide(pitch, rng.uniform(0.015, 0.04)), rng), level, _glide(formants, 0.025)


def _syllable(samples: int) -> Mono:
    shape = np.linspace(1.0, 0.8, max(1, samples))
    return instruments.soft_edges(shape, 0.05, 0.06)


def _glide(curve: Mono, seconds: float) -> Mono:
    """The curve smoothed by a one-pole low-pass of `seconds`, twice: portamento."""
    pole = float(np.exp(-1.0 / (seconds * RATE)))
    start = curve[..., :1]
    return np.asarray(_one_pole(_one_pole(curve - start, pole), pole) + start)


def _one_pole(curve: Mono, pole: float) -> Mono:
    return np.asarray(signal.lfilter([1.0 - pole], [1.0, -pole], curve))


def _with_vibrato(pitch: Mono, rng: np.random.Generator) -> Mono:
    """Vibrato of 5–6.3 Hz and 0.12–0.4 semitones, swelling and fading slowly, and a little drift."""
    t = np.arange(len(pitch)) / RATE
    swell = 0.6 + 0.4 * np.sin(2 * np.pi * rng.uniform(0.2, 0.5) * t + rng.uniform(0, 6.28))
    vibrato = rng.uniform(0.12, 0.4) * swell * np.sin(2 * np.pi * rng.uniform(5.0, 6.3) * t)
    drift = 0.06 * np.sin(2 * np.pi * rng.uniform(0.5, 0.9) * t + rng.uniform(0, 6.28))
    return pitch + vibrato + drift


# ── mixing ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _balanced(parts: dict[str, Mono], rng: np.random.Generator) -> dict[str, Audio]:
    """The parts in one room, at levels that differ from song to song; the mixture peaks at 0.5–0.9."""
    response = instruments.room(rng)
    wet = {"vocals": 0.18, "drums": 0.1, "bass": 0.02, "other": 0.18}
    decibels = {"vocals": (-1.0, 2.5), "drums": (-2.0, 2.5), "bass": (-3.0, 1.5), "other": (-3.5, 1.0)}
    stems = {}
    for source in SOURCES:
        stem = _in_room(parts[source], response, wet[source] * rng.uniform(0.5, 1.3))
        level = 10.0 ** (rng.uniform(*decibels[source]) / 20.0)
        stems[source] = _edges(stem * level / np.sqrt(np.mean(stem**2)))
    peak = float(np.max(np.abs(sum(stems.values()))))
    gain = rng.uniform(0.5, 0.9) / peak
    return {source: (gain * stem).astype(np.float32) for source, stem in stems.items()}


def _in_room(dry: Mono, response: Mono, wet: float) -> Mono:
    heard = signal.oaconvolve(np.broadcast_to(dry.mean(axis=0), dry.shape), response, axes=1)[:, : dry.shape[1]]
    return np.asarray(dry + wet * heard)


def _edges(stem: Mono) -> Mono:
    """5 ms edges, so that the song neither starts nor ends with a click."""
    return np.stack([instruments.soft_edges(channel, 0.005, 0.005) for channel in stem])
