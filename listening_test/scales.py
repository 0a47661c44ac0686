"""The two ACR scales and their words: the one place where they are written (ITU-T P.800 categories)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

LOWEST, HIGHEST = 1, 5


class ScaleKey(models.TextChoices):
    QUALITY = "quality", _("Quality")
    CONTAMINATION = "contamination", _("Contamination")


class ContaminationWords(models.TextChoices):
    """In which words a study asks about Contamination; 5 is always the best."""

    AMOUNT = "amount", _("How much of the others is heard: from “very much” to “none”")
    ACR = "acr", _("The words of Quality: from “bad” to “excellent”")


@dataclass(frozen=True)
class Scale:
    """A scale as the listener sees it: its name, the question it asks and a word for each value, 1 first."""

    key: str
    name: str | Promise
    question: str | Promise
    words: tuple[str | Promise, ...]

    @property
    def values(self) -> list[tuple[int, str | Promise]]:
        return list(enumerate(self.words, start=LOWEST))


QUALITY = Scale(
    key=ScaleKey.QUALITY,
    name=_("Quality"),
    question=_("How natural does it sound?"),
    words=(
        pgettext_lazy("quality 1", "Bad"),
        pgettext_lazy("quality 2", "Poor"),
        pgettext_lazy("quality 3", "Fair"),
        pgettext_lazy("quality 4", "Good"),
        pgettext_lazy("quality 5", "Excellent"),
    ),
)
CONTAMINATION = Scale(
    key=ScaleKey.CONTAMINATION,
    name=_("Contamination"),
    question=_("How much of the other instruments can you hear?"),
    words=(
        pgettext_lazy("contamination 1", "Very much"),
        pgettext_lazy("contamination 2", "Much"),
        pgettext_lazy("contamination 3", "Some"),
        pgettext_lazy("contamination 4", "Hardly any"),
        pgettext_lazy("contamination 5", "None"),
    ),
)
CONTAMINATION_ACR = replace(
    CONTAMINATION, question=_("How well is it separated from the other instruments?"), words=QUALITY.words
)
SCALES: dict[str, Scale] = {scale.key: scale for scale in (QUALITY, CONTAMINATION)}
ACR_SCALES: dict[str, Scale] = {scale.key: scale for scale in (QUALITY, CONTAMINATION_ACR)}


def scales_in(words: str) -> Mapping[str, Scale]:
    """Both scales by their keys, as a study with these `ContaminationWords` shows them."""
    return ACR_SCALES if words == ContaminationWords.ACR else SCALES
