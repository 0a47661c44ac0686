"""Every code by which the statistics say that a number is not there has a sentence."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from analysis import listener_views, words
from analysis.statistics import __file__ as statistics
from analysis.statistics.screening import REASONS
from analysis.trust_views import WHY


def codes() -> set[str]:
    """Strings that are given to `NotEnough`, returned by functions that find a reason, or called a reason."""
    return {
        code for path in sorted(Path(statistics).parent.glob("*.py")) for code in codes_in(ast.parse(path.read_text()))
    }


def codes_in(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in ("NotEnough", "_at_least")
        ):
            yield from names(node)
        elif isinstance(node, ast.FunctionDef) and isinstance(node.returns, ast.Name) and node.returns.id == "str":
            yield from (code for part in ast.walk(node) if isinstance(part, ast.Return) for code in names(part))
        elif isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
            first = node.value.elts[:1]
            if first and isinstance(first[0], ast.Constant) and first[0].value is None:
                yield from names(node.value)
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "why":
            yield from names(node.value)


def names(node: ast.AST) -> Iterator[str]:
    for part in ast.walk(node):
        if (
            isinstance(part, ast.Constant)
            and isinstance(part.value, str)
            and re.fullmatch(r"[a-z0-9_]{3,}", part.value)
        ):
            yield part.value


def test_every_reason_has_a_sentence(in_english: None) -> None:
    found = codes()
    assert {"too_few_listeners", "fewer_than_5_songs", "nothing_in_common", "one_system", "gaps", "no_spread"} <= found
    assert found - set(words.REASONS) == set()
    for code in found:
        sentence = words.reason(code)
        assert sentence[0].isupper() and sentence.endswith(".") and len(sentence) > 20


def test_every_flag_has_words() -> None:
    assert set(listener_views.FLAGS) == set(REASONS)


def test_words_for_codes_that_nobody_gives_are_not_kept() -> None:
    assert set(WHY) <= codes() | {"too_few_songs"}
    assert set(words.REASONS) <= codes() | {"whole_scale", "one_song", "difference_outside", "means_opposed"}
