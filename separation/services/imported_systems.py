"""Systems whose stems were made elsewhere: their names, their rows, and their end."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from uuid import UUID

from django.db import transaction

from separation.models import ImportedSystem, SeparationJob
from separation.models.imported import IMPORTED
from separation.separators import registry
from separation.services.done_jobs import job_delete
from separation.services.songs import UploadRefused
from separation.uses import users_of

NAME_LENGTH, SLUG_LENGTH = 100, 40


def system_named(name: str, description: str = "") -> ImportedSystem:
    """The system of this name, or a new one, not yet saved. Raises `UploadRefused`."""
    name = " ".join("".join(c for c in name if unicodedata.category(c)[0] != "C" or c == " ").split())
    if not name or len(name) > NAME_LENGTH:
        raise UploadRefused("import_no_name" if not name else "import_name_too_long", {"letters": NAME_LENGTH})
    known = next((system for system in ImportedSystem.objects.all() if _same(system.name, name)), None)
    if known:
        known.description = description.strip() or known.description
        return known
    if any(_same(spec.name, name) or _same(spec.key, name) for spec in registry.all_specs()):
        raise UploadRefused("import_name_taken", {"name": name})
    return ImportedSystem(key=_new_key(name), name=name, description=description.strip())


def system_kept(system: ImportedSystem) -> ImportedSystem:
    """The row, saved; of two imports that name a new system at once, both get the first one's."""
    fields = {"name": system.name, "description": system.description}
    kept, is_new = ImportedSystem.objects.get_or_create(key=system.key, defaults=fields)
    if not is_new and kept.description != system.description:
        kept.description = system.description
        kept.save(update_fields=["description"])
    return kept


def system_delete(*, system: ImportedSystem) -> None:
    """The system with all its stems. Raises `UploadRefused` while a study uses it."""
    refuse_used(system.key, None)
    with transaction.atomic():
        for job in SeparationJob.objects.filter(separator=system.key):
            job_delete(job)
        system.delete()


def imported_stems_delete(*, job: SeparationJob) -> None:
    """One song's stems of an imported system, and the system with the last of them. Raises `UploadRefused`."""
    if not job.is_imported:
        raise UploadRefused("import_not_imported")
    refuse_used(job.separator, [job.song_id])
    with transaction.atomic():
        job_delete(job)
        if not SeparationJob.objects.filter(separator=job.separator).exists():
            ImportedSystem.objects.filter(key=job.separator).delete()


def jobs_replaced(*, song_id: UUID, system: str) -> None:
    """Make room for stems that take the place of others. Inside the transaction that stores them."""
    for job in SeparationJob.objects.filter(song_id=song_id, separator=system):
        job_delete(job)


def refuse_used(system: str, songs: Collection[UUID] | None) -> None:
    if names := users_of(system, songs):
        raise UploadRefused("import_in_use", {"studies": ", ".join(names)})


def _same(first: str, second: str) -> bool:
    return first.casefold() == second.casefold()


def _new_key(name: str) -> str:
    """`import:` and the name in letters that fit into addresses and tables; numbered where that is taken."""
    bare = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", bare).strip("-")[:SLUG_LENGTH].strip("-") or "system"
    taken = set(ImportedSystem.objects.values_list("key", flat=True))
    names = (slug if number == 1 else f"{slug}-{number}" for number in range(1, len(taken) + 2))
    return next(key for key in (f"{IMPORTED}{name}" for name in names) if key not in taken)
