"""Every package is asked for in one exact version, and every direct one is explained."""

from __future__ import annotations

import ast
import re
import sys
from importlib.metadata import packages_distributions, version

import pytest

from tests.config.running import ROOT

FILES = ("requirements.txt", "requirements-separators.txt", "requirements-dev.txt")
PIN = re.compile(r"^([A-Za-z0-9_.-]+)(?:\[[a-z]+\])?==([0-9][A-Za-z0-9.]*)(?:;.*)?(?:\s+#.*)?$")
FOLDERS = ("config", "audio", "separation", "listening_test", "analysis")


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(file: str, until: str | None = None) -> dict[str, str]:
    """Name and version of each line, up to the comment `until`."""
    text = (ROOT / file).read_text()
    lines = text.split(until)[0].splitlines() if until else text.splitlines()
    wanted = [line for line in lines if line and not line.startswith("#")]
    matches = [PIN.match(line) for line in wanted]
    assert all(matches), [line for line, match in zip(wanted, matches, strict=True) if not match]
    return {plain(match[1]): match[2] for match in matches if match}


@pytest.mark.parametrize("file", FILES)
def test_versions_are_exact_and_the_ones_tried_here(file: str) -> None:
    for name, wanted in pins(file).items():
        if name == "tensorflow" and sys.platform == "linux":
            continue  # tensorflow-cpu stands for it here
        assert version(name).split("+")[0] == wanted, name


def test_every_direct_dependency_is_explained() -> None:
    page = (ROOT / "docs/dependencies.md").read_text()
    explained = {
        plain(name) for name in re.findall(r"[A-Za-z0-9-]+", " ".join(re.findall(r"^\| ([^|]+) \|", page, re.M)))
    }
    direct = set().union(*(pins(file, "# What those bring") for file in FILES)) - {"tensorflow"}
    assert direct - explained == set()


def test_whatever_the_code_imports_is_asked_for_by_name() -> None:
    """Not by way of another package, which may stop bringing it."""
    direct = set(pins("requirements.txt", "# What those bring")) | set(pins("requirements-separators.txt"))
    owners = packages_distributions()
    strays = {
        (name, path)
        for name, path in imported()
        if name not in sys.stdlib_module_names and name not in FOLDERS and name in owners
        if not direct & {plain(owner) for owner in owners[name]} and name not in {"kombu", "asgiref"}  # parts of theirs
    }
    assert strays == set()


def imported() -> set[tuple[str, str]]:
    found = set()
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    names = [node.module]
                found |= {(name.split(".")[0], str(path.relative_to(ROOT))) for name in names}
    return found
