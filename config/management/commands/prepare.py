"""Makes all ready for a start: tables, static files, a researcher who can log in. Running it again is safe."""

from __future__ import annotations

import hashlib
import json
import secrets
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.urls import reverse

from config import environment
from listening_test.models import Study

LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"  # nothing that is taken for something else when it is copied by hand


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="the result as one JSON object on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self.migrate()
            self.collect_static_files()
            result = {"password": researcher_made(), "demo_due": demo_due(), "demo": demo_addresses()}
        except DatabaseError as error:
            raise CommandError(f"The database cannot be used: {str(error).strip()}") from error
        if options["json"]:
            self.stdout.write(json.dumps(result))
        elif result["password"]:
            self.stdout.write(f"Researcher account made: researcher, password {result['password']}")

    def migrate(self) -> None:
        executor = MigrationExecutor(connection)
        pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
        if pending:
            self.tell(f"Database: {len(pending)} migrations")
            call_command("migrate", interactive=False, verbosity=0)

    def collect_static_files(self) -> None:
        """Copying, compressing and naming them takes seconds, so it is done only after one has changed."""
        stamp, digest = settings.STATIC_ROOT / ".collected", static_digest()
        if stamp.exists() and stamp.read_text() == digest:
            return
        self.tell("Static files")
        call_command("collectstatic", interactive=False, clear=True, verbosity=0)
        stamp.write_text(digest)

    def tell(self, line: str) -> None:
        self.stderr.write(line, self.style.NOTICE if self.stderr.isatty() else None)


def static_digest() -> str:
    """Of the project's own files and of the packages that bring theirs."""
    digest = hashlib.sha256()
    for path in static_files():
        digest.update(path.relative_to(settings.BASE_DIR).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def static_files() -> list[Path]:
    files = [path for folder in settings.STATICFILES_DIRS for path in Path(folder).rglob("*") if path.is_file()]
    return [*sorted(files), settings.BASE_DIR / "requirements.txt"]


def researcher_made() -> str | None:
    """The password of the researcher account made now; None where someone can log in already."""
    users = get_user_model()._default_manager
    if users.filter(is_staff=True, is_active=True).exists():
        return None
    password = environment.text("RESEARCHER_PASSWORD") or new_password()
    User.objects.create_superuser(free_name(), password=password)
    return password


def free_name() -> str:
    name, number = "researcher", 1
    while User.objects.filter(username=name).exists():
        number += 1
        name = f"researcher{number}"
    return name


def new_password() -> str:
    """About 80 bits."""
    return "-".join("".join(secrets.choice(LETTERS) for _letter in range(4)) for _group in range(4))


def demo_due() -> bool:
    """Whether no study exists at all, or the making of the demo was interrupted. Who deletes it is rid of it."""
    unfinished = Study.objects.filter(is_demo=True, created_by=None, state__in=["draft", "preparing"])
    return unfinished.exists() or not Study.objects.exists()


def demo_addresses() -> dict[str, str]:
    """Paths of the demo study that can be rated, and of the results of the one with simulated listeners."""
    demos = Study.objects.filter(is_demo=True).order_by("created_at")
    to_rate = demos.filter(state=Study.State.OPEN).first()
    simulated = demos.filter(sessions__listener__simulated=True).first()
    addresses = {}
    if to_rate:
        addresses["listen"] = reverse("listen", args=[to_rate.token])
    if simulated:
        addresses["results"] = reverse("results", args=[simulated.pk])
    return addresses
