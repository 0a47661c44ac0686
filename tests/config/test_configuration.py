"""docs/configuration.md names every environment variable that is read, and none that is not."""

from __future__ import annotations

import re

from tests.config.running import ROOT

FOLDERS = ("config", "separation", "listening_test", "analysis", "audio", "script")
READ = re.compile(r'(?:environment\.(?:text|flag|whole|items)|(?<!_)text|os\.environ\.get)\(\s*"([A-Z][A-Z_]+)"')
SHELL = re.compile(r"\$\{(PYTHON|CI|STEMMOS_HOME):")
ROW = re.compile(r"^\| `([A-Z][A-Z_]+)` \|", re.MULTILINE)


def read_in_code() -> set[str]:
    found = {"DATABASE_URL"}  # dj-database-url reads it
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and (path.suffix == ".py" or path.parent.name == "script"):
                text = path.read_text()
                found |= set(READ.findall(text)) | set(SHELL.findall(text))
    return found


def test_the_page_and_the_code_agree() -> None:
    described = set(ROW.findall((ROOT / "docs/configuration.md").read_text()))
    assert described == read_in_code()


def test_the_search_finds_what_it_should() -> None:
    assert {"PORT", "STEMMOS_HOME", "SECRET_KEY", "STEMMOS_WEIGHTS", "DATABASE_URL", "PYTHON", "CI"} <= read_in_code()
