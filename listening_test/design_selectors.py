"""The design of a study: everything that decides who hears what, as the planner takes it and as it is frozen."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from listening_test.design import Candidate, Design
from listening_test.models import Clip, Study
from listening_test.scales import ContaminationWords
from listening_test.texts import Key, study_text, study_title

PLANNER = 2  # the planner's own version: raised when the same design would give another plan
FORM = 2  # of the record. The first one did not name the words of Contamination, which all studies had alike
SETTINGS = (
    "sources",
    "systems",
    "controls",
    "trials_per_listener",
    "repeats_per_listener",
    "traps_per_listener",
    "trap_kind",
    "block_trials",
    "scale_layout",
    "contamination_words",
    "loudness_rule",
    "minimum_seconds",
    "loop_allowed",
    "show_mixture",
    "equipment",
    "practice",
    "questions",
)


def study_design(study: Study) -> Design:
    """Excerpts are named by their place in the study, so that a copy with the same seed has the same plans."""
    rows = study.clips.filter(purpose=Clip.Purpose.TEST).values_list("excerpt_id", "source", "system", "pk")
    clips = sorted((excerpt, source, system, str(key)) for excerpt, source, system, key in rows)
    names = {excerpt: f"{number:04}" for number, excerpt in enumerate(sorted({row[0] for row in clips}))}
    return Design(
        clips=[Candidate(names[excerpt], source, system, key) for excerpt, source, system, key in clips],
        clips_per_listener=study.trials_per_listener,
        repeats=study.repeats_per_listener,
        traps=study.traps_per_listener,
        apart=study.scale_layout == Study.ScaleLayout.APART,
    )


# ── Frozen ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def design_record(study: Study) -> dict[str, Any]:
    """What is frozen when the study opens; texts and clips stand in it by their sha256.

    It is what the study decides and keeps. The words of the scales, sound checks and ready questions are chosen in the
    settings, by name, and are worded by this version of the service.
    """
    options = {name: getattr(study, name) for name in SETTINGS}
    if study.design_form == 1 and study.contamination_words == ContaminationWords.AMOUNT:
        del options["contamination_words"]
    return {
        "planner": PLANNER,
        "seed": study.seed,
        "settings": options,
        "texts": _texts(study),
        "clips": _clips(study),
    }


def design_digest(study: Study) -> str:
    """sha256 of the design as canonical JSON: keys sorted, no spaces, UTF-8."""
    text = json.dumps(design_record(study), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def design_unchanged(study: Study) -> bool:
    """Whether the design is still the one that the study was opened with; a study that never was has none."""
    return bool(study.design_digest) and study.design_digest == design_digest(study)


def _texts(study: Study) -> dict[str, dict[str, str]]:
    """What listeners read in each language that was there when the study opened: from then on it keeps its texts."""
    languages = {text.language for text in study.texts.all()}
    return {
        language: {str(key): hashlib.sha256(_text(study, key, language).encode()).hexdigest() for key in Key}
        for language in sorted(languages)
    }


def _text(study: Study, key: Key, language: str) -> str:
    return study_title(study, language) if key == Key.TITLE else study_text(study, key, language)


def _clips(study: Study) -> list[list[Any]]:
    """Every clip: what it is, of which excerpt, and the digest of its sound."""
    rows = study.clips.select_related("excerpt__song").order_by(
        "purpose", "excerpt_id", "source", "system", "role", "id"
    )
    return [
        [
            clip.purpose,
            [clip.excerpt.song.original_sha256, clip.excerpt.start, clip.excerpt.end] if clip.excerpt else None,
            clip.source,
            clip.system,
            clip.role,
            clip.language,
            clip.expected,
            clip.sha256,
        ]
        for clip in rows
    ]
