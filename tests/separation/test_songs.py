"""The pages of songs, the API behind them, and the way out."""

from __future__ import annotations

import html
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.test import Client

from audio.reading import read_flac
from audio.synthesis import synthetic_song
from listening_test.models import Excerpt, Study
from separation import messages, selectors
from separation.models import SeparationJob, Song, Stem
from separation.separators import registry
from separation.services.songs import SongInUse, song_add_synthetic, song_delete
from tests.factories import SOURCES, files_in, job_done_make, job_make, song_make, stem_make

pytestmark = pytest.mark.django_db
State = SeparationJob.State


def text_of(response: Any) -> str:
    assert response.status_code == 200
    return html.unescape(response.content.decode())


# ── who may see them ─────────────────────────────────────────────────────────────────────────────────


def addresses(job: SeparationJob) -> list[tuple[str, str]]:
    song, stem = job.song, job.stems.all()[0]
    return [
        ("get", "/songs/"),
        ("get", "/songs/add/"),
        ("get", f"/songs/{song.pk}/"),
        ("get", f"/songs/{song.pk}/mixture.flac"),
        ("get", f"/stems/{stem.pk}.flac"),
        ("post", f"/songs/{song.pk}/edit/"),
        ("post", f"/songs/{song.pk}/delete/"),
        ("post", f"/songs/{song.pk}/separate/"),
        ("post", f"/jobs/{job.pk}/cancel/"),
        ("post", f"/jobs/{job.pk}/retry/"),
        ("post", f"/jobs/{job.pk}/again/"),
    ]


def test_strangers_are_asked_to_log_in(client: Client) -> None:
    for method, address in addresses(job_done_make()):
        response = getattr(client, method)(address)
        assert response.status_code == 302 and response.url.startswith("/accounts/login/"), address
    assert Song.objects.exists()


def test_accounts_that_are_no_researchers_are_refused(client: Client) -> None:
    client.force_login(User.objects.create_user("somebody"), backend="django.contrib.auth.backends.ModelBackend")
    for method, address in addresses(job_done_make()):
        assert getattr(client, method)(address).status_code == 403, address


def test_api_is_for_researchers(client: Client) -> None:
    for address in ("/api/v1/songs/", "/api/v1/jobs/", "/api/v1/stems/"):
        assert client.get(address).status_code == 403


def test_what_changes_something_wants_a_post(english: Client) -> None:
    for method, address in addresses(job_done_make()):
        if method == "post":
            assert english.get(address).status_code == 405, address


# ── pages ────────────────────────────────────────────────────────────────────────────────────────────


def test_list_without_songs_teaches(english: Client) -> None:
    assert "Everything starts with a song" in text_of(english.get("/songs/"))


def test_list_shows_songs_and_the_state_of_their_jobs(english: Client) -> None:
    song = song_make(title="Zamba", style="folclore")
    job_make(song=song, separator="umx:demo", state=State.FAILED, error_code="unexpected")
    job_make(song=song, separator="htdemucs:demo")
    page = text_of(english.get("/songs/"))
    for words in ("Zamba", "folclore", "3 s", "Open-Unmix demo · Failed", "HTDemucs demo · Queued"):
        assert words in page


def test_list_takes_a_fixed_number_of_queries(english: Client, django_assert_max_num_queries: Any) -> None:
    for number in range(6):
        job_done_make(song=song_make(title=str(number)))
    with django_assert_max_num_queries(8):
        english.get("/songs/")
    with django_assert_max_num_queries(8):
        english.get("/api/v1/songs/")


def test_song_page_shows_stems_facts_and_what_ran(english: Client) -> None:
    job = job_done_make()
    page = text_of(english.get(f"/songs/{job.song_id}/"))
    for stem in job.stems.all():
        assert f"/stems/{stem.pk}.flac" in page
    for words in (
        "FLAC 24 bit",
        "44100 Hz",
        "2 channels",
        "openunmix 1.3.0",
        "abababababab…",
        "demo weights",
        "1 of 3",
    ):
        assert words in page
    assert page.index("Vocals") < page.index("Drums") < page.index("Bass") < page.index("Other instruments")


def test_song_page_shows_progress_and_offers_to_cancel(english: Client) -> None:
    job = job_make(
        state=State.RUNNING, lease_token=uuid.uuid4(), lease_until="2999-01-01T00:00Z", progress=0.42, attempt=2
    )
    page = text_of(english.get(f"/songs/{job.song_id}/"))
    assert 'value="0.420"' in page and "42 %" in page and "Attempt 2 of 3" in page
    assert f"/jobs/{job.pk}/cancel/" in page and f"/jobs/{job.pk}/retry/" not in page


def test_failed_job_says_why_and_how_to_mend_it(english: Client) -> None:
    params = {"file": "model.index", "folder": "/data/weights/spleeter", "how": "curl --location https://…"}
    job = job_make(separator="spleeter:4stems", state=State.FAILED, error_code="weights_missing", error_params=params)
    page = text_of(english.get(f"/songs/{job.song_id}/"))
    assert "the file model.index is missing from /data/weights/spleeter" in page
    assert params["how"] in page
    assert f"/jobs/{job.pk}/retry/" in page


def test_retry_and_cancel_from_the_page(english: Client) -> None:
    job = job_make(state=State.FAILED, error_code="unexpected")
    english.post(f"/jobs/{job.pk}/retry/")
    again = SeparationJob.objects.get()
    assert again.state == State.QUEUED
    english.post(f"/jobs/{again.pk}/cancel/")
    again.refresh_from_db()
    assert again.state == State.CANCELLED


def test_retry_of_a_separator_that_is_gone_says_so(english: Client) -> None:
    job = job_make(separator="oldmodel", state=State.FAILED, error_code="unexpected")
    page = text_of(english.post(f"/jobs/{job.pk}/retry/", follow=True))
    assert "There is no separator called oldmodel" in page


def test_further_separators_can_be_started(english: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "available", lambda key: None)
    job = job_done_make()
    page = text_of(english.get(f"/songs/{job.song_id}/"))
    assert 'value="htdemucs"' in page and 'value="umx:demo"' not in page
    english.post(f"/songs/{job.song_id}/separate/", {"separators": ["htdemucs", "umxhq"]})
    assert sorted(SeparationJob.objects.values_list("separator", flat=True)) == ["htdemucs", "umx:demo", "umxhq"]


def test_separators_without_weights_are_not_started(english: Client) -> None:
    song = song_make()
    page = text_of(english.post(f"/songs/{song.pk}/separate/", {"separators": ["umxhq", "magic"]}, follow=True))
    assert "Nothing was started" in page and not SeparationJob.objects.exists()


def test_title_artist_and_style_can_be_changed(english: Client) -> None:
    song = song_make()
    english.post(f"/songs/{song.pk}/edit/", {"title": "Chacarera", "artist": "Las Voces", "style": "folclore"})
    song.refresh_from_db()
    assert (song.title, song.artist, song.style) == ("Chacarera", "Las Voces", "folclore")


def test_title_is_needed(english: Client) -> None:
    song = song_make(title="Chacarera")
    page = text_of(english.post(f"/songs/{song.pk}/edit/", {"title": ""}))
    assert "This field is required" in page and "<h1>Chacarera</h1>" in page
    song.refresh_from_db()
    assert song.title == "Chacarera"


# ── deleting ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db(transaction=True)
def test_delete_takes_rows_and_files_along(english: Client, media: Path) -> None:
    job = job_done_make()
    other = job_done_make(song=song_make(title="Otra"))
    page = text_of(english.post(f"/songs/{job.song_id}/delete/", follow=True))
    assert "were deleted" in page
    assert list(Song.objects.all()) == [other.song]
    kept = {f"songs/{other.song_id}", f"stems/{other.pk}"}
    assert {"/".join(name.split("/")[:2]) for name in files_in(media)} == kept


@pytest.mark.django_db(transaction=True)
def test_delete_refuses_while_a_study_uses_the_song(english: Client, media: Path) -> None:
    job = job_done_make()
    Excerpt.objects.create(study=Study.objects.create(name="Un estudio"), song=job.song, start=0.0, end=2.0)
    before = files_in(media)
    with pytest.raises(SongInUse):
        song_delete(song=job.song)
    assert "A study uses this song" in text_of(english.post(f"/songs/{job.song_id}/delete/", follow=True))
    assert Song.objects.exists() and job.stems.count() == 4 and files_in(media) == before


# ── synthetic songs ──────────────────────────────────────────────────────────────────────────────────


def test_synthetic_song_brings_its_true_stems() -> None:
    song = song_add_synthetic(seed=7, style="sintética", seconds=4.0)
    made = synthetic_song(7, 4.0)
    assert (song.is_demo, song.synthesis_seed, song.title, song.seconds) == (True, 7, made.title, 4.0)
    assert selectors.systems_done(song) == ["reference"]
    for source in SOURCES:
        stem = selectors.stem_for(song=song, source=source, system="reference")
        assert stem is not None and stem.is_reference
        assert np.allclose(read_flac(Path(stem.file.path)) / stem.gain, made.stems[source], atol=1e-6)
    total = sum(read_flac(Path(stem.file.path)) for stem in song.stems.all())
    assert np.allclose(total, read_flac(Path(song.mixture.path)), atol=1e-5)


# ── reading them ─────────────────────────────────────────────────────────────────────────────────────


def test_stem_for_finds_stems_of_done_jobs_only() -> None:
    job = job_done_make(sources=["vocals"])
    song = job.song
    assert selectors.stem_for(song=song, source="vocals", system="umx:demo") == job.stems.get()
    assert selectors.stem_for(song=song, source="drums", system="umx:demo") is None
    assert selectors.stem_for(song=song, source="vocals", system="reference") is None
    assert selectors.stem_for(song=song_make(), source="vocals", system="umx:demo") is None
    SeparationJob.objects.update(state=State.CANCELLED)
    assert selectors.stem_for(song=song, source="vocals", system="umx:demo") is None


def test_systems_done_come_in_the_registrys_order() -> None:
    song = song_make()
    for separator in ("htdemucs:demo", "umx:demo"):
        job_done_make(song=song, separator=separator, sources=["vocals"])
    job_make(song=song, separator="umxhq")
    stem_make(song=song, source="vocals")
    assert selectors.systems_done(song) == ["umx:demo", "htdemucs:demo", "reference"]


def test_api_tells_state_progress_error_and_stems(english: Client) -> None:
    done = job_done_make()
    job_make(
        song=done.song,
        separator="umxhq",
        state=State.FAILED,
        error_code="unexpected",
        error_params={"error": "KeyError"},
    )
    shown = english.get(f"/api/v1/songs/{done.song_id}/").json()
    assert shown["title"] == done.song.title and shown["seconds"] == 3.0
    good, bad = shown["jobs"]
    assert (good["state"], good["state_name"], good["progress"], good["is_live"]) == ("done", "Done", 1.0, False)
    assert {stem["source"] for stem in good["stems"]} == set(SOURCES) and good["stems"][0]["system"] == "umx:demo"
    assert good["error"] is None
    assert bad["error"]["code"] == "unexpected" and "(KeyError)" in bad["error"]["sentence"]


def test_api_tells_parts_apart(english: Client) -> None:
    job = job_done_make()
    SeparationJob.objects.filter(pk=job.pk).update(spans=[[100, 50_000]], spans_key="100-50000")
    job.stems.update(start=100, samples=49_900)
    (shown,) = english.get(f"/api/v1/jobs/?song={job.song_id}").json()["results"]
    assert shown["spans"] == [[100, 50_000]]
    assert {(stem["start"], stem["samples"]) for stem in shown["stems"]} == {(100, 49_900)}
    whole = job_done_make()
    shown = english.get(f"/api/v1/jobs/{whole.pk}/").json()
    assert shown["spans"] == [] and {(stem["start"], stem["samples"]) for stem in shown["stems"]} == {(0, None)}
    schema = english.get("/api/schema/", headers={"accept": "application/json"}).json()["components"]["schemas"]
    assert "spans" in schema["Job"]["properties"] and "samples" in schema["Stem"]["properties"]


def test_api_filters_jobs(english: Client) -> None:
    live, done = job_make(), job_done_make()
    assert [job["id"] for job in english.get("/api/v1/jobs/?state=queued,running").json()["results"]] == [str(live.pk)]
    assert [job["id"] for job in english.get(f"/api/v1/jobs/?song={done.song_id}").json()["results"]] == [str(done.pk)]
    assert english.get("/api/v1/jobs/?song=nothing").json()["count"] == 0
    assert english.get(f"/api/v1/stems/?song={done.song_id}").json()["count"] == 4
    assert english.get(f"/api/v1/jobs/{done.pk}/").json()["separator_name"] == "Open-Unmix demo"


def test_api_only_reads(english: Client) -> None:
    song = song_make()
    for method in ("put", "patch", "delete"):
        assert getattr(english, method)(f"/api/v1/songs/{song.pk}/").status_code == 405
    assert english.post("/api/v1/songs/").status_code == 405


def test_api_is_documented(english: Client) -> None:
    schema = english.get("/api/schema/", headers={"accept": "application/json"}).json()
    for path in ("/api/v1/songs/", "/api/v1/songs/{id}/", "/api/v1/jobs/", "/api/v1/jobs/{id}/", "/api/v1/stems/"):
        assert "get" in schema["paths"][path], path
    assert "sentence" in schema["components"]["schemas"]["Error"]["properties"]


def test_administration_shows_and_does_not_break(english: Client, researcher: User) -> None:
    researcher.is_superuser = True
    researcher.save()
    job = job_done_make()
    for name, row in (("song", job.song), ("separationjob", job), ("stem", job.stems.all()[0])):
        assert english.get(f"/admin/separation/{name}/").status_code == 200
        assert english.get(f"/admin/separation/{name}/{row.pk}/change/").status_code == 200
        assert english.get(f"/admin/separation/{name}/add/").status_code == 403
        assert english.post(f"/admin/separation/{name}/{row.pk}/delete/", {"post": "yes"}).status_code == 403
    english.post(f"/admin/separation/song/{job.song_id}/change/", {"title": "Nuevo", "samples": "1"})
    job.song.refresh_from_db()
    assert job.song.title == "Nuevo" and job.song.samples > 1
    english.post(f"/admin/separation/separationjob/{job.pk}/change/", {"state": "queued"})
    job.refresh_from_db()
    assert job.state == State.DONE


# ── sentences ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("code", sorted(messages.SENTENCES))
def test_every_code_has_a_sentence_even_without_its_parameters(code: str) -> None:
    sentence = messages.sentence(code)
    assert len(sentence) > 40 and "%(" not in sentence


def test_unknown_code_is_an_unexpected_one() -> None:
    assert "(code_of_tomorrow)" in messages.sentence("code_of_tomorrow")


def test_every_error_of_the_separators_has_a_sentence() -> None:
    from separation.separators import base

    errors = [value for value in vars(base).values() if isinstance(value, type) and issubclass(value, Exception)]
    assert {error.code for error in errors} | {registry.UnknownSeparator.code} <= set(messages.SENTENCES)


# ── what the database holds ──────────────────────────────────────────────────────────────────────────


def refused(**fields: Any) -> bool:
    try:
        with transaction.atomic():
            job_make(**fields)
    except IntegrityError:
        return True
    return False


def test_database_keeps_one_good_job_per_song_and_separator() -> None:
    song = song_make()
    job_make(song=song, state=State.FAILED, error_code="unexpected")
    job_make(song=song, state=State.DONE)
    assert refused(song=song)
    assert refused(song=song, state=State.DONE)
    assert not refused(song=song, state=State.CANCELLED)
    assert not refused(song=song, separator="htdemucs:demo")


def test_database_refuses_jobs_that_cannot_be() -> None:
    song = song_make()
    assert refused(song=song, state="resting")
    assert refused(song=song, progress=1.5)
    assert refused(song=song, state=State.RUNNING)
    assert refused(song=song, state=State.FAILED)


def test_database_keeps_one_stem_per_job_and_source() -> None:
    job = job_done_make(sources=["vocals"])
    stem_make(song=job.song, source="vocals")
    for of in (job, None):
        with pytest.raises(IntegrityError), transaction.atomic():
            stem_make(song=job.song, source="vocals", job=of)
    assert Stem.objects.count() == 2


def test_database_refuses_songs_without_sound() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        song_make(seconds=0.0)
