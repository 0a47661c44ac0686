"""Reading songs, jobs and stems."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Prefetch, QuerySet

from separation.models import SeparationJob, Song, Source, Stem
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
    is_demo: bool
    problem: SeparatorError | None

    @property
    def is_ready(self) -> bool:
        return self.problem is None


def separator_choices() -> list[Choice]:
    return [Choice(spec.key, spec.name, spec.is_demo, registry.available(spec.key)) for spec in registry.all_specs()]


def separator_name(key: str) -> str:
    """What a person reads; the key itself for a separator that is no longer in the registry."""
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
    return stems.filter(job__separator=system, job__state=State.DONE).first()


def systems_done(song: Song) -> list[str]:
    """The separators whose stems of the song are there, in the registry's order, then "reference" if it has any."""
    done = set(song.jobs.filter(state=State.DONE).values_list("separator", flat=True))
    known = [spec.key for spec in registry.all_specs() if spec.key in done]
    others = sorted(done.difference(known))
    reference = [REFERENCE] if song.stems.filter(job__isnull=True).exists() else []
    return known + others + reference


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
