"""The instruments of the synthetic songs: each function renders one sound with numpy alone, no samples.

Every function returns a mono float64 array `[samples]` at 44.1 kHz with a peak near 1, and is a pure function
of its arguments: randomness comes only from the generator that is passed in.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import signal

RATE = 44_100
"""Hz."""

Mono = npt.NDArray[np.float64]

VOWELS: dict[str, tuple[float, float, float, float]] = {
    "a": (750.0, 1200.0, 2600.0, 3300.0),
    "e": (480.0, 1850.0, 2550.0, 3350.0),
    "i": (310.0, 2200.0, 2900.0, 3500.0),
    "o": (460.0, 880.0, 2550.0, 3250.0),
    "u": (340.0, 720.0, 2400.0, 3200.0),
}
"""Centre frequencies in Hz of the first four formants of the five Spanish vowels, rounded textbook values."""

FORMANT_GAINS = (1.0, 0.6, 0.35, 0.28)
FORMANT_WIDTHS = (90.0, 120.0, 180.0, 260.0)  # Hz


def clock(seconds: float) -> Mono:
    """Times in seconds of the samples of `seconds` of sound."""
    return np.arange(round(seconds * RATE)) / RATE


def hertz(midi: npt.ArrayLike) -> Mono:
    """Frequency in Hz of MIDI note numbers (69 is A4, 440 Hz; equal temperament)."""
    return np.asarray(440.0 * 2.0 ** ((np.asarray(midi, dtype=np.float64) - 69.0) / 12.0))


def unit_peak(sound: Mono) -> Mono:
    """The sound scaled to a peak of 1; silence stays silence."""
    peak = float(np.max(np.abs(sound), initial=0.0))
    return sound / peak if peak > 0 else sound


def soft_edges(sound: Mono, attack: float, release: float) -> Mono:
    """The sound with raised-cosine edges of `attack` and `release` seconds."""
    out = sound.copy()
    rise = min(len(out), max(1, round(attack * RATE)))
    fall = min(len(out), max(1, round(release * RATE)))
    out[:rise] *= 0.5 - 0.5 * np.cos(np.pi * np.arange(rise) / rise)
    out[len(out) - fall :] *= 0.5 + 0.5 * np.cos(np.pi * np.arange(1, fall + 1) / fall)
    return out


def filtered_noise(rng: np.random.Generator, samples: int, low: float, high: float | None = None) -> Mono:
    """White noise above `low` Hz, or between `low` and `high` Hz where `high` is given."""
    band, kind = (low, "highpass") if high is None else ((low, high), "bandpass")
    sections = signal.butter(2, band, kind, fs=RATE, output="sos")
    return np.asarray(signal.sosfilt(sections, rng.standard_normal(samples)))


def swept_drum(start: float, end: float, sweep: float, decay: float) -> Mono:
    """A drum skin: a sine that falls from `start` to `end` Hz in about `sweep` s and dies with `decay` s."""
    t = clock(min(1.0, 6.0 * decay))
    phase = 2 * np.pi * np.cumsum(end + (start - end) * np.exp(-t / sweep)) / RATE
    return soft_edges(np.sin(phase) * np.exp(-t / decay), 0.001, 0.02)


def kick(rng: np.random.Generator) -> Mono:
    body = swept_drum(rng.uniform(130, 210), rng.uniform(45, 62), rng.uniform(0.02, 0.035), rng.uniform(0.08, 0.15))
    click = filtered_noise(rng, 400, 1500.0, 6000.0) * np.exp(-np.arange(400) / 60.0)
    body[:400] += rng.uniform(0.1, 0.3) * click
    return unit_peak(body)


def snare(rng: np.random.Generator) -> Mono:
    t = clock(0.35)
    tone = np.sin(2 * np.pi * rng.uniform(165, 230) * t) * np.exp(-t / rng.uniform(0.03, 0.07))
    wires = unit_peak(filtered_noise(rng, len(t), 1200.0, 9500.0)) * np.exp(-t / rng.uniform(0.05, 0.1))
    return unit_peak(soft_edges(rng.uniform(0.4, 0.8) * tone + wires, 0.0005, 0.03))


def cymbal(rng: np.random.Generator, decay: float) -> Mono:
    """A hi-hat (`decay` of 0.02–0.3 s) or a crash (about 0.6 s)."""
    t = clock(min(1.6, 6.0 * decay))
    metal = sum(np.sign(np.sin(2 * np.pi * f * t)) for f in rng.uniform(3200, 7900, size=4))
    hiss = filtered_noise(rng, len(t), rng.uniform(5500, 7500))
    return unit_peak(soft_edges((hiss + 0.06 * metal) * np.exp(-t / decay), 0.0005, 0.01))


def tom(rng: np.random.Generator) -> Mono:
    pitch = rng.uniform(85, 150)
    return unit_peak(swept_drum(1.5 * pitch, pitch, 0.04, rng.uniform(0.1, 0.16)))


@dataclass(frozen=True)
class Timbre:
    """How a note sounds: harmonic k has gain k^-tilt and dies with the time constant decay/(1 + damping·(k-1))."""

    tilt: float  # steepness of the spectrum
    decay: float  # s, of the fundamental
    damping: float  # how much faster high harmonics die
    attack: float  # s
    odd: float = 1.0  # gain of the even harmonics: 0 hollow, 1 full
    stretch: float = 0.0  # inharmonicity of a stiff string
    detune: float = 0.0  # cents between two voices (chorus)
    brightest: float = 6000.0  # Hz, no harmonic above


GUITAR = Timbre(tilt=1.1, decay=0.9, damping=0.22, attack=0.003, stretch=8e-5, brightest=7000.0)
HARP = Timbre(tilt=1.6, decay=1.2, damping=0.35, attack=0.002, stretch=3e-5)
PIANO = Timbre(tilt=1.4, decay=1.4, damping=0.18, attack=0.004, stretch=2e-4, detune=3.0)
REED = Timbre(tilt=1.0, decay=30.0, damping=0.0, attack=0.03, odd=0.35, detune=6.0, brightest=5000.0)
STRINGS = Timbre(tilt=1.25, decay=30.0, damping=0.0, attack=0.12, detune=11.0, brightest=5000.0)
BELLS = Timbre(tilt=2.2, decay=0.8, damping=0.5, attack=0.002, odd=0.3, stretch=2e-3)
ROUND_BASS = Timbre(tilt=2.0, decay=0.9, damping=0.5, attack=0.006, brightest=900.0)
PICKED_BASS = Timbre(tilt=1.2, decay=0.7, damping=0.5, attack=0.004, brightest=1800.0)
HOLLOW_BASS = Timbre(tilt=1.5, decay=3.0, damping=0.1, attack=0.01, odd=0.1, brightest=1000.0)


def note(frequency: float, seconds: float, timbre: Timbre) -> Mono:
    """One note of `frequency` Hz and `seconds` s by additive synthesis, with soft edges."""
    t = clock(seconds)
    sound = np.zeros(len(t))
    for cents in (0.0,) if timbre.detune == 0 else (-timbre.detune / 2, timbre.detune / 2):
        sound += _harmonics(frequency * 2.0 ** (cents / 1200.0), t, timbre)
    return soft_edges(unit_peak(sound), timbre.attack, min(0.08, seconds / 3))


def _harmonics(frequency: float, t: Mono, timbre: Timbre) -> Mono:
    count = int(np.clip(timbre.brightest // frequency, 1, 24))
    k = np.arange(1, count + 1)
    pitches = frequency * k * np.sqrt(1.0 + timbre.stretch * k**2)
    gains = k**-timbre.tilt * np.where(k % 2 == 0, timbre.odd, 1.0)
    rates = (1.0 + timbre.damping * (k - 1)) / timbre.decay
    # e^((-rate + 2πi·pitch)·t) = (step)^sample: powers by repeated squaring of blocks are far cheaper than sines.
    return _decaying_sines(-rates + 2j * np.pi * pitches, gains * np.exp(0.7j * k), len(t))


def _decaying_sines(exponents: npt.NDArray[np.complex128], gains: npt.NDArray[np.complex128], samples: int) -> Mono:
    """Sum over k of Im(gain_k · e^(exponent_k · t)) for `samples` samples, as one product of two small matrices."""
    block = 512
    blocks = -(-samples // block)
    inner = np.exp(np.outer(exponents, np.arange(block) / RATE))
    outer = np.exp(np.outer(np.arange(blocks) * block / RATE, exponents)) * gains
    return np.asarray((outer @ inner).imag.reshape(-1)[:samples])


def sung_voice(pitch: Mono, level: Mono, vowels: Mono, breath: float, rng: np.random.Generator) -> Mono:
    """A sung voice: a glottal pulse train through moving formants (source–filter model, Fant 1960).

    `pitch`: MIDI note at each sample; `level`: gain 0–1 at each sample; `vowels`: `[4, samples]` formant centres
    in Hz; `breath`: gain of the aspiration noise.
    """
    frequency = hertz(pitch)
    pulses = _glottal_pulses(frequency, rng)
    aspiration = breath * rng.standard_normal(len(pitch))
    return _through_formants((pulses + aspiration) * level, vowels)


def _glottal_pulses(frequency: Mono, rng: np.random.Generator) -> Mono:
    """Band-limited pulses read from one period in a table, whose harmonics fall by about 8 dB an octave."""
    size = 4096
    k = np.arange(1, max(2, int(16_000 / frequency.max())))
    gains = k ** -rng.uniform(1.15, 1.45)
    spectrum = np.zeros(size // 2 + 1, dtype=np.complex128)
    spectrum[k] = gains * np.exp(1j * 0.4 * np.sqrt(k)) * size / 2
    table = np.fft.irfft(spectrum, size)
    position = (np.cumsum(frequency / RATE) % 1.0) * size
    below = position.astype(np.int64)
    share = position - below
    return np.asarray(table[below % size] * (1 - share) + table[(below + 1) % size] * share)


def _through_formants(source: Mono, formants: Mono) -> Mono:
    """The source filtered, frame by frame in the short-time Fourier domain, by resonances at `formants` Hz."""
    size, hop = 2048, 512
    frequencies, times, spectra = signal.stft(source, RATE, nperseg=size, noverlap=size - hop)
    at = np.minimum((times * RATE).astype(np.int64), len(source) - 1)
    response = np.full(spectra.shape, 0.02)
    for centres, gain, width in zip(formants, FORMANT_GAINS, FORMANT_WIDTHS, strict=True):
        distance = (frequencies[:, None] - centres[at][None, :]) / (width / 2)
        response += gain / np.sqrt(1.0 + distance**2)
    _, voiced = signal.istft(spectra * response, RATE, nperseg=size, noverlap=size - hop)
    return np.asarray(voiced[: len(source)])


def room(rng: np.random.Generator) -> Mono:
    """A small room's stereo impulse response `[2, samples]` of unit energy: decaying noise after a short gap."""
    reverberation = rng.uniform(0.25, 0.6)  # s, to -60 dB
    t = clock(reverberation)
    tail = rng.standard_normal((2, len(t))) * np.exp(-6.91 * t / reverberation)
    sections = signal.butter(1, (250.0, 5000.0), "bandpass", fs=RATE, output="sos")
    damped = np.asarray(signal.sosfilt(sections, tail, axis=1))
    gap = np.zeros((2, round(rng.uniform(0.008, 0.02) * RATE)))
    late = np.concatenate([gap, damped], axis=1)
    return np.asarray(late / np.sqrt(np.sum(late**2) / 2))
