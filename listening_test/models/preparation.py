"""The making of a study's clips, as a piece of background work."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from listening_test.models.study import Study
from separation.models import Work


class Preparation(Work):
    """One for each study, made when it is first asked to open; opening again begins it anew."""

    study = models.OneToOneField(Study, on_delete=models.CASCADE, related_name="preparation")

    class Meta(Work.Meta):
        verbose_name = _("preparation")
        verbose_name_plural = _("preparations")

    def __str__(self) -> str:
        return f"{self.study} · {self.get_state_display()}"
