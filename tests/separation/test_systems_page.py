"""The systems page: what each system is, whether it can run here, and what was published of it."""

from __future__ import annotations

import html
from pathlib import Path

import pytest
from django.test import Client

from separation.separators import packages, registry
from separation.separators.packages import BrokenPackage, Found

ADDRESS = "/systems/"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STEMMOS_WEIGHTS", str(tmp_path / "weights"))
    return tmp_path / "weights"


def page_of(client: Client) -> str:
    response = client.get(ADDRESS)
    assert response.status_code == 200
    return html.unescape(response.content.decode())


def _card(page: str, key: str) -> str:
    """The part of the page about one separator."""
    start = page.index(f"<code>{key}</code>")
    return page[page.rindex("<li", 0, start) : page.index("</dl>", start)]


def test_it_is_for_researchers(client: Client, researcher: object) -> None:
    assert client.get(ADDRESS).status_code == 302


def test_every_separator_is_there_with_its_licence_sources_and_state(english: Client) -> None:
    page = page_of(english)
    for spec in registry.all_specs():
        card = _card(page, spec.key)
        assert spec.name in card and spec.licence in card
        assert ("ready" if spec.is_demo else "weights missing") in card
    assert "CC BY-NC-SA 4.0" in _card(page, "umxl") and "must not be used commercially" in _card(page, "umxl")
    assert "Guitar, Piano" in _card(page, "htdemucs_6s")
    assert "11.0 kHz" in _card(page, "spleeter:4stems") and "16.5 kHz" in _card(page, "spleeter:4stems-16kHz")
    assert 'aria-current="page">Systems</a>' in page


def test_it_says_what_the_packages_are(english: Client) -> None:
    page = page_of(english)
    assert "It is written for TensorFlow, whatever a paper says of PyTorch" in page
    assert "bidirectional LSTM" in page and "Wiener filter" in page
    assert "HTDemucs is a hybrid of two U-Nets" in page and "transformer" in page


def test_it_speaks_spanish(researcher_client: Client) -> None:
    assert '<html lang="es"' in page_of(researcher_client)


def test_missing_weights_come_with_what_to_type(english: Client, home: Path) -> None:
    page = page_of(english)
    assert "python manage.py weights fetch umxhq" in page
    assert "python manage.py weights fetch spleeter:4stems" in page
    assert "python manage.py weights import FOLDER" in page and str(home) in page


@pytest.mark.parametrize(("content", "state"), [(b"half of it", "weights wrong"), (None, "weights incomplete")])
def test_wrong_and_incomplete_weights_are_told_apart(
    english: Client, home: Path, content: bytes | None, state: str
) -> None:
    folder = home / "spleeter" / "4stems"
    folder.mkdir(parents=True)
    (folder / "model.index").write_bytes(b"x")
    if content:
        (folder / "model.data-00000-of-00001").write_bytes(content)
    assert state in _card(page_of(english), "spleeter:4stems")


def test_figures_stand_with_their_source_and_the_warning(english: Client) -> None:
    page = page_of(english)
    table = page[page.index('class="figures"') : page.index("</table>")]
    for figure in ("7.21", "7.15", "6.02", "4.89", "9.00"):
        assert figure in table
    assert "Band-Split RNN" in table and "8.9" in table
    assert table.index("Not run here") < table.index("Band-Split RNN")
    assert "Luo and Yu 2023 (arXiv 2209.15174)" in page
    assert "SDR is not what sounds best" in page
    assert "htdemucs_6s" not in table and "mdx_extra" not in table, "nothing is invented"


def test_unpinned_weights_are_said_aloud(english: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "STEMMOS_WEIGHTS_UNPINNED" not in page_of(english)
    monkeypatch.setenv("STEMMOS_WEIGHTS_UNPINNED", "1")
    assert "STEMMOS_WEIGHTS_UNPINNED" in page_of(english)


def test_a_broken_package_is_shown_with_its_reason(english: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = BrokenPackage("thirds 2.3", "thirds = thirds:SPEC", "the key 'umxhq' is <taken>")
    monkeypatch.setattr(packages, "found", lambda taken: Found((), (broken,)))
    response = english.get(ADDRESS)
    assert b"&lt;taken&gt;" in response.content
    page = html.unescape(response.content.decode())
    assert "thirds 2.3" in page and "the key 'umxhq' is <taken>" in page


def test_systems_that_cannot_run_do_not_crowd_the_upload(english: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of each family is chosen beforehand, not all fourteen; what cannot run waits in a fold."""
    monkeypatch.setattr(registry, "available", lambda key: None)
    page = html.unescape(english.get("/songs/add/").content.decode())
    chosen = [spec.key for spec in registry.all_specs() if f'value="{spec.key}" checked' in page]
    assert chosen == ["umxhq", "spleeter:4stems", "htdemucs"]
    monkeypatch.undo()
    page = html.unescape(english.get("/songs/add/").content.decode())
    assert (
        page.index('value="umx:demo"') < page.index("Systems whose weights are not here") < page.index('value="umxhq"')
    )
