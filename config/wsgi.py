"""The web application that gunicorn serves."""

import os
from importlib import import_module

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()
# The code of all pages, statistics too: Django would load it while the first visitor of every new process waits.
import_module("config.urls")
