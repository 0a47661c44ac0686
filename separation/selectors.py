"""Reading songs, jobs and stems."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, OuterRef, Prefetch, QuerySet, Subquery
from django.db.models.functions import Coalesce

from separation.models import ImportedSystem, SeparationJob, Song, Source, Stem
from separation.models.imported import IMPORTED
from separation.separators import registry
from separation.separators.base import SeparatorError

REFERENCE = "reference"
"""The system key of the true stems."""

State = SeparationJob.State
SOURCE_ORDER = {source: place for place, source in enumerate(Source.values)}


@dataclass(frozen=True)
class Choice:
    """A separator that a person may pick, and what keeps it from running."""

    key: str
    name: str
    family: str
    is_demo: bool
    problem: SeparatorError | None

    @property
    def is_ready(self) -> bool:
        return self.problem is None


def separator_choices() -> list[Choice]:
    return [
        Choice(spec.key, spec.name, spec.family, spec.is_demo, registry.available(spec.key))
        for spec in registry.all_specs()
    ]


def separator_name(key: str) -> str:
    """What a person reads; the key itself for a system that is neither in the registry nor imported."""
    if key.startswith(IMPORTED):
        return ImportedSystem.objects.filter(key=key).values_list("name", flat=True).first() or key
    try:
        return registry.spec(key).name
    except SeparatorError:
        return key


def songs_with_jobs() -> QuerySet[Song]:
    """Newest first, with jobs, their stems and the true stems at hand."""
    jobs = SeparationJob.objects.order_by("queued_at", "id").prefetch_related("stems__job")
    references = Stem.objects.filter(job__isnull=True)
    return Song.objects.order_by("-created_at", "id").prefetch_related(
        Prefetch("jobs", queryset=jobs), Prefetch("stems", queryset=references, to_attr="references")
    )


def stems_sorted(stems: list[Stem]) -> list[Stem]:
    """In the order in which sources are always shown."""
    return sorted(stems, key=lambda stem: SOURCE_ORDER.get(stem.source, len(SOURCE_ORDER)))


def stem_for(*, song: Song, source: str, system: str) -> Stem | None:
    """The stem of `source` by a separator's done job, or the true one for the system "reference"."""
    stems = Stem.objects.filter(song=song, source=source)
    if system == REFERENCE:
        return stems.filter(job__isnull=True).first()
    return stems.filter(job__separator=system, job__state=State.DONE, samples__isnull=True).first()


def systems_done(song: Song) -> list[str]:
    """The systems whose stems of the whole song are there, in order, then "reference" if it has any."""
    done = systems_sorted(song.jobs.filter(state=State.DONE, spans=[]).values_list("separator", flat=True))
    reference = [REFERENCE] if song.stems.filter(job__isnull=True).exists() else []
    return done + reference


def systems_sorted(keys: Iterable[str]) -> list[str]:
    """Each once: separators in the registry's order, imported systems in that of their first import, then the rest."""
    keys = set(keys)
    imported = ImportedSystem.objects.order_by("created_at", "key").values_list("key", flat=True)
    places = {key: place for place, key in enumerate([*(spec.key for spec in registry.all_specs()), *imported])}
    return sorted(keys, key=lambda key: (places.get(key.partition("@")[0], len(places)), key))


def imported_systems() -> list[ImportedSystem]:
    """With the number of songs that each has stems of, as `songs`, in the order of their first import."""
    songs = SeparationJob.objects.filter(separator=OuterRef("key")).order_by().values("separator")
    count = songs.annotate(count=Count("song", distinct=True)).values("count")
    return list(ImportedSystem.objects.annotate(songs=Coalesce(Subquery(count), 0)).order_by("created_at", "key"))


def jobs_of(*, song: str | None = None, states: str | None = None) -> QuerySet[SeparationJob]:
    """Jobs, oldest first, of one song and in the states (joined by commas) if these are given."""
    jobs = SeparationJob.objects.order_by("queued_at", "id").prefetch_related("stems__job")
    if song is not None:
        jobs = jobs.filter(song__in=_song_ids(song))
    return jobs if states is None else jobs.filter(state__in=states.split(","))


def stems_of(*, song: str | None = None) -> QuerySet[Stem]:
    stems = Stem.objects.select_related("job").order_by("song", "source", "id")
    return stems if song is None else stems.filter(song__in=_song_ids(song))


def _song_ids(text: str) -> list[UUID]:
    """The id in the text, or none: what is no id names no song."""
    try:
        return [UUID(text)]
    except ValueError:
        return []


def styles_used() -> list[str]:
    return list(Song.objects.exclude(style="").order_by("style").values_list("style", flat=True).distinct())
