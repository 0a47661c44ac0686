"""What files and folders are called, and what is meant."""

from __future__ import annotations

import pytest

from separation.stem_names import is_mixture, song_matches, source_of


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("vocals.wav", "vocals"),
        ("Voz.flac", "vocals"),
        ("VOICE.mp3", "vocals"),
        ("batería.wav", "drums"),
        ("BATERIA.WAV", "drums"),
        ("bajo.wav", "bass"),
        ("otros.wav", "other"),
        ("piano.wav", "piano"),
        ("guitarra.wav", "guitar"),
        ("accompaniment.wav", "accompaniment"),
        ("no_vocals.wav", "accompaniment"),
        ("Instrumental.m4a", "accompaniment"),
        ("1_My song_(Vocals).wav", "vocals"),
        ("My song (No Vocals).wav", "accompaniment"),
        ("Bass is my song - drums.wav", "drums"),
        ("bass_estimate.wav", "bass"),
        ("Mi canción - Batería.FLAC", "drums"),
        ("03_bajo.mp3", "bass"),
        ("acompañamiento.wav", "accompaniment"),
        ("no_drums.wav", None),
        ("vocals and drums.wav", None),
        ("Mi canción - voz y batería.wav", None),
        ("drumsticks.wav", None),
        ("", None),
        ("strings.wav", None),
        ("mixture.wav", None),
        (".wav", None),
    ],
)
def test_source_of_a_file(name: str, source: str | None) -> None:
    assert source_of(name) == source


def test_the_mixture_is_known() -> None:
    assert is_mixture("mixture.wav")
    assert is_mixture("Mezcla.flac")
    assert not is_mixture("vocals.wav")


NAMES = {1: ["Canción del Mar", "mar.wav"], 2: ["Al's Blues"], 3: ["Twice"], 4: ["Twice"]}


@pytest.mark.parametrize("folder", ["Canción del Mar", "cancion_del_mar", "03 - Cancion del mar", "MAR.WAV"])
def test_a_folder_is_matched_without_case_accents_and_punctuation(folder: str) -> None:
    assert song_matches(folder, NAMES) == ([1], [])


def test_songs_of_one_name_are_all_said() -> None:
    assert song_matches("twice", NAMES) == ([3, 4], [])


def test_near_names_are_proposed_and_not_taken() -> None:
    assert song_matches("Cancion del mar (live)", NAMES) == ([], [1])
    assert song_matches("Something else", NAMES) == ([], [])
