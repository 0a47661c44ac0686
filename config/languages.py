"""The languages that people are offered: one for each folder under `locale/`, and English, which the code speaks.

A new language is a file, `locale/<code>/LC_MESSAGES/django.po`, and nothing else: `LANGUAGES` in the settings is made
here. Pure: no Django settings.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from babel import Locale, UnknownLocaleError
from django.conf.locale import LANG_INFO

FIRST = ("es", "en")  # these are complete and come first; others follow by their code
PLACE = "LC_MESSAGES/django.po"


def languages_in(folder: Path) -> list[str]:
    """Codes as Django writes them (`pt-br`), of what can be read in `folder`."""
    found = {po.parent.parent.name.replace("_", "-").lower() for po in folder.glob(f"*/{PLACE}")}
    return [*FIRST, *sorted(found - {*FIRST})]


def language_name(code: str) -> str:
    """Its English name, which Django's own catalogues translate. A language that Django does not know is told to it."""
    if code not in LANG_INFO:
        LANG_INFO[code] = _described(code)
    return str(LANG_INFO[code].get("name", code))


def right_to_left(codes: Iterable[str]) -> list[str]:
    """Those written from right to left, as Django asks for them: `fa` also for `fa-af`."""
    return sorted({code.split("-")[0] for code in codes if language_name(code) and LANG_INFO[code].get("bidi")})


def _described(code: str) -> dict[str, str | bool]:
    try:
        locale = Locale.parse(code, sep="-")
    except (UnknownLocaleError, ValueError):
        return {"bidi": False, "code": code, "name": code, "name_local": code}
    return {
        "bidi": locale.text_direction == "rtl",
        "code": code,
        "name": str(locale.english_name or code),
        "name_local": str(locale.display_name or code),
    }
