"""Registers the app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SeparationConfig(AppConfig):
    name = "separation"
    verbose_name = _("Separation")
