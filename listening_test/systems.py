"""Names of systems. A system is a condition under test; a separator's registry key is its system key."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext

from listening_test.controls import DEGRADED_ANCHOR, MIXTURE_ANCHOR
from separation.selectors import REFERENCE, separator_name, systems_sorted

DEMO_SUFFIX = ":demo"  # of the key of every separator that runs the project's own small weights


def system_name(key: str) -> str:
    """What a researcher reads. Listeners never see it."""
    controls = {
        REFERENCE: gettext("True stem (reference)"),
        MIXTURE_ANCHOR: gettext("Mixture instead of the stem (anchor)"),
        DEGRADED_ANCHOR: gettext("Degraded stem (anchor)"),
    }
    return controls.get(key) or separator_name(key)


def system_is_demo(key: str) -> bool:
    return key.partition("@")[0].endswith(DEMO_SUFFIX)


def system_order(keys: Iterable[str]) -> list[str]:
    """Separators in the order of the registry, imported systems in that of their first import, then the rest."""
    return systems_sorted(keys)
