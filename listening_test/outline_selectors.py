"""What can be said of a study's outline to its researcher: one sentence, and what a careful colleague would add."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from listening_test import equipment, questionnaire
from listening_test.models import Clip, Study, StudyText
from listening_test.outline import Outline
from listening_test.questionnaire import SongAsked, Specification
from listening_test.selectors import Problem, rated_clips_expected, systems_rated
from separation.models import Song, Stem
from separation.selectors import REFERENCE

LONG_EXCERPT_SECONDS = 12.0
LONG_SESSION_MINUTES = 20


def study_outline(study: Study) -> Outline:
    excerpts = list(study.excerpts.all())
    conditions = len(systems_rated(study))
    everything = len(excerpts) * len(study.sources) * conditions
    return Outline(
        seconds=tuple(excerpt.seconds for excerpt in excerpts),
        sources=len(study.sources),
        conditions=conditions,
        left_out=everything - rated_clips_expected(study),
        trials_per_listener=study.trials_per_listener,
        repeats=study.repeats_per_listener,
        traps=study.traps_per_listener,
        apart=study.scale_layout == Study.ScaleLayout.APART,
        block_trials=study.block_trials,
        practice=study.practice,
        checks=len(equipment.kinds_asked(study.equipment)),
        questions=questions_asked(study.questions, len({excerpt.song_id for excerpt in excerpts})),
        quota=study.quota,
    )


def questions_asked(specification: Specification, songs: int) -> int:
    asked = [SongAsked(str(number), "") for number in range(songs)]
    return len(questionnaire.opening(asked, specification)) + len(questionnaire.closing(specification, asked))


# ── In words ────────────────────────────────────────────────────────────────────────────────────────────────────────


def outline_sentence(outline: Outline) -> str:
    """“A session: 24 of 48 clips, about 14 minutes. 16 listeners give each clip 8 ratings on each scale.”"""
    if not outline.rated_clips:
        return _("Choose an excerpt, a system and a source to see how long a session takes.")
    clips = ngettext("%(count)s clip", "%(count)s clips", outline.presented) % {"count": outline.presented}
    session = _("A session: %(clips)s, about %(minutes)s minutes.") % {"clips": clips, "minutes": outline.minutes}
    fewest, most = outline.ratings_per_clip
    values = {
        "listeners": outline.listeners,
        "ratings": str(fewest) if fewest == most else f"{fewest}–{most}",
        "all": outline.rated_clips,
    }
    given = _("%(listeners)s listeners give each of the %(all)s clips %(ratings)s ratings on each scale.") % values
    return f"{session} {given}"


def study_advice(study: Study) -> list[Problem]:
    """What a careful colleague would say; none of it keeps the study from being opened."""
    advice = outline_advice(study_outline(study), systems=len(study.systems))
    return [
        *advice,
        *controls_advice(study.controls, study_songs_titles(study), study.sources),
        *titles_advice(study.name, study_titles(study)),
        *recordings_advice(study),
    ]


def outline_advice(outline: Outline, *, systems: int) -> list[Problem]:
    advice = []
    if systems == 1:
        advice.append(Problem("one_system"))
    if any(seconds > LONG_EXCERPT_SECONDS for seconds in outline.seconds):
        advice.append(Problem("long_excerpts"))
    if outline.minutes > LONG_SESSION_MINUTES:
        advice.append(Problem("long_session", {"minutes": outline.minutes}))
    if outline.is_uneven:
        params = {"clips": outline.clips_per_listener, "systems": outline.conditions, "better": outline.even_clips}
        advice.append(Problem("uneven_clips", params))
    if outline.never_links:
        advice.append(Problem("one_group", {"better": 2 * outline.conditions}))
    return advice


def references_lacking(songs: Collection[UUID], sources: Collection[str]) -> set[tuple[UUID, str]]:
    """(song, source) without a true stem."""
    there = Stem.objects.filter(job__isnull=True, song__in=list(songs), source__in=list(sources))
    have = set(there.order_by().values_list("song_id", "source"))
    return {(song, source) for song in songs for source in sources} - have


def controls_advice(controls: Collection[str], songs: Mapping[UUID, str], sources: Collection[str]) -> list[Problem]:
    """Where a song (id -> title) has no true stem of one of the sources, it has no hidden reference."""
    if REFERENCE not in controls:
        return []
    lacking = {song for song, _source in references_lacking(songs, sources)}
    titles = [title for song, title in songs.items() if song in lacking]
    return [Problem("no_reference", {"songs": ", ".join(titles)})] if titles else []


def titles_advice(name: str, titles: Mapping[str, str]) -> list[Problem]:
    """Languages (code -> title) without a title of the study."""
    lacking = [str(words) for code, words in settings.LANGUAGES if not titles.get(code)]
    return [Problem("no_title", {"languages": ", ".join(lacking), "name": name})] if lacking else []


def recordings_advice(study: Study) -> list[Problem]:
    """Languages in which spoken attention checks would have to be written."""
    if not study.traps_per_listener or study.trap_kind != Study.TrapKind.SPOKEN:
        return []
    there = set(study.clips.filter(purpose=Clip.Purpose.TRAP).values_list("language", flat=True))
    lacking = [str(words) for code, words in settings.LANGUAGES if code not in there]
    return [Problem("no_trap_recordings", {"languages": ", ".join(lacking)})] if lacking else []


def study_titles(study: Study) -> dict[str, str]:
    return {text.language: text.text for text in study.texts.all() if text.key == StudyText.Key.TITLE}


def study_songs_titles(study: Study) -> dict[UUID, str]:
    return dict(Song.objects.filter(excerpts__study=study).distinct().values_list("id", "title"))
