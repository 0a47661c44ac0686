"""A system whose outputs were brought here and not made here."""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

IMPORTED = "import:"
"""What the keys of imported systems begin with; no separator's key does."""


class ImportedSystem(models.Model):
    """Any model that was run elsewhere: Band-Split RNN, D3Net, the researcher's own.

    Its stems belong to done jobs (`weights` = "imported") whose `separator` is its key, so that clips, studies and
    results take it like every other system.
    """

    key = models.CharField(
        primary_key=True, max_length=60, validators=[RegexValidator(rf"^{IMPORTED}[a-z0-9][a-z0-9._-]*$")]
    )
    name = models.CharField(_("name"), max_length=100, unique=True)
    description = models.TextField(_("description"), blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["created_at", "key"]
        verbose_name = _("imported system")
        verbose_name_plural = _("imported systems")

    def __str__(self) -> str:
        return self.name
