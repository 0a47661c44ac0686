"""What a researcher asks for."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext_lazy as _

from analysis.planning import Wish
from analysis.statistics.crossed import MIN_LISTENERS, MIN_SONGS
from analysis.statistics.planning import MOST_LISTENERS

MOST_SONGS, MOST_SYSTEMS, MOST_SOURCES = 1_000, 50, 7
NARROWEST, WIDEST = 0.02, 2.0


NUMBER, WHOLE = _("This takes a number."), _("This takes a whole number.")
AT_LEAST, AT_MOST = _("At least %(limit_value)s."), _("At most %(limit_value)s.")


def _whole(label: Any, least: int, most: int, message: Any = AT_LEAST, **options: Any) -> forms.IntegerField:
    validators = [MinValueValidator(least, message), MaxValueValidator(most, AT_MOST)]
    widget = forms.NumberInput({"min": least, "max": most, "inputmode": "numeric"})
    says = {"invalid": WHOLE, "required": WHOLE}
    return forms.IntegerField(label=label, validators=validators, widget=widget, error_messages=says, **options)


def _points(label: Any, help_text: Any) -> forms.FloatField:
    limits = [MinValueValidator(NARROWEST, AT_LEAST), MaxValueValidator(WIDEST, AT_MOST)]
    widget = forms.NumberInput({"min": NARROWEST, "max": WIDEST, "step": "any", "inputmode": "decimal"})
    says = {"invalid": NUMBER, "required": NUMBER}
    return forms.FloatField(label=label, help_text=help_text, validators=limits, widget=widget, error_messages=says)


class PlanningForm(forms.Form):
    """Sent by GET: a plan has an address that can be passed on. What is not in the address has its first value."""

    listeners = _whole(
        _("Listeners"),
        MIN_LISTENERS,
        MOST_LISTENERS,
        _("At least five listeners: with fewer, nothing can be said about listeners who did not take part."),
    )
    songs = _whole(
        _("Songs"),
        MIN_SONGS,
        MOST_SONGS,
        _("At least five songs: with fewer, nothing can be said about songs that were not in the test."),
    )
    systems = _whole(_("Systems"), 2, MOST_SYSTEMS, _("At least two systems: there is nothing to compare one with."))
    sources = _whole(_("Sources"), 1, MOST_SOURCES)
    clips = _whole(
        _("Clips per listener"), 1, 10_000, required=False, help_text=_("Empty: every listener hears all clips.")
    )
    half_width = _points(_("Wanted precision (±)"), _("Half of the interval of a mean, in points of the scale."))
    difference = _points(_("Smallest difference to find"), _("Between two systems, in points of the scale."))

    @classmethod
    def asked(cls, sent: Any, first: Wish) -> PlanningForm:
        """With what was sent, and with `first` for what was not."""
        values = {name: getattr(first, name) for name in cls.base_fields}
        given = {name: sent[name] for name in cls.base_fields if name in sent}
        return cls({name: "" if value is None else value for name, value in (values | given).items()})

    def wish(self) -> Wish | None:
        """None where something has to be looked at again."""
        return Wish(**self.cleaned_data) if self.is_valid() else None


FIRST = Wish()
