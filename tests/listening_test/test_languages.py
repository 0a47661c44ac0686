"""A third language is a file: listeners read it, from right to left where it is so, and Spanish where it is silent."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.conf import settings as project
from django.core.management import call_command
from pytest_django import Settings

from config.languages import PLACE, language_name, languages_in, right_to_left
from listening_test.models import Study
from tests.listening_test.visits import Browser

HEADER = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
WORDS = {
    "qu": {"Before we begin": "Manaraq qallarichkaspa", "I have read this and agree to take part": "Arí, munani"},
    "ar": {"Before we begin": "قبل أن نبدأ", "I have read this and agree to take part": "أوافق على المشاركة"},
}
SPANISH = "Paso 1 de"  # what neither of the two says


@pytest.fixture
def locale(tmp_path: Path, settings: Settings) -> Path:
    """The project's own folder with two languages more, as `script/bootstrap` would find it."""
    folder = tmp_path / "locale"
    own = Path(project.BASE_DIR) / "locale" / "es" / PLACE
    add(folder, "es", own.read_bytes())
    for code, words in WORDS.items():
        entries = "\n".join(f'msgid "{english}"\nmsgstr "{word}"\n' for english, word in words.items())
        add(folder, code, (HEADER + entries).encode())
    settings.LOCALE_PATHS = [folder]
    settings.LANGUAGES = [(code, language_name(code)) for code in languages_in(folder)]
    settings.LANGUAGES_BIDI = right_to_left(code for code, _name in settings.LANGUAGES)
    return folder


def add(folder: Path, code: str, po: bytes) -> None:
    """The file, and beside it what `script/bootstrap` compiles from it."""
    path = folder / code / PLACE
    path.parent.mkdir(parents=True)
    path.write_bytes(po)
    with path.with_suffix(".mo").open("wb") as file:
        write_mo(file, read_po(BytesIO(po)))


def text(browser: Browser, rest: str = "") -> str:
    return browser.get(rest).content.decode()


@pytest.mark.parametrize(("code", "direction"), [("qu", "ltr"), ("ar", "rtl"), ("es", "ltr"), ("en", "ltr")])
def test_a_listener_reads_every_language_that_is_there(code: str, direction: str, study: Study, locale: Path) -> None:
    browser = Browser(study)
    browser.get(f"?lang={code}")
    page = text(browser)
    assert f'<html lang="{code}" dir="{direction}">' in page
    for english, word in WORDS.get(code, {}).items():
        assert word in page
        assert english not in page
    if code in WORDS:
        assert SPANISH in page
    browser.agree()
    assert browser.session.language == code
    assert f'<html lang="{code}" dir="{direction}">' in text(browser)


def test_the_switch_names_each_language_in_its_own_words(study: Study, locale: Path) -> None:
    page = text(Browser(study))
    for code, name in (("qu", "Runasimi"), ("ar", "العربيّة"), ("es", "Español")):
        assert f'value="{code}" lang="{code}">{name}</button>' in page


def test_the_browsers_wish_is_followed(study: Study, locale: Path) -> None:
    browser = Browser(study)
    browser.client.defaults["HTTP_ACCEPT_LANGUAGE"] = "qu-PE,qu;q=0.9,en;q=0.5"
    assert '<html lang="qu"' in text(browser)


def test_a_language_that_is_not_there_is_not_offered(study: Study) -> None:
    browser = Browser(study)
    browser.get("?lang=ar")
    assert '<html lang="en" dir="ltr">' in text(browser)


@pytest.mark.django_db
def test_one_language_more_is_no_change_of_the_database(locale: Path) -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


def test_folders_become_languages(tmp_path: Path) -> None:
    for folder in ("pt_BR", "gn", "es", "zh_Hans"):
        (tmp_path / folder / PLACE).parent.mkdir(parents=True)
        (tmp_path / folder / PLACE).touch()
    (tmp_path / "half").mkdir()
    assert languages_in(tmp_path) == ["es", "en", "gn", "pt-br", "zh-hans"]
    assert languages_in(tmp_path / "nowhere") == ["es", "en"]


@pytest.mark.parametrize(
    ("code", "name"), [("es", "Spanish"), ("pt-br", "Brazilian Portuguese"), ("gn", "Guarani"), ("qqq", "qqq")]
)
def test_names_of_languages(code: str, name: str) -> None:
    assert language_name(code) == name


def test_which_languages_go_from_right_to_left() -> None:
    assert right_to_left(["es", "ar", "he", "ckb", "yi", "gn"]) == ["ar", "ckb", "he", "yi"]
