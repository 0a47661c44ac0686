"""Spanish is complete: every string a person can meet has its translation, with the same placeholders."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.pofile import read_po
from django.conf import settings
from django.utils.translation.template import templatize

ROOT = Path(settings.BASE_DIR)
PYTHON_FOLDERS = ("config", "separation", "listening_test", "analysis")
KEYWORDS: dict[str, tuple[object, ...] | None] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
PLACEHOLDER = re.compile(r"%\(\w+\)[sdf]|%[sd]|\{\w*\}")

Key = tuple[str | None, str]


def code_strings() -> Iterator[tuple[Key, str]]:
    """(context, singular) of every marked string in Python and templates, with the file it stands in."""
    for folder in PYTHON_FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield from found(path.read_bytes(), path)
    for path in sorted((ROOT / "templates").rglob("*")):
        if path.suffix in {".html", ".txt"}:
            flat = re.sub(r"(?m)^[ \t]+", "", templatize(path.read_text()))  # it is read as Python: indents mean much
            yield from found(flat.encode(), path)


def found(text: bytes, path: Path) -> Iterator[tuple[Key, str]]:
    for _line, message, _comments, context in extract("python", BytesIO(text), keywords=KEYWORDS):  # type: ignore[arg-type]
        singular = message[0] if isinstance(message, tuple) else message
        if singular:
            yield (context, singular), str(path.relative_to(ROOT))


@pytest.fixture(scope="module")
def spanish() -> Catalog:
    with (ROOT / "locale/es/LC_MESSAGES/django.po").open("rb") as file:
        return read_po(file, locale="es")


def texts(message: Message) -> list[str]:
    return list(message.string) if isinstance(message.string, (tuple, list)) else [message.string]


def test_every_string_has_its_spanish(spanish: Catalog) -> None:
    missing = []
    for (context, singular), path in code_strings():
        message = spanish.get(singular, context)
        if message is None or not all(texts(message)):
            missing.append(f"{path}: {singular!r}")
    assert missing == []


def test_extraction_finds_strings_of_code_and_templates() -> None:
    keys = {key for key, _path in code_strings()}
    assert ("quality 5", "Excellent") in keys  # Python, with a context
    assert (None, "Log in") in keys  # a template


def test_nothing_is_fuzzy_and_placeholders_agree(spanish: Catalog) -> None:
    wrong = []
    for message in spanish:
        if not message.id:
            continue
        originals = list(message.id) if isinstance(message.id, (tuple, list)) else [message.id]
        wanted = set(PLACEHOLDER.findall(originals[-1]))
        if message.fuzzy or any(set(PLACEHOLDER.findall(text)) - wanted for text in texts(message)):
            wrong.append(message.id)
        if PLACEHOLDER.findall(texts(message)[-1]) == [] and wanted:
            wrong.append(message.id)
    assert wrong == []


def test_spanish_avoids_forms_that_divide_its_speakers(spanish: Catalog) -> None:
    """No voseo or tuteo imperatives and presents: the words that would sound foreign to half of the listeners."""
    divided = re.compile(
        r"\b(podés|puedes|querés|quieres|tenés|tienes|escuchá|escucha el|elegí|elige|calificá|califica el|"
        r"vos|tú|hacé|haz|poné|pon|tocá|pulsá|intentá|volvé|sabés|sabes|usá|subí|abrí|recordá|recuerda que)\b",
        re.IGNORECASE,
    )
    offending = [text for message in spanish if message.id for text in texts(message) if divided.search(text)]
    assert offending == []
