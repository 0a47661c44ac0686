"""Names of systems. A system is a condition under test; a separator's registry key is its system key."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext

from separation.selectors import REFERENCE, separator_name, systems_sorted

DEMO_SUFFIX = ":demo"  # of the key of every separator that runs the project's own small weights


def system_name(key: str) -> str:
    """What a researcher reads. Listeners never see it."""
    return gettext("True stem (reference)") if key == REFERENCE else separator_name(key)


def system_is_demo(key: str) -> bool:
    return key.partition("@")[0].endswith(DEMO_SUFFIX)


def system_order(keys: Iterable[str]) -> list[str]:
    """Separators in the order of the registry, imported systems in that of their first import, then the rest."""
    return systems_sorted(keys)
