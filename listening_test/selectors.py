"""Questions about studies. Nothing here writes."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from django.db.models import Count, Q

from listening_test.examples import EXAMPLES, PRACTICE
from listening_test.models import Clip, Excerpt, ListeningSession, Preparation, Rating, Study
from listening_test.systems import system_order
from separation.models import SeparationJob, Song, Source, Stem
from separation.selectors import REFERENCE
from separation.separators import registry

StemKey = tuple[UUID, str, str]  # song, system, source
Stems = dict[StemKey, list[Stem]]
Offer = dict[UUID, dict[str, set[str]]]  # song -> system of a done job -> its sources

LEVEL_CLIPS = 1  # by which the volume is set


@dataclass(frozen=True)
class Problem:
    """A code and its parameters, see `listening_test.messages`."""

    code: str
    params: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class StudyProgress:
    """What has arrived so far."""

    started: int = 0
    completed: int = 0
    ratings: int = 0
    simulated: int = 0  # sessions of simulated listeners, among those started
    ratings_per_clip: tuple[int, int] = (0, 0)  # of the clip with fewest finished trials, and with most

    @property
    def has_simulated(self) -> bool:
        return self.simulated > 0


@dataclass(frozen=True)
class StudyRow:
    """A line of the list of studies."""

    study: Study
    progress: StudyProgress


@dataclass(frozen=True)
class MissingStems:
    """What a song lacks of one system, and the last job that was to make it."""

    song: Song
    system: str
    sources: list[str]
    job: SeparationJob | None
    excerpts: list[Excerpt] = field(default_factory=list)

    @property
    def can_be_separated(self) -> bool:
        """Whether a job that is not under way yet would bring them."""
        if self.job and (self.job.is_live or self.job.state == SeparationJob.State.DONE):
            return False
        return self.system in systems_ready() and set(self.sources) <= set(systems_ready()[self.system])


# ── Lists and counts ────────────────────────────────────────────────────────────────────────────────────────────────


def study_rows() -> list[StudyRow]:
    sessions, ratings = _session_counts(), _rating_counts()
    return [
        StudyRow(study, replace(sessions.get(study.id, StudyProgress()), ratings=ratings.get(study.id, 0)))
        for study in Study.objects.all()
    ]


def study_progress(study: Study) -> StudyProgress:
    sessions = _session_counts(study=study).get(study.id, StudyProgress())
    ratings = _rating_counts(trial__session__study=study).get(study.id, 0)
    return replace(sessions, ratings=ratings, ratings_per_clip=_finished_per_clip(study))


def _session_counts(**only: Any) -> dict[UUID, StudyProgress]:
    rows = (
        ListeningSession.objects.filter(is_test=False, **only)
        .order_by()
        .values("study")
        .annotate(
            started=Count("id"),
            completed=Count("id", filter=Q(completed_at__isnull=False)),
            simulated=Count("id", filter=Q(listener__simulated=True)),
        )
        .values_list("study", "started", "completed", "simulated")
    )
    return {
        study: StudyProgress(started=started, completed=completed, simulated=simulated)
        for study, started, completed, simulated in rows
    }


def _rating_counts(**only: Any) -> dict[UUID, int]:
    counted = Rating.objects.filter(trial__session__is_test=False, trial__instructed__isnull=True, **only)
    rows = counted.order_by().values("trial__session__study").annotate(count=Count("id"))
    return {row["trial__session__study"]: row["count"] for row in rows}


def _finished_per_clip(study: Study) -> tuple[int, int]:
    """Listeners, so that a clip that comes back or is asked about twice counts once."""
    heard = Q(trials__finished_at__isnull=False, trials__instructed__isnull=True, trials__session__is_test=False)
    counts = (
        study.clips.filter(purpose=Clip.Purpose.TEST)
        .order_by()
        .annotate(finished=Count("trials__session", filter=heard, distinct=True))
        .values_list("finished", flat=True)
    )
    return (min(counts), max(counts)) if counts else (0, 0)


def has_simulated(study: Study) -> bool:
    return study.sessions.filter(listener__simulated=True).exists()


def has_real_ratings(study: Study) -> bool:
    return Rating.objects.filter(trial__session__study=study, trial__session__listener__simulated=False).exists()


# ── Clips ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def systems_rated(study: Study) -> list[str]:
    """The systems and the controls of the study, each once, in the order in which they are shown."""
    return list(dict.fromkeys([*study.systems, *study.controls]))


def rated_clips_expected(study: Study) -> int:
    """A song without true stems has no hidden reference; every other condition is there for every excerpt."""
    excerpts, stems = list(study.excerpts.all()), study_stems(study) if REFERENCE in study.controls else {}
    return sum(
        not is_left_out(study, stems, excerpt, system, source)
        for excerpt in excerpts
        for source in study.sources
        for system in systems_rated(study)
    )


def clips_expected(study: Study) -> int:
    """All that preparing makes, and the recordings that are there already."""
    mixtures = study.excerpts.count() if study.show_mixture else 0
    practice = len(PRACTICE) if study.practice else 0
    recordings = study.clips.filter(purpose=Clip.Purpose.TRAP).count()
    return rated_clips_expected(study) + mixtures + len(EXAMPLES) + practice + LEVEL_CLIPS + recordings


def clips_made(study: Study) -> int:
    """That are there by now. Clips are saved together, so while they are made the work that is done is counted."""
    saved = study.clips.count()
    if study.state != Study.State.PREPARING:
        return saved
    progress = Preparation.objects.filter(study=study).values_list("progress", flat=True).first() or 0.0
    return max(saved, int(progress * clips_expected(study)))


def clips_per_listener(study: Study) -> int:
    everything = rated_clips_expected(study)
    return min(study.trials_per_listener or everything, everything)


# ── Stems ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def study_songs(study: Study) -> list[Song]:
    return list(Song.objects.filter(excerpts__study=study).distinct())


def stems_of(songs: Iterable[Song], systems: Iterable[str], sources: Iterable[str]) -> Stems:
    """The stems that clips of these systems and sources are cut from, as far as they are there.

    Of a song that was separated in parts only, there are several of one system and source.
    """
    systems = list(systems)
    done = Q(job__state=SeparationJob.State.DONE, job__separator__in=systems)
    true = Q(job__isnull=True) if REFERENCE in systems else Q(pk__in=[])
    stems = Stem.objects.filter(done | true, song__in=list(songs), source__in=list(sources)).select_related(
        "job", "song"
    )
    found: Stems = {}
    for stem in stems.order_by("job__spans_key", "start", "id"):  # of the whole song before those of its parts
        key = (stem.song_id, stem.job.separator if stem.job else REFERENCE, stem.source)
        found.setdefault(key, []).append(stem)
    return found


def study_stems(study: Study) -> Stems:
    """With the true ones, of which controls are made."""
    return stems_of(study_songs(study), [*study.systems, REFERENCE], study.sources)


def stem_of(stems: Stems, excerpt: Excerpt, system: str, source: str) -> Stem | None:
    """The stem that holds the excerpt."""
    candidates = stems.get((excerpt.song_id, system, source), [])
    return next((stem for stem in candidates if stem.covers(*excerpt.span)), None)


def is_left_out(study: Study, stems: Stems, excerpt: Excerpt, system: str, source: str) -> bool:
    """A hidden reference is a control where there is a true stem, and nothing is lacking where there is none."""
    hidden = system == REFERENCE and system not in study.systems
    return hidden and stem_of(stems, excerpt, system, source) is None


def stems_missing(study: Study) -> list[MissingStems]:
    """Per song and chosen system, the sources without a stem of some excerpt; songs and systems in their order."""
    songs = study_songs(study)
    there = stems_of(songs, study.systems, study.sources)
    missing = []
    for song in songs:
        excerpts = [excerpt for excerpt in study.excerpts.all() if excerpt.song_id == song.id]
        for system in study.systems:
            lacking = [e for e in excerpts if any(stem_of(there, e, system, s) is None for s in study.sources)]
            sources = [s for s in study.sources if any(stem_of(there, e, system, s) is None for e in lacking)]
            if lacking:
                missing.append(MissingStems(song, system, sources, _last_job(song, system, lacking), lacking))
    return missing


def _last_job(song: Song, system: str, excerpts: list[Excerpt]) -> SeparationJob | None:
    """The newest job that is, or was, to separate one of the excerpts."""
    for job in song.jobs.filter(separator=system).order_by("-queued_at", "-id"):
        if any(start <= e.span[0] and e.span[1] <= end for e in excerpts for start, end in job.parts()):
            return job
    return None


def systems_by_song() -> Offer:
    """What a study may be made of at once: stems of whole songs."""
    rows = (
        Stem.objects.filter(job__state=SeparationJob.State.DONE, samples__isnull=True)
        .order_by()
        .values_list("song_id", "job__separator", "source")
    )
    offer: Offer = {}
    for song_id, system, source in rows:
        offer.setdefault(song_id, {}).setdefault(str(system), set()).add(source)
    return offer


def systems_ready() -> dict[str, tuple[str, ...]]:
    """The separators whose weights are here, with their sources: they can still separate the excerpts of a study."""
    return {spec.key: spec.sources for spec in registry.all_specs() if registry.available(spec.key) is None}


def systems_offered(offer: Offer) -> list[str]:
    there = {system for systems in offer.values() for system in systems}
    return system_order(there | set(systems_ready()))


def sources_offered(offer: Offer) -> list[str]:
    there = {source for systems in offer.values() for sources in systems.values() for source in sources}
    there |= {source for sources in systems_ready().values() for source in sources}
    return [source for source in Source.values if source in there]


def studies_using(system: str, songs: Collection[UUID] | None) -> list[str]:
    """Names of the studies, drafts too, that compare this system on any of these songs (None: on any song)."""
    studies = Study.objects.order_by("created_at", "id").values_list("name", "systems", "pk")
    named = [(name, pk) for name, systems, pk in studies if system in systems]
    if songs is None:
        return [name for name, _pk in named]
    heard = set(Excerpt.objects.filter(song__in=list(songs)).values_list("study", flat=True))
    return [name for name, pk in named if pk in heard]


def studies_playing(stems: Collection[UUID]) -> list[str]:
    """Names of the studies that have clips of any of these stems."""
    playing = Clip.objects.filter(stem__in=list(stems)).values("study")
    return list(Study.objects.filter(pk__in=playing).order_by("created_at", "id").values_list("name", flat=True))


# ── May it open? ────────────────────────────────────────────────────────────────────────────────────────────────────


def study_problems(study: Study) -> list[Problem]:
    """What keeps a draft from being opened; nothing when it may."""
    problems = []
    if not study.excerpts.exists():
        problems.append(Problem("no_excerpts"))
    if not study.sources:
        problems.append(Problem("no_sources"))
    if not study.systems:
        problems.append(Problem("no_systems"))
    if stems_missing(study):
        problems.append(Problem("stems_missing"))
    if REFERENCE in study.controls and not any(key[1] == REFERENCE for key in study_stems(study)):
        problems.append(Problem("reference_nowhere"))
    return problems


def excerpt_clips(study: Study) -> list[tuple[Excerpt, dict[str, list[Clip]]]]:
    """For the researcher's preview: per excerpt, per source, the rated clips in the order of the study's systems."""
    place = {system: number for number, system in enumerate(systems_rated(study))}
    rows: dict[int, dict[str, list[Clip]]] = {}
    for clip in study.clips.filter(purpose=Clip.Purpose.TEST):
        rows.setdefault(clip.excerpt_id or 0, {}).setdefault(clip.source, []).append(clip)
    result = []
    for excerpt in study.excerpts.select_related("song"):
        by_source = rows.get(excerpt.pk, {})
        ordered = {
            source: sorted(by_source[source], key=lambda clip: place.get(clip.system, len(place)))
            for source in study.sources
            if source in by_source
        }
        result.append((excerpt, ordered))
    return result
