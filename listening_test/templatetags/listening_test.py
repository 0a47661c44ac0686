"""Numbers as people read them."""

from __future__ import annotations

from django import template
from django.utils.formats import number_format

from listening_test.models import Excerpt

register = template.Library()


@register.filter
def span(excerpt: Excerpt) -> str:
    """ "2–9.5 s" in the reader's own way of writing numbers."""
    return f"{_shortest(excerpt.start)}–{_shortest(excerpt.end)} s"


def _shortest(seconds: float) -> str:
    return str(number_format(f"{seconds:.2f}".rstrip("0").rstrip(".")))


@register.filter
def signed(decibels: float) -> str:
    """One decimal, a real minus sign, a plus sign."""
    sign = "−" if decibels < 0 else "+"
    return f"{sign}{number_format(f'{abs(decibels):.1f}')}"
