"""Registers the app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ListeningTestConfig(AppConfig):
    name = "listening_test"
    verbose_name = _("Listening test")

    def ready(self) -> None:
        from listening_test.selectors import studies_playing, studies_using
        from separation import uses

        uses.register(studies_using, studies_playing)
